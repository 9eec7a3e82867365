import Foundation

/// A value in the header of a file: only what such headers contain.
enum JSONValue: Hashable {
  case text(String)
  case wholeNumber(Int)
  case list([JSONValue])
  /// Members in the order of the file; the names are distinct.
  case object([Member])

  struct Member: Hashable {
    var name: String
    var value: JSONValue
    /// Where the name begins in the file, in bytes.
    var offset: Int
  }
}

/// Reads the JSON of file headers (RFC 8259): objects, lists, texts and whole numbers from 0.
///
/// Stricter than a general reader, on purpose: names that come twice, other values and deep nesting are errors, each
/// with its place in the file.
struct JSONReader {
  private let bytes: [UInt8]
  private let file: String
  private let offset: Int
  private var position = 0

  private static let greatestDepth = 8

  /// - Parameter offset: Where the text begins in the file, in bytes.
  init(_ text: Data, file: String, offset: Int) {
    bytes = Array(text)
    self.file = file
    self.offset = offset
  }

  /// The whole text as one object, followed by nothing but blanks.
  mutating func object() throws(DataError) -> [JSONValue.Member] {
    let members = try self.members(depth: 0)
    skipBlanks()
    guard position == bytes.count else { throw failure("nothing should follow the closing \"}\"") }
    return members
  }

  private mutating func value(depth: Int) throws(DataError) -> JSONValue {
    guard depth < Self.greatestDepth else { throw failure("values are nested too deeply") }
    skipBlanks()
    switch position < bytes.count ? bytes[position] : 0 {
    case UInt8(ascii: "{"): return .object(try members(depth: depth))
    case UInt8(ascii: "["): return .list(try list(depth: depth))
    case UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return .wholeNumber(try wholeNumber())
    default: throw failure("a text, a whole number from 0, a list or an object should stand here")
    }
  }

  private mutating func members(depth: Int) throws(DataError) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    try expect("{")
    if accept("}") { return members }
    repeat {
      skipBlanks()
      let start = position
      let name = try text()
      guard names.insert(name).inserted else {
        position = start
        throw failure("the name \(quoted(name)) comes twice")
      }
      try expect(":")
      members.append(.init(name: name, value: try value(depth: depth + 1), offset: offset + start))
    } while accept(",")
    try expect("}")
    return members
  }

  private mutating func list(depth: Int) throws(DataError) -> [JSONValue] {
    var values: [JSONValue] = []
    try expect("[")
    if accept("]") { return values }
    repeat { values.append(try value(depth: depth + 1)) } while accept(",")
    try expect("]")
    return values
  }

  private mutating func wholeNumber() throws(DataError) -> Int {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    let isPlain = position == bytes.count || ![0x2E, 0x45, 0x65].contains(bytes[position])  // . E e
    guard isPlain, digits == "0" || !digits.hasPrefix("0"), let number = Int(digits) else {
      position = start
      throw failure("a whole number from 0 to 9223372036854775807 should stand here")
    }
    return number
  }

  /// A text with its escapes resolved; must be UTF-8.
  private mutating func text() throws(DataError) -> String {
    try expect("\"")
    let start = position
    var content: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          position = start
          throw failure("the text that begins here is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): content.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw failure("a text cannot hold control characters")
      default: content.append(byte)
      }
    }
    position = start
    throw failure("the text that begins here has no closing quotation mark")
  }

  private mutating func escape() throws(DataError) -> Unicode.Scalar {
    let letter = position < bytes.count ? bytes[position] : 0
    position += 1
    switch letter {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw failure("this escape does not exist")
    }
    var code = try fourDigits()
    if (0xD800..<0xDC00).contains(code), bytes[min(position, bytes.count)...].starts(with: "\\u".utf8) {
      position += 2
      let low = try fourDigits()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("this is half of a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("this is half of a surrogate pair") }
    return scalar
  }

  private mutating func fourDigits() throws(DataError) -> UInt32 {
    let digits = bytes[min(position, bytes.count)...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits should stand here") }
    position += 4
    return code
  }

  private mutating func accept(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ mark: Unicode.Scalar) throws(DataError) {
    guard accept(mark) else { throw failure("\(quoted(String(mark))) should stand here") }
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private func failure(_ problem: String) -> DataError {
    DataError(
      .malformed, file: file, at: .byte(offset + min(position, bytes.count)), "in the header, \(problem)",
      remedy: "Write the file again with the program that made it")
  }
}

/// `text` as a JSON string, with the escapes of RFC 8259 and nothing else escaped.
func jsonText(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\u{8}": result += "\\b"
    case "\u{C}": result += "\\f"
    case "\0"..."\u{1F}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
