/// A JSON value with the lines its parts stand on, for error messages.
indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([(value: JSONValue, line: Int)])
  case object([(key: String, value: JSONValue, line: Int)])
}

/// A strict reader of RFC 8259 that says in which line a record is broken.
struct JSONReader {
  private let bytes: [UInt8]
  private let file: String
  private var index = 0
  private var line = 1
  /// Arrays and objects within each other; records need two levels, a hostile file must not exhaust the stack.
  private var depth = 0

  static func read(_ text: String, file: String = "metrics.json") throws(RunRecordError) -> JSONValue {
    var reader = JSONReader(bytes: Array(text.utf8), file: file)
    let value = try reader.value()
    reader.skipSpace()
    if reader.index < reader.bytes.count { throw reader.error("text after the end of the value") }
    return value
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  private mutating func value() throws(RunRecordError) -> JSONValue {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["): return .array(try elements())
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("the text ends where a value should be")
    default: return .number(try number())
    }
  }

  private mutating func members() throws(RunRecordError) -> [(key: String, value: JSONValue, line: Int)] {
    var result: [(key: String, value: JSONValue, line: Int)] = []
    try open()
    if close("}") { return result }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw error("expected a key in quotes") }
      let start = line
      let key = try string()
      skipSpace()
      guard take(":") else { throw error("expected : after the key \(key.jsonQuoted)") }
      result.append((key, try value(), start))
      skipSpace()
    } while take(",")
    guard close("}") else { throw error("expected , or } after a value") }
    return result
  }

  private mutating func elements() throws(RunRecordError) -> [(value: JSONValue, line: Int)] {
    var result: [(value: JSONValue, line: Int)] = []
    try open()
    if close("]") { return result }
    repeat {
      skipSpace()
      let start = line
      result.append((try value(), start))
      skipSpace()
    } while take(",")
    guard close("]") else { throw error("expected , or ] after a value") }
    return result
  }

  private mutating func string() throws(RunRecordError) -> String {
    var content: [UInt8] = []
    index += 1
    while let byte = peek {
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        content += Array(String(try escape()).utf8)
      case 0..<0x20:
        throw error("a control character in a string must be escaped")
      default:
        content.append(byte)
      }
    }
    throw error("a string is not closed")
  }

  private mutating func escape() throws(RunRecordError) -> Unicode.Scalar {
    guard let byte = peek else { throw error("a string is not closed") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      // The first half of a pair outside the basic plane; anything unpaired becomes the replacement character.
      guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else { return "\u{FFFD}" }
      let second = try hexadecimal()
      guard (0xDC00..<0xE000).contains(second) else { return "\u{FFFD}" }
      return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    default: throw error("unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws(RunRecordError) -> UInt32 {
    let digits = bytes[index..<Swift.min(index + 4, bytes.count)]
    let text = String(decoding: digits, as: UTF8.self)
    guard digits.count == 4, text.allSatisfy(\.isHexDigit), let value = UInt32(text, radix: 16) else {
      throw error("\\u needs four hexadecimal digits")
    }
    index += 4
    return value
  }

  private mutating func number() throws(RunRecordError) -> Double {
    let start = index
    while let byte = peek, "+-.0123456789eE".utf8.contains(byte) { index += 1 }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    let digits = text.drop { $0 == "-" }
    let isWellFormed =
      digits.first?.isNumber == true && !(digits.hasPrefix("0") && digits.dropFirst().first?.isNumber == true)
    guard isWellFormed, text.last?.isNumber == true, !text.contains(".e"), !text.contains(".E"),
      let value = Double(text)
    else { throw error(text.isEmpty ? "unexpected character" : "\(text) is not a number") }
    return value
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(RunRecordError) -> JSONValue {
    guard bytes[index...].starts(with: word.utf8) else { throw error("expected \(word)") }
    index += word.utf8.count
    return value
  }

  private mutating func open() throws(RunRecordError) {
    index += 1
    depth += 1
    if depth > 64 { throw error("nested more than 64 levels deep") }
  }

  private mutating func close(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard take(character) else { return false }
    depth -= 1
    return true
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      if byte == 0x0A { line += 1 }
      index += 1
    }
  }

  private var peek: UInt8? {
    index < bytes.count ? bytes[index] : nil
  }

  private func error(_ problem: String) -> RunRecordError {
    RunRecordError(file: file, line: line, problem: problem)
  }
}
