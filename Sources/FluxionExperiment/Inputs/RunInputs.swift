public import FluxionData
import Foundation

/// What a run is given besides its settings.
public struct RunInputs: Sendable {
  /// The points of `--data`.
  public var data: PointCloud?
  /// The points of every setting that names a file, by the setting's name.
  public var files: [String: PointCloud]
  /// The paths they were read from, `data` and the settings' names; for messages.
  public var paths: [String: String]

  public init(data: PointCloud? = nil, files: [String: PointCloud] = [:], paths: [String: String] = [:]) {
    self.data = data
    self.files = files
    self.paths = paths
  }

  /// Reads `--data` and every file the settings name.
  static func load<S: LearningSystem>(
    for system: S, _ configuration: S.Configuration, data: String?, missing: MissingPolicy
  ) throws -> RunInputs {
    var inputs = RunInputs()
    let label = configuration.values(of: .label).first
    switch (system.dataUse, data) {
    case (.none, let path?):
      throw InputError("\(path): \(system.card.name) makes its own data. Leave out --data.")
    case (.required(let what), nil):
      throw InputError("--data is missing: \(what)")
    case (_, let path?):
      inputs.data = try PointCloud.load(path, missing: missing, label: label?.text)
      inputs.paths["data"] = path
    case (_, nil):
      if let label { throw InputError("--set \(label.name)=\(label.text): a label column needs a table. Give it with --data.") }
    }
    for (name, path) in configuration.values(of: .file) {
      inputs.files[name] = try PointCloud.load(path, missing: missing)
      inputs.paths[name] = path
    }
    return inputs
  }

  /// For each input a digest of its numbers and labels: what a resumed run must find unchanged.
  var digests: [String: String] {
    var result = files.mapValues(\.digest)
    if let data { result["data"] = data.digest }
    return result
  }
}

extension PointCloud {
  /// Over shape, type, elements and labels: tells a changed file from the same, not a forged one.
  var digest: String {
    var digest = Digest()
    digest.add(points.description.utf8)
    points.bytes.withUnsafeBytes { digest.add($0) }
    for label in labels ?? [] {
      digest.add(label.utf8)
      digest.add([0])
    }
    return digest.text
  }
}

/// FNV-1a, 64 bits.
struct Digest {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  var text: String {
    let text = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
