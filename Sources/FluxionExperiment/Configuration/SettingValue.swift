/// A type of hyper-parameters: it can be written on a command line and read back without loss.
///
/// An enumeration of names conforms by saying so: `enum Path: String, CaseIterable, SettingValue { … }`.
public protocol SettingValue: Codable, Equatable, Sendable {
  /// The value a text stands for, or nil.
  init?(settingText: String)
  var settingText: String { get }
  /// What a reader should write, such as "whole number".
  static var kind: String { get }
  /// Whether the value can be used at all; numbers must be finite.
  var isSound: Bool { get }
}

extension SettingValue {
  public var isSound: Bool { true }
}

extension SettingValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  public init?(settingText: String) { self.init(rawValue: settingText) }
  public var settingText: String { rawValue }
  public static var kind: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
}

extension Int: SettingValue {
  /// Whole numbers may be grouped as in Swift (`20_000`) or written with an exponent (`2e4`).
  public init?(settingText: String) {
    let plain = settingText.filter { $0 != "_" }
    if let value = Int(plain) {
      self = value
    } else if let real = Double(plain), let value = Int(exactly: real) {
      self = value
    } else {
      return nil
    }
  }
  public var settingText: String { String(self) }
  public static var kind: String { "whole number" }
}

extension Double: SettingValue {
  public init?(settingText: String) {
    guard let value = Double(settingText.filter { $0 != "_" }) else { return nil }
    self = value
  }
  public var settingText: String {
    let text = description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
  public static var kind: String { "number" }
  public var isSound: Bool { isFinite }
}

extension Bool: SettingValue {
  public init?(settingText: String) {
    switch settingText.lowercased() {
    case "true", "yes", "on", "1": self = true
    case "false", "no", "off", "0": self = false
    default: return nil
    }
  }
  public var settingText: String { self ? "true" : "false" }
  public static var kind: String { "true or false" }
}

extension String: SettingValue {
  public init?(settingText: String) { self = settingText }
  public var settingText: String { self }
  public static var kind: String { "text" }
}

extension Array: SettingValue where Element: SettingValue {
  /// Elements are separated by commas; an empty text is the empty list.
  public init?(settingText: String) {
    self = []
    if settingText.isEmpty { return }
    for part in settingText.split(separator: ",", omittingEmptySubsequences: false) {
      guard let element = Element(settingText: part.trimmingBlanks) else { return nil }
      append(element)
    }
  }
  public var settingText: String { map(\.settingText).joined(separator: ",") }
  public static var kind: String { "list, separated by commas, of \(Element.kind)" }
  public var isSound: Bool { allSatisfy(\.isSound) }
}

extension Optional: SettingValue where Wrapped: SettingValue {
  /// `none` stands for no value.
  public init?(settingText: String) {
    if settingText == "none" {
      self = nil
      return
    }
    guard let value = Wrapped(settingText: settingText) else { return nil }
    self = value
  }
  public var settingText: String { self?.settingText ?? "none" }
  public static var kind: String { "\(Wrapped.kind), or none" }
  public var isSound: Bool { self?.isSound ?? true }
}

extension Substring {
  var trimmingBlanks: String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
