// Functions of complex numbers by their parts, in f64: principal values, continuous from the side that the sign of a zero part names,
// with the values at infinity of C's Annex G. The formulas are the reference interpreter's.

internal import FluxionCore

func expandedComplexFunction(_ f: Unary, _ x: Tensor) -> Tensor {
  let z = ComplexParts(x)
  func result(_ w: ComplexParts) -> Tensor { w.tensor(x.elementType) }
  switch f {
  case .abs: return z.magnitude.converted(to: x.elementType.realPart)
  case .sign: return result(direction(z))
  case .exp: return result(exponential(z))
  case .expm1: return result(exponentialLessOne(z))
  case .log: return result(logarithm(z))
  case .log1p: return result(logarithmOfOnePlus(z))
  case .sqrt: return result(squareRoot(z))
  case .rsqrt: return result(inverse(squareRoot(z)))
  case .cbrt: return result(cubeRoot(z))
  case .reciprocal: return result(inverse(z))
  case .sin: return result(hyperbolicSine(z.turned).turnedBack)
  case .cos: return result(hyperbolicCosine(z.turned))
  case .tan: return result(hyperbolicTangent(z.turned).turnedBack)
  case .sinh: return result(hyperbolicSine(z))
  case .cosh: return result(hyperbolicCosine(z))
  case .tanh: return result(hyperbolicTangent(z))
  case .asin: return result(inverseSine(z))
  case .asinh: return result(inverseSine(z.turned).turnedBack)
  case .acos: return result(inverseCosine(z))
  case .acosh: return result(inverseHyperbolicCosine(z))
  case .atanh: return result(inverseHyperbolicTangent(z))
  case .atan: return result(inverseHyperbolicTangent(z.turned).turnedBack)
  case .logistic: return result(logistic(z))
  default: preconditionFailure("\(f) of complex numbers has a counterpart in StableHLO")
  }
}

/// A complex tensor while it is computed with: real and imaginary part in `f64`.
struct ComplexParts {
  var re: Tensor
  var im: Tensor

  init(_ re: Tensor, _ im: Tensor) { (self.re, self.im) = (re, im) }
  init(_ x: Tensor) { self.init(x.real.converted(to: .float64), x.imaginary.converted(to: .float64)) }

  func tensor(_ type: ElementType) -> Tensor { complex(re.converted(to: type.realPart), im.converted(to: type.realPart)) }

  /// √(re² + im²) without overflow; infinite if a part is, whatever the other.
  var magnitude: Tensor {
    let (large, small) = (maximum(abs(re), abs(im)), minimum(abs(re), abs(im)))
    let ratio = small / large
    return select(isInfinite, infinity, select(large .== 0, large, large * sqrt(1 + ratio * ratio)))
  }
  var angle: Tensor { atan2(im, re) }
  var isInfinite: Tensor { (abs(re) .== infinity) .| (abs(im) .== infinity) }
  var isFinite: Tensor { FluxionCore.isFinite(re) .& FluxionCore.isFinite(im) }
  var isZero: Tensor { (re .== 0) .& (im .== 0) }
  var conjugate: ComplexParts { ComplexParts(re, -im) }
  /// i times this number.
  var turned: ComplexParts { ComplexParts(-im, re) }
  /// -i times this number.
  var turnedBack: ComplexParts { ComplexParts(im, -re) }

  static func + (a: ComplexParts, b: ComplexParts) -> ComplexParts { ComplexParts(a.re + b.re, a.im + b.im) }
  static func * (a: ComplexParts, b: ComplexParts) -> ComplexParts { ComplexParts(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re) }

  /// Smith's division; what is lost to infinities comes back by the rules of C's Annex G, and a quotient by zero is taken by parts.
  ///
  /// > R. Smith. "Algorithm 116: Complex division." *Comm. ACM* 5(8), 1962.
  func divided(by b: ComplexParts) -> ComplexParts {
    let isWide = abs(b.re) .>= abs(b.im)
    let ratio = select(isWide, b.im / b.re, b.re / b.im)
    let d = select(isWide, b.re + b.im * ratio, b.re * ratio + b.im)
    let plain = ComplexParts(
      select(isWide, re + im * ratio, re * ratio + im) / d, select(isWide, im - re * ratio, im * ratio - re) / d)
    let isLost = isNaN(plain.re) .& isNaN(plain.im)
    func scaled(_ factor: Tensor, _ z: ComplexParts) -> ComplexParts { ComplexParts(factor * z.re, factor * z.im) }
    let far = scaled(infinity, corner * b.conjugate)
    let near = scaled(Tensor(0, as: .float64), self * b.corner.conjugate)
    return chosen(
      b.isZero, ComplexParts(re / b.re, im / b.re),
      chosen(isLost .& isInfinite .& b.isFinite, far, chosen(isLost .& b.isInfinite .& isFinite, near, plain)))
  }

  /// Of an infinite number the direction: infinite parts as ±1, others as ±0.
  private var corner: ComplexParts {
    func part(_ x: Tensor) -> Tensor { copySign(select(abs(x) .== infinity, Tensor(1, as: .float64), Tensor(0, as: .float64)), x) }
    return ComplexParts(part(re), part(im))
  }

  /// By repeated products for whole exponents up to 64, else exp(b log a); 0⁰ = 1, and 0 to a power with positive real part is 0.
  func raised(to b: ComplexParts) -> ComplexParts {
    let one = ComplexParts(Tensor(1, as: .float64), Tensor(0, as: .float64))
    let isWhole = (b.im .== 0) .& (b.re .== round(b.re)) .& (abs(b.re) .<= 64)
    let count = select(isWhole, abs(b.re), 0).converted(to: .int32)
    var (product, square) = (one, self)
    for bit in 0..<7 {
      let isTaken = ((count &>> Tensor(Int32(bit))) .& Tensor(Int32(1))) .== 1
      product = chosen(isTaken, product * square, product)
      square = square * square
    }
    let whole = chosen(b.re .< 0, inverse(product), product)
    let general = exponential(b * logarithm(self))
    let nan = Tensor(Double.nan, as: .float64)
    let ofZero = chosen(b.re .> 0, ComplexParts(Tensor(0, as: .float64), Tensor(0, as: .float64)), ComplexParts(nan, nan))
    return chosen(b.isZero, one, chosen(isZero, ofZero, chosen(isWhole, whole, general)))
  }
}

private let log2 = 0.6931471805599453
private var infinity: Tensor { Tensor(Double.infinity, as: .float64) }

private func chosen(_ condition: Tensor, _ a: ComplexParts, _ b: ComplexParts) -> ComplexParts {
  ComplexParts(select(condition, a.re, b.re), select(condition, a.im, b.im))
}

/// The greater, or the first where one is NaN: the comparison by which the reference interpreter chooses formulas.
private func larger(_ a: Tensor, _ b: Tensor) -> Tensor { select(b .>= a, b, a) }

private func isNegative(_ x: Tensor) -> Tensor { x.bitcast(to: .int64) .< 0 }
private func copySign(_ size: Tensor, _ sign: Tensor) -> Tensor { select(isNegative(sign), -abs(size), abs(size)) }

private func direction(_ z: ComplexParts) -> ComplexParts {
  let large = maximum(abs(z.re), abs(z.im))
  let isExtreme = (large .> 1e300) .| (large .< 1e-290)
  let scaled = chosen(isExtreme, ComplexParts(z.re / large, z.im / large), z)
  let size = scaled.magnitude
  return chosen(z.isZero, z, ComplexParts(scaled.re / size, scaled.im / size))
}

/// conj(z) / |z|², with the sign of a zero imaginary part, which the quotient of 1 + 0i loses.
private func inverse(_ z: ComplexParts) -> ComplexParts {
  let isWide = abs(z.re) .>= abs(z.im)
  let ratio = select(isWide, z.im / z.re, z.re / z.im)
  let scale = select(isWide, z.re + z.im * ratio, z.re * ratio + z.im)
  let plain = ComplexParts(select(isWide, Tensor(1, as: .float64), ratio) / scale, select(isWide, -ratio, Tensor(-1, as: .float64)) / scale)
  let zero = Tensor(0, as: .float64)
  let far = ComplexParts(copySign(zero, z.re), copySign(zero, -z.im))
  return chosen(z.isInfinite, far, chosen(z.isZero, ComplexParts(1 / z.re, Tensor(Double.nan, as: .float64)), plain))
}

// MARK: - Exponentials and logarithms

/// eˣ (cos y + i sin y), the factor eˣ in two halves where it overflows by itself.
private func exponential(_ z: ComplexParts) -> ComplexParts {
  let (c, s) = (cos(z.im), sin(z.im))
  let (whole, half) = (exp(z.re), exp(z.re * 0.5))
  let zero = Tensor(0, as: .float64)
  let far = ComplexParts(half * c * half, half * s * half)
  let plain = chosen(z.re .> 709, far, ComplexParts(whole * c, whole * s))
  let vanishes = (z.re .== -infinity) .& .!isFinite(z.im)
  return chosen(z.im .== 0, ComplexParts(whole, z.im), chosen(vanishes, ComplexParts(zero, zero), plain))
}

private func exponentialLessOne(_ z: ComplexParts) -> ComplexParts {
  let e = exponential(z)
  let half = sin(z.im * 0.5)
  let re = select(abs(z.re) .> 1, e.re - 1, expm1(z.re) * cos(z.im) - 2 * half * half)
  return chosen(z.im .== 0, ComplexParts(expm1(z.re), z.im), ComplexParts(re, e.im))
}

private func logarithm(_ z: ComplexParts) -> ComplexParts {
  let (large, small) = (maximum(abs(z.re), abs(z.im)), minimum(abs(z.re), abs(z.im)))
  let size = z.magnitude
  let isNearCircle = (large .> 0.5) .& (large .< 2) .& (size .> 0.5) .& (size .< 2)
  return ComplexParts(select(isNearCircle, log1p(excess(large - 1, small)) * 0.5, logarithmOfMagnitude(z)), z.angle)
}

private func logarithmOfMagnitude(_ z: ComplexParts) -> Tensor {
  let size = z.magnitude
  let overflows = (size .== infinity) .& z.isFinite
  return select(overflows, log(ComplexParts(z.re * 0.5, z.im * 0.5).magnitude) + log2, log(size))
}

private func logarithmOfOnePlus(_ z: ComplexParts) -> ComplexParts {
  let sum = ComplexParts(1 + z.re, z.im)
  let isExact = (z.re .>= -2) .& (z.re .<= -0.5)
  let isNear = (maximum(abs(z.re), abs(z.im)) .< 4) .& .!isExact
  return chosen(isNear, ComplexParts(log1p(excess(z.re, z.im)) * 0.5, sum.angle), logarithm(sum))
}

/// (1 + x)² + y² - 1 = 2x + x² + y², whose terms may cancel: carried to twice the precision. The squares' own errors come from
/// factors split in halves, as StableHLO has no fused product.
///
/// > T. Dekker. "A floating-point technique for extending the available precision." *Numer. Math.* 18, 1971.
private func excess(_ x: Tensor, _ y: Tensor) -> Tensor {
  func sum(_ a: Tensor, _ b: Tensor) -> (high: Tensor, low: Tensor) {
    let s = a + b
    let t = s - a
    return (s, (a - (s - t)) + (b - t))
  }
  func square(_ a: Tensor) -> (high: Tensor, low: Tensor) {
    // The upper 26 bits, cut off by their pattern: a sum that rounds them off could be simplified away.
    let head = (a.bitcast(to: .int64) .& Tensor(Int64(-1) << 27)).bitcast(to: .float64)
    let tail = a - head
    let product = a * a
    return (product, ((head * head - product) + 2 * head * tail) + tail * tail)
  }
  let (xx, yy) = (square(x), square(y))
  let squares = sum(xx.high, yy.high)
  let all = sum(2 * x, squares.high)
  return all.high + (all.low + squares.low + (xx.low + yy.low))
}

// MARK: - Roots

private func squareRoot(_ z: ComplexParts) -> ComplexParts {
  // Scaled so that |z| + |re| does not overflow.
  let half = sqrt((z.magnitude * 0.25 + abs(z.re) * 0.25) * 2)
  let other = z.im / (2 * half)
  let plain = chosen(z.re .>= 0, ComplexParts(half, other), ComplexParts(abs(z.im) / (2 * half), select(isNegative(z.im), -half, half)))
  let zero = Tensor(0, as: .float64)
  return chosen(z.isZero, ComplexParts(zero, z.im), chosen(abs(z.im) .== infinity, ComplexParts(infinity, z.im), plain))
}

private func cubeRoot(_ z: ComplexParts) -> ComplexParts {
  let isLarge = z.magnitude .> 1e300
  let size = select(isLarge, cbrt(ComplexParts(z.re * 0.125, z.im * 0.125).magnitude) * 2, cbrt(z.magnitude))
  let third = z.angle / 3
  return chosen(z.isZero, z, ComplexParts(size * cos(third), size * sin(third)))
}

// MARK: - Circular and hyperbolic functions

/// e^|x| / 2 · (cos y + i sin y).
private func halfExponential(_ z: ComplexParts) -> ComplexParts {
  let e = exponential(ComplexParts(abs(z.re), z.im))
  return ComplexParts(e.re * 0.5, e.im * 0.5)
}

private func hyperbolicSine(_ z: ComplexParts) -> ComplexParts {
  let far = halfExponential(z)
  let plain = ComplexParts(sinh(z.re) * cos(z.im), cosh(z.re) * sin(z.im))
  let general = chosen(abs(z.re) .> 709, ComplexParts(select(z.re .< 0, -far.re, far.re), far.im), plain)
  return chosen(z.im .== 0, ComplexParts(sinh(z.re), z.im), chosen(z.re .== 0, ComplexParts(z.re, sin(z.im)), general))
}

private func hyperbolicCosine(_ z: ComplexParts) -> ComplexParts {
  let zero = Tensor(0, as: .float64)
  let im = select(isNegative(z.re) .== isNegative(z.im), zero, -zero)
  let far = halfExponential(z)
  let plain = ComplexParts(cosh(z.re) * cos(z.im), sinh(z.re) * sin(z.im))
  let general = chosen(abs(z.re) .> 709, ComplexParts(far.re, select(z.re .< 0, -far.im, far.im)), plain)
  return chosen(
    z.im .== 0, ComplexParts(cosh(z.re), im), chosen(z.re .== 0, ComplexParts(cos(z.im), z.re * sin(z.im)), general))
}

private func hyperbolicTangent(_ z: ComplexParts) -> ComplexParts {
  // Far out 1 to double precision; the imaginary part 4 sin y cos y e⁻²|ˣ|.
  let turns = select(isFinite(z.im), sin(z.im) * cos(z.im), copySign(Tensor(1, as: .float64), z.im))
  let one = Tensor(1, as: .float64)
  let far = ComplexParts(select(z.re .< 0, -one, one), 4 * turns * exp(-2 * abs(z.re)))
  let (s, c) = (sinh(z.re), cos(z.im))
  let d = s * s + c * c
  return chosen(abs(z.re) .> 20, far, ComplexParts(s * cosh(z.re) / d, sin(z.im) * c / d))
}

/// 1 / (1 + e⁻ᶻ), which is e^z to the last digit far on the left.
private func logistic(_ z: ComplexParts) -> ComplexParts {
  let e = exponential(ComplexParts(-z.re, -z.im))
  return chosen(z.re .< -40, exponential(z), inverse(ComplexParts(1 + e.re, e.im)))
}

// MARK: - Their inverses

/// √(1 - z) and √(1 + z), with the sign of a zero imaginary part kept, which sums of complex numbers lose.
private func rootsBesideOne(_ z: ComplexParts) -> (minus: ComplexParts, plus: ComplexParts) {
  (squareRoot(ComplexParts(1 - z.re, -z.im)), squareRoot(ComplexParts(1 + z.re, z.im)))
}

/// Where squares may overflow: the functions are logarithms there.
private func isFar(_ z: ComplexParts) -> Tensor { larger(abs(z.re), abs(z.im)) .> 1e150 }

private func inverseSine(_ z: ComplexParts) -> ComplexParts {
  let far = ComplexParts(atan2(z.re, abs(z.im)), copySign(logarithmOfMagnitude(z) + log2, z.im))
  let (a, b) = rootsBesideOne(z)
  return chosen(isFar(z), far, ComplexParts(atan2(z.re, a.re * b.re - a.im * b.im), asinh(a.re * b.im - a.im * b.re)))
}

private func inverseCosine(_ z: ComplexParts) -> ComplexParts {
  let far = ComplexParts(atan2(abs(z.im), z.re), -copySign(logarithmOfMagnitude(z) + log2, z.im))
  let (a, b) = rootsBesideOne(z)
  return chosen(isFar(z), far, ComplexParts(2 * atan2(a.re, b.re), asinh(b.re * a.im - b.im * a.re)))
}

private func inverseHyperbolicCosine(_ z: ComplexParts) -> ComplexParts {
  let (a, b) = (squareRoot(ComplexParts(z.re - 1, z.im)), squareRoot(ComplexParts(z.re + 1, z.im)))
  let far = ComplexParts(logarithmOfMagnitude(z) + log2, z.angle)
  return chosen(isFar(z), far, ComplexParts(asinh(a.re * b.re + a.im * b.im), 2 * atan2(a.im, b.re)))
}

private func inverseHyperbolicTangent(_ z: ComplexParts) -> ComplexParts {
  let far = ComplexParts(inverse(z).re, copySign(Tensor(Double.pi / 2, as: .float64), z.im))
  // Odd in the real part, so that the logarithm's argument is never negative.
  let (x, y) = (abs(z.re), z.im)
  let distance = ComplexParts(1 - x, y).magnitude
  let re = select(distance .< 1e-100, (log2 - log(distance)) * 0.5, log1p(4 * x / distance / distance) * 0.25)
  return chosen(isFar(z), far, ComplexParts(copySign(re, z.re), atan2(2 * y, (1 - x) * (1 + x) - y * y) * 0.5))
}
