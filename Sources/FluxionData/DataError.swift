/// What went wrong with a file, where, and what to do about it.
///
/// The description is one line: file, place, what was found and what was expected, and the remedy.
///
///     points.csv, row 17, column "y": "nan" is not a finite number. Remove the row, or pass --missing drop.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sort of failure, for programs that wish to react to it.
  public enum Kind: Hashable, Sendable {
    /// The file, or the named part of it, does not exist.
    case missing
    /// The path names a folder.
    case folder
    /// The operating system refused to read the file.
    case unreadable
    /// The file has no content.
    case empty
    /// The file ends before the data it announces.
    case truncated
    /// The content breaks a rule of its format.
    case malformed
    /// The content is legal in its format, but is not read by this library.
    case unsupported
    /// Two parts that should agree do not: ragged rows, images and labels of different number.
    case inconsistent
    /// A number is missing, not a number or infinite.
    case notFinite
    /// A cell holds text where a number is expected.
    case notANumber
    /// The content exceeds a limit on size.
    case tooLarge
    /// There are fewer rows or columns than needed.
    case tooFew
    /// The format of the file cannot be told.
    case unknownFormat
    /// The file holds several arrays and none was chosen.
    case ambiguous
    /// The file could not be written.
    case notWritten
  }

  /// Where in the file.
  public enum Place: Hashable, Sendable {
    /// The file as a whole.
    case file
    /// An offset from the start of the file in bytes, from 0.
    case byte(Int)
    /// A line as an editor numbers it, or a row of an array; from 1.
    case row(Int)
    /// A cell: row and column from 1; the column's name when it has one.
    case cell(row: Int, column: Int, name: String?)
  }

  public var kind: Kind
  /// The path as it was given; `path:array` for an array inside an archive.
  public var file: String
  public var place: Place
  /// What was found and what was expected, without a full stop.
  public var problem: String
  /// What to do, without a full stop.
  public var remedy: String

  public init(_ kind: Kind, file: String, at place: Place = .file, _ problem: String, remedy: String) {
    self.kind = kind
    self.file = file
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String {
    "\(printable(file))\(place): \(problem). \(remedy)\(remedy.hasSuffix("?") ? "" : ".")"
  }
}

extension DataError.Place: CustomStringConvertible {
  /// Empty for the file as a whole; otherwise begins with a comma, so that it can follow the file's name.
  public var description: String {
    switch self {
    case .file: ""
    case .byte(let offset): ", byte \(offset)"
    case .row(let row): ", row \(row)"
    case .cell(let row, let column, nil): ", row \(row), column \(column)"
    case .cell(let row, _, .some(let name)): ", row \(row), column \(quoted(name))"
    }
  }
}

/// `text` between quotation marks, on one line and shortened to at most 40 characters.
func quoted(_ text: String) -> String {
  let short = text.prefix(41)
  return "\"" + printable(short.count > 40 ? short.prefix(39) + "…" : short) + "\""
}

/// `text` with control characters replaced, so that a message stays on one line whatever a file contains.
func printable(_ text: some StringProtocol) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    default:
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .format: result.unicodeScalars.append("\u{FFFD}")
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
  return result
}

/// `1 row`, `2 rows`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// `a, b and c`; after `limit` names, how many more there are.
func listed(_ names: [String], limit: Int = 12) -> String {
  var shown = names.prefix(limit).map { printable($0.prefix(80)) }
  if names.count > limit { shown.append("\(names.count - limit) more") }
  guard let last = shown.popLast() else { return "none" }
  return shown.isEmpty ? last : shown.joined(separator: ", ") + " and " + last
}
