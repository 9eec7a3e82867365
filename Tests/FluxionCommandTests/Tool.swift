import Foundation
import Testing

/// A command of this build, run in a folder of its own.
final class Tool {
  /// The working folder; it goes with the tool.
  let folder: String
  private let executable: URL

  /// - Parameter name: the executable, which stands beside the tests.
  init(_ name: String) throws {
    executable = try #require(Self.products.lazy.map { $0.appendingPathComponent(name) }.first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "\(name) has not been built: run swift build --build-tests first")
    folder = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Where the build puts its products: the folder of the process that runs the tests, or of their bundle.
  private static var products: [URL] {
    let here = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    let bundles = Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    return [here] + bundles + [Bundle.main.bundleURL]
  }

  struct Outcome {
    var code: Int32
    /// The number of the signal that ended the process, if one did.
    var wasKilled: Bool
    var output: String
    var errors: String
    /// The lines of standard error.
    var lines: [Substring] { errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }
  }

  /// Starts the command; the streams go to files, so that nothing blocks however much is written.
  func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let mark = UUID().uuidString
    let paths = ["out", "err"].map { NSTemporaryDirectory() + "fluxion-\(mark).\($0)" }
    for path in paths { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: paths[0]))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: paths[1]))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return Running(process: process, output: paths[0], errors: paths[1])
  }

  @discardableResult
  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try start(arguments, environment: environment).wait()
  }

  struct Running {
    let process: Process
    let output: String
    let errors: String

    func wait() throws -> Outcome {
      process.waitUntilExit()
      defer { for path in [output, errors] { try? FileManager.default.removeItem(atPath: path) } }
      return Outcome(
        code: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
        output: try String(contentsOfFile: output, encoding: .utf8), errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    /// Waits until `condition` holds or the process has ended.
    func wait(until condition: () -> Bool) {
      while process.isRunning, !condition() { usleep(2000) }
    }
  }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8)
  }
  func content(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + name) }
}
