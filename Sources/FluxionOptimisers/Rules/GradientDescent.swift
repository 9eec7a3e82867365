public import FluxionCore

/// Gradient descent, with momentum if wanted.
///
///     bₜ = μ bₜ₋₁ + gₜ        Δθ = -η bₜ,  with Nesterov's momentum -η (gₜ + μ bₜ)
///
/// > B. Polyak. "Some methods of speeding up the convergence of iteration methods." 1964.
/// > Y. Nesterov. "A method of solving a convex programming problem with convergence rate O(1/k²)." 1983.
public struct GradientDescent: Optimiser {
  public var learningRate: Schedule
  /// μ; 0 for none.
  public var momentum: Double
  public var isNesterov: Bool

  /// - Parameters:
  ///   - learningRate: η.
  ///   - momentum: μ of [0, 1).
  ///   - isNesterov: true for Nesterov's momentum.
  public init(learningRate: some ScheduleConvertible, momentum: Double = 0, isNesterov: Bool = false) {
    requireFactor(momentum, "GradientDescent", "momentum")
    self.learningRate = learningRate.schedule
    self.momentum = momentum
    self.isNesterov = isNesterov
  }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> {
    OptimiserState(moments: momentum == 0 ? [:] : ["b": zeros(like: parameters)])
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    let count = state.count
    guard momentum != 0 else {
      return leafwise("GradientDescent", [gradient]) { [-learningRate(count, as: $0[0].elementType.realPart) * $0[0]] }[0]
    }
    let μ = momentum
    let results = leafwise("GradientDescent", [gradient, state.moment("b", "GradientDescent")], results: 2) { leaf in
      let g = leaf[0]
      let b = μ * leaf[1] + g
      let η = learningRate(count, as: g.elementType.realPart)
      return [-η * (isNesterov ? g + μ * b : b), b]
    }
    state.moments["b"] = results[1]
    return results[0]
  }
}
