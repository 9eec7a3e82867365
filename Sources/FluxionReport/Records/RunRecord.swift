import FluxionText

/// The files that describe a run, as text: metrics, history and claims.
///
/// Encoding is deterministic: equal values give equal bytes, on every machine and in every locale. Numbers are
/// written with the fewest digits that read back as the same number. Nothing here touches the file system.
public enum RunRecord {
  /// `metrics.json`: one flat object from key to number.
  ///
  /// Keys are sorted by their Unicode scalars, one pair stands on each line, and numbers that are not finite are
  /// `null`.
  public static func metricsJSON(_ metrics: [String: Double]) -> String {
    if metrics.isEmpty { return "{}\n" }
    let lines = metrics.sorted { $0.key.isOrderedBefore($1.key) }.map { "  \($0.key.jsonQuoted): \(json($0.value))" }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  /// Reads `metrics.json`; `null` becomes a number that is not a number.
  public static func metrics(fromJSON text: String) throws(RunRecordError) -> [String: Double] {
    let file = "metrics.json"
    guard case .object(let members) = try json(text, file: file) else {
      throw RunRecordError(file: file, line: 1, problem: "expected one object of key: number")
    }
    var metrics: [String: Double] = [:]
    for member in members {
      guard let value = member.value == .null ? .nan : member.value.double else {
        throw RunRecordError(
          file: file, at: member.offset, in: text, "the value of \(member.name.jsonQuoted) is not a number or null")
      }
      metrics[member.name] = value
    }
    return metrics
  }

  /// The value that a record's text holds.
  static func json(_ text: String, file: String) throws(RunRecordError) -> JSONValue {
    do throws(JSONError) {
      return try JSONReader.read(text.utf8)
    } catch {
      throw RunRecordError(file: file, at: error.offset, in: text, error.problem)
    }
  }

  /// A JSON number, or `null` for a value that JSON cannot hold.
  static func json(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    return value.roundTripText
  }
}

/// What is wrong with a record that was read.
public struct RunRecordError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of record: "metrics.json", "history.csv" or "claim.json".
  public var file: String
  /// The line, counted from 1.
  public var line: Int
  public var problem: String

  public init(file: String, line: Int, problem: String) {
    self.file = file
    self.line = line
    self.problem = problem
  }

  /// The same for a place in the text, in bytes.
  init(file: String, at offset: Int, in text: String, _ problem: String) {
    self.init(file: file, line: ByteScanner(text.utf8).line(at: offset), problem: problem)
  }

  public var description: String {
    "\(file), line \(line): \(problem)"
  }
}

extension String {
  /// Order by Unicode scalars, which needs no locale and no normalisation tables.
  fileprivate func isOrderedBefore(_ other: String) -> Bool {
    unicodeScalars.lexicographicallyPrecedes(other.unicodeScalars)
  }
}
