public import FluxionCore
public import FluxionData
import FluxionReport
public import Foundation

/// What a run has at hand: its settings, inputs and randomness, its stages, and the places where results go.
public final class RunContext<Configuration: SystemConfiguration> {
  public let configuration: Configuration
  public let inputs: RunInputs
  public let seed: Int
  /// Stages, training, history, progress and the wish to stop; hand it to library functions that train.
  public let session: Session
  public let folder: RunFolder
  /// False in a process that computes along: another writes.
  private let keepsRecords: Bool
  private let onWarning: (String) -> Void

  init(
    configuration: Configuration, inputs: RunInputs, seed: Int, session: Session, folder: RunFolder, keepsRecords: Bool = true,
    onWarning: @escaping (String) -> Void
  ) {
    self.configuration = configuration
    self.inputs = inputs
    self.seed = seed
    self.session = session
    self.folder = folder
    self.keepsRecords = keepsRecords
    self.onWarning = onWarning
  }

  /// The key of the seed. Fold or split it for each use.
  public var key: Key { Key(seed) }

  /// The points of `--data`.
  public var data: PointCloud? { inputs.data }

  // MARK: Stages

  /// See ``Session/stage(_:_:)``.
  public func stage<Value: Codable>(_ name: String, _ body: () throws -> Value) throws -> Value { try session.stage(name, body) }

  /// See ``Session/train(_:from:steps:chunk:key:stopsWhenNotFinite:step:)``.
  public func train<State: Codable, Report: Codable>(
    _ name: String, from initial: @autoclosure () throws -> State, steps: Int, chunk: Int = 100, key: Key,
    stopsWhenNotFinite: Bool = true, step: @escaping (inout State, Tensor, Key) -> Report
  ) throws -> State {
    try session.train(
      name, from: try initial(), steps: steps, chunk: chunk, key: key, stopsWhenNotFinite: stopsWhenNotFinite, step: step)
  }

  // MARK: Results

  /// Adds a number to `metrics.json`. Nothing that depends on the clock belongs there.
  public func record(_ key: String, _ value: Double) { session.record.metrics[key] = value }

  /// What has been recorded so far.
  public var metrics: [String: Double] { session.record.metrics }

  /// The rows of history so far, for plots.
  public var history: HistoryTable { session.record.history }

  /// Writes a tensor as `name`, an `.npy` file in the run's folder.
  public func save(_ tensor: Tensor, as name: String) throws {
    precondition(name.hasSuffix(".npy"), "RunContext.save: \"\(name)\" must end in .npy.")
    guard keepsRecords else { return }
    try write(NumPyFile.encode(StoredArray(tensor), file: name), as: name)
  }

  /// Writes an artefact of any kind into the run's folder.
  public func write(_ data: Data, as name: String) throws {
    precondition(
      !name.isEmpty && !name.contains("/") && !name.hasPrefix(".") && RunFolder.File(rawValue: name) == nil,
      "RunContext.write: \"\(name)\" is no name for an artefact. Use a plain file name other than those every run has.")
    guard keepsRecords else { return }
    try AtomicFile.write(data, to: folder.path + "/" + name)
  }

  /// Tells the user of something unusual that does not stop the run: one line on standard error.
  public func warn(_ message: String) { onWarning(message) }
}
