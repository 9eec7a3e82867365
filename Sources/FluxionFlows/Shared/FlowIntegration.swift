public import FluxionCore
public import FluxionSolvers

/// Where a flow has carried points, and what that took.
public struct FlowSolution: Codable, Sendable {
  /// The points at the end, shaped as those at the start.
  public var value: Tensor
  /// Evaluations of the velocity, one for the whole batch: a scalar `i32`.
  public var evaluations: Tensor
  /// The raw value of the solver's status, a scalar `i32`; methods with fixed steps always arrive.
  public var statusCode: Tensor

  /// How the integration ended. Known once the program has run.
  public var status: SolverStatus { SolverStatus(rawValue: Int32(statusCode.item())) ?? .nonFinite }
}

extension VelocityField {
  /// Carries points along dZₜ = v(Zₜ, t) dt.
  ///
  /// - Parameters:
  ///   - z: Points `[batch, …]` at time `start`.
  ///   - start: A time in [0, 1].
  ///   - end: Another; 0 → 1 generates, 1 → 0 encodes.
  ///   - method: The rule; its steps share the way from `start` to `end` evenly.
  public func transport(_ z: Tensor, from start: Double = 0, to end: Double = 1, using method: FlowMethod) -> FlowSolution {
    guard let (tableau, steps) = method.fixedStep else {
      guard case let .rk45(tolerance) = method else { preconditionFailure("\(method) has neither steps nor a tolerance") }
      return adaptiveTransport(z, from: start, to: end, tolerance: tolerance)
    }
    checkSteps(steps)
    let value = scan(count: steps, from: z) { z, n in
      // Points go their ways alone, and may do so on different devices.
      fixedStep(acrossDevices(z), n, steps: steps, from: start, to: end, tableau).value
    }
    return FlowSolution(value: value, evaluations: Tensor(Int32(steps * tableau.stages)), statusCode: Tensor(SolverStatus.converged.rawValue))
  }

  private func adaptiveTransport(_ z: Tensor, from start: Double, to end: Double, tolerance: Double) -> FlowSolution {
    let problem = ODE<Tensor, NoParameters> { t, z in velocity(at: z, time: t) }
    let method = DormandPrince5(relativeTolerance: tolerance, absoluteTolerance: tolerance, maximumSteps: 10_000)
    let solution = solve(problem, from: z, over: TimeSpan(from: start, to: end), using: method)
    return FlowSolution(value: solution.value, evaluations: solution.statistics.evaluations, statusCode: solution.statusCode)
  }

  /// The points at every step, `[steps + 1, batch, …]`, the start included. Fixed-step methods only.
  public func trajectory(_ z: Tensor, from start: Double = 0, to end: Double = 1, using method: FlowMethod) -> Tensor {
    guard let (tableau, steps) = method.fixedStep else {
      trapAtCaller(ProgramError("trajectory", "\(method) takes steps of its own; use euler, heun or rk4."))
    }
    checkSteps(steps)
    let path = scan(over: arange(steps), from: z) { (z: Tensor, n: Tensor) -> (Tensor, Tensor) in
      let next = fixedStep(z, n, steps: steps, from: start, to: end, tableau).value
      return (next, next)
    }
    return concatenated([z.expanded(at: 0), path.outputs], alongAxis: 0)
  }

  /// Step number `n` of `steps`: the new points and the velocities at the stages.
  func fixedStep(
    _ z: Tensor, _ n: Tensor, steps: Int, from start: Double, to end: Double, _ tableau: ButcherTableau
  ) -> (value: Tensor, stages: [Tensor]) {
    let h = (end - start) / Double(steps)
    let place = n.converted(to: z.elementType)
    var stages: [Tensor] = []
    for (row, c) in zip(tableau.a, tableau.c) {
      var inner = z
      for (weight, k) in zip(row, stages) where weight != 0 { inner = inner + k * (weight * h) }
      let t = (place + c) * h + start
      stages.append(velocity(at: inner, time: t))
    }
    var next = z
    for (weight, k) in zip(tableau.b, stages) { next = next + k * (weight * h) }
    return (next, stages)
  }
}

func checkSteps(_ steps: Int) {
  guard steps >= 1 else {
    trapAtCaller(ProgramError("transport", "a flow needs at least 1 step, not \(steps)."))
  }
}
