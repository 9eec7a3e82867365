import Testing

@testable import FluxionReport

@Suite("Numbers as text")
struct NumberTests {
  @Test(
    "significant digits",
    arguments: [
      (2.479, 3, "2.48"), (0.004, 1, "0.004"), (0.15, 1, "0.2"), (9.996, 3, "10.0"), (12345, 3, "12345"),
      (0.00012345, 3, "0.000123"), (0.000012345, 3, "1.23e-5"), (1_234_567, 3, "1.23e6"), (-2.5, 2, "-2.5"),
      (0, 3, "0.00"), (.leastNonzeroMagnitude, 2, "5.0e-324"), (1.7976931348623157e308, 3, "1.80e308"),
    ])
  func significant(value: Double, digits: Int, expected: String) {
    #expect(NumberFormat.significant(digits).string(value) == expected)
  }

  @Test(
    "fixed digits",
    arguments: [
      (1.005, 2, "1.01"), (2, 2, "2.00"), (-0.004, 2, "0.00"), (0.5, 0, "1"), (999.999, 2, "1000.00"),
      (1e21, 0, "1000000000000000000000"),
    ])
  func fixed(value: Double, places: Int, expected: String) {
    #expect(NumberFormat.fixed(places).string(value) == expected)
  }

  @Test("percent, integers and numbers that are not finite")
  func others() {
    #expect(NumberFormat.percent(1).string(0.1255) == "12.6\u{A0}%")
    #expect(NumberFormat.integer.string(2.5) == "3")
    #expect(NumberFormat.shortest.string(.nan) == "nan")
    #expect(NumberFormat.significant(3).string(-.infinity) == "-inf")
  }

  @Test(
    "round trip of the shortest form",
    arguments: [
      0.1, 1.0 / 3, .leastNonzeroMagnitude, 1e16, 123456789012345680, 1e-5, 0.0001, -2.5e-7, .greatestFiniteMagnitude,
      -0.0,
    ])
  func roundTrip(value: Double) throws {
    let text = value.roundTripText
    let back = try #require(Double(text))
    #expect(back.bitPattern == value.bitPattern, "\(text)")
    #expect(text.count <= value.description.count)
  }

  @Test("print dress has a true minus and a raised exponent")
  func typographic() {
    #expect(
      NumberFormat.significant(2).typographic(-1.25e-9).html == "\u{2212}1.3\u{2009}×\u{2009}10<sup>\u{2212}9</sup>")
    #expect(RichText.powerOfTen(-3).svg == "10<tspan class=\"fx-sup\" dy=\"-4\">\u{2212}3</tspan>")
  }
}
