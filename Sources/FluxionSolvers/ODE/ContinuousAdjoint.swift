import FluxionCore
import FluxionTransforms

extension ODESystem {
  /// The solution whose backward pass solves the adjoint equations from the last time to the first, with the same method:
  ///
  ///     dy/dt = f        da/dt = -aᵀ ∂f/∂y        dg/dt = -aᵀ ∂f/∂p
  ///
  /// a, the cotangent of the state, jumps by what arrives at each time; g at the end is the cotangent of the constants. A time's own
  /// cotangent is that of the state there times the field.
  func continuousAdjoint(_ types: [TensorType]) -> AdjointProgram {
    let (value, captures) = traceGraph(types) { march($0) }
    precondition(captures.isEmpty, "the field is closed")
    return AdjointProgram(
      name: "ode", value: value,
      forward: { operands, _ in
        let results = value(operands)
        return (results, Array(results.prefix(stateCount)))
      },
      pullback: { operands, residuals, cotangents, isAsked in
        stagedWhereGiven(operands + residuals + cotangents) { inputs in
          let n = operands.count
          return adjointSolution(
            Array(inputs.prefix(n)), Array(inputs.dropFirst(n).prefix(stateCount)), Array(inputs.dropFirst(n + stateCount)), isAsked)
        }
      })
  }

  private struct Costate: Codable {
    var state: [Tensor]
    var constants: [Tensor]
  }

  private func adjointSolution(_ operands: [Tensor], _ path: [Tensor], _ cotangents: [Tensor], _ isAsked: [Bool]) -> [Tensor?] {
    let (y0, times, constants) = parts(operands)
    let isActive = zip(constants, isAsked.dropFirst(stateCount + 1)).map { $0.elementType.isDifferentiable && $1 }
    let asksTimes = isAsked[stateCount]
    let active = zip(constants, isActive).filter(\.1).map(\.0)
    let arriving = Array(cotangents.prefix(stateCount))
    let intervals = times.count - 1
    let system = augmented(y0.map(\.type), constants.map(\.type), isActive)

    func product(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
      zip(a, b).reduce(Tensor(0, as: times.elementType)) { $0 + ($1.0 * $1.1).sum() }
    }
    var costate = Costate(state: y0.map { Tensor.zeros(like: $0.type) }, constants: active.map { Tensor.zeros(like: $0.type) })
    var timeSlopes = asksTimes ? Tensor.zeros([times.count], as: times.elementType) : nil
    if intervals > 0 {
      let starts = times.sliced(0..<intervals, alongAxis: 0)
      let ends = times.sliced(1..<intervals + 1, alongAxis: 0)
      // The state is begun anew from the forward solution at each time, so that its error does not grow over them.
      let states = path.map { $0.sliced(1..<intervals + 1, alongAxis: 0) }
      let later = arriving.map { $0.sliced(1..<intervals + 1, alongAxis: 0) }
      let walked = scan(over: [starts, ends] + states + later, from: costate, reverse: true) { (w: Costate, x: [Tensor]) in
        let y = Array(x[2..<2 + stateCount])
        let jump = Array(x[(2 + stateCount)...])
        let a = zip(w.state, jump).map { $0 + $1 }
        // The times before this one see the state through a; this time itself moves along the field by what arrives here.
        let atEnd = asksTimes ? [product(jump, slope(x[1], y, constants))] : []
        let span = stacked([x[1], x[0]])
        let end = system.march(y + a + w.constants + [span] + constants)
        let count = 2 * stateCount + active.count
        // A derivative has no status: one that was not found is NaN rather than wrong.
        let isFound = end[count] .== Tensor(SolverStatus.converged.rawValue)
        let last = end.prefix(count).map {
          select(isFound, $0.sliced(1..<2, alongAxis: 0).squeezed([0]), Tensor(Double.nan, as: $0.elementType))
        }
        let next = Costate(state: Array(last[stateCount..<2 * stateCount]), constants: Array(last[(2 * stateCount)...]))
        return (next, atEnd)
      }
      costate = walked.carry
      if asksTimes {
        let first = -product(costate.state, slope(times.sliced(0..<1, alongAxis: 0).reshaped(to: []), y0, constants))
        timeSlopes = walked.outputs[0].padded(low: [1], high: [0]) + first.expanded(at: 0).padded(low: [0], high: [intervals])
      }
    }
    let initial = zip(costate.state, arriving).map { $0 + $1.sliced(0..<1, alongAxis: 0).squeezed([0]) }
    var rest = costate.constants[...]
    let slopes = isActive.map { $0 ? rest.removeFirst() : nil }
    return initial + [timeSlopes] + slopes
  }

  /// State, its cotangent and the constants' cotangents as one system.
  private func augmented(_ state: [TensorType], _ constants: [TensorType], _ isActive: [Bool]) -> ODESystem {
    let active = zip(constants, isActive).filter(\.1).map(\.0)
    let time = TensorType([], state[0].elementType)
    let (graph, captures) = traceGraph([time] + state + state + active + constants) { x in
      let y = Array(x[1..<1 + stateCount])
      let a = Array(x[(1 + stateCount)..<(1 + 2 * stateCount)])
      let c = Array(x[(1 + 2 * stateCount + active.count)...])
      let respectTo = [false] + state.map { _ in true } + isActive
      let linear = linearize(field, [x[0]] + y + c, with: respectTo)
      return linear.results + linear.pullback(a).map { -$0 }
    }
    precondition(captures.isEmpty, "the field is closed")
    return ODESystem(
      field: graph, stateCount: 2 * stateCount + active.count, tableau: tableau, order: order, stepping: stepping)
  }
}
