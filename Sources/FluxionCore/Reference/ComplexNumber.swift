#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A complex number in double precision. Its functions are in `ReferenceComplexFunctions.swift`.
struct ComplexNumber: Equatable {
  var re: Double
  var im: Double

  init(_ re: Double, _ im: Double) {
    self.re = re
    self.im = im
  }

  var magnitude: Double { hypot(re, im) }
  var angle: Double { atan2(im, re) }
  var isNaN: Bool { re.isNaN || im.isNaN }
  var isFinite: Bool { re.isFinite && im.isFinite }
  var conjugate: ComplexNumber { ComplexNumber(re, -im) }
  /// i times this number.
  var turned: ComplexNumber { ComplexNumber(-im, re) }
  /// -i times this number.
  var turnedBack: ComplexNumber { ComplexNumber(im, -re) }
  var roundedToFloat: ComplexNumber { ComplexNumber(Double(Float(re)), Double(Float(im))) }

  static func + (a: ComplexNumber, b: ComplexNumber) -> ComplexNumber { ComplexNumber(a.re + b.re, a.im + b.im) }
  static func - (a: ComplexNumber, b: ComplexNumber) -> ComplexNumber { ComplexNumber(a.re - b.re, a.im - b.im) }
  static prefix func - (a: ComplexNumber) -> ComplexNumber { ComplexNumber(-a.re, -a.im) }
  static func * (a: ComplexNumber, b: ComplexNumber) -> ComplexNumber {
    ComplexNumber(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
  }
  static func * (a: Double, b: ComplexNumber) -> ComplexNumber { ComplexNumber(a * b.re, a * b.im) }

  /// Divided through by the larger part of the divisor first, so that squares of large or small parts are not formed. What is lost to
  /// infinities comes back by the rules of C's Annex G; a quotient by zero is taken by parts, as in NumPy.
  ///
  /// > R. Smith. "Algorithm 116: Complex division." *Comm. ACM* 5(8), 1962.
  static func / (a: ComplexNumber, b: ComplexNumber) -> ComplexNumber {
    if b.re == 0 && b.im == 0 { return ComplexNumber(a.re / b.re, a.im / b.re) }
    let result: ComplexNumber
    if Swift.abs(b.re) >= Swift.abs(b.im) {
      let ratio = b.im / b.re
      let d = b.re + b.im * ratio
      result = ComplexNumber((a.re + a.im * ratio) / d, (a.im - a.re * ratio) / d)
    } else {
      let ratio = b.re / b.im
      let d = b.re * ratio + b.im
      result = ComplexNumber((a.re * ratio + a.im) / d, (a.im * ratio - a.re) / d)
    }
    guard result.re.isNaN, result.im.isNaN else { return result }
    if a.isInfinite, b.isFinite { return Double.infinity * (a.corner * b.conjugate) }
    if b.isInfinite, a.isFinite { return 0 * (a * b.corner.conjugate) }
    return result
  }

  var isInfinite: Bool { re.isInfinite || im.isInfinite }
  /// Of an infinite number the direction: infinite parts as ±1, others as ±0.
  private var corner: ComplexNumber {
    func part(_ x: Double) -> Double { x.sign == .minus ? (x.isInfinite ? -1 : -0.0) : (x.isInfinite ? 1 : 0) }
    return ComplexNumber(part(re), part(im))
  }

  static let one = ComplexNumber(1, 0)
}
