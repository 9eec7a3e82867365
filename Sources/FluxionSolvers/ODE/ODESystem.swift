import FluxionCore

/// An equation as a graph: inputs time, state, then constants (parameters and what the field uses from outside); outputs the slope.
/// All solvers and adjoints below work on lists of tensors.
struct ODESystem: Sendable {
  let field: Graph
  let stateCount: Int
  let tableau: ButcherTableau
  let order: Int
  let stepping: Stepping

  init<Method: ExplicitRungeKutta>(field: Graph, stateCount: Int, method: Method) {
    self.init(field: field, stateCount: stateCount, tableau: Method.tableau, order: Method.order, stepping: method.stepping)
  }

  init(field: Graph, stateCount: Int, tableau: ButcherTableau, order: Int, stepping: Stepping) {
    self.field = field
    self.stateCount = stateCount
    self.tableau = tableau
    self.order = order
    self.stepping = stepping
  }

  func slope(_ t: Tensor, _ y: [Tensor], _ constants: [Tensor]) -> [Tensor] { field([t] + y + constants) }

  /// The states at `times`, stacked, then status, evaluations, accepted and rejected steps; to be called while tracing.
  func solve(_ y: [Tensor], _ times: Tensor, _ constants: [Tensor], _ gradient: ODEGradient) -> [Tensor] {
    let operands = y + [times] + constants
    switch (stepping, gradient) {
    case (.fixed, .discrete), (.fixed, .taped): return march(operands)
    case (.adaptive, .taped): return march(operands, isBounded: true)
    case (_, .backsolve): return continuousAdjoint(operands.map(\.type))(operands)
    case (.adaptive, .discrete): return discreteAdjoint(operands.map(\.type))(operands)
    }
  }

  /// The solution without rules of its own.
  func march(_ operands: [Tensor], isBounded: Bool = false) -> [Tensor] {
    let (y, times, constants) = parts(operands)
    switch stepping {
    case let .fixed(steps): return fixedSteps(y, times, constants, steps)
    case let .adaptive(control): return adaptiveSteps(y, times, constants, control, isBounded: isBounded)
    }
  }

  func parts(_ operands: [Tensor]) -> (y: [Tensor], times: Tensor, constants: [Tensor]) {
    (Array(operands.prefix(stateCount)), operands[stateCount], Array(operands.dropFirst(stateCount + 1)))
  }

  // MARK: One step

  /// y₁, the estimated error if the method has one, and the field at (t + h, y₁) where the last stage is reused.
  func step(
    _ t: Tensor, _ h: Tensor, _ y: [Tensor], _ constants: [Tensor], first: [Tensor]? = nil
  ) -> (y: [Tensor], error: [Tensor]?, last: [Tensor]?) {
    var k = [first ?? slope(t, y, constants)]
    var point = y
    for i in 1..<max(1, tableau.stages) {
      point = moved(y, h, tableau.a[i], k)
      k.append(slope(t + h * tableau.c[i], point, constants))
    }
    let end = tableau.reusesLastStage ? point : moved(y, h, tableau.b, k)
    let error = tableau.bError.map { e in y.indices.map { weighted(e, k, $0) * h } }
    return (end, error, tableau.reusesLastStage ? k[k.count - 1] : nil)
  }

  /// y + h Σ wⱼ kⱼ.
  private func moved(_ y: [Tensor], _ h: Tensor, _ weights: [Double], _ k: [[Tensor]]) -> [Tensor] {
    y.indices.map { y[$0] + h * weighted(weights, k, $0) }
  }

  private func weighted(_ weights: [Double], _ k: [[Tensor]], _ leaf: Int) -> Tensor {
    var sum: Tensor?
    for (w, stage) in zip(weights, k) where w != 0 {
      let term = w == 1 ? stage[leaf] : stage[leaf] * w
      sum = sum.map { $0 + term } ?? term
    }
    return sum ?? Tensor.zeros(like: k[0][leaf].type)
  }
}
