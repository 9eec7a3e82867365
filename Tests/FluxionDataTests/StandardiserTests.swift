import Foundation
import Testing

@testable import FluxionData

@Suite("Standardiser") struct StandardiserTests {
  @Test("values worked by hand") func byHand() {
    let fitted = Standardiser(fitting: [1, 10, 7, 3, 10, 7, 5, 13, 7], columns: 3)
    #expect(fitted.means == [3, 11, 7])
    #expect(abs(fitted.deviations[0] - (8.0 / 3).squareRoot()) < 1e-15)
    #expect(abs(fitted.deviations[1] - 2.0.squareRoot()) < 1e-15)
    #expect(fitted.deviations[2] == 1 && fitted.constantColumns == [2])
    #expect(fitted.apply([3, 11, 7]) == [0, 0, 0])
    #expect(fitted.invert([0, 0, 0]) == [3, 11, 7])
  }

  @Test("a constant column is found whatever its value", arguments: [0.1, 0, -0.0, 1e308, .leastNonzeroMagnitude, -1.0 / 3])
  func constant(_ value: Double) {
    let fitted = Standardiser(fitting: Array(repeating: value, count: 1000), columns: 1)
    #expect(fitted.constantColumns == [0] && fitted.means == [value])
    #expect(fitted.invert(fitted.apply([value])) == [value])
  }

  @Test("large means and the ends of the range lose no accuracy", arguments: [1e-300, 1, 1e9, 1e300])
  func range(_ scale: Double) {
    let offset = scale == 1 ? 1e8 : 0
    let values = [-1.0, 0, 1, 2].map { $0 * scale + offset }
    let fitted = Standardiser(fitting: values, columns: 1)
    #expect(abs(fitted.means[0] - (0.5 * scale + offset)) <= 1e-15 * max(scale, offset))
    #expect(abs(fitted.deviations[0] / scale - 1.25.squareRoot()) < 1e-14)
    #expect(Standardiser(fitting: [-1.7e308, 1.7e308], columns: 1).deviations[0].isFinite)
  }

  @Test("standardised columns have mean 0 and deviation 1, and come back") func roundTrip() {
    var generator = SeededGenerator(seed: 11)
    let values = (0..<2000).map { Double.random(in: -1...1, using: &generator) * ($0 % 2 == 0 ? 1e-3 : 1e6) + 3 }
    let fitted = Standardiser(fitting: values, columns: 2)
    let standard = fitted.apply(values)
    let again = Standardiser(fitting: standard, columns: 2)
    for column in 0..<2 {
      #expect(abs(again.means[column]) < 1e-12)  // ε · √n · mean / deviation of the first column, 5e3
      #expect(abs(again.deviations[column] - 1) < 1e-12)
    }
    for (value, back) in zip(values, fitted.invert(standard)) { #expect(abs(value - back) <= 4e-16 * max(abs(value), 3)) }
  }

  @Test("coded and decoded, and refused when unsound") func coding() throws {
    let fitted = Standardiser(fitting: [0.1, 7, 0.3, 7, 1e-20, 7], columns: 2)
    #expect(try JSONDecoder().decode(Standardiser.self, from: JSONEncoder().encode(fitted)) == fitted)
    for bad in [
      #"{"means":[1],"deviations":[0],"constantColumns":[]}"#, #"{"means":[1],"deviations":[1,2],"constantColumns":[]}"#,
      #"{"means":[1],"deviations":[1],"constantColumns":[1]}"#, #"{"means":[],"deviations":[],"constantColumns":[]}"#,
    ] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Standardiser.self, from: Data(bad.utf8)) }
    }
  }
}
