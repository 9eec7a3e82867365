import FluxionCore
import FluxionTransforms

extension ODESystem {
  /// The adaptive solution whose backward pass repeats each accepted step from its kept state and runs it backwards: the exact
  /// derivative of what was computed, the lengths of steps counting as given.
  func discreteAdjoint(_ types: [TensorType]) -> AdjointProgram {
    guard case let .adaptive(control) = stepping else { preconditionFailure("equal steps are scanned and need no adjoint") }
    let (value, captures) = traceGraph(types) { march($0) }
    precondition(captures.isEmpty, "the field is closed")
    return AdjointProgram(
      name: "ode", value: value,
      forward: { operands in
        let outputs = staged(operands) { operands in
          let (y, times, constants) = parts(operands)
          let (path, end, counts) = adaptiveWalk(y, times, constants, control, isBounded: false, isRecorded: true)
          let record = end.record!
          return path + [end.status, end.evaluations, end.accepted, end.rejected, counts, record.times, record.sizes]
            + record.states
        }
        let n = value.outputs.count
        return (Array(outputs.prefix(n)), Array(outputs.dropFirst(n)))
      },
      pullback: { operands, residuals, cotangents, isAsked in
        stagedWhereGiven(operands + residuals + cotangents) { inputs in
          let n = operands.count
          return backward(
            Array(inputs.prefix(n)), Array(inputs.dropFirst(n).prefix(residuals.count)),
            Array(inputs.dropFirst(n + residuals.count)), isAsked)
        }
      })
  }

  /// What the backward walk carries.
  private struct Return: Codable {
    /// The step to be undone next.
    var place: Tensor
    /// Cotangents of the state and of the constants that have any.
    var state: [Tensor]
    var constants: [Tensor]
    /// Cotangents of the interval's first and last time; nil where they are not asked for.
    var times: TimeSlopes?
  }
  private struct TimeSlopes: Codable { var start: Tensor, end: Tensor }

  private func backward(_ operands: [Tensor], _ residuals: [Tensor], _ cotangents: [Tensor], _ isAsked: [Bool]) -> [Tensor?] {
    let (y0, times, constants) = parts(operands)
    let (counts, stepTimes, sizes) = (residuals[0], residuals[1], residuals[2])
    let states = Array(residuals.dropFirst(3))
    let arriving = Array(cotangents.prefix(stateCount))
    let isActive = zip(constants, isAsked.dropFirst(stateCount + 1)).map { $0.elementType.isDifferentiable && $1 }
    let asksTimes = isAsked[stateCount]
    let intervals = times.count - 1
    let type = times.elementType
    let zero = asksTimes ? TimeSlopes(start: Tensor(0, as: type), end: Tensor(0, as: type)) : nil

    // One step as a program of (t, h, y…, constants…), to be differentiated by what is asked for.
    let (stepGraph, captures) = traceGraph([TensorType([], type), TensorType([], type)] + (y0 + constants).map(\.type)) { x in
      step(x[0], x[1], Array(x.dropFirst(2).prefix(stateCount)), Array(x.dropFirst(2 + stateCount))).y
    }
    precondition(captures.isEmpty, "the field is closed")
    let respectTo = [asksTimes, asksTimes] + y0.map { _ in true } + isActive

    func at(_ array: Tensor, _ place: Tensor) -> Tensor {
      let index = [place] + [Tensor](repeating: Tensor(Int32(0)), count: array.rank - 1)
      let shape = Array(array.shape.dropFirst())
      return array.dynamicSlice(start: index, sizes: [1] + shape).reshaped(to: Shape(shape))
    }
    /// Undoes the steps of one interval: those from number `first` on.
    func undo(_ w: Return, _ first: Tensor) -> Return {
      let lastPlace = w.place
      return whileLoop(from: w, while: { $0.place .>= first }) { w in
        // Under `vmap` a finished problem goes through the motions until all are finished.
        let place = maximum(w.place, Tensor(Int32(0)))
        let point = [at(stepTimes, place), at(sizes, place)] + states.map { at($0, place) } + constants
        let slopes = linearize(stepGraph, point, with: respectTo).pullback(w.state)
        let later = slopes.dropFirst(asksTimes ? 2 : 0)
        var next = w
        next.state = Array(later.prefix(stateCount))
        next.constants = zip(w.constants, later.dropFirst(stateCount)).map { $0 + $1 }
        if let before = w.times {
          // The time of a step is the interval's start and lengths that count as given; the last length is what remains to its end.
          let last = select(w.place .== lastPlace, slopes[1], 0)
          next.times = TimeSlopes(start: before.start + slopes[0] - last, end: before.end + last)
        }
        next.place = w.place - 1
        return next
      }
    }
    var walk = Return(
      place: Tensor(Int32(-1)), state: y0.map { Tensor.zeros(like: $0.type) },
      constants: zip(constants, isActive).filter(\.1).map { Tensor.zeros(like: $0.0.type) }, times: zero)
    var timeSlopes = asksTimes ? Tensor.zeros([times.count], as: type) : nil
    if intervals > 0 {
      let firsts = concatenated(Tensor([Int32(0)]), counts.sliced(0..<intervals - 1, alongAxis: 0), alongAxis: 0)
      let later = arriving.map { $0.sliced(1..<intervals + 1, alongAxis: 0) }
      let walked = scan(over: [firsts, counts] + later, from: walk, reverse: true) { (w: Return, x: [Tensor]) in
        var w = w
        w.place = x[1] - 1
        w.state = zip(w.state, x.dropFirst(2)).map { $0 + $1 }
        w.times = zero
        let undone = undo(w, x[0])
        return (undone, undone.times.map { [$0.start, $0.end] } ?? [])
      }
      walk = walked.carry
      if asksTimes {
        timeSlopes = walked.outputs[0].padded(low: [0], high: [1]) + walked.outputs[1].padded(low: [1], high: [0])
      }
    }
    let initial = zip(walk.state, arriving).map { $0 + $1.sliced(0..<1, alongAxis: 0).squeezed([0]) }
    var rest = walk.constants[...]
    let slopes = isActive.map { $0 ? rest.removeFirst() : nil }
    return initial + [timeSlopes] + slopes
  }
}
