import Foundation

/// Walks over the cells of a delimited text, byte by byte.
///
/// > Y. Shafranovich. "Common format and MIME type for comma-separated values (CSV) files." RFC 4180, 2005.
///
/// Beyond the RFC: lines may end in LF, CR LF or CR; blanks around a cell that is not quoted do not belong to it;
/// blank lines are skipped.
struct CellScanner {
  /// What follows a cell.
  enum End { case delimiter, line, file }

  /// A cell as it stands in the text.
  struct Cell {
    /// The content, without the quotation marks around it.
    var range: Range<Int>
    /// Whether the content holds doubled quotation marks.
    var isEscaped = false
    var end: End
  }

  /// What breaks the rules of quoting.
  enum Failure: Error {
    /// A quoted cell has no closing quotation mark.
    case open
    /// Text follows a closing quotation mark.
    case trailing
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private let delimiter: UInt8
  private let hasRuns: Bool
  private let numbers: DecimalScanner
  private(set) var position: Int
  /// The number of the line at `position`, as an editor counts, from 1.
  private(set) var line = 1

  init(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, delimiter: TableDelimiter, numbers: DecimalScanner) {
    self.bytes = bytes
    self.delimiter = delimiter.byte
    hasRuns = delimiter == .blanks
    self.numbers = numbers
    position = start
  }

  /// Moves to the next line that is not blank; false at the end of the text.
  mutating func startRow() -> Bool {
    while position < bytes.count {
      skipBlanks()
      if hasRuns, position < bytes.count, bytes[position] == UInt8(ascii: "#") {
        while position < bytes.count, !isLineEnd(bytes[position]) { position += 1 }
      }
      guard position < bytes.count, isLineEnd(bytes[position]) else { break }
      skipLineEnd()
    }
    return position < bytes.count
  }

  /// The number in the next cell and what follows it, or nil (and no move) when the cell is anything else.
  @inline(__always)
  mutating func number() -> (value: Double, end: End)? {
    var at = position
    while at < bytes.count, bytes[at] == 0x20 { at += 1 }
    guard let value = numbers.scan(bytes, &at) else { return nil }
    if at < bytes.count, bytes[at] == delimiter, !hasRuns {
      position = at + 1
      return (value, .delimiter)
    }
    let start = position
    position = at
    guard let end = finishCell() else {
      position = start
      return nil
    }
    return (value, end)
  }

  /// The number that fills all of `range`, or nil.
  func number(in range: Range<Int>) -> Double? {
    let part = UnsafeBufferPointer(rebasing: bytes[range])
    var at = 0
    guard let value = numbers.scan(part, &at), at == part.count else { return nil }
    return value
  }

  /// The next cell, whatever it holds.
  mutating func cell() throws(Failure) -> Cell {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return plainCell() }
    position += 1
    var cell = Cell(range: position..<position, end: .file)
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        if position + 1 < bytes.count, bytes[position + 1] == byte {
          cell.isEscaped = true
          position += 2
          continue
        }
        cell.range = cell.range.lowerBound..<position
        position += 1
        guard let end = finishCell() else { throw .trailing }
        cell.end = end
        return cell
      }
      if isLineEnd(byte) { skipLineEnd() } else { position += 1 }
    }
    throw .open
  }

  private mutating func plainCell() -> Cell {
    let start = position
    while position < bytes.count, !isLineEnd(bytes[position]), !isDelimiter(bytes[position]) { position += 1 }
    var last = position
    while last > start, bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 { last -= 1 }
    return Cell(range: start..<last, end: finishCell() ?? .file)
  }

  /// Moves past blanks and what ends a cell; nil when something else stands there.
  private mutating func finishCell() -> End? {
    let start = position
    skipBlanks()
    guard position < bytes.count else { return .file }
    let byte = bytes[position]
    if isLineEnd(byte) {
      skipLineEnd()
      return position < bytes.count ? .line : .file
    }
    if hasRuns { return position > start ? .delimiter : nil }
    guard byte == delimiter else { return nil }
    position += 1
    return .delimiter
  }

  private mutating func skipBlanks() {
    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09,
      hasRuns || bytes[position] != delimiter
    {
      position += 1
    }
  }

  private mutating func skipLineEnd() {
    if bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A { position += 1 }
    position += 1
    line += 1
  }

  private func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  private func isDelimiter(_ byte: UInt8) -> Bool { byte == delimiter || hasRuns && byte == 0x09 }
}
