extension Table {
  /// The numbers of all columns, or of those named, as `f64` `[rowCount, columns]`.
  ///
  /// - Throws: `DataError` with row and column at the first cell, in reading order, that is no finite number.
  public func matrix(columns names: [String]? = nil) throws(DataError) -> StoredArray {
    let columns = try indices(of: names)
    if let error = firstProblem(in: columns) { throw error }
    guard columns != Array(0..<columnCount) else { return StoredArray(cells, shape: [rowCount, columnCount]) }
    var picked: [Double] = []
    picked.reserveCapacity(rowCount * columns.count)
    for row in 0..<rowCount {
      for column in columns { picked.append(cells[row * columnCount + column]) }
    }
    return StoredArray(picked, shape: [rowCount, columns.count])
  }

  /// The table without the rows in which a number is missing, not a number or infinite.
  ///
  /// - Parameter names: The columns to look at; nil for all. Cells of text are never missing.
  /// - Returns: The table, and how many rows were left out.
  public func complete(in names: [String]? = nil) throws(DataError) -> (table: Table, dropped: Int) {
    let columns = try indices(of: names).filter { texts[$0] == nil }
    let kept = (0..<rowCount).filter { row in columns.allSatisfy { cells[row * columnCount + $0].isFinite } }
    guard kept.count < rowCount else { return (self, 0) }
    var keptCells: [Double] = []
    keptCells.reserveCapacity(kept.count * columnCount)
    for row in kept { keptCells.append(contentsOf: cells[row * columnCount..<(row + 1) * columnCount]) }
    let table = Table(
      file: file, columnNames: columnNames, hasHeader: hasHeader, rowNumbers: kept.map { rowNumbers[$0] },
      cells: keptCells, texts: texts.mapValues { column in kept.map { column[$0] } }, firstMissing: firstMissing)
    return (table, rowCount - kept.count)
  }

  private func indices(of names: [String]?) throws(DataError) -> [Int] {
    guard let names else { return Array(0..<columnCount) }
    var indices: [Int] = []
    for name in names { indices.append(try index(of: name)) }
    return indices
  }

  /// The error for the first cell in `columns`, in reading order, that is text or no finite number.
  func firstProblem(in columns: [Int]) -> DataError? {
    let found = columns.compactMap { column in oddRow(in: column).map { (row: $0, column: column) } }
    guard let (row, column) = found.min(by: { ($0.row, $0.column) < ($1.row, $1.column) }) else { return nil }
    let place = DataError.Place.cell(
      row: rowNumbers[row], column: column + 1, name: hasHeader ? columnNames[column] : nil)

    if let text = texts[column]?[row] {
      let hasComma = text.contains(",") && Double(text.replacing(",", with: ".")) != nil
      let what = Self.isNumber(text) ? "is read as text, as asked for" : "is not a number"
      return DataError(
        .notANumber, file: file, at: place, "\(quoted(text)) \(what)",
        remedy: hasComma ? "Write decimals with a point" : "Correct the cell, or leave the column out")
    }
    var text = "\(cells[row * columnCount + column])"
    if let first = firstMissing[column], first.line == rowNumbers[row] { text = first.text }
    return DataError(
      .notFinite, file: file, at: place,
      text.isEmpty ? "the cell is empty; a finite number should stand there" : "\(quoted(text)) is not a finite number",
      remedy: "Remove the row, or pass --missing drop")
  }

  /// The first row whose cell in `column` is text or no finite number.
  private func oddRow(in column: Int) -> Int? {
    if let text = texts[column] { return text.firstIndex { !Self.isNumber($0) } ?? text.indices.first }
    return (0..<rowCount).first { !cells[$0 * columnCount + column].isFinite }
  }

  /// Whether a cell in a column of text would have done in a column of numbers.
  private static func isNumber(_ text: String) -> Bool {
    Double(text) != nil
      || Array(text.utf8).withUnsafeBufferPointer { MissingCell.value(of: $0[...]) != nil }
  }
}
