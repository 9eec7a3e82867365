import Foundation

/// Reads the text of a table in one pass over its bytes; a second pass fetches columns of text, if there are any.
struct TableParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String
  private let options: TableOptions
  private let numbers = DecimalScanner()
  /// Where the text begins, after a byte order mark.
  private var start = 0

  private var delimiter = TableDelimiter.comma
  private var hasHeader = false
  private var names: [String] = []
  private var forcedText: Set<Int> = []

  private var cells: [Double] = []
  private var rowNumbers: [Int] = []
  private var firstMissing: [Int: Table.OddCell] = [:]
  private var textColumns: Set<Int> = []

  init(_ bytes: UnsafeRawBufferPointer, file: String, options: TableOptions) {
    self.bytes = bytes.bindMemory(to: UInt8.self)
    self.file = file
    self.options = options
  }

  mutating func table() throws(DataError) -> Table {
    try checkEncoding()
    let sniffer = TableSniffer(bytes: bytes, start: start, numbers: numbers)
    delimiter = options.delimiter ?? sniffer.delimiter()
    hasHeader = options.hasHeader ?? sniffer.hasHeader(delimiter)

    var scanner = CellScanner(bytes, from: start, delimiter: delimiter, numbers: numbers)
    if hasHeader { try readHeader(&scanner) }
    while scanner.startRow() { try readRow(&scanner) }
    guard !names.isEmpty else {
      throw DataError(.empty, file: file, "the file holds blank lines only", remedy: "Write or copy it again")
    }
    let texts = try readTexts()
    return Table(
      file: file, columnNames: names, hasHeader: hasHeader, rowNumbers: rowNumbers, cells: cells, texts: texts,
      firstMissing: firstMissing)
  }

  /// Skips a UTF-8 mark; refuses UTF-16 and what is no text at all.
  private mutating func checkEncoding() throws(DataError) {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw DataError(
        .unsupported, file: file, at: .byte(0), "the text is UTF-16, not UTF-8", remedy: "Save it as UTF-8")
    }
    if let zero = bytes.prefix(4096).firstIndex(of: 0) {
      throw DataError(
        .malformed, file: file, at: .byte(zero), "there is a zero byte, so this is no text",
        remedy: "Correct the extension")
    }
  }

  // MARK: First pass

  private mutating func readHeader(_ scanner: inout CellScanner) throws(DataError) {
    guard scanner.startRow() else { return }
    let line = scanner.line
    var end = CellScanner.End.delimiter
    while end == .delimiter {
      let cell = try next(&scanner, line: line)
      let name = try text(of: cell, line: line)
      names.append(name.isEmpty ? "\(names.count + 1)" : name)
      end = cell.end
    }
    forcedText = Set(names.indices.filter { options.textColumns.contains(names[$0]) })
  }

  private mutating func readRow(_ scanner: inout CellScanner) throws(DataError) {
    let line = scanner.line
    var column = 0
    var end = CellScanner.End.delimiter
    let expected = names.count  // 0 for the first row of a table without header, which decides
    while end == .delimiter {
      if !forcedText.contains(column), let number = scanner.number() {
        cells.append(number.value)
        end = number.end
        if !number.value.isFinite { noteMissing(column, line, "\(number.value)") }
      } else {
        let cell = try next(&scanner, line: line)
        if column < expected || expected == 0 { cells.append(value(of: cell, column: column, line: line)) }
        end = cell.end
      }
      column += 1
    }
    if expected == 0 {
      names = (1...column).map(String.init)
      forcedText = Set(names.indices.filter { options.textColumns.contains(names[$0]) })
      textColumns.formUnion(forcedText)
    } else if column != expected {
      throw ragged(found: column, expected: expected, line: line)
    }
    rowNumbers.append(line)
    guard cells.count <= StoredArray.maximumCount else {
      throw DataError(
        .tooLarge, file: file, at: .row(line), "the table has more than 2147483648 cells", remedy: "Split the file")
    }
  }

  /// The value of a cell that does not begin like a plain number: missing, quoted, or text.
  private mutating func value(of cell: CellScanner.Cell, column: Int, line: Int) -> Double {
    if forcedText.contains(column) {
      textColumns.insert(column)
      return .nan
    }
    let content = bytes[cell.range]
    if let value = quotedNumber(cell) { return value }
    if let value = MissingCell.value(of: content) {
      noteMissing(column, line, String(decoding: content, as: UTF8.self))
      return value
    }
    textColumns.insert(column)
    return .nan
  }

  private func quotedNumber(_ cell: CellScanner.Cell) -> Double? {
    let scanner = CellScanner(bytes, from: start, delimiter: delimiter, numbers: numbers)
    return scanner.number(in: cell.range)
  }

  private mutating func noteMissing(_ column: Int, _ line: Int, _ text: String) {
    if firstMissing[column] == nil { firstMissing[column] = .init(line: line, text: text) }
  }

  // MARK: Second pass

  private func readTexts() throws(DataError) -> [Int: [String]] {
    guard !textColumns.isEmpty else { return [:] }
    var texts = [[String]](repeating: [], count: names.count)
    var scanner = CellScanner(bytes, from: start, delimiter: delimiter, numbers: numbers)
    var isHeader = hasHeader
    while scanner.startRow() {
      let line = scanner.line
      for column in names.indices {
        let cell = try next(&scanner, line: line)
        if textColumns.contains(column), !isHeader {
          texts[column].append(try text(of: cell, line: line, column: column))
        }
      }
      isHeader = false
    }
    return Dictionary(uniqueKeysWithValues: textColumns.map { ($0, texts[$0]) })
  }

  // MARK: Cells and errors

  private func next(_ scanner: inout CellScanner, line: Int) throws(DataError) -> CellScanner.Cell {
    do throws(CellScanner.Failure) {
      return try scanner.cell()
    } catch {
      let problem =
        switch error {
        case .open: "a quoted cell that begins in this row has no closing quotation mark"
        case .trailing: "text follows the closing quotation mark of a cell"
        }
      throw DataError(
        .malformed, file: file, at: .row(line), problem,
        remedy: "Close the quotation marks; write a quotation mark inside a quoted cell twice")
    }
  }

  private func text(of cell: CellScanner.Cell, line: Int, column: Int? = nil) throws(DataError) -> String {
    guard let text = String(validating: bytes[cell.range], as: UTF8.self) else {
      let name = column.flatMap { hasHeader ? names[$0] : nil }
      throw DataError(
        .malformed, file: file, at: .cell(row: line, column: (column ?? names.count) + 1, name: name),
        "the text is not UTF-8", remedy: "Save the file as UTF-8")
    }
    return cell.isEscaped ? text.replacing("\"\"", with: "\"") : text
  }

  private func ragged(found: Int, expected: Int, line: Int) -> DataError {
    let origin = hasHeader ? "the header" : "row \(rowNumbers.first ?? 1)"
    let hint =
      found > expected ? "Remove the extra cells, or quote text that holds the delimiter" : "Add the missing cells"
    return DataError(
      .inconsistent, file: file, at: .row(line),
      "there \(found == 1 ? "is" : "are") \(counted(found, "cell")), but \(origin) has \(expected)"
        + " (delimiter \(delimiter.phrase))", remedy: hint)
  }
}

extension TableDelimiter {
  /// The delimiter in words.
  var phrase: String {
    switch self {
    case .comma: "comma"
    case .semicolon: "semicolon"
    case .tab: "tab"
    case .bar: "bar"
    case .blanks: "blanks"
    }
  }
}
