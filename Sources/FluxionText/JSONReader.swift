/// A strict reader of RFC 8259.
///
/// Why not Foundation's: files come from strangers, and an error shall name the place. Names that come twice and deep nesting, which
/// would exhaust the stack, are errors here.
package struct JSONReader {
  private var scanner: ByteScanner
  private var depth = 0

  private static let greatestDepth = 64

  private init(_ bytes: some Sequence<UInt8>) { scanner = ByteScanner(bytes) }

  /// The one value that `bytes` hold.
  package static func read(_ bytes: some Sequence<UInt8>) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes)
    reader.scanner.skipBlanks()
    let value = try reader.value()
    reader.scanner.skipBlanks()
    guard reader.scanner.isAtEnd else { throw reader.failure("nothing should follow the end of the value") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    switch scanner.next {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["): return .list(try elements())
    case UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "t") where scanner.accept(word: "true"): return .truth(true)
    case UInt8(ascii: "f") where scanner.accept(word: "false"): return .truth(false)
    case UInt8(ascii: "n") where scanner.accept(word: "null"): return .null
    default: return .number(try number())
    }
  }

  private mutating func members() throws(JSONError) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    try enter()
    if scanner.accept("}") { return leave(members) }
    repeat {
      scanner.skipBlanks()
      let start = scanner.position
      guard scanner.next == UInt8(ascii: "\"") else { throw failure("a name in quotation marks should stand here") }
      let name = try text()
      guard names.insert(name).inserted else { throw failure("the name \(name.jsonQuoted) comes twice", at: start) }
      guard scanner.accept(":") else { throw failure("\":\" should stand here") }
      scanner.skipBlanks()
      members.append(JSONValue.Member(name: name, value: try value(), offset: start))
    } while scanner.accept(",")
    guard scanner.accept("}") else { throw failure("\",\" or \"}\" should stand here") }
    return leave(members)
  }

  private mutating func elements() throws(JSONError) -> [JSONValue.Element] {
    var elements: [JSONValue.Element] = []
    try enter()
    if scanner.accept("]") { return leave(elements) }
    repeat {
      scanner.skipBlanks()
      let start = scanner.position
      elements.append(JSONValue.Element(value: try value(), offset: start))
    } while scanner.accept(",")
    guard scanner.accept("]") else { throw failure("\",\" or \"]\" should stand here") }
    return leave(elements)
  }

  private mutating func enter() throws(JSONError) {
    depth += 1
    guard depth <= Self.greatestDepth else { throw failure("values are nested more than \(Self.greatestDepth) levels deep") }
    scanner.position += 1
  }

  private mutating func leave<Part>(_ parts: [Part]) -> [Part] {
    depth -= 1
    return parts
  }

  /// -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
  private mutating func number() throws(JSONError) -> String {
    let start = scanner.position
    let written = scanner.take { "+-.0123456789eE".utf8.contains($0) }
    var form = ByteScanner(written.utf8)
    _ = form.accept(word: "-")
    let whole = form.take(while: \.isDigit)
    var isWellFormed = !whole.isEmpty && (whole == "0" || !whole.hasPrefix("0"))
    if form.accept(word: ".") { isWellFormed = isWellFormed && !form.take(while: \.isDigit).isEmpty }
    if form.accept(word: "e") || form.accept(word: "E") {
      if !form.accept(word: "+") { _ = form.accept(word: "-") }
      isWellFormed = isWellFormed && !form.take(while: \.isDigit).isEmpty
    }
    guard isWellFormed, form.isAtEnd else {
      throw failure(written.isEmpty ? "a value should stand here" : "\(written) is not a number", at: start)
    }
    return written
  }

  /// A text with its escapes resolved; must be UTF-8.
  private mutating func text() throws(JSONError) -> String {
    scanner.position += 1
    let start = scanner.position
    var content: [UInt8] = []
    while let byte = scanner.next {
      scanner.position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw failure("the text that begins here is not UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"): content.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw failure("a text cannot hold control characters")
      default: content.append(byte)
      }
    }
    throw failure("the text that begins here has no closing quotation mark", at: start)
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    let letter = scanner.next
    scanner.position += 1
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
    if (0xD800..<0xDC00).contains(code), scanner.accept(word: "\\u") {
      let low = try fourDigits()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("this is half of a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("this is half of a surrogate pair") }
    return scalar
  }

  private mutating func fourDigits() throws(JSONError) -> UInt32 {
    let digits = scanner.rest.prefix(4)
    guard digits.count == 4, digits.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits should stand here") }
    scanner.position += 4
    return code
  }

  private func failure(_ problem: String, at place: Int? = nil) -> JSONError {
    JSONError(offset: min(place ?? scanner.position, scanner.bytes.count), problem: problem)
  }
}
