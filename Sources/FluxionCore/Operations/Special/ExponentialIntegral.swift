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
