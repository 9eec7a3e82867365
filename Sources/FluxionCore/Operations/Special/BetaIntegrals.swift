// The beta function, the regularised incomplete beta function, its derivatives in all arguments and its inverse.

/// log B(a, b) = log Γ(a) + log Γ(b) - log Γ(a + b) for a, b > 0, without the cancellation of the three where they are large.
public func logBeta(_ a: Tensor, _ b: Tensor) -> Tensor { inDoublePrecision("logBeta", [a, b]) { logarithmOfBeta($0[0], $0[1]) } }

/// B(a, b) = Γ(a) Γ(b) / Γ(a + b) for a, b > 0.
public func beta(_ a: Tensor, _ b: Tensor) -> Tensor { inDoublePrecision("beta", [a, b]) { exp(logarithmOfBeta($0[0], $0[1])) } }

private func logarithmOfBeta(_ a: Tensor, _ b: Tensor) -> Tensor {
  let n = a + b
  let powers = -(a * log1p(b / a)) - b * log1p(a / b)
  let corrections = stirlingCorrection(a) + stirlingCorrection(b) - stirlingCorrection(n)
  return powers + 0.5 * (log(n) - log(a) - log(b)) + 0.9189385332046727 + corrections
}

/// I_x(a, b) = ∫₀ˣ tᵃ⁻¹ (1 - t)ᵇ⁻¹ dt / B(a, b), the distribution function of the beta distribution; a, b > 0, 0 ≤ x ≤ 1, NaN outside.
///
/// Computed like ``gammaP(_:_:)``, in the variable log(t / (1 - t)), in which the density is log-concave; from the upper end where x is
/// beyond the bulk. Derivatives are exact in x, and in a and b those of the integral.
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
      return exp(logarithm - logBeta(x[0], x[1]))
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

/// xᵃ (1 - x)ᵇ / B(a, b), the density in y, from Stirling's formula with the large terms cancelled beforehand.
private func powerTerm(_ a: Tensor, _ b: Tensor, _ y: Tensor) -> Tensor {
  let n = a + b
  let (x, rest) = (sigmoid(y), sigmoid(-y))
  let excess = (x * b - rest * a) / n   // x - a / n
  let (atX, atRest) = (excess * n / a, -excess * n / b)
  let first = a * log1pMinusArgument(atX, logarithm: log1p(b / a) - softplus(-y))
  let second = b * log1pMinusArgument(atRest, logarithm: log1p(a / b) - softplus(y))
  let corrections = stirlingCorrection(a) + stirlingCorrection(b) - stirlingCorrection(n)
  return exp(first + second - corrections) * sqrt(a / n * b) * 0.3989422804014327
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
    return select(isValid, select(isLower, tail, 1.0 - tail), select(isInDomain, edge, undefined))
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

/// y = log(x / (1 - x)) by Newton's method on the logarithm of the smaller tail, which is concave in y.
private func quantile(_ a: Tensor, _ b: Tensor, _ p: Tensor) -> Tensor {
  let isInside = (a .> 0.0) .& (b .> 0.0) .& (p .> 0.0) .& (p .< 1.0)
  let usesLower = p .<= 0.5
  // The upper tail is the lower one of 1 - x.
  let first = select(isInside, select(usesLower, a, b), 1.0), second = select(isInside, select(usesLower, b, a), 1.0)
  let target = log(select(isInside, select(usesLower, p, 1.0 - p), 0.5))
  let y = newton(from: log(first) - log(second)) { y in
    let tail = maximum(RegularisedBeta(first, second, y).value, 1e-300)
    return -(log(tail) - target) * tail / maximum(powerTerm(first, second, y), 1e-300)
  }
  let isInDomain = (a .> 0.0) .& (b .> 0.0)
  let edge = select(p .== 0.0, -infinite, select(p .== 1.0, infinite, undefined))
  return select(isInside, select(usesLower, y, -y), select(isInDomain, edge, undefined))
}

/// ∂I/∂a for b = ½, as Student's distribution has it.
func incompleteBetaSlope(_ a: Tensor, _ y: Tensor) -> Tensor { shapeSlope(a, a * 0.0 + 0.5, y, isOfA: true) }
