import FluxionCore
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A small floating-point type as the list of its numbers, made from the definition; rounding is looking for the nearest in the list.
/// Slow and plain: what the code that works on bits is compared with.
struct PlainFloatFormat: CustomTestStringConvertible {
  var testDescription: String { "\(type)" }
  let type: ElementType
  /// The finite numbers without sign, ascending: number i has the bits i.
  let magnitudes: [Double]
  let hasInfinity: Bool
  let bitCount: Int

  static let all = [bfloat16, float16, float8e4m3, float8e5m2]
  static let bfloat16 = PlainFloatFormat(.bfloat16, exponentBits: 8, fractionBits: 7, hasInfinity: true)
  static let float16 = PlainFloatFormat(.float16, exponentBits: 5, fractionBits: 10, hasInfinity: true)
  static let float8e4m3 = PlainFloatFormat(.float8e4m3, exponentBits: 4, fractionBits: 3, hasInfinity: false)
  static let float8e5m2 = PlainFloatFormat(.float8e5m2, exponentBits: 5, fractionBits: 2, hasInfinity: true)

  private init(_ type: ElementType, exponentBits: Int, fractionBits: Int, hasInfinity: Bool) {
    (self.type, self.hasInfinity, bitCount) = (type, hasInfinity, 1 + exponentBits + fractionBits)
    let bias = Double(1 << (exponentBits - 1) - 1)
    var numbers: [Double] = []
    for exponent in 0..<1 << exponentBits {
      for fraction in 0..<1 << fractionBits {
        let part = Double(fraction) / pow(2, Double(fractionBits))
        numbers.append(exponent == 0 ? pow(2, 1 - bias) * part : pow(2, Double(exponent) - bias) * (1 + part))
      }
    }
    // The patterns of the last exponent are no numbers; without infinity that is but the very last.
    magnitudes = Array(numbers.dropLast(hasInfinity ? 1 << fractionBits : 1))
  }

  /// What the bits stand for.
  func value(_ bits: Int) -> Double {
    let (size, isNegative) = (bits & (1 << (bitCount - 1) - 1), bits >> (bitCount - 1) == 1)
    let magnitude = size < magnitudes.count ? magnitudes[size] : hasInfinity && size == magnitudes.count ? .infinity : .nan
    return isNegative ? -magnitude : magnitude
  }

  /// The number nearest to `x`, of two the one with even bits.
  func rounded(_ x: Double) -> Double {
    if x.isNaN { return .nan }
    let size = Swift.abs(x)
    var (low, high) = (0, magnitudes.count)   // the last number not above the size is in low ..< high
    while high - low > 1 {
      let middle = (low + high) / 2
      if magnitudes[middle] <= size { low = middle } else { high = middle }
    }
    let isLast = low == magnitudes.count - 1
    // Beyond the greatest number the next one would follow at the same distance.
    let next = isLast ? 2 * magnitudes[low] - magnitudes[low - 1] : magnitudes[low + 1]
    let middle = magnitudes[low] + (next - magnitudes[low]) / 2
    let goesUp = size > middle || size == middle && low % 2 == 1
    let beyond: Double = hasInfinity ? .infinity : .nan
    let magnitude = goesUp ? (isLast ? beyond : next) : magnitudes[low]
    return x.sign == .minus ? -magnitude : magnitude
  }

  /// Every number and every middle of two neighbours, each also a little smaller and larger, of both signs; what is beyond; and NaN.
  func touchstones(_ step: (Double, Bool) -> Double) -> [Double] {
    var points: [Double] = []
    for (a, b) in zip(magnitudes, magnitudes.dropFirst() + [2 * magnitudes.last! - magnitudes[magnitudes.count - 2]]) { points += [a, a + (b - a) / 2, b] }
    let around = points.flatMap { [step($0, false), $0, step($0, true)] }
    return around + around.map { -$0 } + [.infinity, -.infinity, .nan, 1e38, -1e38, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude]
  }
}
