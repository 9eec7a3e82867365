import Foundation

/// Reads decimal numbers from bytes, correctly rounded and independent of the locale.
///
/// > D. Lemire. "Number parsing at a gigabyte per second." *Software: Practice and Experience* 51(8), 2021, section 5.
///
/// Numbers of at most 19 significant digits, which is all that programs print, are rounded from one 64 × 128-bit
/// product; others, and the rare product that is too close to call, go through the standard library.
struct DecimalScanner {
  private let powers: [PowersOfFive.Power]

  init() { powers = PowersOfFive.table }

  /// The number that begins at `position`, of the form `±12.34e±56`, with digits on at least one side of the point.
  ///
  /// - Parameter position: Where to begin; moved to the first byte after the number, or left when there is none.
  @inline(__always)
  func scan(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Double? {
    let end = bytes.count
    let start = position
    var at = start
    var isNegative = false
    if at < end, bytes[at] == 0x2D || bytes[at] == 0x2B {
      isNegative = bytes[at] == 0x2D
      at += 1
    }

    // Leading zeros are no significant digits; beyond 19 digits the word may wrap, and is then not used.
    var digits: UInt64 = 0
    let whole = at
    while at < end, bytes[at] &- 0x30 < 10 {
      digits = digits &* 10 &+ UInt64(bytes[at] &- 0x30)
      at += 1
    }
    var digitCount = at - whole
    var exponent = 0
    if at < end, bytes[at] == 0x2E {
      at += 1
      let fraction = at
      while at < end, bytes[at] &- 0x30 < 10 {
        digits = digits &* 10 &+ UInt64(bytes[at] &- 0x30)
        at += 1
      }
      exponent = fraction - at
      digitCount -= exponent
    }
    guard digitCount > 0 else { return nil }
    if at < end, bytes[at] | 0x20 == 0x65 {
      guard let written = Self.scanExponent(bytes, &at) else { return nil }
      exponent += written
    }
    position = at

    if digitCount > 19 {
      var zeros = whole
      while zeros < at, bytes[zeros] == 0x30 || bytes[zeros] == 0x2E {
        if bytes[zeros] == 0x30 { digitCount -= 1 }
        zeros += 1
      }
    }
    if digitCount <= 19, let magnitude = value(digits, exponent) { return isNegative ? -magnitude : magnitude }
    return Double(String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self))
  }

  /// What follows `e`; nil when no digit does. Beyond ±10⁶ the value no longer matters and stops growing.
  private static func scanExponent(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Int? {
    var place = at + 1
    var isNegative = false
    if place < bytes.count, bytes[place] == 0x2D || bytes[place] == 0x2B {
      isNegative = bytes[place] == 0x2D
      place += 1
    }
    let first = place
    var value = 0
    while place < bytes.count, bytes[place] &- 0x30 < 10 {
      value = min(value * 10 + Int(bytes[place] &- 0x30), 1_000_000)
      place += 1
    }
    guard place > first else { return nil }
    at = place
    return isNegative ? -value : value
  }

  /// `digits · 10^exponent`, rounded to nearest, ties to even; nil when the product is too close to call.
  @inline(__always)
  private func value(_ digits: UInt64, _ exponent: Int) -> Double? {
    if digits <= 1 << 53, -22 <= exponent, exponent <= 22 {  // both factors are exact, so one rounding remains
      let whole = Double(digits)
      return exponent < 0 ? whole / Self.exactPowers[-exponent] : whole * Self.exactPowers[exponent]
    }
    if digits == 0 || exponent < PowersOfFive.least { return 0 }
    if exponent > PowersOfFive.greatest { return .infinity }
    return rounded(digits, exponent)
  }

  private static let exactPowers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// Lemire's algorithm: the letters `w`, `q`, `z` are the paper's.
  private func rounded(_ digits: UInt64, _ q: Int) -> Double? {
    let leading = digits.leadingZeroBitCount
    let w = digits << UInt64(leading)
    let power = powers[q - PowersOfFive.least]
    var z = w.multipliedFullWidth(by: power.high)
    if z.high & 0x1FF == 0x1FF {  // the low word of the power may carry into the bits that decide
      let carry = w.multipliedFullWidth(by: power.low).high
      let (low, overflow) = z.low.addingReportingOverflow(carry)
      z = (overflow ? z.high &+ 1 : z.high, low)
      if low == .max, q < -27 || q > 55 { return nil }
    }
    let upper = Int(z.high >> 63)
    let shift = UInt64(upper + 64 - 52 - 3)
    var mantissa = z.high >> shift
    // ⌊q · log₂ 10⌋ by a multiplication, exact in this range of q.
    var biased = ((152170 + 65536) * q) >> 16 + 63 + upper - leading + 1023

    if biased <= 0 {  // subnormal, or zero
      guard -biased + 1 < 64 else { return 0 }
      mantissa >>= UInt64(-biased + 1)
      mantissa = (mantissa + mantissa & 1) >> 1
      return Double(bitPattern: mantissa)  // 2⁵² here is the least normal number
    }
    if z.low <= 1, -4 <= q, q <= 23, mantissa & 3 == 1, mantissa << shift == z.high {
      mantissa &= ~1  // exactly half-way: to even
    }
    mantissa = (mantissa + mantissa & 1) >> 1
    if mantissa >= 2 << 52 {
      mantissa = 1 << 52
      biased += 1
    }
    guard biased < 0x7FF else { return .infinity }
    return Double(bitPattern: mantissa & ~(1 << 52) | UInt64(biased) << 52)
  }
}
