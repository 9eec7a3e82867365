import FluxionCore
import FluxionData
import FluxionExperiment
import Foundation

/// An end of a command that is not a success: one line for standard error, and the exit code.
struct Failure: Error {
  let line: String
  let exitCode: Int32

  /// - Parameters:
  ///   - command: What was asked for, such as `fluxion run rectified-flow`; the line begins with it.
  init(_ command: String, _ message: String, exitCode: Int32) {
    line = "\(command): \(message)".split(whereSeparator: \.isNewline).joined(separator: " ")
    self.exitCode = exitCode
  }

  /// What `error` means for whoever typed the command.
  init(_ command: String, _ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is InputError, is DataError, is AtomicFileError: self.init(command, "\(error)", exitCode: 2)
    case let error as ProgramError:
      self.init(command, "the settings and the data do not fit each other: \(error)", exitCode: 2)
    case let error as RunInterrupted: self.init(command, "\(error).", exitCode: 130)
    default: self.init(command, "\(error)", exitCode: 1)
    }
  }

  func print() {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}

/// Runs `body`; what it throws becomes a ``Failure`` of `command`.
func reportingFailures<Result>(of command: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch { throw Failure(command, error) }
}
