/// What separates the cells of a row.
public enum TableDelimiter: String, Hashable, Sendable, Codable, CaseIterable {
  case comma = ","
  case semicolon = ";"
  case tab = "\t"
  case bar = "|"
  /// One or more blanks or tabs; lines that begin with `#` are comments. The way of `numpy.savetxt`.
  case blanks = " "

  var byte: UInt8 {
    switch self {
    case .comma: UInt8(ascii: ",")
    case .semicolon: UInt8(ascii: ";")
    case .tab: UInt8(ascii: "\t")
    case .bar: UInt8(ascii: "|")
    case .blanks: UInt8(ascii: " ")
    }
  }
}

/// What to do with rows in which a number is missing, not a number or infinite.
public enum MissingPolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// Stop with an error that names row and column.
  case error
  /// Leave the row out.
  case drop
}

/// How to read a table; what is nil is told from the file.
public struct TableOptions: Hashable, Sendable {
  public var delimiter: TableDelimiter?
  /// Whether the first row holds the names of the columns.
  public var hasHeader: Bool?
  /// Columns to read as text even when every cell is a number, such as post codes.
  public var textColumns: Set<String>

  public init(delimiter: TableDelimiter? = nil, hasHeader: Bool? = nil, textColumns: Set<String> = []) {
    self.delimiter = delimiter
    self.hasHeader = hasHeader
    self.textColumns = textColumns
  }
}
