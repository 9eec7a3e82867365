#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Functions of one real number that the C library lacks, to about one unit in the last place of a `Double` (near a zero of ψ to
/// 10⁻¹⁵ absolutely).
enum SpecialFunctions {
  /// 1 / (1 + e⁻ˣ), without overflow of the exponential.
  static func logistic(_ x: Double) -> Double {
    if x >= 0 { return 1 / (1 + exp(-x)) }
    let e = exp(x)
    return e / (1 + e)
  }

  /// log |Γ(x)|. The library's `lgamma` keeps the sign in a global variable; its reentrant form does not.
  static func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }

  /// y with erf(y) = x: Winitzki's closed form, then Halley's iteration on erf, or on erfc where 1 - |x| is the better datum.
  ///
  /// > S. Winitzki. "A handy approximation for the error function and its inverse." 2008.
  static func erfInverse(_ x: Double) -> Double {
    let size = Swift.abs(x)
    if x.isNaN || size > 1 { return .nan }
    if size == 1 { return x * .infinity }
    if size == 0 { return x }
    let a = 0.147
    let l = log1p(-size * size)
    let h = 2 / (Double.pi * a) + l / 2
    // √(√(h² - l/a) - h), the inner difference written without cancellation.
    var y = ((-l / a) / ((h * h - l / a).squareRoot() + h)).squareRoot()
    for _ in 0..<5 {
      let error = size < 0.5 ? erf(y) - size : (1 - size) - erfc(y)
      let slope = 2 / Double.pi.squareRoot() * exp(-y * y)
      let step = error / (slope + y * error)
      y -= step
      if Swift.abs(step) <= 1e-16 * y { break }
    }
    return x < 0 ? -y : y
  }

  /// ψ(x). NaN at 0, -1, -2 …, where the two one-sided limits differ.
  ///
  /// Reflection for negative x, the recurrence ψ(x) = ψ(x + 1) - 1/x up to 12, then the asymptotic series.
  ///
  /// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 1964, 6.3.5, 6.3.7, 6.3.18.
  static func digamma(_ x: Double) -> Double {
    if x.isNaN || x == -.infinity { return .nan }
    if x <= 0 {
      if x == x.rounded() { return .nan }
      // π cot πx with the whole part of x taken off first.
      return digamma(1 - x) - Double.pi / tan(Double.pi * (x - x.rounded()))
    }
    if x == .infinity { return x }
    var (z, shift) = (x, 0.0)
    while z < 12 {
      shift += 1 / z
      z += 1
    }
    // Bₖ / k for k = 2, 4 …
    let series: [Double] = [1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12, -3617.0 / 8160]
    let w = 1 / (z * z)
    var tail = 0.0
    for term in series.reversed() { tail = (tail + term) * w }
    return log(z) - 0.5 / z - tail - shift
  }

  /// ψ′(x); +∞ at its poles.
  ///
  /// > Abramowitz and Stegun, 6.4.6, 6.4.7, 6.4.12.
  static func trigamma(_ x: Double) -> Double {
    if x.isNaN || x == -.infinity { return .nan }
    if x <= 0 {
      if x == x.rounded() { return .infinity }
      let s = Double.pi / sin(Double.pi * (x - x.rounded()))
      return s * s - trigamma(1 - x)
    }
    var (z, shift) = (x, 0.0)
    while z < 12 {
      shift += 1 / (z * z)
      z += 1
    }
    // Bₖ for k = 2, 4 …
    let series: [Double] = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510]
    let w = 1 / (z * z)
    var tail = 0.0
    for term in series.reversed() { tail = (tail + term) * w }
    return (1 + 0.5 / z + tail) / z + shift
  }

  /// baseᵉˣᵖᵒⁿᵉⁿᵗ modulo the type's range. Negative exponents give the whole part of the quotient, as XLA does: 0 unless the base is 1 or
  /// -1.
  static func integerPower<Number: FixedWidthInteger>(_ base: Number, _ exponent: Number) -> Number {
    if exponent < 0 { return base == 1 ? 1 : base == 0 &- 1 ? (exponent % 2 == 0 ? 1 : base) : 0 }
    var (result, square, left): (Number, Number, Number) = (1, base, exponent)
    while left > 0 {
      if left & 1 == 1 { result = result &* square }
      square = square &* square
      left >>= 1
    }
    return result
  }
}
