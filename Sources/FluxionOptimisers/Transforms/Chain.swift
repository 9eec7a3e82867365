public import FluxionCore

/// Two transforms, one after the other: `ClipByGlobalNorm(1).then(Adam())`.
public struct Chain<First: GradientTransform, Second: GradientTransform>: GradientTransform {
  public var first: First
  public var second: Second

  public init(_ first: First, _ second: Second) {
    self.first = first
    self.second = second
  }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> {
    OptimiserState(parts: [first.initialState(for: parameters), second.initialState(for: parameters)])
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    requireOfCaller(state.parts.count == 2, "Chain", "the state was made for another optimiser: use initialState(for:) of this one.")
    let changed = first.update(gradient, state: &state.parts[0], parameters: parameters)
    return second.update(changed, state: &state.parts[1], parameters: parameters)
  }
}
extension Chain: Optimiser where Second: Optimiser {}

extension GradientTransform {
  /// This transform, then `next`. What ends with an optimiser is an optimiser.
  public func then<Next: GradientTransform>(_ next: Next) -> Chain<Self, Next> { Chain(self, next) }
}
