/// A JSON value, with the places of its parts, so that an error can name them.
package indirect enum JSONValue: Hashable, Sendable {
  case null
  case truth(Bool)
  /// A number as it is written, so that neither large integers nor fractions are rounded before their reader knows what they are.
  case number(String)
  case text(String)
  case list([Element])
  /// Members in the order of the text; the names are distinct.
  case object([Member])

  package struct Element: Hashable, Sendable {
    package var value: JSONValue
    /// Where it begins, in bytes.
    package var offset: Int
  }

  package struct Member: Hashable, Sendable {
    package var name: String
    package var value: JSONValue
    /// Where the name begins, in bytes.
    package var offset: Int
  }

  /// The value of a number; nil for anything else.
  package var double: Double? { if case let .number(digits) = self { Double(digits) } else { nil } }
  /// A whole number from 0, written without fraction and exponent; nil for anything else.
  package var wholeNumber: Int? {
    guard case let .number(digits) = self, digits.utf8.allSatisfy(\.isDigit) else { return nil }
    return Int(digits)
  }
  package var text: String? { if case let .text(text) = self { text } else { nil } }
}

/// Why a text is no JSON.
package struct JSONError: Error, Hashable, Sendable {
  /// Where, in bytes.
  package var offset: Int
  package var problem: String
}
