/// The hyper-parameters of a system: a plain struct whose properties have the card's values as defaults, and a list that documents
/// them.
///
///     public struct RectifiedFlowConfiguration: SystemConfiguration {
///       public var rounds = 3
///       public var learningRate = 2e-3
///       public var interpolation = InterpolationKind.straight          // enum …: String, CaseIterable, SettingValue
///       public var source: String?
///       public init() {}
///
///       public static let settings: [Setting<Self>] = [
///         Setting("rounds", \.rounds, .range(1...10), "Rectifications in a row.", paper: "1–3"),
///         Setting("learningRate", \.learningRate, .above(0), "Adam's step size.", paper: "2e-4"),
///         Setting("interpolation", \.interpolation, "The path between the pair."),
///         Setting(file: "source", \.source, "Points of the source domain, for transfer."),
///       ]
///     }
///
/// The list is what `show` prints, what `--set` and `--config` are checked against, and what reports name. ``settingsProblems()``
/// tells when it and the stored properties have come apart.
public protocol SystemConfiguration: Codable, Equatable, Sendable {
  /// The card's defaults.
  init()

  /// Every stored property, in the order in which a reader should meet them; names are those of the properties.
  static var settings: [Setting<Self>] { get }
}

/// One hyper-parameter: its name, its place in the configuration, the values it may have, and what it does.
public struct Setting<Configuration>: Sendable {
  /// The name on the command line and in files, equal to the property's.
  public let name: String
  /// What it does, in a sentence.
  public let summary: String
  /// The paper's own value or the place where it is given; empty when the paper has none.
  public let paper: String
  /// What is accepted, in words: "whole number from 1 to 10".
  public let accepts: String
  /// What the value is used for beyond itself.
  public let role: SettingRole

  let read: @Sendable (Configuration) -> String
  let isAccepted: @Sendable (Configuration) -> Bool
  /// False when the text is no value of the property's type; the value's domain is checked by `isAccepted`.
  let write: @Sendable (inout Configuration, String) -> Bool

  /// - Parameters:
  ///   - name: The property's name.
  ///   - path: The property.
  ///   - domain: The values it may have.
  ///   - summary: What it does, in a sentence.
  ///   - paper: The paper's own value, or the place where it is given.
  public init<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, _ domain: SettingDomain<Value>, _ summary: String,
    paper: String = ""
  ) {
    self.init(name, path, domain, summary, paper, .value)
  }

  /// A hyper-parameter that may have every value of its type.
  public init<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, _ summary: String, paper: String = ""
  ) {
    self.init(name, path, .any, summary, paper, .value)
  }

  /// A further input: the path of a file of points, loaded like `--data` and handed to the run in ``RunInputs/files``.
  public init(
    file name: String, _ path: any WritableKeyPath<Configuration, String?> & Sendable, _ summary: String, paper: String = ""
  ) {
    self.init(name, path, .any, summary, paper, .file)
  }

  /// The name of the column of `--data` that holds the labels.
  public init(
    label name: String, _ path: any WritableKeyPath<Configuration, String?> & Sendable, _ summary: String, paper: String = ""
  ) {
    self.init(name, path, .any, summary, paper, .label)
  }

  private init<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, _ domain: SettingDomain<Value>, _ summary: String,
    _ paper: String, _ role: SettingRole
  ) {
    self.name = name
    self.summary = summary
    self.paper = paper
    self.role = role
    let kind =
      switch role {
      case .value: Value.kind
      case .file: "path of a file of points, or none"
      case .label: "name of a column, or none"
      }
    accepts = domain.words.isEmpty ? kind : kind + " " + domain.words
    read = { $0[keyPath: path].settingText }
    isAccepted = { domain.contains($0[keyPath: path]) && $0[keyPath: path].isSound }
    write = { configuration, text in
      guard let value = Value(settingText: text) else { return false }
      configuration[keyPath: path] = value
      return true
    }
  }
}

/// What a setting's value is used for beyond itself.
public enum SettingRole: Hashable, Sendable {
  case value
  /// The path of a file of points.
  case file
  /// The name of the label column of `--data`.
  case label
}

/// The values a setting may have, with the words that say so.
public struct SettingDomain<Value>: Sendable {
  let words: String
  let contains: @Sendable (Value) -> Bool

  /// Values for which `contains` is true; `words` continue the kind of value, such as "from 1 to 10".
  public init(_ words: String, contains: @escaping @Sendable (Value) -> Bool) {
    self.words = words
    self.contains = contains
  }

  /// All values of the type.
  public static var any: SettingDomain { SettingDomain("") { _ in true } }
}

extension SettingDomain where Value: Comparable & SettingValue {
  public static func range(_ range: ClosedRange<Value>) -> SettingDomain {
    SettingDomain("from \(range.lowerBound.settingText) to \(range.upperBound.settingText)") { range.contains($0) }
  }
  public static func atLeast(_ least: Value) -> SettingDomain {
    SettingDomain("of at least \(least.settingText)") { $0 >= least }
  }
  public static func above(_ bound: Value) -> SettingDomain {
    SettingDomain("above \(bound.settingText)") { $0 > bound }
  }
  /// From `low` up to, but without, `high`.
  public static func between(_ low: Value, below high: Value) -> SettingDomain {
    SettingDomain("from \(low.settingText), below \(high.settingText)") { $0 >= low && $0 < high }
  }
  public static func oneOf(_ values: [Value]) -> SettingDomain {
    SettingDomain("among \(values.map(\.settingText).joined(separator: ", "))") { values.contains($0) }
  }
}

extension SettingDomain {
  /// Every element of a list in `domain`.
  public static func each<Element>(_ domain: SettingDomain<Element>) -> SettingDomain where Value == [Element] {
    SettingDomain("each \(domain.words)") { $0.allSatisfy(domain.contains) }
  }
  /// None, or a value in `domain`.
  public static func optional<Wrapped>(_ domain: SettingDomain<Wrapped>) -> SettingDomain where Value == Wrapped? {
    SettingDomain(domain.words) { $0.map(domain.contains) ?? true }
  }
}
