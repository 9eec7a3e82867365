public import FluxionCore

/// RMSProp: gradients divided by the root of the running mean of their squares.
///
///     vₜ = ρ vₜ₋₁ + (1 - ρ) gₜ²        Δθ = -η gₜ / √(vₜ + ε)
///
/// Centred, v is reduced by the squared running mean of g; with momentum the scaled gradients are summed as in heavy-ball descent,
/// bₜ = μ bₜ₋₁ + (scaled gₜ), Δθ = -η bₜ. Of complex gradients squares are |·|².
///
/// > T. Tieleman, G. Hinton. "Lecture 6.5: RMSProp." Coursera, 2012; centred: A. Graves, arXiv 1308.0850, 2013.
public struct RMSProp: Optimiser {
  public var learningRate: Schedule
  /// ρ; 0.9 unless told (PyTorch: 0.99).
  public var decay: Double
  /// ε.
  public var epsilon: Double
  /// Where ε stands: under the root, or added to it as in PyTorch.
  public var epsilonIsUnderRoot: Bool
  /// v₀.
  public var initialSquare: Double
  public var isCentred: Bool
  /// μ; 0 for none.
  public var momentum: Double

  public init(
    learningRate: some ScheduleConvertible, decay: Double = 0.9, epsilon: Double = 1e-8, epsilonIsUnderRoot: Bool = true,
    initialSquare: Double = 0, isCentred: Bool = false, momentum: Double = 0
  ) {
    requireFactor(decay, "RMSProp", "decay")
    requireFactor(momentum, "RMSProp", "momentum")
    requireNotNegative(epsilon, "RMSProp", "epsilon")
    requireNotNegative(initialSquare, "RMSProp", "initialSquare")
    self.learningRate = learningRate.schedule
    self.decay = decay
    self.epsilon = epsilon
    self.epsilonIsUnderRoot = epsilonIsUnderRoot
    self.initialSquare = initialSquare
    self.isCentred = isCentred
    self.momentum = momentum
  }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> {
    let zero = zeros(like: parameters)
    var moments = ["v": squares(initialSquare, like: parameters)]
    if isCentred { moments["mean"] = zero }
    if momentum > 0 { moments["b"] = zero }
    return OptimiserState(moments: moments)
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    let (ρ, μ, count) = (decay, momentum, state.count)
    let names = ["v"] + (isCentred ? ["mean"] : []) + (μ > 0 ? ["b"] : [])
    let inputs = [gradient] + names.map { state.moment($0, "RMSProp") }
    let results = leafwise("RMSProp", inputs, results: inputs.count) { leaf in
      let g = leaf[0]
      let v = ρ * leaf[1] + (1 - ρ) * g.squaredSizes
      var kept = [v]
      var spread = v
      if isCentred {
        let mean = ρ * leaf[2] + (1 - ρ) * g
        // v ≥ mean² holds exactly, but not after rounding.
        spread = maximum(v - mean.squaredSizes, 0)
        kept.append(mean)
      }
      var direction = epsilonIsUnderRoot ? g * rsqrt(spread + epsilon) : g / (sqrt(spread) + epsilon)
      if μ > 0 {
        direction += μ * leaf[leaf.count - 1]
        kept.append(direction)
      }
      return [-learningRate(count, as: g.elementType.realPart) * direction] + kept
    }
    for (name, value) in zip(names, results.dropFirst()) { state.moments[name] = value }
    return results[0]
  }
}
