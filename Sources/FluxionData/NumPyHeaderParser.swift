import Foundation

/// Reads the Python dictionary in the header of an `.npy` file: strings, `True`, `False` and tuples of whole numbers.
struct NumPyHeaderParser {
  private let bytes: [UInt8]
  private let file: String
  private let offset: Int
  private var position = 0

  /// - Parameter offset: Where the dictionary begins in the file, in bytes.
  init(_ text: Data, file: String, offset: Int) {
    bytes = Array(text)
    self.file = file
    self.offset = offset
  }

  /// The three entries, each exactly once, in any order.
  mutating func dictionary() throws(DataError) -> (type: String, isFortranOrder: Bool, shape: [Int]) {
    var type: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !accept("}") {
      skipBlanks()
      let start = position
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where type == nil: type = try elementType()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try truth()
      case "shape" where shape == nil: shape = try tuple()
      default:
        position = start
        throw failure("the key \(quoted(key)) is unknown or comes twice")
      }
      if !accept(",") {
        try expect("}")
        break
      }
    }
    skipBlanks()
    guard position == bytes.count else { throw failure("the header should end here") }
    guard let type, let isFortranOrder, let shape else {
      throw failure("the header needs the keys descr, fortran_order and shape")
    }
    return (type, isFortranOrder, shape)
  }

  private mutating func elementType() throws(DataError) -> String {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "[") else { return try string() }
    throw DataError(
      .unsupported, file: file, at: .byte(offset + position),
      "the elements are structured (\(quoted(fieldNames()))); only arrays of one number per element are read",
      remedy: "Save each field as an array of its own")
  }

  /// The first string of each pair in a structured type, to name the fields in the error.
  private func fieldNames() -> String {
    let text = String(decoding: bytes[position...], as: UTF8.self)
    let names = text.split(separator: "(").dropFirst().compactMap { $0.split(separator: "'").first }
    return names.filter { !$0.isEmpty && !$0.contains(")") }.prefix(4).joined(separator: ", ")
  }

  private mutating func truth() throws(DataError) -> Bool {
    skipBlanks()
    for (word, value) in [("True", true), ("False", false)] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("True or False should stand here")
  }

  private mutating func tuple() throws(DataError) -> [Int] {
    var lengths: [Int] = []
    try expect("(")
    while !accept(")") {
      guard lengths.count < 32 else { throw failure("the array has more than 32 axes") }
      lengths.append(try wholeNumber())
      if !accept(",") {
        try expect(")")
        break
      }
    }
    return lengths
  }

  private mutating func wholeNumber() throws(DataError) -> Int {
    skipBlanks()
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw failure("the length of an axis should stand here, a whole number from 0")
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }  // written by Python 2
    return value
  }

  private mutating func string() throws(DataError) -> String {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "'") || bytes[position] == UInt8(ascii: "\"") else {
      throw failure("a text in quotation marks should stand here")
    }
    let quote = bytes[position]
    guard let end = bytes[(position + 1)...].firstIndex(of: quote) else {
      throw failure("the text that begins here has no closing quotation mark")
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position + 1..<end], as: UTF8.self)
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
      .malformed, file: file, at: .byte(offset + position), "in the npy header, \(problem)",
      remedy: "Save the array again with numpy.save")
  }
}
