import FluxionCore
import FluxionData
public import Foundation

/// `config.json`: how a run was asked for, enough to ask for it again with `--config`.
public struct RunDescription: Sendable {
  public let system: String
  public let seed: Int
  public let data: String?
  public let missing: String
  public let device: String
  public let version: String
  /// Settings as text, in their order.
  public let settings: [(name: String, text: String)]
  /// The file's bytes.
  public let json: Data

  private struct File: Encodable {
    var system: String
    var seed: Int
    var data: String?
    var missing: String
    var device: String
    var version: String
    var configuration: [String: JSONPart]
  }

  init<S: LearningSystem>(system: S, _ request: RunRequest<S.Configuration>, _ inputs: RunInputs) {
    self.system = system.card.name
    seed = request.seed
    data = request.data
    missing = request.missing.rawValue
    device = request.nameOfDevice
    version = Release.version
    settings = request.configuration.settingTexts
    let file = File(
      system: self.system, seed: seed, data: data, missing: missing, device: device, version: version,
      configuration: request.configuration.parts)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do { json = try encoder.encode(file) + Data("\n".utf8) } catch {
      preconditionFailure("config.json cannot be written: \(error)")
    }
  }
}

extension SystemConfiguration {
  /// The settings as JSON values by name. Absent ones are null rather than left out, so that a default that is present does not take
  /// their place when they are read again.
  var parts: [String: JSONPart] {
    do {
      var parts = try JSONDecoder().decode([String: JSONPart].self, from: JSONEncoder().encode(self))
      for setting in Self.settings where parts[setting.name] == nil { parts[setting.name] = .null }
      return parts
    } catch {
      preconditionFailure("\(Self.self) cannot be written as JSON: \(error)")
    }
  }

  /// One text for equal configurations.
  var sortedJSON: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(parts), as: UTF8.self) } catch {
      preconditionFailure("\(Self.self) cannot be written as JSON: \(error)")
    }
  }
}
