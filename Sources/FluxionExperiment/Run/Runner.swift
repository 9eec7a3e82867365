public import FluxionCore
public import FluxionData
import FluxionReport
import Foundation

/// A run as it was asked for, before anything has been looked at.
public struct RunRequest<Configuration: SystemConfiguration> {
  public var configuration: Configuration
  public var seed = 0
  public var data: String?
  public var missing = MissingPolicy.error
  /// The run's folder; nil: the next free one in `runs`.
  public var folder: RunFolder?
  public var resumes = false
  public var device = Device.default
  /// What the run's records call the device, as `--device` would; nil: its engine's name.
  public var deviceName: String?
  /// Over how many devices the work is divided: other numbers of them round differently.
  public var deviceCount = 1
  /// Which of several processes this is that carry the run out together; nil: there is this one alone.
  public var process: RunProcess?
  /// At most this much work is lost when the power goes.
  public var checkpointInterval = Duration.seconds(3)

  public init(_ configuration: Configuration) { self.configuration = configuration }

  var nameOfDevice: String { deviceName ?? device.engine.name }
}

/// What came of a run.
public struct RunSummary: Sendable {
  public var folder: RunFolder
  public var summary: String
  public var metrics: [String: Double]
  /// Seconds spent in stages, over all interruptions.
  public var seconds: Double
}

/// Carries a run out: looks at everything, makes the folder, runs, writes the records.
public struct Runner {
  public var cancellation: Cancellation
  public var onProgress: (RunProgress) -> Void
  public var onWarning: (String) -> Void
  /// Called with the folder when it has been made, before the work begins.
  public var onStart: (RunFolder) -> Void

  public init(
    cancellation: Cancellation = Cancellation(), onStart: @escaping (RunFolder) -> Void = { _ in },
    onWarning: @escaping (String) -> Void = { _ in }, onProgress: @escaping (RunProgress) -> Void = { _ in }
  ) {
    self.cancellation = cancellation
    self.onStart = onStart
    self.onWarning = onWarning
    self.onProgress = onProgress
  }

  /// Runs `system`.
  ///
  /// Of several processes all run it, and the first alone writes: the others need no folder but to resume one, and give the same summary.
  ///
  /// - Throws: ``InputError`` and `DataError` before anything has been written; ``RunInterrupted`` with a checkpoint to resume from.
  public func run<S: LearningSystem>(_ system: S, _ request: RunRequest<S.Configuration>) throws -> RunSummary {
    try request.configuration.check()
    let inputs = try RunInputs.load(for: system, request.configuration, data: request.data, missing: request.missing)
    try system.check(request.configuration, inputs)
    let identity = RunIdentity(system: system, request, inputs)
    let record = RunDescription(system: system, request, inputs)

    let keepsRecords = request.process?.isFirst ?? true
    var checkpoint = Checkpoint()
    checkpoint.identity = identity
    var digest = "none"
    if let chosen = request.folder, keepsRecords || request.resumes, !chosen.isFree {
      guard request.resumes else {
        throw InputError("\(chosen.path): the folder is not empty. Choose another with --out, or pass --resume to go on with the run in it.")
      }
      if chosen.holds(.checkpoint) {
        checkpoint = try Checkpoint(chosen.path(.checkpoint))
        try identity.mustEqual(checkpoint.identity, in: chosen)
        if request.process != nil { digest = checkpoint.digest }
      } else if !chosen.holds(.configuration) {
        throw InputError("\(chosen.path): there is no run in this folder to resume. Choose the folder of a run with --out.")
      }
    }
    // Before anything is written: others may read what there is.
    try request.process?.mustAgree(on: identity, checkpoint: digest)

    let folder: RunFolder
    if !keepsRecords {
      folder = request.folder ?? RunFolder("runs")
    } else if let chosen = request.folder {
      folder = chosen
      folder.removeLeftovers()
      try folder.create()
    } else {
      folder = try RunFolder.next(in: "runs", name: system.card.name)
    }
    if keepsRecords, !folder.holds(.configuration) { try folder.write(record.json, as: .configuration) }

    onStart(folder)
    for cloud in [inputs.data.map { ("data", $0) }].compactMap(\.self) + inputs.files.sorted(by: { $0.key < $1.key }).map({ ($0, $1) })
    where cloud.1.droppedRows > 0 {
      onWarning("\(inputs.paths[cloud.0] ?? cloud.0): \(cloud.1.droppedRows) rows with missing numbers were left out.")
    }
    let session = Session(
      store: keepsRecords ? CheckpointStore(folder, interval: request.checkpointInterval) : nil, record: checkpoint,
      timing: request.resumes ? Timing(readingFrom: folder.path(.timing)) : Timing(), cancellation: cancellation,
      onProgress: onProgress)
    let context = RunContext(
      configuration: request.configuration, inputs: inputs, seed: request.seed, session: session, folder: folder,
      keepsRecords: keepsRecords, onWarning: onWarning)
    let result = try request.device.active { try system.run(context) }

    if keepsRecords {
      try session.save()
      let page = RunReport.page(result.report, system: system, description: record, timing: session.timing)
      try folder.write(Data(page.html().utf8), as: .report)
      // Last: a folder with metrics is a finished run.
      try folder.write(Data(RunRecord.metricsJSON(context.metrics).utf8), as: .metrics)
    }
    return RunSummary(folder: folder, summary: result.summary, metrics: context.metrics, seconds: session.timing.total)
  }
}

extension RunIdentity {
  init<S: LearningSystem>(system: S, _ request: RunRequest<S.Configuration>, _ inputs: RunInputs) {
    self.init()
    self.system = system.card.name
    seed = request.seed
    configuration = request.configuration.sortedJSON
    self.inputs = inputs.digests
    device = request.nameOfDevice + (request.deviceCount == 1 ? "" : " of \(request.deviceCount) devices")
    version = Release.version
  }

  /// Refuses to go on with a run that was begun as another.
  func mustEqual(_ begun: RunIdentity, in folder: RunFolder) throws(InputError) {
    let advice = "Resume it as it was begun, or choose another folder with --out."
    func differs(_ what: String) -> InputError { InputError("\(folder.path): \(what). \(advice)") }
    guard system == begun.system else { throw differs("the run in this folder is one of \(begun.system), not of \(system)") }
    guard seed == begun.seed else { throw differs("the run in this folder has seed \(begun.seed), not \(seed)") }
    guard configuration == begun.configuration else { throw differs("the run in this folder has other settings") }
    guard inputs.keys == begun.inputs.keys else { throw differs("the run in this folder was begun with other inputs") }
    for (name, digest) in inputs.sorted(by: { $0.key < $1.key }) where digest != begun.inputs[name] {
      throw differs("the content of \(name) has changed since the run was begun")
    }
    guard device == begun.device else { throw differs("the run in this folder was begun on \(begun.device), not on \(device)") }
    guard version == begun.version else {
      throw differs("the run in this folder was begun by version \(begun.version) of Fluxion; this is \(version)")
    }
  }
}
