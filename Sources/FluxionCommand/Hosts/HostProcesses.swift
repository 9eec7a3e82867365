import Dispatch
import FluxionCore
import FluxionExperiment
import FluxionXLA
import Foundation

/// The processes of a job that `--hosts` has asked for, one on each host: the same command, each told which of them it is.
///
/// Process 0 has this command's streams; of the others the last they write is kept, for when they fail. Each ends when its standard input
/// does, and so with this process, whatever ends it.
final class HostProcesses {
  private let title: String
  private let hosts: HostList
  private let commands: [HostCommand]
  private var processes: [ChildProcess] = []
  /// What holds each process's standard input open.
  private var inputs: [FileHandle] = []
  private var tails: [Tail?] = []
  private let events = Events()
  private var sources: [any DispatchSourceSignal] = []

  /// Says to a process that it is to end with its standard input.
  static let followsInput = "FLUXION_FOLLOWS_INPUT"

  /// - Parameters:
  ///   - title: The command, for messages.
  ///   - arguments: Those of this command, without `--hosts`.
  /// - Throws: `InputError` when this process is one of a job already, or ssh is needed and not there.
  init(_ hosts: HostList, title: String, arguments: [String]) throws {
    self.title = title
    self.hosts = hosts
    let environment = ProcessInfo.processInfo.environment
    if try DeviceChoice.job("xla") != nil {
      throw InputError("--hosts: this process is one of a job already, which a launcher has started. Leave out --hosts.")
    }
    var ssh = ""
    if let other = hosts.names.first(where: { !HostList.isHere($0) }) {
      let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
      guard let found = folders.map({ $0 + "/ssh" }).first(where: FileManager.default.isExecutableFile) else {
        throw InputError("--hosts: \(other) is reached through ssh, which is not installed here.")
      }
      ssh = found
    }
    let named = environment["FLUXION_COORDINATOR"] ?? ""
    let coordinator =
      !named.isEmpty
      ? named
      : hosts.coordinator(freePort: try ProcessGroup.freePort(), randomPort: 61440 + Int.random(in: 0..<4096)) { host in
        Self.address(of: host, ssh: ssh)
      }
    let program = Bundle.main.executableURL?.path ?? CommandLine.arguments[0]
    commands = hosts.names.enumerated().map { rank, host in
      var command = HostCommand(
        host, program: program, arguments: arguments,
        job: [
          "FLUXION_RANK": "\(rank)", "FLUXION_PROCESSES": "\(hosts.names.count)", "FLUXION_COORDINATOR": coordinator,
          Self.followsInput: "1",
        ],
        ssh: ssh, folder: FileManager.default.currentDirectoryPath, inherited: environment, isQuiet: rank == 0)
      command.environment.merge(environment) { own, _ in own }
      return command
    }
  }

  /// What ssh's configuration says is the address of a host, which may have any name there.
  private static func address(of host: String, ssh: String) -> String? {
    let answer = Pipe()
    guard
      let asked = try? ChildProcess(
        program: ssh, arguments: ["-G", host], environment: ProcessInfo.processInfo.environment,
        streams: [.none, .descriptor(answer.fileHandleForWriting.fileDescriptor), .none], atEnd: {})
    else { return nil }
    try? answer.fileHandleForWriting.close()
    let text = String(decoding: answer.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    _ = asked.ends(within: 1)
    let line = text.split(separator: "\n").first { $0.hasPrefix("hostname ") }
    return line.map { String($0.dropFirst("hostname ".count)) }
  }

  /// Starts the process of that rank.
  private func start(_ rank: Int) throws(POSIXError) {
    let (command, input, tail) = (commands[rank], Pipe(), rank == 0 ? nil : Tail())
    // Held by this process alone: the pipe must end with it.
    _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
    processes.append(
      try ChildProcess(
        program: command.program, arguments: command.arguments, environment: command.environment,
        streams: [.descriptor(input.fileHandleForReading.fileDescriptor)]
          + (tail.map { [.none, .descriptor($0.end)] } ?? [.shared, .shared]),
        atEnd: { [events] in events.post(.ended(rank)) }))
    inputs.append(input.fileHandleForWriting)
    tails.append(tail)
    try? input.fileHandleForReading.close()
    tail?.follow()
  }

  /// Starts the processes and waits for them.
  ///
  /// - Returns: the exit code of process 0, which has said what there is to say.
  /// - Throws: `Failure` for another that has failed.
  func run() throws -> Int32 {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)  // the source sees it all the same
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [events] in events.post(.signal) }
      source.resume()
      return source
    }
    signal(SIGPIPE, SIG_IGN)
    for rank in commands.indices {
      do throws(POSIXError) { try start(rank) } catch {
        end(patience: 0)
        throw Failure(title, "the process for \(hosts.names[rank]) cannot be started: \(error.localizedDescription)", exitCode: 1)
      }
    }
    var isStopping = false
    while true {
      switch events.next() {
      case .signal:
        // Once is a wish, which process 0 is told: it leaves a checkpoint, and the others end with it. Twice is now.
        if isStopping {
          end(patience: 0)
          return 130
        }
        isStopping = true
        try? inputs[0].close()
      case .ended(0):
        end(patience: processes[0].ending == .exit(0) ? 10 : 2)
        return try codeOfFirst()
      case .ended(let rank):
        if isStopping || processes[rank].ending == .exit(0) { continue }
        // It may have told process 0 why, which says so and ends; or have ended because process 0 was gone, which may be heard of later.
        if case .exit = processes[rank].ending, processes[0].ends(within: 3) {
          end(patience: 2)
          let code = try codeOfFirst()
          if code != 0 { return code }
        }
        end(patience: 0)
        throw failure(of: rank)
      }
    }
  }

  // MARK: Ends

  /// The exit code of process 0, which has ended and told why.
  private func codeOfFirst() throws -> Int32 {
    guard case let .exit(code) = processes[0].ending, !isUnreached(0), code < 128 || code == 130 else { throw failure(of: 0) }
    return code
  }

  /// Ends all that still run: lets them, tells them to, makes them.
  private func end(patience: Double) {
    let others = processes.filter(\.isRunning)
    let clock = ContinuousClock.now
    for process in others { _ = process.ends(within: max(0, patience - (ContinuousClock.now - clock) / .seconds(1))) }
    for input in inputs { try? input.close() }
    for process in others where patience > 0 { _ = process.ends(within: 2) }
    for process in others where process.isRunning {
      process.kill()
      _ = process.ends(within: 2)
    }
  }

  // MARK: Failures

  /// Whether ssh itself has failed: the host cannot be reached, which is the input's fault.
  private func isUnreached(_ rank: Int) -> Bool { !HostList.isHere(hosts.names[rank]) && processes[rank].ending == .exit(255) }

  private func failure(of rank: Int) -> Failure {
    let last = tails[rank]?.lastLine() ?? ""
    if isUnreached(rank) {
      let host = hosts.names[rank]
      let reason = last.isEmpty ? "" : " (\(last))"
      return Failure(
        title,
        "--hosts: \(host) cannot be reached through ssh\(reason). It must work without questions: try "
          + "ssh -o BatchMode=yes \(host) true.", exitCode: 2)
    }
    let end =
      switch processes[rank].ending {
      case let .signal(number): "was ended by signal \(number)"
      // As a shell says it.
      case let .exit(code) where !HostList.isHere(hosts.names[rank]) && code > 128: "was ended by signal \(code - 128)"
      case let .exit(code): "has failed with exit code \(code)"
      case nil: "does not end"
      }
    return Failure(
      title, "process \(rank) on \(hosts.names[rank]) \(end)\(last.isEmpty ? "." : ": \(last)")",
      exitCode: processes[rank].ending == .exit(2) ? 2 : 1)
  }
}

/// What happens while processes run, in order.
private final class Events: Sendable {
  enum Event {
    case ended(Int)
    case signal
  }
  private let waiting = Locked<[Event]>([])
  private let arrival = DispatchSemaphore(value: 0)

  func post(_ event: Event) {
    waiting.withLock { $0.append(event) }
    arrival.signal()
  }

  func next() -> Event {
    arrival.wait()
    return waiting.withLock { $0.removeFirst() }
  }
}

/// The last that a process writes to standard error.
private final class Tail: Sendable {
  private let pipe = Pipe()
  private let bytes = Locked(Data())
  private let isRead = DispatchSemaphore(value: 0)

  /// The descriptor that the process writes to.
  var end: Int32 { pipe.fileHandleForWriting.fileDescriptor }

  /// Reads until the process, which has been started, and all that it has started have ended.
  func follow() {
    try? pipe.fileHandleForWriting.close()
    DispatchQueue.global().async { [self] in
      while true {
        let more = pipe.fileHandleForReading.availableData
        if more.isEmpty { break }
        bytes.withLock { $0 = ($0 + more).suffix(1 << 14) }
      }
      isRead.signal()
    }
  }

  /// The line that says most: that of a trap, else the last one.
  func lastLine() -> String {
    _ = isRead.wait(timeout: .now() + 1)
    let text = bytes.withLock { String(decoding: $0, as: UTF8.self) }
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    return lines.last { $0.hasPrefix("Fatal error") } ?? lines.last ?? ""
  }
}
