import FluxionCore

/// Where an adaptive solution stands.
struct Walk: Codable {
  var t: Tensor
  var y: [Tensor]
  /// The field at (t, y), where the method reuses its last stage; else empty.
  var slope: [Tensor]
  /// The length of the next step, positive.
  var size: Tensor
  /// E of the last accepted step.
  var previousError: Tensor
  /// Whether the last step was rejected.
  var wasRejected: Tensor
  var status: Tensor
  var evaluations: Tensor
  var accepted: Tensor
  var rejected: Tensor
  /// Kept for the adjoint; nil otherwise.
  var record: StepRecord?
}

/// What is kept of the accepted steps.
struct StepRecord: Codable {
  /// Time, signed length and first state of every step, in arrays of `maximumSteps` places.
  var times: Tensor
  var sizes: Tensor
  var states: [Tensor]
  /// What the derivatives of the first steps need besides, and a last place for what is given up again.
  var residuals: [Tensor]
}

extension ODESystem {
  /// Steps that follow the estimated error, ending on each time. Results as in ``solve(_:_:_:_:)``.
  ///
  /// The lengths of steps are constants to derivatives, but for the last before a time, which is what remains.
  func adaptiveSteps(
    _ y0: [Tensor], _ times: Tensor, _ constants: [Tensor], _ control: StepControl, isBounded: Bool
  ) -> [Tensor] {
    let (path, walk, _) = adaptiveWalk(y0, times, constants, control, isBounded: isBounded)
    return path + [walk.status, walk.evaluations, walk.accepted, walk.rejected]
  }

  /// The states at the times, where the walk ended, and how many steps had been accepted at each time but the first.
  ///
  /// - Parameter kept: what the record keeps of the first steps; nil: there is no record.
  func adaptiveWalk(
    _ y0: [Tensor], _ times: Tensor, _ constants: [Tensor], _ control: StepControl, isBounded: Bool, recording kept: KeptSteps? = nil
  ) -> (path: [Tensor], end: Walk, counts: Tensor) {
    let intervals = times.count - 1
    let first = y0.map { $0.expanded(at: 0) }
    var walk = start(y0, times, constants, control, kept)
    guard intervals > 0 else { return (first, walk, Tensor.zeros([0], as: .int32)) }
    func reach(_ end: Tensor, _ walk: Walk) -> Walk {
      func goesOn(_ w: Walk) -> Tensor {
        let isWithinLimit = w.accepted + w.rejected .< Tensor(Int32(control.maximumSteps))
        return (w.t .!= end) .& (w.status .== Tensor(SolverStatus.converged.rawValue)) .& isWithinLimit
      }
      func attempt(_ w: Walk) -> Walk { self.attempt(w, end, constants, control, kept) }
      var reached: Walk
      if isBounded {
        reached = scan(count: control.maximumSteps, from: walk) { (w: Walk, _: Tensor) -> Walk in
          cond(goesOn(w), then: { attempt(w) }, else: { w })
        }
      } else {
        reached = whileLoop(from: walk, while: goesOn, do: attempt)
      }
      let isShort = (reached.t .!= end) .& (reached.status .== Tensor(SolverStatus.converged.rawValue))
      reached.status = select(isShort, Tensor(SolverStatus.stepLimitReached.rawValue), reached.status)
      return reached
    }
    if intervals == 1 {
      walk = reach(times.sliced(1..<2, alongAxis: 0).reshaped(to: []), walk)
      return (zip(first, walk.y).map { concatenated($0, $1.expanded(at: 0), alongAxis: 0) }, walk, walk.accepted.expanded(at: 0))
    }
    let walked = scan(over: times.sliced(1..<intervals + 1, alongAxis: 0), from: walk) { (w: Walk, end: Tensor) in
      let reached = reach(end, w)
      return (reached, reached.y + [reached.accepted])
    }
    let later = walked.outputs
    return (zip(first, later).map { concatenated($0, $1, alongAxis: 0) }, walked.carry, later[later.count - 1])
  }

  private func start(
    _ y0: [Tensor], _ times: Tensor, _ constants: [Tensor], _ control: StepControl, _ kept: KeptSteps?
  ) -> Walk {
    let t = times.sliced(0..<1, alongAxis: 0).reshaped(to: [])
    let type = t.elementType
    let needsSlope = tableau.reusesLastStage || control.firstStep == nil
    let f0 = needsSlope ? slope(t, y0, constants) : []
    var evaluations = needsSlope ? 1 : 0
    var size = Tensor(control.firstStep ?? 0, as: type)
    if control.firstStep == nil {
      let next = times.sliced(Swift.min(1, times.count - 1)..<Swift.min(2, times.count), alongAxis: 0).reshaped(to: [])
      size = firstSize(t, sign(next - t), y0, f0, constants, control)
      evaluations += 1
    }
    let zero = Tensor(Int32(0))
    let record = kept.map { kept in
      func room(_ type: TensorType, _ places: Int) -> Tensor {
        apply1(.empty(TensorType([places] + type.shape, type.elementType)))
      }
      let capacity = control.maximumSteps
      return StepRecord(
        times: room(t.type, capacity), sizes: room(t.type, capacity), states: y0.map { room($0.type, capacity) },
        residuals: kept.count > 0 ? kept.types.map { room($0, kept.count + 1) } : [])
    }
    return Walk(
      t: t, y: y0, slope: tableau.reusesLastStage ? f0 : [], size: size, previousError: Tensor(1, as: type),
      wasRejected: Tensor(false), status: Tensor(SolverStatus.converged.rawValue), evaluations: Tensor(Int32(evaluations)),
      accepted: zero, rejected: zero, record: record)
  }

  /// Hairer's guess: the step at which an Euler step's second-order term would be about a hundredth of the tolerance.
  private func firstSize(
    _ t: Tensor, _ direction: Tensor, _ y: [Tensor], _ f: [Tensor], _ constants: [Tensor], _ control: StepControl
  ) -> Tensor {
    let y = y.map { stopGradient($0) }
    let f0 = f.map { stopGradient($0) }
    let rtol = control.attainableTolerance(t.elementType)
    let scale = y.map { control.absoluteTolerance + rtol * abs($0) }
    let d0 = rootMeanSquare(zip(y, scale).map { $0 / $1 })
    let d1 = rootMeanSquare(zip(f0, scale).map { $0 / $1 })
    let isTiny = (d0 .< 1e-5) .| (d1 .< 1e-5)
    let h0 = select(isTiny, 1e-6, 0.01 * d0 / select(isTiny, 1, d1))
    let moved = zip(y, f0).map { $0 + h0 * direction * $1 }
    let f1 = slope(stopGradient(t) + h0 * direction, moved, constants).map { stopGradient($0) }
    let d2 = rootMeanSquare(f1.indices.map { (f1[$0] - f0[$0]) / scale[$0] }) / h0
    let largest = maximum(d1, d2)
    let isFlat = largest .<= 1e-15
    let root = pow(0.01 / select(isFlat, 1, largest), Tensor(1 / Double(order), as: t.elementType))
    let h1 = select(isFlat, maximum(1e-3 * h0, Tensor(1e-6, as: t.elementType)), root)
    let guess = minimum(100 * h0, h1)
    // A field that is not finite here gives no guess; the steps will find out.
    return stopGradient(select(isFinite(guess), guess, 1e-6))
  }

  /// One step tried from `w`, not beyond `end`.
  private func attempt(_ w: Walk, _ end: Tensor, _ constants: [Tensor], _ control: StepControl, _ kept: KeptSteps?) -> Walk {
    let type = w.t.elementType
    let remaining = end - w.t
    let size = stopGradient(w.size)
    // Slightly stretched rather than followed by a sliver.
    let isLast = size * 1.000001 .>= abs(stopGradient(remaining))
    let h = select(isLast, remaining, stopGradient(sign(remaining)) * size)
    let (taken, residuals) =
      kept?.step(w.t, h, w.y, w.slope, constants) ?? (step(w.t, h, w.y, constants, first: tableau.reusesLastStage ? w.slope : nil), [])
    let (y1, error, last) = taken
    let E = scaledError(error!, w.y, y1, control)
    let isAccepted = E .<= 1
    let (p, floor) = (Double(order), Tensor(1e-10, as: type))
    let bounded = maximum(E, floor)
    let power = pow(bounded, Tensor(-control.proportional / p, as: type)) * pow(w.previousError, Tensor(control.integral / p, as: type))
    let growth = select(w.wasRejected, 1, Tensor(control.growth, as: type))
    let alone = pow(bounded, Tensor(-1 / p, as: type))
    let isFirst = w.accepted .== Tensor(Int32(0))   // nothing is known of an error before this one
    let longer = clamp(select(isFirst, alone, power) * control.safety, Tensor(control.shrinking, as: type), growth)
    let shorter = clamp(
      alone * control.safety, Tensor(control.shrinking, as: type), Tensor(control.safety, as: type))
    let isKnown = isFinite(E)
    let factor = select(isAccepted, longer, select(isKnown, shorter, Tensor(control.shrinking, as: type)))
    let proposed = abs(stopGradient(h)) * factor
    // A step cut short to end on a time says little about the next.
    let next = select(isAccepted .& isLast, maximum(size, proposed), proposed)

    let smallest = abs(stopGradient(w.t)) * (type == .float64 ? 4e-15 : 2e-6)
    let isTooSmall = (.!isAccepted) .& ((proposed .<= smallest) .| (proposed .<= (type == .float64 ? 1e-300 : 1e-37)))
    let failure = select(isKnown, Tensor(SolverStatus.stepTooSmall.rawValue), Tensor(SolverStatus.nonFinite.rawValue))

    var result = w
    if let record = w.record {
      // Written before it is known whether the step is accepted: a rejected one is overwritten.
      // Under `vmap` a problem at its limit goes through the motions until all are finished.
      let zero = Tensor(Int32(0))
      func put(_ value: Tensor, into array: Tensor) -> Tensor {
        let place = minimum(w.accepted, Tensor(Int32(array.shape[0] - 1)))
        return array.replacingWindow(at: [place] + [Tensor](repeating: zero, count: value.rank), with: value.expanded(at: 0))
      }
      result.record = StepRecord(
        times: put(w.t, into: record.times), sizes: put(h, into: record.sizes), states: zip(w.y, record.states).map(put),
        residuals: zip(residuals, record.residuals).map(put))
    }
    result.t = select(isAccepted, select(isLast, end, w.t + h), w.t)
    result.y = zip(y1, w.y).map { select(isAccepted, $0, $1) }
    if let last { result.slope = zip(last, w.slope).map { select(isAccepted, $0, $1) } }
    result.size = next
    result.previousError = select(isAccepted, maximum(E, Tensor(1e-4, as: type)), w.previousError)
    result.wasRejected = .!isAccepted
    result.status = select(isTooSmall, failure, w.status)
    result.evaluations += Tensor(Int32(tableau.evaluationsPerStep))
    let one = isAccepted.converted(to: .int32)
    result.accepted += one
    result.rejected += 1 - one
    return result
  }

  /// E, a constant to derivatives.
  private func scaledError(_ error: [Tensor], _ y0: [Tensor], _ y1: [Tensor], _ control: StepControl) -> Tensor {
    let rtol = control.attainableTolerance(error[0].elementType)
    return rootMeanSquare(
      error.indices.map { i in
        let largest = maximum(abs(stopGradient(y0[i])), abs(stopGradient(y1[i])))
        let scale = control.absoluteTolerance + rtol * largest
        return stopGradient(error[i]) / scale
      })
  }

  private func rootMeanSquare(_ x: [Tensor]) -> Tensor {
    let sum = x.dropFirst().reduce(x[0].squared().sum()) { $0 + $1.squared().sum() }
    return sqrt(sum / Double(Swift.max(1, x.reduce(0) { $0 + $1.elementCount })))
  }
}

extension StepControl {
  /// rtol, but not less than rounding allows to be told.
  fileprivate func attainableTolerance(_ type: ElementType) -> Double {
    max(relativeTolerance, 8 * (type == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne)))
  }
}
