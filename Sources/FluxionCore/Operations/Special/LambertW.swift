/// The two real branches of the inverse of w ↦ w eʷ.
public enum LambertBranch: Sendable, CaseIterable {
  /// W₀(x) ≥ -1, for x ≥ -1/e.
  case principal
  /// W₋₁(x) ≤ -1, for -1/e ≤ x < 0.
  case lower
}

/// Lambert's W(x), w with w eʷ = x; NaN outside the branch's domain. W₀(∞) = ∞, W₋₁(0⁻) = -∞.
///
/// Near the branch point -1/e a series in √(2(ex + 1)); elsewhere Fritsch, Shafer and Crowley's iteration, of order four.
///
/// > R. M. Corless, G. H. Gonnet, D. E. G. Hare, D. J. Jeffrey, D. E. Knuth. "On the Lambert W function." *Adv. Comput. Math.* 5, 1996.
public func lambertW(_ x: Tensor, branch: LambertBranch = .principal) -> Tensor {
  inDoublePrecision("lambertW", [x]) { branch == .principal ? principalW($0[0]) : lowerW($0[0]) }
}

/// W′ = e⁻ʷ / (1 + w).
private let wSlope: ElementwiseCall.Slope = { _, w in exp(-w) / (w + 1.0) }
private let principalW = ElementwiseCall("lambertW", slopes: [wSlope]) { valueOfW($0[0], isPrincipal: true) }
private let lowerW = ElementwiseCall("lambertW.lower", slopes: [wSlope]) { valueOfW($0[0], isPrincipal: false) }

private func valueOfW(_ x: Tensor, isPrincipal: Bool) -> Tensor {
  // ex + 1 with 1/e in two parts, so that nothing is lost beside the branch point.
  let distance = (x + 0.36787944117144233) - 1.2428753672788363e-17
  let isInside = (distance .>= -1e-17) .& isFinite(x) .& (isPrincipal ? x .== x : x .< 0.0)
  let isNear = isInside .& (distance .< 3e-4)
  let p = sqrt(maximum(select(isNear, distance, 1e-4), 0.0) * 5.43656365691809) * (isPrincipal ? 1.0 : -1.0)
  let coefficients: [Double] = [
    -1, 1, -1.0 / 3, 11.0 / 72, -43.0 / 540, 769.0 / 17280, -221.0 / 8505, 680863.0 / 43545600, -1963.0 / 204120,
    226287557.0 / 37623398400,
  ]
  let near = polynomial(coefficients, p)
  let z = select(isInside .& .!isNear, x, isPrincipal ? 1.0 : -0.1)
  let q = sqrt(maximum(z + 0.36787944117144233, 0.0) * 5.43656365691809)
  let start: Tensor
  if isPrincipal {
    let l = log(select(z .> 3.0, z, 3.0))
    let large = l - log(l) + log(l) / l
    start = select(z .> 3.0, large, select(z .< -0.2, -1.0 + q - q.squared() / 3.0, z / (1.0 + select(z .< -0.2, 0.0, z)) * 1.0))
  } else {
    let isClose = z .< -0.2
    let l = log(-select(isClose, -0.1, z))
    let large = l - log(-l) + log(-l) / l
    start = select(isClose, -1.0 - q - q.squared() / 3.0, large)
  }
  // For small z relative accuracy: w = z at first order, and the iteration in log(z / w) keeps it.
  var w = start
  for _ in 0..<5 {
    let isZero = w .== 0.0
    let safe = select(isZero, 1.0, w)
    let residual = log(select(isZero, 1.0, z) / safe) - safe
    let one = safe + 1.0
    let twice = 2.0 * one * (one + residual * (2.0 / 3))
    w = select(isZero, w, safe * (1.0 + residual / one * (twice - residual) / (twice - 2.0 * residual)))
  }
  let edge = isPrincipal ? select(x .== infinite, x, undefined) : select(x .== 0.0, -infinite, undefined)
  return select(isNear, near, select(isInside, w, edge))
}
