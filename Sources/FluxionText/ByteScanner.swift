/// A place in a text of bytes, for readers of small formats: takes marks and digits, and passes over blanks.
package struct ByteScanner {
  package let bytes: [UInt8]
  package var position = 0

  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  package var isAtEnd: Bool { position >= bytes.count }
  /// The byte here; nil at the end.
  package var next: UInt8? { position < bytes.count ? bytes[position] : nil }
  /// What has not been read.
  package var rest: ArraySlice<UInt8> { bytes[Swift.min(position, bytes.count)...] }

  /// Passes over blanks, tabs and line ends.
  package mutating func skipBlanks() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  /// Takes `mark`, blanks before it included, if it comes next.
  package mutating func accept(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard next == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  /// Takes `word` if it begins here.
  package mutating func accept(word: String) -> Bool {
    guard rest.starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  /// Takes the bytes that `belongs` holds for; they may be none.
  package mutating func take(while belongs: (UInt8) -> Bool) -> String {
    let start = position
    while let byte = next, belongs(byte) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// The line that a place stands on, from 1.
  package func line(at position: Int) -> Int { 1 + bytes.prefix(position).count { $0 == 0x0A } }
}

extension UInt8 {
  package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
