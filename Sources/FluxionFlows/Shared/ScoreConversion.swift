public import FluxionCore

// Velocity and score hold the same knowledge when the source is Gaussian, X₀ ~ N(0, σ²I), and independent of the data:
//
//     E[X₀ | Xₜ = x] = (a′ x - a v) / (a′ b - a b′)          from v = a′ E[X₁|x] + b′ E[X₀|x] and x = a E[X₁|x] + b E[X₀|x]
//     ∇log pₜ(x) = -E[X₀ | Xₜ = x] / (b σ²)                  which for `straight` is (t v - x) / ((1 - t) σ²)

extension Interpolation {
  /// ∇log pₜ(x) from the velocity there. Infinite at t = 1, where b = 0.
  public func score(fromVelocity v: Tensor, at x: Tensor, time t: Tensor, sourceDeviation σ: Double = 1) -> Tensor {
    if kind == .straight { return (t * v - x) / ((1 - t) * (σ * σ)) }
    let (a, b, da) = (signal(t), noise(t), signalRate(t))
    // Numerator and denominator times b, because b b′ is finite where b′ is not.
    let e0OverB = (da * x - a * v) / (da * b.squared() - a * noiseProduct(t))
    return -e0OverB / (σ * σ)
  }

  /// The velocity from ∇log pₜ(x). Infinite where a = 0, unless the interpolation has a′ = 0 as well.
  public func velocity(fromScore score: Tensor, at x: Tensor, time t: Tensor, sourceDeviation σ: Double = 1) -> Tensor {
    let (a, b, da) = (signal(t), noise(t), signalRate(t))
    let variance = b.squared() * (σ * σ)
    let e1 = (x + variance * score) / a  // E[X₁|x], since b E[X₀|x] = -b² σ² score
    return da * e1 - noiseProduct(t) * (σ * σ) * score
  }
}
