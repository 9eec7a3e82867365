import Foundation

/// Settings read from a JSON file: an object of names and values, or the `config.json` of an earlier run, whose seed, data and
/// system are then read as well.
public struct ConfigurationFile: Sendable {
  public let path: String
  /// The system the file was written for, when it says so.
  public let system: String?
  public let seed: Int?
  public let data: String?
  public let missing: String?
  public let device: String?
  /// Names and values as text, in the order of names.
  public let settings: [(name: String, text: String)]

  public init(_ path: String) throws(InputError) {
    let handle = open(path, O_RDONLY)
    guard handle >= 0 else { throw InputError("\(path): the file cannot be read: \(String(cString: strerror(errno))).") }
    close(handle)
    guard let content = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      throw InputError("\(path): the file cannot be read. A JSON file of settings is expected, not a folder.")
    }
    try self.init(content, path: path)
  }

  init(_ content: Data, path: String) throws(InputError) {
    let whole: [String: JSONPart]
    do {
      whole = try JSONDecoder().decode([String: JSONPart].self, from: content)
    } catch DecodingError.dataCorrupted {
      throw InputError("\(path)\(Self.place(of: content)): this is not JSON. Correct it, or pass settings with --set.")
    } catch {
      throw InputError("\(path): an object of settings is expected, such as {\"rounds\": 2}.")
    }
    self.path = path
    var chosen = whole
    if case .object(let inner)? = whole["configuration"] {
      chosen = inner
      system = whole["system"]?.text
      seed = whole["seed"]?.text.flatMap(Int.init)
      data = whole["data"]?.text
      missing = whole["missing"]?.text
      device = whole["device"]?.text
    } else {
      (system, seed, data, missing, device) = (nil, nil, nil, nil, nil)
    }
    var settings: [(name: String, text: String)] = []
    for (name, part) in chosen.sorted(by: { $0.key < $1.key }) {
      guard let text = part.settingText else {
        throw InputError("\(path), \"\(name)\": a number, text, true, false, null or a list of these is expected, not an object.")
      }
      settings.append((name, text))
    }
    self.settings = settings
  }

  /// ", line 3" for the place where the text stops being JSON, if the parser tells.
  private static func place(of content: Data) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: content)
      return ""
    } catch {
      let words = (error as NSError).userInfo["NSDebugDescription"] as? String ?? ""
      let end = words.contains("end of file") ? content.count : words.split { !$0.isNumber }.last.flatMap { Int($0) }
      guard let end else { return "" }
      return ", line \(content.prefix(end).count { $0 == 0x0A } + 1)"
    }
  }
}

/// A JSON value of any kind.
indirect enum JSONPart: Hashable, Sendable, Codable {
  case null, bool(Bool), integer(Int), number(Double), text(String), list([JSONPart]), object([String: JSONPart])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSONPart].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSONPart].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let parts): try container.encode(parts)
    }
  }

  /// The value as it would be written after `--set name=`; nil for an object.
  var settingText: String? {
    switch self {
    case .null: return "none"
    case .bool(let value): return value.settingText
    case .integer(let value): return value.settingText
    case .number(let value): return value.settingText
    case .text(let value): return value
    case .list(let parts):
      let texts = parts.map(\.settingText)
      return texts.contains(nil) ? nil : texts.compactMap(\.self).joined(separator: ",")
    case .object: return nil
    }
  }

  /// The text or number, as text; nil for anything else.
  var text: String? {
    switch self {
    case .text, .integer: settingText
    default: nil
    }
  }
}
