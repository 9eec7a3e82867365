import FluxionText

/// A table of rows and named columns, from CSV, TSV or similar text.
///
/// A column is numeric when its first cells and all others are numbers or missing, and is text when any cell is
/// something else. Numbers are `Double`, correctly rounded, with a decimal point whatever the locale; a missing number
/// is NaN until `complete(in:)` or `matrix(columns:)` deals with it.
public struct Table: Sendable {
  /// The path the table was read from, as it was given; used in errors.
  public let file: String
  /// The names of the columns: those of the header, or `1`, `2`, … without one.
  public let columnNames: [String]
  /// Whether the names come from a header.
  public let hasHeader: Bool
  /// For each row, the line of the file it begins on, as an editor counts: the header is on line 1.
  public let rowNumbers: [Int]

  /// The numbers, row-major `[rowCount, columnCount]`; NaN in columns of text.
  let cells: [Double]
  /// The cells of the columns of text, by column.
  let texts: [Int: [String]]
  /// How the first cell of each column that is missing or not finite is written in the file, by column.
  let firstMissing: [Int: OddCell]

  /// A cell worth an error, as it stands in the file.
  struct OddCell: Hashable {
    /// The line of the file.
    var line: Int
    var text: String
  }

  /// The number of rows, header not included.
  public var rowCount: Int { rowNumbers.count }

  /// The number of columns.
  public var columnCount: Int { columnNames.count }

  /// A table of numbers made by the program.
  ///
  /// - Parameters:
  ///   - columnNames: One name per column.
  ///   - cells: The numbers in row-major order, `[rows, columns]`.
  ///   - texts: Columns of text by name; their numbers in `cells` are ignored.
  public init(columnNames: [String], cells: [Double], texts: [String: [String]] = [:]) {
    precondition(!columnNames.isEmpty, "Table: a table needs at least one column.")
    precondition(
      cells.count % columnNames.count == 0, "Table: \(cells.count) cells do not fill \(columnNames.count) columns.")
    let rowCount = cells.count / columnNames.count
    var columns: [Int: [String]] = [:]
    for (name, text) in texts {
      guard let column = columnNames.firstIndex(of: name) else {
        preconditionFailure("Table: the text column \(name) is not among the columns.")
      }
      precondition(text.count == rowCount, "Table: the text column \(name) has \(text.count) rows of \(rowCount).")
      columns[column] = text
    }
    self.init(
      file: "table", columnNames: columnNames, hasHeader: true, rowNumbers: Array(2..<rowCount + 2), cells: cells,
      texts: columns)
  }

  init(
    file: String, columnNames: [String], hasHeader: Bool, rowNumbers: [Int], cells: [Double], texts: [Int: [String]],
    firstMissing: [Int: OddCell] = [:]
  ) {
    self.file = file
    self.columnNames = columnNames
    self.hasHeader = hasHeader
    self.rowNumbers = rowNumbers
    self.cells = cells
    self.texts = texts
    self.firstMissing = firstMissing
  }

  /// The place of the column called `name`; an error that suggests similar names when there is none.
  public func index(of name: String) throws(DataError) -> Int {
    if let index = columnNames.firstIndex(of: name) { return index }
    let close = Suggestion.names(near: name, among: columnNames)
    throw DataError(
      .missing, file: file, "there is no column called \(quoted(name))",
      remedy: close.isEmpty
        ? "The columns are \(listed(columnNames))" : "Did you mean \(close.map(quoted).joined(separator: " or "))?")
  }

  /// The cells of the column of text called `name`, or nil when its cells are numbers.
  public func text(in name: String) throws(DataError) -> [String]? { texts[try index(of: name)] }

  /// The numbers in the column called `name`, NaN where one is missing; an error when it is a column of text.
  public func numbers(in name: String) throws(DataError) -> [Double] {
    let column = try index(of: name)
    if texts[column] != nil, let error = firstProblem(in: [column]) { throw error }
    return stride(from: column, to: cells.count, by: columnCount).map { cells[$0] }
  }
}
