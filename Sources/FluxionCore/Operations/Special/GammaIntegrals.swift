// The regularised incomplete gamma functions, their derivatives in both arguments and their inverses.

/// P(a, x) = ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a), the distribution function of the gamma distribution; a > 0, x ≥ 0. P(0, x) is 1 for x > 0; NaN
/// outside.
///
/// The part of the integral that is below ½ or so is computed as x^a e^-x / Γ(a) times an integral of weights that fall from 1, by a
/// double-exponential rule that converges for all a alike; for a, x ≤ 1 by the power series. Derivatives of every order are exact in x,
/// and in a they are those of the same integrals.
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 6.5; M. Figurnov, S. Mohamed, A. Mnih. "Implicit reparameterization
/// > gradients." *NeurIPS* 2018, for the uses of ∂P/∂a.
public func gammaP(_ a: Tensor, _ x: Tensor) -> Tensor { inDoublePrecision("gammaP", [a, x]) { lowerGamma($0[0], $0[1]) } }

/// Q(a, x) = 1 - P(a, x), with all its digits where it is small.
public func gammaQ(_ a: Tensor, _ x: Tensor) -> Tensor { inDoublePrecision("gammaQ", [a, x]) { upperGamma($0[0], $0[1]) } }

/// x with P(a, x) = p, for 0 ≤ p ≤ 1: the quantile function of the gamma distribution. The derivatives are the implicit ones.
public func gammaPInverse(_ a: Tensor, _ p: Tensor) -> Tensor {
  inDoublePrecision("gammaPInverse", [a, p]) { lowerGammaInverse($0[0], $0[1]) }
}

/// x with Q(a, x) = q; keeps its digits for tiny q.
public func gammaQInverse(_ a: Tensor, _ q: Tensor) -> Tensor {
  inDoublePrecision("gammaQInverse", [a, q]) { upperGammaInverse($0[0], $0[1]) }
}

private let lowerGamma = ElementwiseCall(
  "gammaP", slopes: [{ x, _ in shapeSlope(x[0], x[1]) }, { x, _ in density(x[0], x[1]) }]) { Regularised($0[0], $0[1]).lower }

private let upperGamma = ElementwiseCall(
  "gammaQ", slopes: [{ x, _ in -shapeSlope(x[0], x[1]) }, { x, _ in -density(x[0], x[1]) }]) { Regularised($0[0], $0[1]).upper }

private let lowerGammaInverse = ElementwiseCall(
  "gammaPInverse",
  slopes: [{ x, r in -shapeSlope(x[0], r) / density(x[0], r) }, { x, r in reciprocal(density(x[0], r)) }]
) { quantile($0[0], lower: $0[1], upper: 1.0 - $0[1]) }

private let upperGammaInverse = ElementwiseCall(
  "gammaQInverse",
  slopes: [{ x, r in -shapeSlope(x[0], r) / density(x[0], r) }, { x, r in -reciprocal(density(x[0], r)) }]
) { quantile($0[0], lower: 1.0 - $0[1], upper: $0[1]) }

/// xᵃ e⁻ˣ / Γ(a) from Stirling's formula, in which the large terms have been cancelled beforehand.
private func powerTerm(_ a: Tensor, _ x: Tensor, _ logX: Tensor) -> Tensor {
  let exponent = a * log1pMinusArgument((x - a) / a, logarithm: logX - log(a)) - stirlingCorrection(a)
  return exp(exponent) * sqrt(a) * 0.3989422804014327
}

/// ∂P/∂x = xᵃ⁻¹ e⁻ˣ / Γ(a).
private func density(_ a: Tensor, _ x: Tensor) -> Tensor {
  let isZero = x .== 0.0
  let inside = select(isZero, 1.0, x)
  let atZero = select(a .== 1.0, 1.0, select(a .< 1.0, infinite, 0.0))
  return select(isZero, atZero, powerTerm(a, inside, log(inside)) / inside)
}

/// ∂P/∂a = ∫₀ˣ (log t - ψ(a)) p(t) dt.
private func shapeSlope(_ a: Tensor, _ x: Tensor) -> Tensor { Regularised(a, x).shapeSlope }

/// The three ways of computing, each with operands of its own that are harmless where another way is taken.
private struct Regularised {
  let a: Tensor, x: Tensor, logX: Tensor
  let isValid: Tensor, isSeries: Tensor, isLower: Tensor
  let givenA: Tensor, givenX: Tensor

  init(_ a: Tensor, _ x: Tensor, logX: Tensor? = nil) {
    (givenA, givenX) = (a, x)
    isValid = (a .> 0.0) .& (x .> 0.0) .& isFinite(x) .& isFinite(a)
    self.a = select(isValid, a, 1.0)
    self.x = select(isValid, x, 1.0)
    isSeries = (self.x .<= 1.0) .& (self.a .<= 1.0)
    isLower = .!isSeries .& (self.x .<= self.a)
    if let logX { self.logX = select(isValid, logX, 0.0) } else { self.logX = log(self.x) }
  }

  var lower: Tensor { settled(select(isSeries, seriesLower, select(isLower, lowerIntegral(), 1.0 - upperIntegral())), isUpper: false) }
  var upper: Tensor { settled(select(isSeries, seriesUpper, select(isLower, 1.0 - lowerIntegral(), upperIntegral())), isUpper: true) }

  var shapeSlope: Tensor {
    let integrals = select(isLower, lowerIntegral(isSlope: true), -upperIntegral(isSlope: true))
    let slope = select(isSeries, seriesSlope, integrals)
    return select(isValid, slope, select((givenX .== 0.0) .| (givenX .== infinite), 0.0, undefined))
  }

  /// The values at the ends of the domain, NaN outside.
  private func settled(_ value: Tensor, isUpper: Bool) -> Tensor {
    let (zero, one): (Tensor, Tensor) = isUpper ? (1.0, 0.0) : (0.0, 1.0)
    let isInDomain = (givenA .>= 0.0) .& (givenX .>= 0.0)
    let isOne = (givenX .== infinite) .| ((givenA .== 0.0) .& (givenX .> 0.0))
    let isZero = (givenX .== 0.0) .| (givenA .== infinite)
    let edge = select(isInDomain, select(isOne, one, select(isZero, zero, undefined)), undefined)
    return select(isValid, value, edge)
  }

  /// With t = x e⁻ᵘ: x^a e^-x / Γ(a) · ∫₀^∞ exp(-au + x (1 - e⁻ᵘ)) du; for the slope times log x - u - ψ(a).
  private func lowerIntegral(isSlope: Bool = false) -> Tensor {
    let (a, x) = (select(isLower, self.a, 2.0), select(isLower, self.x, 1.0))
    let y = select(isLower, logX, 0.0)
    let (b, z) = (a.expanded(at: -1), x.expanded(at: -1))
    let offset = isSlope ? (y - digamma(a)).expanded(at: -1) : nil
    let integral = halfLineIntegral(width: reciprocal(a - x + sqrt(a))) { u in
      let weight = exp(-b * u - z * expm1(-u))
      return offset.map { weight * ($0 - u) } ?? weight
    }
    return powerTerm(a, x, y) * integral
  }

  /// With t = x eᵘ: x^a e^-x / Γ(a) · ∫₀^∞ exp(au - x (eᵘ - 1)) du; for the slope times log x + u - ψ(a).
  private func upperIntegral(isSlope: Bool = false) -> Tensor {
    let isUpper = .!isSeries .& .!isLower
    let (a, x) = (select(isUpper, self.a, 1.0), select(isUpper, self.x, 2.0))
    let y = select(isUpper, logX, 0.6931471805599453)
    let (b, z) = (a.expanded(at: -1), x.expanded(at: -1))
    let offset = isSlope ? (y - digamma(a)).expanded(at: -1) : nil
    let integral = halfLineIntegral(width: log1p(reciprocal(x - a + sqrt(x)))) { u in
      let weight = exp(b * u - z * expm1(minimum(u, 60.0)))
      return offset.map { weight * ($0 + u) } ?? weight
    }
    return powerTerm(a, x, y) * integral
  }

  // P = xᵃ / Γ(a + 1) · (1 + a T), T = Σ (-x)ⁿ / (n! (a + n)) over n ≥ 1.

  private var seriesA: Tensor { select(isSeries, a, 0.5) }
  private var seriesX: Tensor { select(isSeries, x, 0.5) }
  private var seriesExponent: Tensor { seriesA * select(isSeries, logX, -0.6931471805599453) - logGammaOfNext(seriesA) }

  private func seriesSum(power: Int) -> Tensor {
    let (a, x) = (seriesA, seriesX)
    var (term, sum) = (x * 0.0 + 1.0, x * 0.0)
    for n in 1...21 {
      term = term * x * (-1 / Double(n))
      let divisor = a + Double(n)
      sum = sum + term / (power == 1 ? divisor : divisor.squared())
    }
    return sum
  }
  private var seriesLower: Tensor { exp(seriesExponent) * (1.0 + seriesA * seriesSum(power: 1)) }
  private var seriesUpper: Tensor { -expm1(seriesExponent) - exp(seriesExponent) * seriesA * seriesSum(power: 1) }
  private var seriesSlope: Tensor {
    let sum = seriesSum(power: 1)
    let logarithm = select(isSeries, logX, -0.6931471805599453) - digamma(seriesA + 1.0)
    return exp(seriesExponent) * (logarithm * (1.0 + seriesA * sum) + sum - seriesA * seriesSum(power: 2))
  }
}

/// log Γ(1 + a) for 0 < a ≤ 1, with relative accuracy near 0: -γa + Σ ζ(k) (-a)ᵏ / k.
func logGammaOfNext(_ a: Tensor) -> Tensor {
  let isSmall = a .< 0.1
  let zeta: [Double] = [
    1.6449340668482264, 1.2020569031595943, 1.0823232337111382, 1.0369277551433699, 1.0173430619844491, 1.0083492773819228,
    1.0040773561979443, 1.0020083928260822, 1.0009945751278181, 1.0004941886041195, 1.000246086553308, 1.0001227133475785,
    1.0000612481350587, 1.0000305882363070,
  ]
  let coefficients = zeta.enumerated().map { i, z in (i % 2 == 0 ? z : -z) / Double(i + 2) }
  let small = select(isSmall, a, 0.0)
  let series = small * (small * polynomial(coefficients, small) - 0.5772156649015329)
  return select(isSmall, series, logGamma(a + 1.0))
}

/// The x of both tails. Newton's method in y = log x on log P, or on log Q where that is the smaller: both are concave in y, because the
/// density of log t is log-concave.
private func quantile(_ a: Tensor, lower p: Tensor, upper q: Tensor) -> Tensor {
  let isInside = (a .> 0.0) .& (p .> 0.0) .& (q .> 0.0)
  let shape = select(isInside, a, 1.0)
  let usesLower = p .<= 0.5
  let target = log(select(isInside, select(usesLower, p, q), 0.5))
  let y = newton(from: log(shape)) { y in
    let x = exp(y)
    let r = Regularised(shape, x, logX: y)
    let tail = maximum(select(usesLower, r.lower, r.upper), 1e-300)
    let power = maximum(powerTerm(shape, x, y), 1e-300)
    let correction = (log(tail) - target) * tail / power
    return select(usesLower, -correction, minimum(correction, 1.0))
  }
  let edge = select((a .> 0.0) .& (p .== 0.0), 0.0, select((a .> 0.0) .& (q .== 0.0), infinite, undefined))
  return select(isInside, exp(y), edge)
}
