import Foundation

/// A place in the bytes of a file that moves forward as numbers are read, and never past the end.
struct ByteCursor {
  let bytes: Data
  let file: String
  /// The offset of the next byte from the start of `bytes`, from 0.
  private(set) var offset = 0

  init(_ bytes: Data, file: String) {
    self.bytes = bytes
    self.file = file
  }

  var remaining: Int { bytes.count - offset }

  /// Moves to `offset`, which may come from the file itself; `what` names the thing expected there.
  mutating func move(to offset: Int, expecting what: String) throws(DataError) {
    guard offset >= 0, offset <= bytes.count else {
      throw DataError(
        .truncated, file: file, at: .byte(self.offset),
        "\(what) should be at byte \(offset), but the file has \(counted(bytes.count, "byte"))", remedy: copyAgain)
    }
    self.offset = offset
  }

  /// The next `count` bytes, not copied.
  mutating func take(_ count: Int, _ what: String) throws(DataError) -> Data {
    guard count >= 0, count <= remaining else {
      throw DataError(
        .truncated, file: file, at: .byte(offset),
        "\(what) needs \(counted(count, "byte")), but the file has \(remaining) left", remedy: copyAgain)
    }
    let start = bytes.startIndex + offset
    offset += count
    return bytes[start..<start + count]
  }

  mutating func littleEndian<Word: FixedWidthInteger>(_: Word.Type, _ what: String) throws(DataError) -> Word {
    Word(littleEndian: try word(what))
  }

  mutating func bigEndian<Word: FixedWidthInteger>(_: Word.Type, _ what: String) throws(DataError) -> Word {
    Word(bigEndian: try word(what))
  }

  private mutating func word<Word: FixedWidthInteger>(_ what: String) throws(DataError) -> Word {
    let field = try take(MemoryLayout<Word>.size, what)
    return field.withUnsafeBytes { $0.loadUnaligned(as: Word.self) }
  }
}

/// The remedy for every truncated file.
let copyAgain = "The file is cut short or damaged; copy or download it again"

extension Data {
  /// Appends `word` in little-endian order.
  mutating func append(littleEndian word: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends `word` in big-endian order.
  mutating func append(bigEndian word: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: word.bigEndian) { append(contentsOf: $0) }
  }

  /// A copy with the bytes of each word of `size` bytes reversed.
  func swappingBytes(ofWords size: Int) -> Data {
    guard size > 1 else { return self }
    var result = [UInt8](self)
    var start = 0
    while start + size <= result.count {
      result[start..<start + size].reverse()
      start += size
    }
    return Data(result)
  }

  /// Calls `body` with the bytes; the failure of `body` keeps its type.
  func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Result<Value, DataError>) throws(DataError) -> Value {
    try withUnsafeBytes(body).get()
  }
}
