extension String {
  /// The text made safe between tags and inside quoted attributes of HTML, XML and SVG.
  ///
  /// Beside the five special characters, control characters that XML forbids are replaced with U+FFFD, so that a
  /// stray byte in a label cannot make a figure unreadable.
  var escaped: String {
    var result = ""
    result.reserveCapacity(utf8.count + 8)
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar.isForbiddenInXML ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }

  /// The text on one line and free of control characters, for a terminal: an escape sequence in a label stays text.
  var printable: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n", "\r", "\t", "\u{2028}", "\u{2029}": result += " "
      default: result.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Whether XML 1.0 has no place for this scalar, or an HTML parser treats it as an error.
  fileprivate var isForbiddenInXML: Bool {
    switch value {
    case 0x9, 0xA, 0xD: false
    case 0..<0x20, 0x7F...0x9F, 0xFFFE, 0xFFFF, 0xFDD0...0xFDEF: true
    default: value & 0xFFFE == 0xFFFE
    }
  }
}
