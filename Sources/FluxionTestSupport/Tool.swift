public import Foundation
import Testing

/// A command of this build, run in a folder of its own.
public final class Tool {
  /// The working folder; it goes with the tool.
  public let folder: String
  private let executable: URL

  /// - Parameter name: the executable, which stands beside the tests.
  public init(_ name: String) throws {
    executable = try #require(
      Self.products.lazy.map { $0.appendingPathComponent(name) }.first { FileManager.default.isExecutableFile(atPath: $0.path) },
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

  public struct Outcome {
    public var code: Int32
    /// The number of the signal that ended the process, if one did.
    public var wasKilled: Bool
    public var output: String
    public var errors: String
    /// The lines of standard error.
    public var lines: [Substring] { errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }
  }

  /// Starts the command; the streams go to files, so that nothing blocks however much is written.
  public func start(_ arguments: [String], environment: [String: String] = [:], without names: [String] = []) throws -> Running {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.filter { !names.contains($0.key) }.merging(environment) { $1 }
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
  public func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try start(arguments, environment: environment).wait()
  }

  public struct Running {
    public let process: Process
    public let output: String
    public let errors: String

    public func wait() throws -> Outcome {
      process.waitUntilExit()
      defer { for path in [output, errors] { try? FileManager.default.removeItem(atPath: path) } }
      return Outcome(
        code: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
        output: try String(contentsOfFile: output, encoding: .utf8), errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    /// Waits until `condition` holds or the process has ended.
    public func wait(until condition: () -> Bool) {
      while process.isRunning, !condition() { usleep(2000) }
    }
  }

  public func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8)
  }
  public func content(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) }
  public func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + name) }
}
