public import FluxionCore

/// AdaGrad: each coordinate's step is divided by the root of the sum of its squared gradients.
///
///     sₜ = sₜ₋₁ + gₜ²        Δθ = -η gₜ / √(sₜ + ε),  0 where sₜ = 0
///
/// Of complex gradients gₜ² is |gₜ|².
///
/// > J. Duchi, E. Hazan, Y. Singer. "Adaptive subgradient methods." *JMLR* 12, 2011.
public struct AdaGrad: Optimiser {
  public var learningRate: Schedule
  /// s₀; 0.1 unless told, as in Optax (PyTorch: 0).
  public var initialSum: Double
  /// ε; 10⁻⁷ unless told (PyTorch: 10⁻¹⁰).
  public var epsilon: Double
  /// Where ε stands: under the root, or added to it as in PyTorch.
  public var epsilonIsUnderRoot: Bool

  public init(
    learningRate: some ScheduleConvertible, initialSum: Double = 0.1, epsilon: Double = 1e-7, epsilonIsUnderRoot: Bool = true
  ) {
    requireNotNegative(initialSum, "AdaGrad", "initialSum")
    requireNotNegative(epsilon, "AdaGrad", "epsilon")
    self.learningRate = learningRate.schedule
    self.initialSum = initialSum
    self.epsilon = epsilon
    self.epsilonIsUnderRoot = epsilonIsUnderRoot
  }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> {
    OptimiserState(moments: ["s": squares(initialSum, like: parameters)])
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    let count = state.count
    let results = leafwise("AdaGrad", [gradient, state.moment("s", "AdaGrad")], results: 2) { leaf in
      let g = leaf[0]
      let s = leaf[1] + g.squaredSizes
      let isMoved = s .> 0
      let safe = select(isMoved, s, 1)
      let scaled = epsilonIsUnderRoot ? g * rsqrt(safe + epsilon) : g / (sqrt(safe) + epsilon)
      return [-learningRate(count, as: g.elementType.realPart) * select(isMoved, scaled, 0), s]
    }
    state.moments["s"] = results[1]
    return results[0]
  }
}
