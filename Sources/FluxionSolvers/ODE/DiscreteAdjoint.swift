import FluxionCore
import FluxionTransforms

extension ODESystem {
  /// The adaptive solution whose backward pass runs each accepted step backwards: the exact derivative of what was computed, the lengths
  /// of steps counting as given. What the derivatives of the first steps need is kept, as far as there is room; later ones are repeated
  /// from their first states.
  func discreteAdjoint(_ types: [TensorType]) -> AdjointProgram {
    guard case let .adaptive(control) = stepping else { preconditionFailure("equal steps are scanned and need no adjoint") }
    let (value, captures) = traceGraph(types) { march($0) }
    precondition(captures.isEmpty, "the field is closed")
    return AdjointProgram(
      name: "ode", value: value,
      forward: { operands, isAsked in
        let outputs = staged(operands) { operands in
          let (y, times, constants) = parts(operands)
          let kept = keptSteps(operands.map(\.type), isAsked, control)
          let (path, end, counts) = adaptiveWalk(y, times, constants, control, isBounded: false, recording: kept)
          let record = end.record!
          return path + [end.status, end.evaluations, end.accepted, end.rejected, counts, record.times, record.sizes]
            + record.states + record.residuals
        }
        let n = value.outputs.count
        return (Array(outputs.prefix(n)), Array(outputs.dropFirst(n)))
      },
      pullback: { operands, residuals, cotangents, isAsked in
        stagedWhereGiven(operands + residuals + cotangents) { inputs in
          let n = operands.count
          return backward(
            Array(inputs.prefix(n)), Array(inputs.dropFirst(n).prefix(residuals.count)),
            Array(inputs.dropFirst(n + residuals.count)), isAsked, control)
        }
      })
  }

  private func keptSteps(_ operands: [TensorType], _ isAsked: [Bool], _ control: StepControl) -> KeptSteps {
    let constants = Array(operands.dropFirst(stateCount + 1))
    return KeptSteps(
      self, Array(operands.prefix(stateCount)), constants, isActive: activeConstants(constants, isAsked), asksTimes: isAsked[stateCount],
      limit: control.maximumSteps)
  }

  private func activeConstants(_ constants: [TensorType], _ isAsked: [Bool]) -> [Bool] {
    zip(constants, isAsked.dropFirst(stateCount + 1)).map { $0.elementType.isDifferentiable && $1 }
  }

  /// What the backward walk carries.
  private struct Return: Codable {
    /// The step to be undone next.
    var place: Tensor
    /// Cotangents of the state, of the field there as far as it comes from the step before, and of the constants that have any.
    var state: [Tensor]
    var slope: [Tensor]
    var constants: [Tensor]
    /// Cotangents of the interval's first and last time; nil where they are not asked for.
    var times: TimeSlopes?
  }
  private struct TimeSlopes: Codable { var start: Tensor, end: Tensor }

  private func backward(
    _ operands: [Tensor], _ residuals: [Tensor], _ cotangents: [Tensor], _ isAsked: [Bool], _ control: StepControl
  ) -> [Tensor?] {
    let (y0, times, constants) = parts(operands)
    let (counts, stepTimes, sizes) = (residuals[0], residuals[1], residuals[2])
    let states = Array(residuals.dropFirst(3).prefix(stateCount)), keptValues = Array(residuals.dropFirst(3 + stateCount))
    let arriving = Array(cotangents.prefix(stateCount))
    let isActive = activeConstants(constants.map(\.type), isAsked)
    let asksTimes = isAsked[stateCount]
    let intervals = times.count - 1
    let type = times.elementType
    let zero = asksTimes ? TimeSlopes(start: Tensor(0, as: type), end: Tensor(0, as: type)) : nil
    let kept = keptSteps(operands.map(\.type), isAsked, control)
    // How many were kept: fewer than would find room now, if the solution was mapped when it was made.
    let keptCount = keptValues.first.map { $0.shape[0] - 1 } ?? (kept.types.isEmpty ? control.maximumSteps : 0)

    func at(_ array: Tensor, _ place: Tensor) -> Tensor {
      let index = [place] + [Tensor](repeating: Tensor(Int32(0)), count: array.rank - 1)
      let shape = Array(array.shape.dropFirst())
      return array.dynamicSlice(start: index, sizes: [1] + shape).reshaped(to: Shape(shape))
    }
    /// Undoes steps while `place` is at least `limit`. `pullback` is told the place and gives cotangents of time and length if they are
    /// asked for, of the state, of the field there if it was told one of the next, and of the constants.
    func goBack(
      _ w: Return, to limit: Tensor, from lastPlace: Tensor, slopeCount: Int, _ pullback: (Return, Tensor) -> [Tensor]
    ) -> Return {
      whileLoop(from: w, while: { $0.place .>= limit }) { w in
        // Under `vmap` a finished problem goes through the motions until all are finished.
        let slopes = pullback(w, maximum(w.place, Tensor(Int32(0))))
        var later = slopes.dropFirst(asksTimes ? 2 : 0)
        var next = w
        next.state = Array(later.prefix(stateCount))
        later = later.dropFirst(stateCount)
        if slopeCount > 0 { next.slope = Array(later.prefix(slopeCount)) }
        next.constants = zip(w.constants, later.dropFirst(slopeCount)).map { $0 + $1 }
        if let before = w.times {
          // The time of a step is the interval's start and lengths that count as given; the last length is what remains to its end.
          let last = select(w.place .== lastPlace, slopes[1], 0)
          next.times = TimeSlopes(start: before.start + slopes[0] - last, end: before.end + last)
        }
        next.place = w.place - 1
        return next
      }
    }
    /// Undoes the steps of one interval: those from number `first` on.
    func undo(_ w: Return, _ first: Tensor) -> Return {
      let lastPlace = w.place
      var w = w
      if keptCount < control.maximumSteps {
        // One step as a program of (t, h, y…, constants…) that finds its first stage itself.
        let (repeated, captures) = traceGraph([TensorType([], type), TensorType([], type)] + (y0 + constants).map(\.type)) { x in
          step(x[0], x[1], Array(x.dropFirst(2).prefix(stateCount)), Array(x.dropFirst(2 + stateCount))).y
        }
        precondition(captures.isEmpty, "the field is closed")
        let respectTo = [asksTimes, asksTimes] + y0.map { _ in true } + isActive
        w = goBack(w, to: maximum(first, Tensor(Int32(keptCount))), from: lastPlace, slopeCount: 0) { w, place in
          let point = [at(stepTimes, place), at(sizes, place)] + states.map { at($0, place) } + constants
          return linearize(repeated, point, with: respectTo).pullback(w.state)
        }
      }
      if keptCount > 0 {
        let time = [TensorType](repeating: TensorType([], type), count: asksTimes ? 2 : 0)
        w = goBack(w, to: first, from: lastPlace, slopeCount: w.slope.count) { w, place in
          // A problem that has not come down to the kept steps yet goes through the motions as well.
          let place = minimum(place, Tensor(Int32(keptCount - 1)))
          let slopes = kept.pullback(
            at(stepTimes, place), at(sizes, place), states.map { at($0, place) }, constants, keptValues.map { at($0, place) },
            state: w.state, slope: w.slope)
          return zip(slopes, time + (w.state + w.slope + w.constants).map(\.type)).map { $0 ?? Tensor.zeros(like: $1) }
        }
      }
      return w
    }
    func nothing(_ tensors: [Tensor]) -> [Tensor] { tensors.map { Tensor.zeros(like: $0.type) } }
    let active = zip(constants, isActive).filter(\.1).map(\.0)
    let carriesSlope = keptCount > 0 && tableau.reusesLastStage
    var walk = Return(
      place: Tensor(Int32(-1)), state: nothing(y0), slope: carriesSlope ? nothing(y0) : [], constants: nothing(active), times: zero)
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
    if carriesSlope {
      // The first stage of the first step.
      let first = linearize(
        field, [times.sliced(0..<1, alongAxis: 0).reshaped(to: [])] + y0 + constants,
        with: [asksTimes] + y0.map { _ in true } + isActive
      ).pullback(walk.slope)
      if asksTimes { timeSlopes = timeSlopes! + first[0].expanded(at: 0).padded(low: [0], high: [times.count - 1]) }
      let rest = first.dropFirst(asksTimes ? 1 : 0)
      walk.state = zip(walk.state, rest).map { $0 + $1 }
      walk.constants = zip(walk.constants, rest.dropFirst(stateCount)).map { $0 + $1 }
    }
    let initial = zip(walk.state, arriving).map { $0 + $1.sliced(0..<1, alongAxis: 0).squeezed([0]) }
    var rest = walk.constants[...]
    let slopes = isActive.map { $0 ? rest.removeFirst() : nil }
    return initial + [timeSlopes] + slopes
  }
}
