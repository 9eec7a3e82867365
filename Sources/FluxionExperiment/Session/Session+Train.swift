public import FluxionCore

extension Session {
  /// Trains: `steps` calls of `step`, `chunk` of them at a time as one compiled program.
  ///
  ///     let trained = try session.train("round-1", from: TrainingState(model, optimiser: adam), steps: 3000, key: key) { state, i, key in
  ///       let (loss, slope) = valueAndGradient(of: { loss($0, batch(key)) }, at: state.model)
  ///       state.apply(slope)
  ///       return loss
  ///     }
  ///
  /// After each chunk comes a row of history (the mean of what `step` returned), a report of progress, now and then a checkpoint,
  /// and a look at whether to stop. The boundaries of chunks depend on `steps` and `chunk` alone, so an interrupted training
  /// continues with the same programs on the same numbers.
  ///
  /// - Parameters:
  ///   - name: The stage, such as `round-1`.
  ///   - initial: The state before the first step; any `Codable` structure of tensors whose shapes stay the same. Evaluated also on
  ///     resumption, for its structure.
  ///   - steps: How many steps, at least 0.
  ///   - chunk: Steps in one program; 100 makes a row of history every 100 steps.
  ///   - key: Step i is given `key.fold(i)`.
  ///   - stopsWhenNotFinite: Whether a mean that is not finite ends the run.
  ///   - step: Changes the state; takes the step's number (scalar `i32`) and its key; returns scalars to be recorded: one tensor
  ///     (recorded as `loss`) or a structure of them (recorded under their names).
  /// - Returns: The state after the last step.
  /// - Throws: ``RunInterrupted``, ``TrainingDiverged``, `ProgramError` for a step whose shapes do not fit, or an error of writing the checkpoint.
  public func train<State: Codable, Report: Codable>(
    _ name: String, from initial: @autoclosure () throws -> State, steps: Int, chunk: Int = 100, key: Key,
    stopsWhenNotFinite: Bool = true, step: @escaping (inout State, Tensor, Key) -> Report
  ) throws -> State {
    precondition(steps >= 0 && chunk > 0, "Session.train: \(steps) steps in chunks of \(chunk); steps must not be negative, chunks not empty.")
    claim(name)
    let known = record.stages[name]
    if let known, known.isFinished { return try known.value(State.self, named: name) }
    try rest(before: name)

    var program = try TrainingProgram(initial(), key: key, step: step)
    var done = 0
    if let known {
      try program.restore(known, named: name)
      done = known.step
    }
    let first = done
    onProgress(RunProgress(stage: name, step: done, steps: steps, firstStep: first))
    while done < steps {
      let count = min(chunk, steps - done)
      let clock = timing.start(name)
      let report = try program.run(from: done, count: count)
      timing.stop(name, clock, steps: count)
      if stopsWhenNotFinite, let odd = report.firstNotFinite {
        throw TrainingDiverged(stage: name, step: done + odd.step, quantity: odd.name)
      }
      done += count
      record.set(name, Checkpoint.Stage(leaves: program.leaves, structure: program.structure, step: done, isFinished: done == steps))
      appendHistory(stage: name, step: done, report.means)
      onProgress(RunProgress(stage: name, step: done, steps: steps, values: report.means, firstStep: first))
      if cancellation.isCancelled, done < steps {
        try save()
        throw RunInterrupted(stage: name, step: done, steps: steps)
      }
      if done < steps { try saveIfDue() }
    }
    if steps == 0 {
      record.set(name, Checkpoint.Stage(leaves: program.leaves, structure: program.structure, step: 0, isFinished: true))
    }
    try save()
    return program.state
  }
}
