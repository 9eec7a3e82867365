// The exponential integrals.

/// E₁(x) = ∫ₓ^∞ e⁻ᵗ / t dt for x > 0; +∞ at 0, NaN below.
///
/// The power series -γ - log x - Σ (-x)ᵏ / (k k!) for x ≤ 1, beyond it e⁻ˣ ∫₀^∞ exp(-x (eᵘ - 1)) du by the double-exponential rule.
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 5.1.11.
public func expIntegralE1(_ x: Tensor) -> Tensor { inDoublePrecision("expIntegralE1", [x]) { exponentialIntegral($0[0]) } }

private let exponentialIntegral = ElementwiseCall("expIntegralE1", slopes: [{ x, _ in -exp(-x[0]) / x[0] }]) { operands in
  let x = operands[0]
  let isSmall = (x .> 0.0) .& (x .<= 1.0)
  let low = select(isSmall, x, 0.5)
  var (term, sum) = (low * 0.0 + 1.0, low * 0.0)
  for k in 1...20 {
    term = term * low * (-1 / Double(k))
    sum = sum + term * (1 / Double(k))
  }
  let series = -0.5772156649015329 - log(low) - sum
  let isLarge = x .> 1.0
  let high = select(isLarge .& isFinite(x), x, 2.0)
  let z = high.expanded(at: -1)
  let integral = exp(-high) * halfLineIntegral(width: log1p(reciprocal(high))) { u in exp(-z * expm1(minimum(u, 60.0))) }
  let tail = select(isFinite(x), integral, 0.0)
  return select(isSmall, series, select(isLarge, tail, select(x .== 0.0, infinite, undefined)))
}

/// Ei(x) = ⨍₋∞ˣ eᵗ / t dt, the principal value, for real x; -∞ at 0.
///
/// For x < 0 it is -E₁(-x); for x ≤ 40 the series γ + log x + Σ xᵏ / (k k!), whose terms are positive; beyond it the asymptotic series
/// eˣ/x Σ k!/xᵏ up to its least term, which there is below an ulp. Near its zero at 0.3725… the error is an absolute one.
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 5.1.10, 5.1.51.
public func expIntegralEi(_ x: Tensor) -> Tensor { inDoublePrecision("expIntegralEi", [x]) { principalExponentialIntegral($0[0]) } }

private let principalExponentialIntegral = ElementwiseCall("expIntegralEi", slopes: [{ x, _ in exp(x[0] * 0.5) / x[0] * exp(x[0] * 0.5) }])
{ operands in
  let x = operands[0]
  let isNear = (x .> 0.0) .& (x .<= 40.0)
  let near = select(isNear, x, 1.0)
  let k = arange(140, as: .float64) + 1.0
  let terms = (near.expanded(at: -1) / k).cumulativeProduct(alongAxis: -1)
  let series = 0.5772156649015329 + log(near) + (terms / k).sum(alongAxis: -1)
  let isFar = (x .> 40.0) .& isFinite(x)
  let far = select(isFar, x, 50.0)
  let inverse = reciprocal(far)
  var sum = far * 0.0 + 1.0
  for k in (1...40).reversed() { sum = sum * inverse * Double(k) + 1.0 }
  // In two factors, because Ei overflows later than eˣ.
  let half = exp(far * 0.5)
  let asymptotic = half * (sum * inverse) * half
  let negative = -exponentialIntegral(select(x .< 0.0, -x, 1.0))
  let edge = select(x .== 0.0, -infinite, x)  // ∞ and NaN are their own
  return select(isNear, series, select(isFar, asymptotic, select(x .< 0.0, negative, edge)))
}
