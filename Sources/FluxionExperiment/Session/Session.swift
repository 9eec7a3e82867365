/// The memory of a run: stages that are finished, the one at work, the history, and whether to stop.
///
/// A run is a function that names its long parts as stages. In a session with a checkpoint, what a stage gave is kept; when the
/// function is called again after an interruption, finished stages give back what they gave, the one at work goes on where it
/// stood, and so the run ends with the same bits as if it had never stopped. `Session()` keeps nothing on disk: it is what library
/// functions use when they are called without a run.
///
/// Names must be unique within a run and not depend on anything but its configuration.
public final class Session {
  /// Called after every chunk of training.
  public let onProgress: (RunProgress) -> Void
  public let cancellation: Cancellation
  private let store: CheckpointStore?
  private var namesInUse: Set<String> = []
  var record: Checkpoint
  var timing: Timing

  /// A session that keeps nothing on disk.
  public convenience init(cancellation: Cancellation = Cancellation(), onProgress: @escaping (RunProgress) -> Void = { _ in }) {
    self.init(store: nil, record: Checkpoint(), timing: Timing(), cancellation: cancellation, onProgress: onProgress)
  }

  init(
    store: CheckpointStore?, record: Checkpoint, timing: Timing, cancellation: Cancellation,
    onProgress: @escaping (RunProgress) -> Void
  ) {
    self.store = store
    self.record = record
    self.timing = timing
    self.cancellation = cancellation
    self.onProgress = onProgress
  }

  /// The value of `body`, computed once in the life of the run.
  ///
  /// For anything that takes more than a moment besides training: pairs for reflow, a reference set, a long evaluation.
  ///
  /// - Throws: ``RunInterrupted`` before `body` when the run shall stop, and what `body` throws.
  public func stage<Value: Codable>(_ name: String, _ body: () throws -> Value) throws -> Value {
    claim(name)
    if let known = record.stages[name], known.isFinished { return try known.value(Value.self, named: name) }
    try rest(before: name)
    onProgress(RunProgress(stage: name, step: 0, steps: 0))
    let clock = timing.start(name)
    let value = try body()
    timing.stop(name, clock, steps: 0)
    record.set(name, Checkpoint.Stage(value, step: 0, isFinished: true))
    try save()
    return value
  }

  /// Throws ``RunInterrupted``, having written the checkpoint, when the run shall stop.
  public func rest(before name: String) throws {
    guard cancellation.isCancelled else { return }
    try save()
    throw RunInterrupted(stage: name, step: 0, steps: 0)
  }

  /// Reports how far a stage without training has come, and stops there if asked to; what the stage has done so far is lost then.
  public func progress(_ stage: String, _ step: Int, of steps: Int, _ values: [RunProgress.Value] = []) throws {
    onProgress(RunProgress(stage: stage, step: step, steps: steps, values: values))
    try rest(before: stage)
  }

  /// Adds a row to the history, or replaces the one of the same stage and step.
  public func appendHistory(stage: String, step: Int, _ values: [RunProgress.Value]) {
    record.history.set(stage: stage, step: step, values)
  }

  func claim(_ name: String) {
    guard namesInUse.insert(name).inserted else {
      preconditionFailure("Session: two stages are called \"\(name)\". Give every stage of a run a name of its own.")
    }
  }

  func save() throws { try store?.write(record, timing) }

  /// Writes the checkpoint if the last one is old enough. When it is written changes no number of the run.
  func saveIfDue() throws { try store?.writeIfDue(record, timing) }
}
