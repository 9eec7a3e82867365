/// How a floating-point number of at most 16 bits is laid out: a sign, an exponent, a fraction, and at the upper end either an infinity
/// followed by NaNs, or one NaN alone.
///
/// The value of the bits s, e, f is (-1)ˢ 2^(e - bias) (1 + f / 2ᴹ), or (-1)ˢ 2^(1 - bias) f / 2ᴹ where e = 0.
///
/// > IEEE Standard 754-2019, 3.4. P. Micikevicius and others. "FP8 formats for deep learning." arXiv:2209.05433, 2022: the eight-bit
/// > formats.
public struct FloatFormat: Hashable, Sendable {
  /// All bits, the sign among them.
  public let bitCount: Int
  /// M, the bits of the fraction.
  public let fractionBitCount: Int
  public let exponentBias: Int
  /// Whether the pattern of ones in the exponent with fraction 0 is an infinity. If not, it is a number like others, and NaN is the
  /// pattern of ones alone.
  public let hasInfinity: Bool

  public static let bfloat16 = FloatFormat(bitCount: 16, fractionBitCount: 7, exponentBias: 127, hasInfinity: true)
  public static let float16 = FloatFormat(bitCount: 16, fractionBitCount: 10, exponentBias: 15, hasInfinity: true)
  public static let float8e4m3 = FloatFormat(bitCount: 8, fractionBitCount: 3, exponentBias: 7, hasInfinity: false)
  public static let float8e5m2 = FloatFormat(bitCount: 8, fractionBitCount: 2, exponentBias: 15, hasInfinity: true)

  /// The sign alone.
  private let signBit: UInt16
  /// The first pattern, without sign, that is no finite number.
  private let limit: UInt16
  /// The NaN that results are, without sign.
  private let nan: UInt16

  private init(bitCount: Int, fractionBitCount: Int, exponentBias: Int, hasInfinity: Bool) {
    self.bitCount = bitCount
    self.fractionBitCount = fractionBitCount
    self.exponentBias = exponentBias
    self.hasInfinity = hasInfinity
    signBit = 1 << UInt16(bitCount - 1)
    let ones = signBit - 1
    let first = hasInfinity ? (ones >> UInt16(fractionBitCount)) << UInt16(fractionBitCount) : ones
    limit = first
    nan = hasInfinity ? first | 1 << UInt16(fractionBitCount - 1) : ones
  }

  /// The distance from 1 to the next greater number.
  public var ulpOfOne: Double { Double(sign: .plus, exponent: -fractionBitCount, significand: 1) }
  public var leastNormalMagnitude: Double { Double(sign: .plus, exponent: 1 - exponentBias, significand: 1) }
  public var leastNonzeroMagnitude: Double { leastNormalMagnitude * ulpOfOne }
  public var greatestFiniteMagnitude: Double { value(ofBits: limit - 1) }

  /// The distance of neighbouring numbers around `x`.
  public func ulp(of x: Double) -> Double {
    x.isFinite ? Double(sign: .plus, exponent: binade(of: x) + 1 - exponentBias - fractionBitCount, significand: 1) : .nan
  }

  /// How many times the numbers' distance has doubled from 0 to a finite `x`.
  private func binade(of x: Double) -> Int { x == 0 ? 0 : Swift.max(Int(x.exponent) - (1 - exponentBias), 0) }

  // MARK: Conversions

  /// The number that these bits stand for; exact.
  public func value(ofBits bits: UInt16) -> Double {
    let size = bits & (signBit - 1)
    let magnitude: Double
    if size >= limit {
      magnitude = size == limit && hasInfinity ? .infinity : .nan
    } else {
      let (exponent, fraction) = (Int(size >> UInt16(fractionBitCount)), Double(size & ((1 << UInt16(fractionBitCount)) - 1)))
      let hidden = exponent == 0 ? 0 : 1 / ulpOfOne
      magnitude =
        (hidden + fraction) * Double(sign: .plus, exponent: Swift.max(exponent, 1) - exponentBias - fractionBitCount, significand: 1)
    }
    return bits & signBit == 0 ? magnitude : -magnitude
  }

  /// The bits of the number nearest to `x`, of two equally near ones the even; beyond the greatest number, as rounding would have it if
  /// the exponent had no bounds, infinity, or NaN in a format without infinities. A NaN stays one, with its sign.
  public func bits(nearestTo x: Double) -> UInt16 {
    let sign = x.sign == .minus ? signBit : 0
    if x.isNaN { return sign | nan }
    if x.isInfinite { return sign | limit }
    // Numbers without sign follow one another as their patterns do: this counts the steps from 0.
    let steps = binade(of: x) << fractionBitCount + Int((x.magnitude / ulp(of: x)).rounded(.toNearestOrEven))
    return sign | (steps < Int(limit) ? UInt16(steps) : limit)
  }

  /// `x` rounded to the format.
  public func rounded(_ x: Double) -> Double { value(ofBits: bits(nearestTo: x)) }

  /// The next number after `a` in the direction of `b`, both of the format.
  func nextAfter(_ a: Double, _ b: Double) -> Double {
    if a.isNaN || b.isNaN { return .nan }
    if a == b { return b }
    if a == 0 { return b > 0 ? leastNonzeroMagnitude : -leastNonzeroMagnitude }
    let bits = bits(nearestTo: a)
    return value(ofBits: (a < b) == (a > 0) ? bits + 1 : bits - 1)
  }
}

extension ElementType {
  /// The layout of a floating-point type of at most 16 bits; nil for all others.
  public var floatFormat: FloatFormat? {
    switch self {
    case .bfloat16: .bfloat16
    case .float16: .float16
    case .float8e4m3: .float8e4m3
    case .float8e5m2: .float8e5m2
    default: nil
    }
  }

  /// The distance from 1 to the next greater number of the type, or of a complex number's parts.
  package var ulpOfOne: Double { floatFormat?.ulpOfOne ?? (realPart == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne)) }

  package var leastNormalMagnitude: Double {
    floatFormat?.leastNormalMagnitude ?? (realPart == .float64 ? Double.leastNormalMagnitude : Double(Float.leastNormalMagnitude))
  }
}

extension ElementType {
  /// The numbers of the type in words, for messages: "which holds -128 … 127".
  var rangeText: String {
    switch kind {
    case .bool: "which holds true and false"
    case .signedInteger: "which holds -2^\(8 * byteCount - 1) … 2^\(8 * byteCount - 1) - 1"
    case .unsignedInteger: "which holds 0 … 2^\(8 * byteCount) - 1"
    case .floatingPoint, .complex: "which is rounded"
    }
  }
}
