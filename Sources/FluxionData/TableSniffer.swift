import Foundation

/// Tells the delimiter of a text from its first rows, and whether the first row is a header.
struct TableSniffer {
  let bytes: UnsafeBufferPointer<UInt8>
  /// Where the text begins, after a byte order mark.
  let start: Int
  let numbers: DecimalScanner

  private static let rowsExamined = 20

  /// The delimiter that splits the first rows into equally many cells, at least two.
  ///
  /// When several do, tab goes before semicolon, bar and comma, since commas are also found inside text and foreign
  /// numbers; when none does, a delimiter of the first row is taken, so that a ragged row is reported as such; blanks
  /// are taken only when nothing else is there. A text without any delimiter is one column.
  func delimiter() -> TableDelimiter {
    let order: [TableDelimiter] = [.tab, .semicolon, .bar, .comma, .blanks]
    let widths = order.map(widths)
    for (delimiter, widths) in zip(order, widths) {
      if let first = widths.first, first > 1, widths.allSatisfy({ $0 == first }) { return delimiter }
    }
    let ragged = zip(order, widths).filter { $0.0 != .blanks && ($0.1.first ?? 0) > 1 }
    return ragged.max { ($0.1.first ?? 0) < ($1.1.first ?? 0) }?.0 ?? .comma
  }

  /// The number of cells in each of the first rows; stops at broken quoting.
  private func widths(_ delimiter: TableDelimiter) -> [Int] {
    var scanner = CellScanner(bytes, from: start, delimiter: delimiter, numbers: numbers)
    var widths: [Int] = []
    while widths.count < Self.rowsExamined, scanner.startRow() {
      var width = 0
      while true {
        guard let cell = try? scanner.cell() else { return widths }
        width += 1
        guard cell.end == .delimiter else { break }
      }
      widths.append(width)
    }
    return widths
  }

  /// Whether the first row holds names: not one number among its cells, and at least one word.
  func hasHeader(_ delimiter: TableDelimiter) -> Bool {
    var scanner = CellScanner(bytes, from: start, delimiter: delimiter, numbers: numbers)
    guard scanner.startRow() else { return false }
    var hasWord = false
    while let cell = try? scanner.cell() {
      if scanner.number(in: cell.range) != nil { return false }
      if MissingCell.value(of: bytes[cell.range]) == nil { hasWord = true }
      guard cell.end == .delimiter else { break }
    }
    return hasWord
  }
}

/// Cells that stand for a number which is not there or not finite.
enum MissingCell {
  /// `nan` for a missing number, ±∞ where that is written; nil for any other cell. Case does not matter.
  static func value(of cell: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
    guard cell.count <= 9 else { return nil }
    switch String(decoding: cell, as: UTF8.self).lowercased() {
    case "", "na", "n/a", "#n/a", "nan", "+nan", "-nan", "null", "none", "?", "-": return .nan
    case "inf", "+inf", "infinity", "+infinity", "∞": return .infinity
    case "-inf", "-infinity", "-∞": return -.infinity
    default: return nil
    }
  }
}
