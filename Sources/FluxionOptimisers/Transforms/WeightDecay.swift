public import FluxionCore

/// Adds λ θ to the gradient: before an optimiser the coupled (L2) form of weight decay, g ← g + λ θ.
public struct WeightDecay: GradientTransform {
  /// λ ≥ 0.
  public var rate: Double
  public var decays: DecayedLeaves

  public init(_ rate: Double, decays: DecayedLeaves = .all) {
    requireNotNegative(rate, "WeightDecay", "the rate")
    self.rate = rate
    self.decays = decays
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    leafwise("WeightDecay", [gradient, parameters]) { [decays.includes($0[1]) ? $0[0] + rate * $0[1] : $0[0]] }[0]
  }
}
