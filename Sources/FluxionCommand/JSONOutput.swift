import Foundation

/// Results for programs: one JSON value on standard output, keys sorted.
enum JSONOutput {
  static func print(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do { Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self)) } catch {
      preconditionFailure("a result cannot be written as JSON: \(error)")
    }
  }
}
