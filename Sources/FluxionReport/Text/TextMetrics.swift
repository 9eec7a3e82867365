/// Estimates of how wide text will be drawn in a sans-serif face.
///
/// A figure must reserve room for its labels without knowing the reader's font. The widths here are those of the wide
/// faces among the usual ones (Verdana, DejaVu Sans); narrower faces leave up to a tenth of the room unused.
enum TextMetrics {
  /// The width in pixels of `text` at a font size in pixels.
  static func width(of text: String, size: Double, isBold: Bool = false) -> Double {
    let ems = text.unicodeScalars.reduce(0.0) { $0 + advance(of: $1) }
    return ems * size * (isBold ? 1.11 : 1)
  }

  /// The text cut to fit `width`, with an ellipsis in place of what was lost.
  static func truncated(_ text: String, width limit: Double, size: Double, isBold: Bool = false) -> String {
    guard width(of: text, size: size, isBold: isBold) > limit else { return text }
    let room = limit - width(of: "…", size: size, isBold: isBold)
    var used = 0.0
    var kept = ""
    for character in text {
      used += width(of: String(character), size: size, isBold: isBold)
      if used > room { break }
      kept.append(character)
    }
    while kept.last == " " { kept.removeLast() }
    return kept + "…"
  }

  /// The text broken at spaces into at most `lines` lines of `width` pixels; the last line is cut when it must be.
  static func wrapped(_ text: String, width limit: Double, lines: Int, size: Double, isBold: Bool) -> [String] {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    var result: [String] = []
    var current = ""
    for (index, word) in words.enumerated() {
      let candidate = current.isEmpty ? word : current + " " + word
      if current.isEmpty || width(of: candidate, size: size, isBold: isBold) <= limit {
        current = candidate
      } else if result.count == lines - 1 {
        current = ([current] + words[index...]).joined(separator: " ")
        break
      } else {
        result.append(current)
        current = word
      }
    }
    if !current.isEmpty { result.append(current) }
    return result.map { truncated($0, width: limit, size: size, isBold: isBold) }
  }

  /// The number of terminal cells `text` occupies: two for wide East Asian characters and emoji, none for marks.
  static func cells(_ text: String) -> Int {
    text.reduce(0) { total, character in
      guard let scalar = character.unicodeScalars.first else { return total }
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format: return total
      default: return total + (isWide(scalar) ? 2 : 1)
      }
    }
  }

  /// The advance of one scalar in ems.
  private static func advance(of scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "i", "j", "l", "I", "|", "'", ".", ",", ":", ";", "!", " ", "\u{A0}": 0.31
    case "f", "t", "r", "(", ")", "[", "]", "/", "-": 0.4
    case "\u{2009}": 0.2
    case "m", "w", "M", "W", "@", "%", "—", "…": 0.95
    case "A"..."Z": 0.7
    case "0"..."9": 0.636
    case "\u{2212}", "+", "=", "<", ">", "×", "→": 0.84
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format: 0
      default: isWide(scalar) ? 1.05 : 0.61
      }
    }
  }

  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
