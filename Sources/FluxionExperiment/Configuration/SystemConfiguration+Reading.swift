import FluxionText
import Foundation

extension SystemConfiguration {
  /// Sets one hyper-parameter from `name=value`, as it is written after `--set`.
  public mutating func set(_ assignment: String) throws(InputError) {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw InputError("--set \(assignment): a setting is written name=value, for example \(Self.example).")
    }
    let name = String(assignment[..<equals])
    let text = String(assignment[assignment.index(after: equals)...])
    try set(name, to: text, from: "--set \(name)=\(text)")
  }

  /// Sets one hyper-parameter from text.
  ///
  /// - Parameters:
  ///   - name: The setting's name.
  ///   - text: The value, as on the command line.
  ///   - origin: Where it was given; an error begins with it.
  public mutating func set(_ name: String, to text: String, from origin: String) throws(InputError) {
    guard let setting = Self.settings.first(where: { $0.name == name }) else {
      throw InputError(
        "\(origin): there is no setting \"\(name)\". "
          + Suggestion.sentence(
            for: name, among: Self.settings.map(\.name),
            otherwise: "The settings are \(Self.settings.map(\.name).joined(separator: ", "))."))
    }
    var changed = self
    guard setting.write(&changed, text), setting.isAccepted(changed) else {
      throw InputError("\(origin): \"\(text)\" cannot be used. Give a \(setting.accepts).".replacing("a one of", with: "one of"))
    }
    self = changed
  }

  /// Sets what a file of settings holds: a JSON object of names and values, or the `config.json` of a run.
  public mutating func set(from record: ConfigurationFile) throws(InputError) {
    for (name, text) in record.settings { try set(name, to: text, from: "\(record.path), \"\(name)\"") }
  }

  /// Checks every setting against its domain; values set in code may break it.
  public func check() throws(InputError) {
    for setting in Self.settings where !setting.isAccepted(self) {
      throw InputError("\(setting.name): \"\(setting.read(self))\" cannot be used. Give a \(setting.accepts).")
    }
  }

  private static var example: String {
    guard let first = settings.first else { return "name=value" }
    return "\(first.name)=\(first.read(Self()))"
  }

  /// The value of every setting as text, in order.
  public var settingTexts: [(name: String, text: String)] {
    Self.settings.map { (name: $0.name, text: $0.read(self)) }
  }

  /// The values whose settings have `role`, leaving out those that are none.
  func values(of role: SettingRole) -> [(name: String, text: String)] {
    Self.settings.filter { $0.role == role }.map { (name: $0.name, text: $0.read(self)) }.filter { $0.text != "none" }
  }

  /// What every setting is, for a reader.
  public static var settingDescriptions: [SettingDescription] {
    let defaults = Self()
    return settings.map {
      SettingDescription(name: $0.name, standard: $0.read(defaults), accepts: $0.accepts, summary: $0.summary, paper: $0.paper)
    }
  }

  /// Where list and properties have come apart: properties without a setting, settings without a property, defaults outside their
  /// domain, values that text does not bring back. Empty for a sound configuration; a test asks for all systems.
  public static func settingsProblems() -> [String] {
    var problems: [String] = []
    let listed = settings.map(\.name)
    let defaults = Self()
    let stored = Mirror(reflecting: defaults).children.compactMap(\.label)
    problems += stored.filter { !listed.contains($0) }.map { "the property \($0) is not among the settings" }
    problems += listed.filter { !stored.contains($0) }.map { "the setting \($0) has no property" }
    problems += Set(listed.filter { name in listed.count { $0 == name } > 1 }).map { "the setting \($0) is listed twice" }
    for setting in settings {
      if !setting.isAccepted(defaults) { problems.append("the default of \(setting.name) is outside its own domain") }
      var copy = defaults
      if !setting.write(&copy, setting.read(defaults)) || copy != defaults {
        problems.append("the text of \(setting.name) does not bring back its value")
      }
    }
    return problems
  }
}

/// A setting as a reader meets it.
public struct SettingDescription: Hashable, Sendable, Codable {
  public var name: String
  /// The default, as text.
  public var standard: String
  /// The values it may have, in words.
  public var accepts: String
  public var summary: String
  /// The paper's own value; may be empty.
  public var paper: String
}
