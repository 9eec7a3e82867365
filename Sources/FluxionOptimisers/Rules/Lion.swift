public import FluxionCore

/// Lion: steps of equal size along the sign of an interpolated mean of the gradients.
///
///     Δθ = -η (sign(β₁ mₜ₋₁ + (1 - β₁) gₜ) + λ θ)        mₜ = β₂ mₜ₋₁ + (1 - β₂) gₜ
///
/// > X. Chen et al. "Symbolic discovery of optimization algorithms." *NeurIPS* 2023, Algorithm 2.
public struct Lion: Optimiser {
  public var learningRate: Schedule
  public var beta1: Double
  public var beta2: Double
  /// λ; 10⁻³ unless told, as in Optax.
  public var weightDecay: Double
  public var decays: DecayedLeaves

  public init(
    learningRate: some ScheduleConvertible = 1e-4, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 1e-3,
    decays: DecayedLeaves = .all
  ) {
    requireFactor(beta1, "Lion", "beta1")
    requireFactor(beta2, "Lion", "beta2")
    requireNotNegative(weightDecay, "Lion", "weightDecay")
    self.learningRate = learningRate.schedule
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
    self.decays = decays
  }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> {
    OptimiserState(moments: ["m": zeros(like: parameters)])
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    let (β1, β2, count) = (beta1, beta2, state.count)
    let results = leafwise("Lion", [gradient, parameters, state.moment("m", "Lion")], results: 2) { leaf in
      let (g, θ, m) = (leaf[0], leaf[1], leaf[2])
      let mixed = β1 * m + (1 - β1) * g
      var direction = sign(mixed)
      if weightDecay > 0 && decays.includes(θ) { direction += weightDecay * θ }
      return [-learningRate(count, as: g.elementType.realPart) * direction, β2 * m + (1 - β2) * g]
    }
    state.moments["m"] = results[1]
    return results[0]
  }
}
