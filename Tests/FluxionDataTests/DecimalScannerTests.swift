import Foundation
import Testing

@testable import FluxionData

@Suite("DecimalScanner") struct DecimalScannerTests {
  private let scanner = DecimalScanner()

  private func scan(_ text: String) -> (value: Double?, used: Int) {
    Array(text.utf8).withUnsafeBufferPointer { bytes in
      var at = 0
      return (scanner.scan(bytes, &at), at)
    }
  }

  /// The standard library is the judge; bits are compared, so that −0 counts.
  private func expectExact(_ text: String) {
    let (value, used) = scan(text)
    #expect(used == text.utf8.count && value?.bitPattern == Double(text)?.bitPattern, "\(text)")
  }

  @Test("hard cases are correctly rounded", arguments: [
    "0", "-0", "0.0", "-0.0e10", "1", "+1", ".5", "5.", "1e22", "1e23", "8.5e22", "9007199254740993", "9007199254740992",
    "9007199254740991", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309", "1e400",
    "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308",
    "2.2250738585072014e-308", "1e-400", "0e999999999999", "1e-999999999999", "6.0221409e+23", "123456789012345678901234",
    "0.000000000000000000000000000000012345678901234567", "00000000000000000000000000000000001.5",
    "1090544144181609348835077142190", "9355950000000000000.00000000000000000000000000000000001844674407370955",
    "3.1415926535897932384626433832795028841971", "7.2057594037927933e16", "9223372036854775808e-10",
    "1.00000000000000011102230246251565404236316680908203125", "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000033306690738754696212708950042724609375", "2.2250738585072011360574097967091319759348195463516e-308",
  ])
  func hardCases(_ text: String) { expectExact(text) }

  @Test("what is no number is left alone", arguments: ["", "-", ".", "e5", "abc", "nan", "inf", "+-1", "1e", "1e+"])
  func noNumbers(_ text: String) {
    let (value, used) = scan(text)
    #expect(value == nil && used == 0)
  }

  @Test("the scan stops after the number") func stops() {
    #expect(scan("12.5,3") == (12.5, 4))
    #expect(scan("0x10") == (0, 1))
  }

  @Test("a hundred thousand random numbers are correctly rounded") func random() {
    var generator = SeededGenerator(seed: 42)
    for _ in 0..<50_000 {
      let value = Double(bitPattern: generator.next())
      if value.isFinite { expectExact(value.description) }
      let digits = generator.next() >> UInt64.random(in: 0...63, using: &generator)
      expectExact("\(digits)e\(Int.random(in: -350...320, using: &generator))")
    }
  }
}
