import Testing

@testable import FluxionReport

@Suite("Colours")
struct PaletteTests {
  @Test("text has a contrast of 4.5, series colours of 3, against their paper")
  func contrast() throws {
    for palette in [Palette.light, .dark] {
      for text in [palette.ink, palette.soft, palette.pass, palette.fail, palette.accent] {
        let ratio = try contrast(text, palette.paper)
        #expect(ratio >= 4.5, "\(text) on \(palette.paper): \(ratio)")
      }
      for colour in palette.series + [palette.muted] {
        let ratio = try contrast(colour, palette.paper)
        #expect(ratio >= 3, "\(colour) on \(palette.paper): \(ratio)")
      }
    }
    #expect(Palette.light.series.count == Palette.dark.series.count)
    #expect(try abs(contrast("#000000", "#ffffff") - 21) < 1e-9)
  }

  /// Matrices in linear sRGB for full severity.
  ///
  /// > G. M. Machado, M. M. Oliveira, L. A. F. Fernandes. "A physiologically-based model for simulation of color vision
  /// > deficiency." *IEEE TVCG* 15(6), 2009.
  static let visions: [(name: String, matrix: [[Double]])] = [
    ("full", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    (
      "protanopia",
      [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    (
      "deuteranopia",
      [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    (
      "tritanopia",
      [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
  ]

  @Test("series colours differ in every kind of colour vision", arguments: visions.indices)
  func separation(index: Int) throws {
    let vision = PaletteTests.visions[index]
    for palette in [Palette.light, .dark] {
      let seen = try palette.series.map { colour in
        let linear = try channels(colour)
        return lab(vision.matrix.map { row in zip(row, linear).reduce(0) { $0 + $1.0 * $1.1 } })
      }
      for first in seen.indices {
        for second in 0..<first {
          let distance = zip(seen[first], seen[second]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
          let least = first < 5 ? 17.0 : 10
          #expect(distance >= least, "\(vision.name): \(palette.series[first]) and \(palette.series[second])")
        }
      }
    }
  }

  /// The contrast ratio of WCAG 2.2 between two colours written as #rrggbb.
  private func contrast(_ first: String, _ second: String) throws -> Double {
    func luminance(_ colour: String) throws -> Double {
      let linear = try channels(colour)
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    let (a, b) = (try luminance(first), try luminance(second))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  /// Red, green and blue in linear sRGB.
  private func channels(_ colour: String) throws -> [Double] {
    let value = try #require(Int(colour.dropFirst(), radix: 16))
    return [value >> 16, value >> 8 & 255, value & 255].map { channel in
      let c = Double(channel) / 255
      return c <= 0.04045 ? c / 12.92 : powerOfTen(2.4 * logarithm((c + 0.055) / 1.055))
    }
  }

  /// CIE L*a*b* for the white point D65.
  private func lab(_ linear: [Double]) -> [Double] {
    let (r, g, b) = (linear[0].limited(to: 0...1), linear[1].limited(to: 0...1), linear[2].limited(to: 0...1))
    func f(_ t: Double) -> Double { t > 0.008856 ? powerOfTen(logarithm(t) / 3) : 7.787 * t + 16.0 / 116 }
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  }
}
