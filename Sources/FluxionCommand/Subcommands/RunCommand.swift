import ArgumentParser
import FluxionCore
import FluxionData
import FluxionExperiment
import FluxionReport
import FluxionSystems
import FluxionText

/// `fluxion run <system>`
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a system on your data, or on its own.",
    discussion: """
      The run's folder holds config.json, metrics.json, history.csv, report.html, checkpoint.safetensors, timing.json and the \
      system's artefacts. Ctrl-C leaves a checkpoint; --resume goes on from it and ends with the same numbers.
      fluxion run SYSTEM --help also lists the settings of that system.
      """)

  @Argument(help: "The system's name; see fluxion list.", completion: .systems)
  var system: String

  @Option(help: "Your data: a table (csv, tsv), npy, npz, safetensors, IDX or CIFAR file.", completion: .file())
  var data: String?

  @Option(help: "The seed of all random numbers. (default: 0)")
  var seed: Int?

  @Option(name: .customLong("set"), help: ArgumentHelp("Change a setting; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: "Read settings from a JSON file, or from the config.json of a run.", completion: .file(extensions: ["json"]))
  var config: String?

  @Option(help: "The run's folder. (default: runs/SYSTEM-N, the next free N)", completion: .directory)
  var out: String?

  @Option(help: ArgumentHelp("\(DeviceChoice.help) (default: cpu)"), completion: .list(["cpu", "reference", "xla"]))
  var device: String?

  @Flag(help: "Go on with an interrupted run: the one in --out, or else the latest of the system.")
  var resume = false

  @Option(help: "Rows with missing numbers: error or drop. (default: error)", completion: .list(["error", "drop"]))
  var missing: String?

  @Option(help: ArgumentHelp("Seconds between checkpoints; the work a power cut may cost.", valueName: "seconds"))
  var checkpointEvery = 3.0

  @Flag(help: "Show no progress.")
  var quiet = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    let known = try reportingFailures(of: "fluxion run") { try CommandEnvironment.catalogue.system(system) }
    try run(known)
  }

  private struct Result: Encodable {
    var system: String, folder: String, summary: String
    var metrics: [String: Double?]
    var seconds: Double
  }

  private func run<S: LearningSystem>(_ system: S) throws {
    let title = "fluxion run \(system.card.name)"
    let printer = ProgressPrinter(isQuiet: quiet)
    let interruption = Interruption()
    var folder: RunFolder?
    let runner = Runner(
      cancellation: interruption.cancellation,
      onStart: { started in
        folder = started
        if !quiet { printer.note("\(system.card.name) → \(started.path)") }
      },
      onWarning: { printer.note("\(title): \($0)") }, onProgress: { printer.show($0) })
    do {
      let request = try request(for: system)
      let result = try runner.run(system, request)
      printer.finishLine()
      if json {
        JSONOutput.print(
          Result(
            system: system.card.name, folder: result.folder.path, summary: result.summary, metrics: result.metrics.mapValues(JSONOutput.number),
            seconds: result.seconds))
      } else {
        print(result.summary)
        print("report: \(result.folder.path(.report))")
      }
    } catch let error as RunInterrupted {
      printer.finishLine()
      let place = folder.map { " Go on with: \(title) --resume --out \($0.path)" } ?? ""
      throw Failure(title, "\(error).\(place)", exitCode: 130)
    } catch {
      printer.finishLine()
      throw Failure(title, error)
    }
  }

  /// What is asked for: the defaults, then the file of settings or the run to be resumed, then the options.
  private func request<S: LearningSystem>(for system: S) throws -> RunRequest<S.Configuration> {
    var request = RunRequest(S.Configuration())
    var file: ConfigurationFile?
    if let config { file = try ConfigurationFile(config) }
    if resume {
      let begun = try folderToResume(system.card.name)
      request.folder = begun
      request.resumes = true
      if file == nil, begun.holds(.configuration) { file = try ConfigurationFile(begun.path(.configuration)) }
    } else {
      request.folder = out.map(RunFolder.init)
    }
    if let file {
      if let other = file.system, other != system.card.name {
        throw InputError("\(file.path): these are the settings of \(other), not of \(system.card.name).")
      }
      try request.configuration.set(from: file)
    }
    for assignment in settings { try request.configuration.set(assignment) }
    guard checkpointEvery >= 0, checkpointEvery.isFinite else {
      throw InputError("--checkpoint-every \(checkpointEvery.settingText): a number of seconds of at least 0 is expected.")
    }
    request.checkpointInterval = .seconds(checkpointEvery)
    request.seed = seed ?? file?.seed ?? 0
    request.data = data ?? file?.data
    request.device = try DeviceChoice.device(device ?? (resume ? file?.device : nil))
    let policy = missing ?? file?.missing ?? MissingPolicy.error.rawValue
    guard let missing = MissingPolicy(rawValue: policy) else {
      throw InputError(
        "--missing \(policy): there is no such choice. "
          + Suggestion.sentence(for: policy, among: MissingPolicy.allCases.map(\.rawValue), otherwise: "Use error or drop."))
    }
    request.missing = missing
    return request
  }

  private func folderToResume(_ name: String) throws(InputError) -> RunFolder {
    if let out { return RunFolder(out) }
    let unfinished = RunFolder.all(in: "runs", name: name).last { $0.holds(.configuration) && !$0.holds(.metrics) }
    guard let unfinished else {
      throw InputError("there is no unfinished run of \(name) in runs. Name its folder with --out.")
    }
    return unfinished
  }
}
