/// Something the user gave that cannot be used: a name, a setting, an option, a folder. One line says what, and what to do.
///
/// Files of numbers have their own, `DataError`.
public struct InputError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// - Parameter description: One line: what was given, what was expected, what to do.
  public init(_ description: String) { self.description = description.onOneLine }
}

extension String {
  /// With control characters replaced, so that whatever was typed a message stays on one line.
  var onOneLine: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: result += scalar == "\n" ? "\\n" : " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
