import FluxionText

extension RunRecord {
  /// What was measured along a run: named columns of numbers, one row for each moment.
  public struct History: Hashable, Sendable {
    public var columns: [String]
    /// Rows of as many numbers as there are columns.
    public var rows: [[Double]]

    public init(columns: [String], rows: [[Double]] = []) {
      self.columns = columns
      self.rows = rows
    }

    /// The values of a column, nil when there is no such column; short rows give numbers that are not numbers.
    public func column(_ name: String) -> [Double]? {
      guard let index = columns.firstIndex(of: name) else { return nil }
      return rows.map { $0.indices.contains(index) ? $0[index] : .nan }
    }
  }

  /// How lines of a CSV file end.
  public enum LineEnding: String, Hashable, Sendable {
    /// What RFC 4180 asks for.
    case carriageReturnLineFeed = "\r\n"
    /// What Unix tools expect.
    case lineFeed = "\n"
  }

  /// `history.csv` after RFC 4180: a header, then one record for each row.
  ///
  /// Numbers that are not finite are written "nan", "inf" and "-inf". A row that is shorter than the header is filled
  /// up with "nan", a longer one is cut.
  public static func historyCSV(_ history: History, lineEnding: LineEnding = .carriageReturnLineFeed) -> String {
    var text = history.columns.map(csvField).joined(separator: ",") + lineEnding.rawValue
    for row in history.rows {
      let values = history.columns.indices.map { row.indices.contains($0) ? row[$0] : .nan }
      text += values.map(\.roundTripText).joined(separator: ",") + lineEnding.rawValue
    }
    return text
  }

  /// Reads `history.csv` with either line ending; an empty field becomes a number that is not a number.
  public static func history(fromCSV text: String) throws(RunRecordError) -> History {
    let records = try csvRecords(text)
    guard let header = records.first else {
      throw RunRecordError(file: "history.csv", line: 1, problem: "the file is empty, expected a header")
    }
    var history = History(columns: header.fields)
    for record in records.dropFirst() {
      guard record.fields.count == header.fields.count else {
        throw RunRecordError(
          file: "history.csv", line: record.line,
          problem: "\(record.fields.count) fields, expected \(header.fields.count) as in the header")
      }
      var row: [Double] = []
      for (field, column) in zip(record.fields, header.fields) {
        guard let value = field.isEmpty ? .nan : Double(field) else {
          throw RunRecordError(
            file: "history.csv", line: record.line,
            problem: "\(field.jsonQuoted) in column \(column.jsonQuoted) is not a number")
        }
        row.append(value)
      }
      history.rows.append(row)
    }
    return history
  }

  private static func csvField(_ text: String) -> String {
    let needsQuotes = text.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }
    return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
  }

  private static func csvRecords(_ text: String) throws(RunRecordError) -> [(fields: [String], line: Int)] {
    var records: [(fields: [String], line: Int)] = []
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var (line, start) = (1, 1)
    let scalars = Array(text.unicodeScalars)
    var index = scalars.first == "\u{FEFF}" ? 1 : 0
    while index < scalars.count {
      let scalar = scalars[index]
      index += 1
      switch scalar {
      case "\"" where isQuoted && index < scalars.count && scalars[index] == "\"":
        field.unicodeScalars.append(scalar)
        index += 1
      case "\"" where isQuoted || field.isEmpty:
        isQuoted.toggle()
      case "," where !isQuoted:
        fields.append(field)
        field = ""
      case "\n" where !isQuoted, "\r" where !isQuoted:
        if scalar == "\r", index < scalars.count, scalars[index] == "\n" { index += 1 }
        records.append((fields + [field], start))
        (fields, field) = ([], "")
        line += 1
        start = line
      default:
        if scalar == "\n" { line += 1 }
        field.unicodeScalars.append(scalar)
      }
    }
    if isQuoted {
      throw RunRecordError(file: "history.csv", line: start, problem: "a quoted field is not closed")
    }
    return fields.isEmpty && field.isEmpty ? records : records + [(fields + [field], start)]
  }
}
