import ArgumentParser
import Dispatch
import FluxionCore
import FluxionExperiment
import FluxionXLA
import Foundation

/// This process as one of a job that carries out one run: what it tells the others, and what it does when another ends.
final class JobMember: Sendable {
  let group: ProcessGroup
  private let presence: JobPresence
  private let ending: Ending

  /// Who ends this process: one thread alone.
  private final class Ending: Sendable {
    private let hasBegun = Locked(false)
    func begin() -> Bool {
      hasBegun.withLock { begun in
        defer { begun = true }
        return !begun
      }
    }
  }

  /// Joins the job; of all processes but the first this waits for the first.
  ///
  /// - Parameter title: The command, for messages.
  init(_ group: ProcessGroup, title: String) throws(InputError) {
    self.group = group
    let ending = Ending()
    self.ending = ending
    do throws(PJRTError) {
      presence = try JobPresence(group) { rank, farewell in
        // Who has started this process knows more about one that is gone without a word, and tells.
        if farewell == nil, Self.followsInput {
          // On another host only its own end reaches process 0, which may be waiting for what the one that is gone was to send.
          if rank != 0 { sleep(10) }
          _exit(1)
        }
        guard ending.begin() else { return }
        if group.rank == 0 {
          let text = farewell?.message ?? "it is gone. The last that it wrote may say why; --resume goes on from the last checkpoint."
          // An open line of progress is left where it is.
          if Terminal.canRedraw { FileHandle.standardError.write(Data("\n".utf8)) }
          let process = "process \(rank) of \(group.count)"
          Failure(title, text.hasPrefix(process) ? text : "\(process): \(text)", exitCode: 1).print()
        } else if farewell == nil {
          Failure(title, "process 0 of \(group.count) is gone, and with it the job.", exitCode: 1).print()
        }
        _exit(farewell?.code ?? 1)
      }
    } catch {
      throw InputError("\(error)")
    }
  }

  var isFirst: Bool { group.rank == 0 }

  /// For the run.
  var process: RunProcess {
    RunProcess(rank: group.rank, count: group.count) { [presence] facts in try presence.difference(in: facts, number: 0) }
  }

  /// Whether `fluxion run --hosts` has started this process, which ends with its standard input.
  static var followsInput: Bool { ProcessInfo.processInfo.environment[HostProcesses.followsInput] != nil }

  /// Ends this process, or asks it to stop if it is the first of a job or alone, when its standard input ends; if `--hosts` has started
  /// it.
  static func followInput(isFirst: Bool, stopping cancellation: Cancellation) {
    guard followsInput else { return }
    DispatchQueue.global().async {
      while !FileHandle.standardInput.availableData.isEmpty {}
      // The first leaves a checkpoint, and tells the others when it has.
      if !isFirst { _exit(130) }
      cancellation.cancel()
    }
  }

  /// All have come to the end.
  func finish() { presence.leave(Farewell(code: 0)) }

  /// Tells the others of a failure.
  ///
  /// - Returns: what is left to be said here: all of it by the first process, nothing by others, whose failure the first reports.
  func leave(_ failure: Failure, title: String) -> any Error {
    // Another's failure is being told: it was first.
    if !ending.begin() { while true { pause() } }
    let message = failure.line.hasPrefix(title + ": ") ? String(failure.line.dropFirst(title.count + 2)) : failure.line
    presence.leave(Farewell(code: failure.exitCode, message: message))
    return isFirst ? failure : ExitCode(failure.exitCode)
  }
}
