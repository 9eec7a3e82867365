import FluxionText
import Foundation

/// Reads the Python dictionary in the header of an `.npy` file: strings, `True`, `False` and tuples of whole numbers.
struct NumPyHeaderParser {
  private var scanner: ByteScanner
  private let file: String
  private let offset: Int

  /// - Parameter offset: Where the dictionary begins in the file, in bytes.
  init(_ text: Data, file: String, offset: Int) {
    scanner = ByteScanner(text)
    self.file = file
    self.offset = offset
  }

  /// The three entries, each exactly once, in any order.
  mutating func dictionary() throws(DataError) -> (type: String, isFortranOrder: Bool, shape: [Int]) {
    var type: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !scanner.accept("}") {
      scanner.skipBlanks()
      let start = scanner.position
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where type == nil: type = try elementType()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try truth()
      case "shape" where shape == nil: shape = try tuple()
      default:
        scanner.position = start
        throw failure("the key \(quoted(key)) is unknown or comes twice")
      }
      if !scanner.accept(",") {
        try expect("}")
        break
      }
    }
    scanner.skipBlanks()
    guard scanner.isAtEnd else { throw failure("the header should end here") }
    guard let type, let isFortranOrder, let shape else {
      throw failure("the header needs the keys descr, fortran_order and shape")
    }
    return (type, isFortranOrder, shape)
  }

  private mutating func elementType() throws(DataError) -> String {
    scanner.skipBlanks()
    guard scanner.next == UInt8(ascii: "[") else { return try string() }
    throw DataError(
      .unsupported, file: file, at: .byte(offset + scanner.position),
      "the elements are structured (\(quoted(fieldNames()))); only arrays of one number per element are read",
      remedy: "Save each field as an array of its own")
  }

  /// The first string of each pair in a structured type, to name the fields in the error.
  private func fieldNames() -> String {
    let text = String(decoding: scanner.rest, as: UTF8.self)
    let names = text.split(separator: "(").dropFirst().compactMap { $0.split(separator: "'").first }
    return names.filter { !$0.isEmpty && !$0.contains(")") }.prefix(4).joined(separator: ", ")
  }

  private mutating func truth() throws(DataError) -> Bool {
    scanner.skipBlanks()
    if scanner.accept(word: "True") { return true }
    if scanner.accept(word: "False") { return false }
    throw failure("True or False should stand here")
  }

  private mutating func tuple() throws(DataError) -> [Int] {
    var lengths: [Int] = []
    try expect("(")
    while !scanner.accept(")") {
      guard lengths.count < 32 else { throw failure("the array has more than 32 axes") }
      lengths.append(try wholeNumber())
      if !scanner.accept(",") {
        try expect(")")
        break
      }
    }
    return lengths
  }

  private mutating func wholeNumber() throws(DataError) -> Int {
    scanner.skipBlanks()
    guard let value = Int(scanner.take(while: \.isDigit)) else {
      throw failure("the length of an axis should stand here, a whole number from 0")
    }
    _ = scanner.accept(word: "L")  // written by Python 2
    return value
  }

  private mutating func string() throws(DataError) -> String {
    scanner.skipBlanks()
    guard let quote = scanner.next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw failure("a text in quotation marks should stand here")
    }
    guard let end = scanner.rest.dropFirst().firstIndex(of: quote) else {
      throw failure("the text that begins here has no closing quotation mark")
    }
    defer { scanner.position = end + 1 }
    return String(decoding: scanner.bytes[scanner.position + 1..<end], as: UTF8.self)
  }

  private mutating func expect(_ mark: Unicode.Scalar) throws(DataError) {
    guard scanner.accept(mark) else { throw failure("\(quoted(String(mark))) should stand here") }
  }

  private func failure(_ problem: String) -> DataError {
    DataError(
      .malformed, file: file, at: .byte(offset + scanner.position), "in the npy header, \(problem)",
      remedy: "Save the array again with numpy.save")
  }
}
