// Functions of complex numbers: principal values, continuous from the side that the sign of a zero part names, with the values at
// infinity of C's Annex G.
//
// > W. Kahan. "Branch cuts for complex elementary functions, or much ado about nothing's sign bit." 1987: the inverse functions.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Unary {
  func complex(_ z: ComplexNumber) -> ComplexNumber { complexFunction(self, z) }
}

private func complexFunction(_ f: Unary, _ z: ComplexNumber) -> ComplexNumber {
  switch f {
  case .negate: -z
  case .sign: direction(z)
  case .exp: exponential(z)
  case .expm1: exponentialLessOne(z)
  case .log: logarithm(z)
  case .log1p: logarithmOfOnePlus(z)
  case .sqrt: squareRoot(z)
  case .rsqrt: inverse(squareRoot(z))
  case .cbrt: cubeRoot(z)
  case .reciprocal: inverse(z)
  case .square: z * z
  case .sin: hyperbolicSine(z.turned).turnedBack
  case .cos: hyperbolicCosine(z.turned)
  case .tan: hyperbolicTangent(z.turned).turnedBack
  case .sinh: hyperbolicSine(z)
  case .cosh: hyperbolicCosine(z)
  case .tanh: hyperbolicTangent(z)
  case .asin: inverseSine(z)
  case .asinh: inverseSine(z.turned).turnedBack
  case .acos: inverseCosine(z)
  case .acosh: inverseHyperbolicCosine(z)
  case .atanh: inverseHyperbolicTangent(z)
  case .atan: inverseHyperbolicTangent(z.turned).turnedBack
  case .logistic: logistic(z)
  case .conjugate: z.conjugate
  case .stopGradient: z
  default: preconditionFailure("\(f) takes no complex numbers")
  }
}

extension ComplexNumber {
  /// aᵇ by repeated products for whole b up to 64, else exp(b log a); 0⁰ = 1, and 0 to a power with positive real part is 0.
  static func power(_ a: ComplexNumber, _ b: ComplexNumber) -> ComplexNumber {
    if b.re == 0 && b.im == 0 { return .one }
    if a.re == 0 && a.im == 0 { return b.re > 0 ? ComplexNumber(0, 0) : ComplexNumber(.nan, .nan) }
    guard b.im == 0, b.re == b.re.rounded(), Swift.abs(b.re) <= 64 else { return exponential(b * logarithm(a)) }
    var (result, square, n) = (ComplexNumber.one, a, Int(Swift.abs(b.re)))
    while true {
      if n % 2 == 1 { result = result * square }
      n /= 2
      if n == 0 { break }
      square = square * square
    }
    return b.re < 0 ? inverse(result) : result
  }
}

private func direction(_ z: ComplexNumber) -> ComplexNumber {
  if z.re == 0 && z.im == 0 { return z }
  let large = max(abs(z.re), abs(z.im))
  let scaled = large > 1e300 || large < 1e-290 ? ComplexNumber(z.re / large, z.im / large) : z
  return ComplexNumber(scaled.re / scaled.magnitude, scaled.im / scaled.magnitude)
}

/// conj(z) / |z|², with the sign of a zero imaginary part, which the quotient of 1 + 0i loses.
private func inverse(_ z: ComplexNumber) -> ComplexNumber {
  if z.isInfinite { return ComplexNumber(copysign(0, z.re), copysign(0, -z.im)) }
  if z.re == 0 && z.im == 0 { return ComplexNumber(1 / z.re, .nan) }
  if abs(z.re) >= abs(z.im) {
    let ratio = z.im / z.re
    let scale = z.re + z.im * ratio
    return ComplexNumber(1 / scale, -ratio / scale)
  }
  let ratio = z.re / z.im
  let scale = z.re * ratio + z.im
  return ComplexNumber(ratio / scale, -1 / scale)
}

// MARK: - Exponentials and logarithms

/// size · eˣ · (cos y + i sin y), the factor eˣ in two halves where it overflows by itself.
private func exponential(_ z: ComplexNumber) -> ComplexNumber {
  let (c, s) = (cos(z.im), sin(z.im))
  if z.im == 0 { return ComplexNumber(exp(z.re), z.im) }
  if z.re == -.infinity && !z.im.isFinite { return ComplexNumber(0, 0) }
  if z.re > 709 {
    let half = exp(z.re / 2)
    return ComplexNumber(half * c * half, half * s * half)
  }
  return ComplexNumber(exp(z.re) * c, exp(z.re) * s)
}

private func exponentialLessOne(_ z: ComplexNumber) -> ComplexNumber {
  if z.im == 0 { return ComplexNumber(expm1(z.re), z.im) }
  let e = exponential(z)
  let half = sin(z.im / 2)
  return abs(z.re) > 1 ? ComplexNumber(e.re - 1, e.im) : ComplexNumber(expm1(z.re) * cos(z.im) - 2 * half * half, e.im)
}

private func logarithm(_ z: ComplexNumber) -> ComplexNumber {
  let (large, small) = (max(abs(z.re), abs(z.im)), min(abs(z.re), abs(z.im)))
  let isNearCircle = large > 0.5 && large < 2 && z.magnitude > 0.5 && z.magnitude < 2
  return ComplexNumber(isNearCircle ? log1p(excess(large - 1, small)) / 2 : logarithmOfMagnitude(z), z.angle)
}

private func logarithmOfMagnitude(_ z: ComplexNumber) -> Double {
  z.magnitude.isInfinite && z.isFinite ? log(hypot(z.re / 2, z.im / 2)) + log(2) : log(z.magnitude)
}

private func logarithmOfOnePlus(_ z: ComplexNumber) -> ComplexNumber {
  let sum = ComplexNumber(1 + z.re, z.im)
  let isExact = z.re >= -2 && z.re <= -0.5
  return max(abs(z.re), abs(z.im)) < 4 && !isExact ? ComplexNumber(log1p(excess(z.re, z.im)) / 2, sum.angle) : logarithm(sum)
}

/// (1 + x)² + y² - 1 = 2x + x² + y², whose terms may cancel: carried to twice the precision.
private func excess(_ x: Double, _ y: Double) -> Double {
  func sum(_ a: Double, _ b: Double) -> (high: Double, low: Double) {
    let s = a + b
    let t = s - a
    return (s, (a - (s - t)) + (b - t))
  }
  let (xx, yy) = (x * x, y * y)
  let products = (-xx).addingProduct(x, x) + (-yy).addingProduct(y, y)
  let squares = sum(xx, yy)
  let all = sum(2 * x, squares.high)
  return all.high + (all.low + squares.low + products)
}

// MARK: - Roots

func squareRoot(_ z: ComplexNumber) -> ComplexNumber {
  if z.re == 0 && z.im == 0 { return ComplexNumber(0, z.im) }
  if z.im.isInfinite { return ComplexNumber(.infinity, z.im) }
  // Scaled so that |z| + |re| does not overflow.
  let half = ((z.magnitude / 4 + Swift.abs(z.re) / 4) * 2).squareRoot()
  if z.re >= 0 { return ComplexNumber(half, z.im / (2 * half)) }
  return ComplexNumber(Swift.abs(z.im) / (2 * half), z.im.sign == .minus ? -half : half)
}

private func cubeRoot(_ z: ComplexNumber) -> ComplexNumber {
  if z.re == 0 && z.im == 0 { return z }
  let isLarge = z.magnitude > 1e300
  let size = isLarge ? cbrt(hypot(z.re / 8, z.im / 8)) * 2 : cbrt(z.magnitude)
  return ComplexNumber(size * cos(z.angle / 3), size * sin(z.angle / 3))
}

// MARK: - Circular and hyperbolic functions

private func hyperbolicSine(_ z: ComplexNumber) -> ComplexNumber {
  if z.im == 0 { return ComplexNumber(sinh(z.re), z.im) }
  if z.re == 0 { return ComplexNumber(z.re, sin(z.im)) }
  if abs(z.re) > 709 {
    let half = exponential(ComplexNumber(abs(z.re), z.im))
    return ComplexNumber((z.re < 0 ? -half.re : half.re) / 2, half.im / 2)
  }
  return ComplexNumber(sinh(z.re) * cos(z.im), cosh(z.re) * sin(z.im))
}

private func hyperbolicCosine(_ z: ComplexNumber) -> ComplexNumber {
  if z.im == 0 || z.re == 0 {
    let im = z.re.sign == z.im.sign ? 0.0 : -0.0
    return z.im == 0 ? ComplexNumber(cosh(z.re), im) : ComplexNumber(cos(z.im), z.re * sin(z.im))
  }
  if abs(z.re) > 709 {
    let half = exponential(ComplexNumber(abs(z.re), z.im))
    return ComplexNumber(half.re / 2, (z.re < 0 ? -half.im : half.im) / 2)
  }
  return ComplexNumber(cosh(z.re) * cos(z.im), sinh(z.re) * sin(z.im))
}

private func hyperbolicTangent(_ z: ComplexNumber) -> ComplexNumber {
  if abs(z.re) > 20 {
    // 1 to double precision; the imaginary part 4 sin y cos y e⁻²|ˣ|.
    let turns = z.im.isFinite ? sin(z.im) * cos(z.im) : copysign(1, z.im)
    return ComplexNumber(z.re < 0 ? -1 : 1, 4 * turns * exp(-2 * abs(z.re)))
  }
  let (s, c) = (sinh(z.re), cos(z.im))
  let d = s * s + c * c
  return ComplexNumber(s * cosh(z.re) / d, sin(z.im) * c / d)
}

/// 1 / (1 + e⁻ᶻ), which is e^z to the last digit far on the left.
private func logistic(_ z: ComplexNumber) -> ComplexNumber {
  if z.re < -40 { return exponential(z) }
  let e = exponential(-z)
  return inverse(ComplexNumber(1 + e.re, e.im))
}

// MARK: - Their inverses

/// 1 - z and 1 + z with the sign of a zero imaginary part kept, which sums of complex numbers lose.
private func besideOne(_ z: ComplexNumber) -> (minus: ComplexNumber, plus: ComplexNumber) {
  (ComplexNumber(1 - z.re, -z.im), ComplexNumber(1 + z.re, z.im))
}

/// Where squares may overflow: the functions are logarithms there.
private func isFar(_ z: ComplexNumber) -> Bool { max(abs(z.re), abs(z.im)) > 1e150 }

private func inverseSine(_ z: ComplexNumber) -> ComplexNumber {
  if isFar(z) { return ComplexNumber(atan2(z.re, abs(z.im)), copysign(logarithmOfMagnitude(z) + log(2), z.im)) }
  let (minus, plus) = besideOne(z)
  let (a, b) = (squareRoot(minus), squareRoot(plus))
  return ComplexNumber(atan2(z.re, a.re * b.re - a.im * b.im), asinh(a.re * b.im - a.im * b.re))
}

private func inverseCosine(_ z: ComplexNumber) -> ComplexNumber {
  if isFar(z) { return ComplexNumber(atan2(abs(z.im), z.re), -copysign(logarithmOfMagnitude(z) + log(2), z.im)) }
  let (minus, plus) = besideOne(z)
  let (a, b) = (squareRoot(minus), squareRoot(plus))
  return ComplexNumber(2 * atan2(a.re, b.re), asinh(b.re * a.im - b.im * a.re))
}

private func inverseHyperbolicCosine(_ z: ComplexNumber) -> ComplexNumber {
  if isFar(z) { return ComplexNumber(logarithmOfMagnitude(z) + log(2), z.angle) }
  let (a, b) = (squareRoot(ComplexNumber(z.re - 1, z.im)), squareRoot(ComplexNumber(z.re + 1, z.im)))
  return ComplexNumber(asinh(a.re * b.re + a.im * b.im), 2 * atan2(a.im, b.re))
}

private func inverseHyperbolicTangent(_ z: ComplexNumber) -> ComplexNumber {
  if isFar(z) {
    return ComplexNumber(inverse(z).re, copysign(Double.pi / 2, z.im))
  }
  // Odd in the real part, so that the logarithm's argument is never negative.
  let (x, y) = (abs(z.re), z.im)
  let distance = hypot(1 - x, y)
  let re = distance < 1e-100 ? (log(2) - log(distance)) / 2 : log1p(4 * x / distance / distance) / 4
  return ComplexNumber(copysign(re, z.re), atan2(2 * y, (1 - x) * (1 + x) - y * y) / 2)
}
