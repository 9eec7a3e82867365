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
  private let processes: [Process]
  private let inputs: [FileHandle]
  private let tails: [Tail?]
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
      named.isEmpty ? hosts.coordinator(freePort: try ProcessGroup.freePort(), randomPort: 61440 + Int.random(in: 0..<4096)) : named
    let program = Bundle.main.executableURL?.path ?? CommandLine.arguments[0]
    var (processes, inputs, tails) = ([Process](), [FileHandle](), [Tail?]())
    for (rank, host) in hosts.names.enumerated() {
      let command = HostCommand(
        host, program: program, arguments: arguments,
        job: [
          "FLUXION_RANK": "\(rank)", "FLUXION_PROCESSES": "\(hosts.names.count)", "FLUXION_COORDINATOR": coordinator,
          Self.followsInput: "1",
        ],
        ssh: ssh, folder: FileManager.default.currentDirectoryPath, inherited: environment, isQuiet: rank == 0)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: command.program)
      process.arguments = command.arguments
      process.environment = environment.merging(command.environment) { $1 }
      let input = Pipe()
      // Held by this process alone: the pipe must end with it.
      _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
      process.standardInput = input
      let tail = rank == 0 ? nil : Tail()
      if let tail {
        process.standardOutput = FileHandle.nullDevice
        process.standardError = tail.pipe
      }
      processes.append(process)
      inputs.append(input.fileHandleForWriting)
      tails.append(tail)
    }
    (self.processes, self.inputs, self.tails) = (processes, inputs, tails)
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
    for (rank, process) in processes.enumerated() {
      process.terminationHandler = { [events] _ in events.post(.ended(rank)) }
      do { try process.run() } catch {
        end(patience: 0)
        throw Failure(title, "the process for \(hosts.names[rank]) cannot be started: \(error.localizedDescription)", exitCode: 1)
      }
      tails[rank]?.follow()
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
        let isWell = processes[0].terminationReason == .exit && processes[0].terminationStatus == 0
        end(patience: isWell ? 10 : 2)
        if processes[0].terminationReason == .uncaughtSignal || isUnreached(0) { throw failure(of: 0) }
        return processes[0].terminationStatus
      case .ended(let rank):
        if processes[rank].terminationReason == .exit, processes[rank].terminationStatus == 0 { continue }
        if isStopping { continue }
        // It may have told process 0 why, which says so and ends; or have ended because process 0 was gone, which may be heard of later.
        if processes[rank].terminationReason == .exit, wait(forProcess: 0, seconds: 3) {
          end(patience: 2)
          if processes[0].terminationReason == .uncaughtSignal || isUnreached(0) { throw failure(of: 0) }
          if processes[0].terminationStatus != 0 { return processes[0].terminationStatus }
        }
        end(patience: 0)
        throw failure(of: rank)
      }
    }
  }

  // MARK: Ends

  private func wait(forProcess rank: Int, seconds: Double) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while processes[rank].isRunning, ContinuousClock.now < end { usleep(5000) }
    return !processes[rank].isRunning
  }

  /// Ends all that still run: lets them, tells them to, makes them.
  private func end(patience: Double) {
    let others = processes.indices.filter { processes[$0].isRunning }
    let clock = ContinuousClock.now
    for rank in others {
      _ = wait(forProcess: rank, seconds: max(0, patience - (ContinuousClock.now - clock) / .seconds(1)))
    }
    for input in inputs { try? input.close() }
    for rank in others where patience > 0 { _ = wait(forProcess: rank, seconds: 2) }
    for rank in others where processes[rank].isRunning {
      kill(processes[rank].processIdentifier, SIGKILL)
      _ = wait(forProcess: rank, seconds: 2)
    }
  }

  // MARK: Failures

  /// Whether ssh itself has failed: the host cannot be reached, which is the input's fault.
  private func isUnreached(_ rank: Int) -> Bool {
    let process = processes[rank]
    return !HostList.isHere(hosts.names[rank]) && process.terminationReason == .exit && process.terminationStatus == 255
  }

  private func failure(of rank: Int) -> Failure {
    let process = processes[rank]
    let last = tails[rank]?.lastLine() ?? ""
    if isUnreached(rank) {
      let host = hosts.names[rank]
      let reason = last.isEmpty ? "" : " (\(last))"
      return Failure(
        title,
        "--hosts: \(host) cannot be reached through ssh\(reason). It must work without questions: try "
          + "ssh -o BatchMode=yes \(host) true.", exitCode: 2)
    }
    let ending =
      process.terminationReason == .uncaughtSignal
      ? "was ended by signal \(process.terminationStatus)" : "has failed with exit code \(process.terminationStatus)"
    return Failure(
      title, "process \(rank) on \(hosts.names[rank]) \(ending)\(last.isEmpty ? "." : ": \(last)")",
      exitCode: process.terminationReason == .exit && process.terminationStatus == 2 ? 2 : 1)
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
  let pipe = Pipe()
  private let bytes = Locked(Data())
  private let end = DispatchSemaphore(value: 0)

  func follow() {
    DispatchQueue.global().async { [self] in
      while true {
        let more = pipe.fileHandleForReading.availableData
        if more.isEmpty { break }
        bytes.withLock { $0 = ($0 + more).suffix(1 << 14) }
      }
      end.signal()
    }
  }

  /// The line that says most: that of a trap, else the last one.
  func lastLine() -> String {
    _ = end.wait(timeout: .now() + 1)
    let text = bytes.withLock { String(decoding: $0, as: UTF8.self) }
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    return lines.last { $0.hasPrefix("Fatal error") } ?? lines.last ?? ""
  }
}
