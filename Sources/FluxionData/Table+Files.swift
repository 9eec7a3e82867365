public import Foundation

extension Table {
  /// Reads the file at `path`; a name ending in `.tsv` sets the delimiter to tab unless `options` says otherwise.
  public static func read(_ path: String, options: TableOptions = TableOptions()) throws(DataError) -> Table {
    var options = options
    if options.delimiter == nil, path.lowercased().hasSuffix(".tsv") { options.delimiter = .tab }
    return try decode(try FileContent.read(path), file: path, options: options)
  }

  /// Reads the bytes of a file; `file` is the name used in errors.
  ///
  /// - Throws: `DataError` for a ragged row (with the numbers of cells), open quotation marks, text that is not UTF-8.
  public static func decode(
    _ data: Data, file: String, options: TableOptions = TableOptions()
  ) throws(DataError) -> Table {
    guard !data.isEmpty else {
      throw DataError(.empty, file: file, "the file is empty", remedy: "Write or copy it again")
    }
    return try data.withBytes { bytes in
      Result { () throws(DataError) in
        var parser = TableParser(bytes, file: file, options: options)
        return try parser.table()
      }
    }
  }

  /// Writes the file at `path`, whole or not at all; tabs between cells when the name ends in `.tsv`.
  public func write(to path: String, delimiter: TableDelimiter? = nil) throws(DataError) {
    try writeFile(encoded(delimiter: delimiter ?? (path.lowercased().hasSuffix(".tsv") ? .tab : .comma)), to: path)
  }

  /// The bytes of a file: a header if the table has one, then the rows, each ended by a line feed.
  ///
  /// Numbers have as few digits as bring back the same `Double`. Text is quoted where it must be.
  public func encoded(delimiter: TableDelimiter = .comma) -> Data {
    var result = Data()
    if hasHeader { append(columnNames.map { Self.quotedCell($0, delimiter) }, delimiter, to: &result) }
    for row in 0..<rowCount {
      let line = (0..<columnCount).map { column in
        texts[column].map { Self.quotedCell($0[row], delimiter) } ?? "\(cells[row * columnCount + column])"
      }
      append(line, delimiter, to: &result)
    }
    return result
  }

  private func append(_ cells: [String], _ delimiter: TableDelimiter, to data: inout Data) {
    data.append(contentsOf: cells.joined(separator: delimiter.rawValue).utf8)
    data.append(0x0A)
  }

  /// A cell of text, in quotation marks when it is empty, holds a character with a meaning, or begins or ends blank.
  private static func quotedCell(_ text: String, _ delimiter: TableDelimiter) -> String {
    var marks = [delimiter.byte] + Array("\"\r\n".utf8)
    if delimiter == .blanks { marks += Array("\t#".utf8) }
    let special = text.utf8.contains { marks.contains($0) }
    let isBlank = { (byte: UInt8?) in byte == 0x20 || byte == 0x09 }
    guard special || text.isEmpty || isBlank(text.utf8.first) || isBlank(text.utf8.last) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
