import Foundation

/// Results for programs: one JSON value on standard output, keys sorted. Numbers that are not finite must be left out or null before.
enum JSONOutput {
  static func print(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do { Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self)) } catch {
      preconditionFailure("a result cannot be written as JSON: \(error)")
    }
  }

  /// The number, or null where JSON has none.
  static func number(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
}
