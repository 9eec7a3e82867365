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
      With --device xla:all batches are divided between all devices of a host; with --device xla and --hosts, or under a launcher such as \
      srun or mpirun, between those of all processes, of which the first writes the run's folder.
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

  @Option(help: ArgumentHelp("\(DeviceChoice.help) (default: cpu)"), completion: .list(["cpu", "reference", "xla", "xla:all"]))
  var device: String?

  @Option(
    help: ArgumentHelp(
      "Start a process on each of these hosts, through ssh, and compute on the XLA devices of all; localhost is this one.",
      valueName: "a,b,…"))
  var hosts: String?

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
    if let hosts { try start(known, on: hosts) } else { try run(known) }
  }

  private struct Result: Encodable {
    var system: String, folder: String, summary: String
    var metrics: [String: Double?]
    var seconds: Double
  }

  private func run<S: LearningSystem>(_ system: S) throws {
    let title = "fluxion run \(system.card.name)"
    var printer = ProgressPrinter(isQuiet: quiet)
    var folder: RunFolder?
    var job: JobMember?
    /// All processes of a job have to hear of a failure; one of them reports it.
    func end(_ failure: Failure) -> any Error {
      printer.finishLine()
      return job?.leave(failure, title: title) ?? failure
    }
    do {
      var (request, name) = try request(for: system)
      job = try DeviceChoice.job(name).map { try JobMember($0, title: title) }
      let isFirst = job?.isFirst ?? true
      printer = ProgressPrinter(isQuiet: quiet || !isFirst)
      let interruption = Interruption(isFollowed: isFirst)
      JobMember.followInput(isFirst: isFirst, stopping: interruption.cancellation)
      (request.device, request.deviceCount) = try DeviceChoice.chosen(name, job: job?.group)
      request.deviceName = try DeviceChoice.recordedName(name, job: job?.group)
      request.process = job?.process
      let runner = Runner(
        cancellation: interruption.cancellation,
        onStart: { [quiet] started in
          folder = started
          if !quiet, isFirst { printer.note("\(system.card.name) → \(started.path)") }
        },
        onWarning: { if isFirst { printer.note("\(title): \($0)") } }, onProgress: { printer.show($0) })
      let result = try runner.run(system, request)
      job?.finish()
      printer.finishLine()
      if isFirst { report(result, of: system.card.name) }
    } catch let error as RunInterrupted {
      let place = folder.map { " Go on with: \(title) --resume --out \($0.path)" } ?? ""
      throw end(Failure(title, "\(error).\(place)", exitCode: 130))
    } catch {
      throw end(Failure(title, error))
    }
  }

  private func report(_ result: RunSummary, of system: String) {
    if json {
      JSONOutput.print(
        Result(
          system: system, folder: result.folder.path, summary: result.summary, metrics: result.metrics.mapValues(JSONOutput.number),
          seconds: result.seconds))
    } else {
      print(result.summary)
      print("report: \(result.folder.path(.report))")
    }
  }

  /// Starts this command on each host, and ends as process 0 does.
  private func start<S: LearningSystem>(_ system: S, on list: String) throws {
    let title = "fluxion run \(system.card.name)"
    do {
      let hosts = try HostList(list)
      // What cannot be run is refused once, and not by every process.
      let (request, name) = try request(for: system)
      try request.configuration.check()
      guard let name, let plugin = try DeviceChoice.plugin(name) else {
        throw InputError("--hosts: only XLA's devices compute together. Add --device xla.")
      }
      if case .index = plugin.place {
        throw InputError("--hosts: --device \(name) is one device of each host. Write --device xla for all of them.")
      }
      // One host alone is no job, and all of its devices are meant.
      let arguments = Self.started(Array(CommandLine.arguments.dropFirst()), device: plugin.place == .all ? name : name + ":all")
      let code = try HostProcesses(hosts, title: title, arguments: arguments).run()
      if code != 0 { throw ExitCode(code) }
    } catch let code as ExitCode {
      throw code
    } catch {
      throw Failure(title, error)
    }
  }

  /// The arguments of the processes that are started: those of this one on all devices, without the hosts.
  static func started(_ arguments: [String], device: String) -> [String] {
    let replaced = ["--hosts", "--device"]
    var kept: [String] = []
    var isValue = false
    for argument in arguments.dropFirst() {
      if isValue {
        isValue = false
      } else if replaced.contains(argument) {
        isValue = true
      } else if !replaced.contains(where: { argument.hasPrefix($0 + "=") }) {
        kept.append(argument)
      }
    }
    return arguments.prefix(1) + ["--device", device] + kept
  }

  /// What is asked for: the defaults, then the file of settings or the run to be resumed, then the options. The device is given by its
  /// name alone.
  private func request<S: LearningSystem>(for system: S) throws -> (RunRequest<S.Configuration>, device: String?) {
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
    let policy = missing ?? file?.missing ?? MissingPolicy.error.rawValue
    guard let missing = MissingPolicy(rawValue: policy) else {
      throw InputError(
        "--missing \(policy): there is no such choice. "
          + Suggestion.sentence(for: policy, among: MissingPolicy.allCases.map(\.rawValue), otherwise: "Use error or drop."))
    }
    request.missing = missing
    return (request, device ?? (resume ? file?.device : nil))
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
