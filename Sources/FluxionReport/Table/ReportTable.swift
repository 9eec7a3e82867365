/// A table for readers: columns with an alignment and a number format, rows of cells.
///
/// ```swift
/// var table = ReportTable([.init("key"), .init("measured", .trailing, format: .significant(3)), .init("verdict")])
/// table.addRow(["exact_S_gauss", 0.4291, .verdict(.pass)])
/// print(table.text(usesColour: true))
/// ```
public struct ReportTable: Hashable, Sendable {
  public var columns: [Column]
  /// The rows; a row with fewer cells than there are columns is filled up with empty ones, surplus cells are dropped.
  public var rows: [[Cell]]

  public init(_ columns: [Column], rows: [[Cell]] = []) {
    self.columns = columns
    self.rows = rows
  }

  /// Adds a row at the end.
  public mutating func addRow(_ cells: [Cell]) {
    rows.append(cells)
  }

  public enum Alignment: Hashable, Sendable {
    case leading
    case trailing
  }

  public struct Column: Hashable, Sendable {
    public var heading: String
    public var alignment: Alignment
    /// How numbers in this column are written.
    public var format: NumberFormat
    /// Whether text in this column is set in a fixed-width face, as for keys.
    public var isCode: Bool

    /// A column, by default leading, with numbers to four significant digits.
    public init(
      _ heading: String, _ alignment: Alignment = .leading, format: NumberFormat = .significant(4), isCode: Bool = false
    ) {
      self.heading = heading
      self.alignment = alignment
      self.format = format
      self.isCode = isCode
    }

    /// A column of numbers: trailing, so that digits line up.
    public static func number(_ heading: String, _ format: NumberFormat = .significant(4)) -> Column {
      Column(heading, .trailing, format: format)
    }
  }

  /// The outcome of a check, always shown as a word and a colour together.
  public enum Verdict: Hashable, Sendable {
    case pass
    case fail
    /// Not measured in this run.
    case skipped

    /// Pass when a condition holds, fail when it does not.
    public init(_ holds: Bool) {
      self = holds ? .pass : .fail
    }

    /// The word shown: "pass", "FAIL" or "skipped".
    public var word: String {
      switch self {
      case .pass: "pass"
      case .fail: "FAIL"
      case .skipped: "skipped"
      }
    }
  }

  public enum Cell: Hashable, Sendable {
    case text(String)
    /// A number in the format of its column.
    case number(Double)
    /// A number in a format of its own.
    case formatted(Double, NumberFormat)
    case verdict(Verdict)
    case empty
  }

  /// The rows cut or filled to the number of columns.
  var completeRows: [[Cell]] {
    rows.map { row in
      Array(row.prefix(columns.count)) + [Cell](repeating: .empty, count: max(columns.count - row.count, 0))
    }
  }
}

extension ReportTable.Cell: ExpressibleByStringInterpolation, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(stringLiteral value: String) {
    self = .text(value)
  }

  public init(floatLiteral value: Double) {
    self = .number(value)
  }

  public init(integerLiteral value: Int) {
    self = .formatted(Double(value), .integer)
  }
}
