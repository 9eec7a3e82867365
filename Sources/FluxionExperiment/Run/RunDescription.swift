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

  private struct File<Configuration: Encodable>: Encodable {
    var system: String
    var seed: Int
    var data: String?
    var missing: String
    var device: String
    var version: String
    var configuration: Configuration
  }

  init<S: LearningSystem>(system: S, _ request: RunRequest<S.Configuration>, _ inputs: RunInputs) {
    self.system = system.card.name
    seed = request.seed
    data = request.data
    missing = request.missing.rawValue
    device = request.device.engine.name
    version = Release.version
    settings = request.configuration.settingTexts
    let file = File(
      system: self.system, seed: seed, data: data, missing: missing, device: device, version: version,
      configuration: request.configuration)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do { json = try encoder.encode(file) + Data("\n".utf8) } catch {
      preconditionFailure("\(S.Configuration.self) cannot be written as JSON: \(error)")
    }
  }
}
