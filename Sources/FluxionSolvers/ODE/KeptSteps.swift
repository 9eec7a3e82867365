import FluxionCore
import FluxionTransforms

/// A step with what its derivative needs, which the discrete adjoint keeps of the first steps so as not to repeat them.
struct KeptSteps {
  /// How many steps are kept.
  let count: Int
  /// Of each step, besides its time, length, first state and the constants.
  let types: [TensorType]

  private let stateCount: Int, slopeCount: Int
  /// From time, length, state, first stage if the last one is reused, and constants to what ``ODESystem/step(_:_:_:_:first:)`` gives,
  /// then what is kept.
  private let values: Graph
  private let split: Split
  /// Places of what is kept among the residuals of the split.
  private let kept: [Int]

  /// About what stays in the last cache level beside everything else; beyond it a step is repeated sooner than read again.
  private static let mostBytes = 8 << 20

  /// - Parameters:
  ///   - isActive: which of the constants are differentiated by; `asksTimes`: whether the times are.
  init(
    _ system: ODESystem, _ y: [TensorType], _ constants: [TensorType], isActive: [Bool], asksTimes: Bool, limit: Int
  ) {
    let n = y.count, time = TensorType([], y[0].elementType), reuses = system.tableau.reusesLastStage
    let slope = reuses ? y : []
    let (step, captures) = traceGraph([time, time] + y + slope + constants) { x in
      let first = Array(x.dropFirst(2 + n).prefix(slope.count))
      let made = system.step(x[0], x[1], Array(x[2..<2 + n]), Array(x[(2 + n + slope.count)...]), first: reuses ? first : nil)
      return made.y + (made.last ?? []) + made.error!.map { stopGradient($0) }
    }
    precondition(captures.isEmpty, "the field is closed")
    split = Split(step, active: [asksTimes, asksTimes] + (y + slope).map { _ in true } + isActive)
    let recordedElsewhere = Set(0..<2 + n).union((2 + n + slope.count)..<step.inputCount)
    kept = split.residuals.indices.filter { [split] in split.residualInput[$0].map { !recordedElsewhere.contains($0) } ?? true }
    values = split.knownGraph(residuals: kept)
    types = Array(values.outputTypes.dropFirst(step.outputs.count))
    (stateCount, slopeCount) = (n, slope.count)
    let bytes = types.reduce(0) { $0 + $1.byteCount }
    count = bytes == 0 ? limit : Swift.min(limit, KeptSteps.mostBytes / (bytes * MappedCopies.count))
  }

  /// As ``ODESystem/step(_:_:_:_:first:)``, with what is kept; nil if no step is.
  func step(
    _ t: Tensor, _ h: Tensor, _ y: [Tensor], _ slope: [Tensor], _ constants: [Tensor]
  ) -> (taken: (y: [Tensor], error: [Tensor]?, last: [Tensor]?), residuals: [Tensor])? {
    guard count > 0 else { return nil }
    var made = values([t, h] + y + slope + constants)[...]
    func take(_ count: Int) -> [Tensor] {
      defer { made = made.dropFirst(count) }
      return Array(made.prefix(count))
    }
    let end = take(stateCount), last = take(slopeCount), error = take(stateCount)
    return ((end, error, slopeCount > 0 ? last : nil), Array(made))
  }

  /// Cotangents of the step's time and length if they are asked for, its state, its first stage if the last one is reused, and the
  /// constants that are differentiated by; for those of the next state and first stage.
  func pullback(
    _ t: Tensor, _ h: Tensor, _ y: [Tensor], _ constants: [Tensor], _ residuals: [Tensor], state: [Tensor], slope: [Tensor]
  ) -> [Tensor?] {
    let inputs: [Tensor?] = [t, h] + y + [Tensor?](repeating: nil, count: slopeCount) + constants
    let given = Dictionary(uniqueKeysWithValues: zip(kept, residuals))
    let known = split.residualIndex.map { r in given[r!] ?? inputs[split.residualInput[r!]!] }
    let tangentCount = split.linearGraph.inputCount - known.count
    let arriving = zip(state.map(Optional.some) + slope.map(Optional.some) + state.map { _ in nil }, split.outputActive)
    let back = transpose(
      split.linearGraph, [Tensor?](repeating: nil, count: tangentCount) + known, arriving.filter(\.1).map(\.0))
    return Array(back.prefix(tangentCount))
  }
}
