// The beta function, the regularised incomplete beta function, its derivatives in all arguments and its inverse.

/// log |B(a, b)| = log |Γ(a) Γ(b) / Γ(a + b)| for real a and b, for positive ones without the cancellation of the three where they are
/// large. +∞ at the poles a, b = 0, -1, …, -∞ at the zeros a + b = 0, -1, …, NaN where a pole meets a zero.
public func logBeta(_ a: Tensor, _ b: Tensor) -> Tensor {
  inDoublePrecision("logBeta", [a, b]) { x in
    let beta = ContinuedBeta(x[0], x[1])
    return select(beta.isReflected, beta.logarithm + log(abs(beta.factor)), beta.logarithm)
  }
}

/// B(a, b) = Γ(a) Γ(b) / Γ(a + b) for real a and b, its sign included. +∞ at the poles a, b = 0; at those of negative whole numbers, whose
/// two sides differ in sign, NaN.
public func beta(_ a: Tensor, _ b: Tensor) -> Tensor {
  inDoublePrecision("beta", [a, b]) { x in
    let beta = ContinuedBeta(x[0], x[1])
    func isPole(_ x: Tensor) -> Tensor { (x .< 0.0) .& (round(x) .== x) }
    let value = exp(beta.logarithm)
    return select(beta.isReflected, select(isPole(x[0]) .| isPole(x[1]), undefined, value * beta.factor), value)
  }
}

/// B for operands of any sign: exp(logarithm) · factor. Γ of numbers below ½ is written π / (sin πx Γ(1 - x)), so that the zeros of 1/Γ are
/// those of the sine, and smooth.
private struct ContinuedBeta {
  let isReflected: Tensor
  let logarithm: Tensor
  let factor: Tensor

  init(_ a: Tensor, _ b: Tensor) {
    let isReflected = (a .<= 0.0) .| (b .<= 0.0)
    self.isReflected = isReflected
    /// Γ(x) = exp(first) / second.
    func gamma(_ x: Tensor) -> (Tensor, Tensor) {
      let x = select(isReflected, x, 1.0)
      let isLow = x .< 0.5
      let size = logGamma(select(isLow, 1.0 - x, x))
      return (select(isLow, -size, size), select(isLow, sineOfHalfTurns(select(isLow, x, 0.5)) * (1 / Double.pi), 1.0))
    }
    let (first, second, sum) = (gamma(a), gamma(b), gamma(a + b))
    let positive = logarithmOfBeta(select(isReflected, 1.0, a), select(isReflected, 1.0, b))
    logarithm = select(isReflected, first.0 + second.0 - sum.0, positive)
    factor = sum.1 / (first.1 * second.1)
  }
}

/// log B(a, b) for a, b > 0.
func logarithmOfBeta(_ a: Tensor, _ b: Tensor) -> Tensor {
  let n = a + b
  let powers = -(a * log1p(b / a)) - b * log1p(a / b)
  let corrections = stirlingCorrection(a) + stirlingCorrection(b) - stirlingCorrection(n)
  return powers + 0.5 * (log(n) - log(a) - log(b)) + 0.9189385332046727 + corrections
}

/// I_x(a, b) = ∫₀ˣ tᵃ⁻¹ (1 - t)ᵇ⁻¹ dt / B(a, b), the distribution function of the beta distribution; a, b > 0, 0 ≤ x ≤ 1, NaN outside.
///
/// Computed like ``gammaP(_:_:)``, in the variable log(t / (1 - t)), in which the density is log-concave; from the upper end where x is
/// beyond the bulk. Where b ≪ 1 that tail is nearly all, and I is computed from what 1/b leaves of the complete integral. Derivatives are
/// exact in x, and in a and b those of the integral.
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 6.6.
public func betaI(_ a: Tensor, _ b: Tensor, _ x: Tensor) -> Tensor {
  inDoublePrecision("betaI", [a, b, x]) { incompleteBeta($0[0], $0[1], $0[2]) }
}

/// x with I_x(a, b) = p, for 0 ≤ p ≤ 1: the quantile function of the beta distribution. The derivatives are the implicit ones.
public func betaIInverse(_ a: Tensor, _ b: Tensor, _ p: Tensor) -> Tensor {
  inDoublePrecision("betaIInverse", [a, b, p]) { x in
    let y = logOddsOfQuantile(x[0], x[1], x[2])
    return sigmoid(y)
  }
}

private let incompleteBeta = ElementwiseCall(
  "betaI",
  slopes: [
    { x, _ in shapeSlope(x[0], x[1], oddsOf(x[2]), isOfA: true) }, { x, _ in shapeSlope(x[0], x[1], oddsOf(x[2]), isOfA: false) },
    { x, _ in
      let logarithm = xlogy(x[0] - 1.0, x[2]) + xlogy(x[1] - 1.0, 1.0 - x[2])
      return exp(logarithm - logarithmOfBeta(x[0], x[1]))
    },
  ]
) { RegularisedBeta($0[0], $0[1], oddsOf($0[2])).value }

/// I as a function of y = log(x / (1 - x)), which tells apart what rounds to x = 1.
let incompleteBetaOfLogOdds = ElementwiseCall(
  "betaI.logOdds",
  slopes: [
    { x, _ in shapeSlope(x[0], x[1], x[2], isOfA: true) }, { x, _ in shapeSlope(x[0], x[1], x[2], isOfA: false) },
    { x, _ in powerTerm(x[0], x[1], x[2]) },
  ]
) { RegularisedBeta($0[0], $0[1], $0[2]).value }

let logOddsOfQuantile = ElementwiseCall(
  "betaIInverse.logOdds",
  slopes: [
    { x, y in -shapeSlope(x[0], x[1], y, isOfA: true) / powerTerm(x[0], x[1], y) },
    { x, y in -shapeSlope(x[0], x[1], y, isOfA: false) / powerTerm(x[0], x[1], y) },
    { x, y in reciprocal(powerTerm(x[0], x[1], y)) },
  ]
) { quantile($0[0], $0[1], $0[2]) }

/// log(x / (1 - x)); NaN outside [0, 1].
private func oddsOf(_ x: Tensor) -> Tensor { log(x) - log1p(-x) }

/// xᵃ (1 - x)ᵇ / B(a, b), the density in y.
private func powerTerm(_ a: Tensor, _ b: Tensor, _ y: Tensor) -> Tensor {
  let (exponent, factor) = powerTermParts(a, b, y)
  return exp(exponent) * factor
}

/// The same as exp(exponent) · factor, from Stirling's formula with the large terms cancelled beforehand.
private func powerTermParts(_ a: Tensor, _ b: Tensor, _ y: Tensor) -> (exponent: Tensor, factor: Tensor) {
  let n = a + b
  let (x, rest) = (sigmoid(y), sigmoid(-y))
  let excess = (x * b - rest * a) / n   // x - a / n
  let (atX, atRest) = (excess * n / a, -excess * n / b)
  let first = a * log1pMinusArgument(atX, logarithm: log1p(b / a) - softplus(-y))
  let second = b * log1pMinusArgument(atRest, logarithm: log1p(a / b) - softplus(y))
  let corrections = stirlingCorrection(a) + stirlingCorrection(b) - stirlingCorrection(n)
  return (first + second - corrections, sqrt(a / n * b) * 0.3989422804014327)
}

/// ∂I/∂a = ∫₀ˣ (log t - ψ(a) + ψ(a + b)) p(t) dt, and ∂I/∂b likewise with 1 - t and b.
private func shapeSlope(_ a: Tensor, _ b: Tensor, _ y: Tensor, isOfA: Bool) -> Tensor { RegularisedBeta(a, b, y).slope(isOfA: isOfA) }

private struct RegularisedBeta {
  let a: Tensor, b: Tensor, y: Tensor
  let isValid: Tensor
  /// Whether the integral runs from the lower end; else it is that of 1 - x with a and b exchanged.
  let isLower: Tensor
  let given: (a: Tensor, b: Tensor, y: Tensor)

  init(_ a: Tensor, _ b: Tensor, _ y: Tensor) {
    given = (a, b, y)
    isValid = (a .> 0.0) .& (b .> 0.0) .& isFinite(y) .& isFinite(a) .& isFinite(b)
    let (p, q) = (select(isValid, a, 1.0), select(isValid, b, 1.0))
    let odds = select(isValid, y, 0.0)
    // Parameters below 1 are raised by 1 in the integral, so the bulk is that of the raised ones.
    isLower = exp(odds) * RegularisedBeta.raised(q) .<= RegularisedBeta.raised(p)
    self.a = select(isLower, p, q)
    self.b = select(isLower, q, p)
    self.y = select(isLower, odds, -odds)
  }

  private static func raised(_ a: Tensor) -> Tensor { select(a .< 1.0, a + 1.0, a) }

  var value: Tensor {
    let tail = integral(nil) + firstTerm
    let isInDomain = (given.a .> 0.0) .& (given.b .> 0.0)
    let edge = select(given.y .== infinite, 1.0, select(given.y .== -infinite, 0.0, undefined))
    let inside = select(isLower, tail, select(isNearlyAll, complement, 1.0 - tail))
    return select(isValid, inside, select(isInDomain, edge, undefined))
  }

  /// Whether the integral from the upper end has so small an exponent that little is left beside it.
  private var isNearlyAll: Tensor { .!isLower .& (a .< 0.1) }

  /// 1 less the tail from δ = 0 to its end, for a ≪ 1: with β = a B(a, b) near 1 + a/b
  ///
  ///     β (1 - tail) = (1 - δᵃ) + (β - 1) - a ∫₀ᵟ tᵃ⁻¹ ((1 - t)ᵇ⁻¹ - 1) dt,
  ///
  /// the brackets of the order of a, and the integral a binomial series: δ ≤ 0.53 and bδ is of order 1.
  private var complement: Tensor {
    let a = select(isNearlyAll, self.a, 0.05), b = select(isNearlyAll, self.b, 1.0), y = select(isNearlyAll, self.y, 0.0)
    let logδ = -softplus(-y)
    let logβ = log1p(a / b) + logGammaProduct(a, b)
    let k = arange(60, as: .float64) + 1.0
    let (a1, b1, δ1) = (a.expanded(at: -1), b.expanded(at: -1), sigmoid(y).expanded(at: -1))
    let series = (((k - b1) / k * δ1).cumulativeProduct(alongAxis: -1) / (k + a1)).sum(alongAxis: -1)
    return (expm1(logβ) - expm1(a * logδ) - a * exp(a * logδ) * series) * exp(-logβ)
  }

  func slope(isOfA: Bool) -> Tensor {
    let ofFirst = tailSlope(isOfFirst: true), ofSecond = tailSlope(isOfFirst: false)
    let slope = select(isLower, isOfA ? ofFirst : ofSecond, isOfA ? -ofSecond : -ofFirst)
    let isEdge = (given.y .== infinite) .| (given.y .== -infinite)
    return select(isValid, slope, select(isEdge, 0.0, undefined))
  }

  private func tailSlope(isOfFirst: Bool) -> Tensor {
    let common = digamma(a + b)
    // What raising a adds has a slope of its own: I(a) = I(a + 1) + xᵃ (1 - x)ᵇ / (a B).
    let logarithm = isOfFirst ? -softplus(-y) - digamma(a) - reciprocal(a) : -softplus(y) - digamma(b)
    return integral(isOfFirst) + firstTerm * (logarithm + common)
  }

  private var isRaised: Tensor { a .< 1.0 }
  private var firstTerm: Tensor { select(isRaised, powerTerm(a, b, y) / a, 0.0) }

  /// x^a (1 - x)^b / B(a, b) · ∫₀^∞ (t/x)^a ((1 - t)/(1 - x))^b dv with log(t / (1 - t)) = y - v, a raised; `isOfFirst` inserts the factor
  /// of the slope in a or in b.
  private func integral(_ isOfFirst: Bool?) -> Tensor {
    let p = RegularisedBeta.raised(a)
    let (x, rest) = (sigmoid(y), sigmoid(-y))
    let slope = maximum(p * rest - b * x, 0.0)
    let width = reciprocal(slope + sqrt((p + b) * x * rest))
    let (a1, b1, x1) = (p.expanded(at: -1), b.expanded(at: -1), x.expanded(at: -1))
    var offset: Tensor?
    if let isOfFirst {
      let logarithm = isOfFirst ? -softplus(-y) - digamma(p) : -softplus(y) - digamma(b)
      offset = (logarithm + digamma(p + b)).expanded(at: -1)
    }
    let sum = halfLineIntegral(width: width) { v in
      // log(t / x) = -v - l and log((1 - t) / (1 - x)) = -l with l = log(1 - x + x e⁻ᵛ).
      let l = log1p(x1 * expm1(-v))
      let weight = exp(-a1 * (v + l) - b1 * l)
      guard let offset, let isOfFirst else { return weight }
      return weight * (offset - (isOfFirst ? v + l : l))
    }
    return powerTerm(p, b, y) * sum
  }
}

/// log Γ(1 + a) + log Γ(1 + b) - log Γ(1 + a + b) for 0 < a < 1 and b > 0, with relative accuracy where a is small: Malmstén's integral
///
///     -∫₀^∞ (1 - e⁻ᵃᵘ) (1 - e⁻ᵇᵘ) / (u (eᵘ - 1)) du,
///
/// and for large b, where that has two widths, Stirling's formula, its difference taken term by term.
private func logGammaProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
  let isLarge = b .> 60.0
  let (a1, b1) = (a.expanded(at: -1), select(isLarge, 60.0, b).expanded(at: -1))
  let integral = -halfLineIntegral(width: a * 0.0 + 1.0) { u in expm1(-a1 * u) * expm1(-b1 * u) / (u * expm1(minimum(u, 300.0))) }
  let z = select(isLarge, b, 60.0) + 1.0, next = z + a
  let (inverse, other) = (reciprocal(z), reciprocal(next))
  let main = (z - 0.5) * log1p(a / z) + a * log(next) - a
  // 1/12z - 1/360z³ + 1/1260z⁵.
  let squares = inverse.squared() + inverse * other + other.squared()
  let corrections = a * inverse * other * (squares * (1.0 / 360) - 1.0 / 12) - a * wholePower(inverse, 6) * (5.0 / 1260)
  return select(isLarge, logGammaOfNext(a) - main - corrections, integral)
}

/// y = log(x / (1 - x)) by Newton's method on the logarithm of the smaller tail, which is concave in y. A first step may go so far that the
/// tail is below all numbers: there its logarithm is that of the density less that of the density's own relative slope.
private func quantile(_ a: Tensor, _ b: Tensor, _ p: Tensor) -> Tensor {
  let isInside = (a .> 0.0) .& (b .> 0.0) .& (p .> 0.0) .& (p .< 1.0)
  let usesLower = p .<= 0.5
  // The upper tail is the lower one of 1 - x.
  let first = select(isInside, select(usesLower, a, b), 1.0), second = select(isInside, select(usesLower, b, a), 1.0)
  let target = log(select(isInside, select(usesLower, p, 1.0 - p), 0.5))
  let y = newton(from: log(first) - log(second)) { y in
    let tail = RegularisedBeta(first, second, y).value
    let (exponent, factor) = powerTermParts(first, second, y)
    let logDensity = exponent + log(factor)
    let isSeen = tail .> 1e-280
    let slope = maximum(first * sigmoid(-y) - second * sigmoid(y), 1e-300)
    let logTail = select(isSeen, log(select(isSeen, tail, 1.0)), logDensity - log(slope))
    return (target - logTail) * exp(logTail - logDensity)
  }
  let isInDomain = (a .> 0.0) .& (b .> 0.0)
  let edge = select(p .== 0.0, -infinite, select(p .== 1.0, infinite, undefined))
  return select(isInside, select(usesLower, y, -y), select(isInDomain, edge, undefined))
}

/// ∂I/∂a for b = ½, as Student's distribution has it.
func incompleteBetaSlope(_ a: Tensor, _ y: Tensor) -> Tensor { shapeSlope(a, a * 0.0 + 0.5, y, isOfA: true) }
