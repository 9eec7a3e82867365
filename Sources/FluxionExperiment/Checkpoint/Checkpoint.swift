import FluxionCore
public import FluxionData
import FluxionText
import Foundation

/// All that an interrupted run needs to go on: one safetensors file.
///
/// Every stage's state stands under `stage/leaf`, such as `round-1/model.net.layers.0.weight`, so that other programs can read the
/// weights; history and metrics are `f64` arrays; names and the identity of the run are notes. Equal contents give equal bytes: nothing
/// in it depends on the clock.
public struct Checkpoint: Sendable {
  /// What run this is a part of; a resumed run must be the same.
  public var identity = RunIdentity()
  /// The stages by name: finished ones with their value, the one at work with its state.
  public internal(set) var stages: [String: Stage] = [:]
  /// Names of stages in the order in which they began.
  public internal(set) var order: [String] = []
  public internal(set) var history = HistoryTable()
  public internal(set) var metrics: [String: Double] = [:]

  public init() {}

  /// What a stage has come to.
  public struct Stage: Sendable {
    var leaves: [Tensor]
    var structure: TreeStructure
    /// Steps done; 0 for a stage that is not counted.
    public var step: Int
    public var isFinished: Bool

    init(leaves: [Tensor], structure: TreeStructure, step: Int, isFinished: Bool) {
      self.leaves = leaves
      self.structure = structure
      self.step = step
      self.isFinished = isFinished
    }

    init<Value: Encodable>(_ value: Value, step: Int, isFinished: Bool) {
      let (leaves, structure) = flatten(value)
      self.init(leaves: leaves, structure: structure, step: step, isFinished: isFinished)
    }

    /// The stage's value or state.
    func value<Value: Decodable>(_ type: Value.Type, named name: String) throws(InputError) -> Value {
      do { return try rebuild(type, structure, leaves) } catch {
        throw InputError("the checkpoint's \(name) is no \(Value.self). Resume with the version of the program that began the run.")
      }
    }
  }

  mutating func set(_ name: String, _ stage: Stage) {
    if stages.updateValue(stage, forKey: name) == nil { order.append(name) }
  }

  /// The value, or the state so far, of the stage called `name`.
  public func value<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws(InputError) -> Value {
    guard let stage = stages[name] else {
      throw InputError(
        "the checkpoint has no stage \"\(name)\". "
          + Suggestion.sentence(for: name, among: order, otherwise: "It has \(order.joined(separator: ", "))."))
    }
    return try stage.value(type, named: name)
  }
}

/// What makes a run the run it is: with these equal, so are its numbers.
public struct RunIdentity: Hashable, Sendable, Codable {
  public var system = ""
  public var seed = 0
  /// The configuration as sorted JSON.
  public var configuration = ""
  /// What was read from each input, by a digest of its numbers.
  public var inputs: [String: String] = [:]
  /// The engine that computes: others round differently.
  public var device = ""
  /// The version of Fluxion.
  public var version = ""

  public init() {}
}

// MARK: - The file

extension Checkpoint {
  private struct Index: Codable {
    var order: [String]
    var steps: [Int]
    var finished: [Bool]
    var metrics: [String]
    var historyColumns: [String]
    var historyStages: [String]
  }

  var file: SafetensorsFile {
    var file = SafetensorsFile(arrays: [:])
    for name in order {
      guard let stage = stages[name] else { continue }
      file.add(stage.leaves, stage.structure, prefix: name + "/")
    }
    let names = metrics.keys.sorted()
    file.arrays["metrics"] = StoredArray(names.map { metrics[$0] ?? .nan })
    let rows = history.rows
    file.arrays["history"] = StoredArray(
      rows.flatMap(\.numbers), shape: [rows.count, history.columns.count + 2])
    let index = Index(
      order: order, steps: order.map { stages[$0]?.step ?? 0 }, finished: order.map { stages[$0]?.isFinished ?? false },
      metrics: names, historyColumns: history.columns, historyStages: history.stages)
    file.metadata["index"] = Self.text(index)
    file.metadata["run"] = Self.text(identity)
    return file
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `DataError` when the file is damaged or no checkpoint.
  public init(_ path: String) throws(DataError) {
    let file = try SafetensorsFile.read(path)
    func malformed(_ what: String) -> DataError {
      DataError(.malformed, file: path, what, remedy: "Begin the run again in another folder")
    }
    guard
      let index = file.metadata["index"].flatMap({ try? JSONDecoder().decode(Index.self, from: Data($0.utf8)) }),
      let identity = file.metadata["run"].flatMap({ try? JSONDecoder().decode(RunIdentity.self, from: Data($0.utf8)) }),
      let metricValues = file.arrays["metrics"]?.doubles(), let table = file.arrays["history"],
      metricValues.count == index.metrics.count, index.steps.count == index.order.count, index.finished.count == index.order.count
    else { throw malformed("the file is no checkpoint of a run") }
    self.identity = identity
    for (i, name) in index.order.enumerated() {
      let (leaves, structure) = try file.parts(prefix: name + "/", file: path)
      stages[name] = Stage(leaves: leaves, structure: structure, step: index.steps[i], isFinished: index.finished[i])
    }
    order = index.order
    for (name, value) in zip(index.metrics, metricValues) { metrics[name] = value }
    guard let history = HistoryTable(columns: index.historyColumns, stages: index.historyStages, numbers: table.doubles()) else {
      throw malformed("the history does not fit its columns")
    }
    self.history = history
  }

  /// Tells whether two processes have read the same.
  var digest: String {
    var digest = Digest()
    for name in order {
      guard let stage = stages[name] else { continue }
      digest.add("\(name) \(stage.step) \(stage.isFinished) ".utf8)
      for leaf in stage.leaves { StoredArray(leaf).bytes.withUnsafeBytes { digest.add($0) } }
    }
    return digest.text
  }

  private static func text<Value: Encodable>(_ value: Value) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
      preconditionFailure("Checkpoint: \(Value.self) cannot be written as JSON: \(error)")
    }
  }
}
