#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A complex number in double precision; the functions give principal values.
///
/// > W. Kahan. "Branch cuts for complex elementary functions, or much ado about nothing's sign bit." 1987: the inverse functions.
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

  /// Divided through by the larger part of the divisor first, so that squares of large or small parts are not formed.
  ///
  /// > R. Smith. "Algorithm 116: Complex division." *Comm. ACM* 5(8), 1962.
  static func / (a: ComplexNumber, b: ComplexNumber) -> ComplexNumber {
    if Swift.abs(b.re) >= Swift.abs(b.im) {
      if b.re == 0 { return ComplexNumber(a.re / b.re, a.im / b.re) }
      let ratio = b.im / b.re
      let d = b.re + b.im * ratio
      return ComplexNumber((a.re + a.im * ratio) / d, (a.im - a.re * ratio) / d)
    }
    let ratio = b.re / b.im
    let d = b.re * ratio + b.im
    return ComplexNumber((a.re * ratio + a.im) / d, (a.im * ratio - a.re) / d)
  }

  static let one = ComplexNumber(1, 0)

  /// aᵇ = exp(b log a); 0⁰ = 1, and 0 to a power with positive real part is 0.
  static func power(_ a: ComplexNumber, _ b: ComplexNumber) -> ComplexNumber {
    if b.re == 0 && b.im == 0 { return .one }
    if a.re == 0 && a.im == 0 { return b.re > 0 ? ComplexNumber(0, 0) : ComplexNumber(.nan, .nan) }
    return exponential(b * logarithm(a))
  }
}

extension Unary {
  func complex(_ z: ComplexNumber) -> ComplexNumber { complexFunction(self, z) }
}

private func complexFunction(_ f: Unary, _ z: ComplexNumber) -> ComplexNumber {
  let one = ComplexNumber.one
  switch f {
  case .negate: return -z
  case .sign: return z.re == 0 && z.im == 0 ? z : (1 / z.magnitude) * z
  case .exp: return exponential(z)
  case .expm1:
    let s = sin(z.im / 2)
    return ComplexNumber(expm1(z.re) * cos(z.im) - 2 * s * s, exp(z.re) * sin(z.im))
  case .log: return logarithm(z)
  case .log1p:
    // |1 + z|² - 1, without forming 1 + z where z is small.
    let excess = z.re * (2 + z.re) + z.im * z.im
    let size = z.magnitude < 0.5 ? log1p(excess) / 2 : log(hypot(1 + z.re, z.im))
    return ComplexNumber(size, atan2(z.im, 1 + z.re))
  case .sqrt: return squareRoot(z)
  case .rsqrt: return one / squareRoot(z)
  case .cbrt: return z.re == 0 && z.im == 0 ? z : exponential((1.0 / 3) * logarithm(z))
  case .reciprocal: return one / z
  case .square: return z * z
  case .sin: return hyperbolicSine(z.turned).turnedBack
  case .cos: return hyperbolicCosine(z.turned)
  case .tan: return hyperbolicTangent(z.turned).turnedBack
  case .sinh: return hyperbolicSine(z)
  case .cosh: return hyperbolicCosine(z)
  case .tanh: return hyperbolicTangent(z)
  case .asin: return inverseSine(z)
  case .asinh: return inverseSine(z.turned).turnedBack
  case .acos:
    let (a, b) = (squareRoot(one - z), squareRoot(one + z))
    return ComplexNumber(2 * atan2(a.re, b.re), asinh((b.conjugate * a).im))
  case .acosh:
    let (a, b) = (squareRoot(z - one), squareRoot(z + one))
    return ComplexNumber(asinh((a.conjugate * b).re), 2 * atan2(a.im, b.re))
  case .atanh: return inverseHyperbolicTangent(z)
  case .atan: return inverseHyperbolicTangent(z.turned).turnedBack
  case .logistic: return one / (one + exponential(-z))
  case .conjugate: return z.conjugate
  case .stopGradient: return z
  default: preconditionFailure("\(f) takes no complex numbers")
  }
}

private func exponential(_ z: ComplexNumber) -> ComplexNumber {
  let size = exp(z.re)
  // A real number stays real, even where its exponential overflows.
  return z.im == 0 ? ComplexNumber(size, z.im) : ComplexNumber(size * cos(z.im), size * sin(z.im))
}

private func logarithm(_ z: ComplexNumber) -> ComplexNumber { ComplexNumber(log(z.magnitude), z.angle) }

func squareRoot(_ z: ComplexNumber) -> ComplexNumber {
  if z.re == 0 && z.im == 0 { return ComplexNumber(0, z.im) }
  if z.im.isInfinite { return ComplexNumber(.infinity, z.im) }
  // Scaled so that |z| + |re| does not overflow.
  let half = ((z.magnitude / 4 + Swift.abs(z.re) / 4) * 2).squareRoot()
  if z.re >= 0 { return ComplexNumber(half, z.im / (2 * half)) }
  return ComplexNumber(Swift.abs(z.im) / (2 * half), z.im.sign == .minus ? -half : half)
}

private func hyperbolicSine(_ z: ComplexNumber) -> ComplexNumber {
  ComplexNumber(sinh(z.re) * cos(z.im), cosh(z.re) * sin(z.im))
}
private func hyperbolicCosine(_ z: ComplexNumber) -> ComplexNumber {
  ComplexNumber(cosh(z.re) * cos(z.im), sinh(z.re) * sin(z.im))
}
private func hyperbolicTangent(_ z: ComplexNumber) -> ComplexNumber {
  if Swift.abs(z.re) > 20 {
    // 1 to double precision; the imaginary part 4 sin y cos y e⁻²|ˣ|.
    let im = 4 * sin(z.im) * cos(z.im) * exp(-2 * Swift.abs(z.re))
    return ComplexNumber(z.re < 0 ? -1 : 1, im)
  }
  let (s, c) = (sinh(z.re), cos(z.im))
  let d = s * s + c * c
  return ComplexNumber(s * cosh(z.re) / d, sin(z.im) * c / d)
}
private func inverseSine(_ z: ComplexNumber) -> ComplexNumber {
  let (a, b) = (squareRoot(.one - z), squareRoot(.one + z))
  return ComplexNumber(atan2(z.re, (a * b).re), asinh((a.conjugate * b).im))
}
private func inverseHyperbolicTangent(_ z: ComplexNumber) -> ComplexNumber {
  let (x, y) = (z.re, z.im)
  let re = log1p(4 * x / ((1 - x) * (1 - x) + y * y)) / 4
  return ComplexNumber(re, atan2(2 * y, (1 - x) * (1 + x) - y * y) / 2)
}
