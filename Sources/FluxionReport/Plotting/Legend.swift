/// A legend in rows above a plot: a key in the form of the mark, then the name.
struct Legend: Sendable {
  static let rowHeight = 19.0
  private static let fontSize = 12.0
  private static let keyWidth = 22.0
  private static let gap = 18.0

  private var rows: [[(entry: LegendEntry, text: String, x: Double)]] = []

  /// Breaks the entries into rows of at most `width` pixels; a name longer than a row is cut.
  init(_ entries: [LegendEntry], width: Double) {
    var x = 0.0
    for entry in entries {
      let text = TextMetrics.truncated(entry.label, width: max(width - Legend.keyWidth, 20), size: Legend.fontSize)
      let length = Legend.keyWidth + TextMetrics.width(of: text, size: Legend.fontSize)
      if rows.isEmpty || x + length > width {
        rows.append([])
        x = 0
      }
      rows[rows.count - 1].append((entry, text, x))
      x += length + Legend.gap
    }
  }

  var height: Double {
    rows.isEmpty ? 0 : Double(rows.count) * Legend.rowHeight + 3
  }

  /// The legend with its upper left corner at (x, y).
  func svg(x: Double, y: Double) -> String {
    var result = ""
    for (index, row) in rows.enumerated() {
      let baseline = y + Double(index) * Legend.rowHeight + 12
      for item in row {
        result += Legend.key(item.entry, x: x + item.x, y: baseline - 4)
        let left = Pixel.text(x + item.x + Legend.keyWidth)
        result += "<text class=\"fx-key\" x=\"\(left)\" y=\"\(Pixel.text(baseline))\">\(item.text.escaped)</text>"
      }
    }
    return result
  }

  /// The small drawing in front of a name, 16 pixels wide, centred on the height `y`.
  private static func key(_ entry: LegendEntry, x: Double, y: Double) -> String {
    let stroke = "fx-s\(entry.colour)"
    let (left, middle, right, level) = (Pixel.text(x), Pixel.text(x + 8), Pixel.text(x + 16), Pixel.text(y))
    switch entry.mark {
    case .line(let line):
      let dash = line.dash.pattern.map { " stroke-dasharray=\"\($0)\"" } ?? ""
      let dot =
        line.hasMarkers ? "<path class=\"fx-dot \(stroke)\" stroke-width=\"6\" d=\"M\(middle) \(level)h0\"/>" : ""
      return "<path class=\"fx-line \(stroke)\" stroke-width=\"2\"\(dash) d=\"M\(left) \(level)H\(right)\"/>" + dot
    case .trajectories, .quiver, .reference:
      return "<path class=\"fx-line \(stroke)\" stroke-width=\"1.5\" d=\"M\(left) \(level)H\(right)\"/>"
    case .scatter:
      return "<path class=\"fx-dot \(stroke)\" stroke-width=\"7\" d=\"M\(middle) \(level)h0\"/>"
    case .histogram:
      let box = "M\(left) \(Pixel.text(y - 5))h14v10h-14z"
      return "<path class=\"fx-area fx-f\(entry.colour)\" fill-opacity=\"0.22\" d=\"\(box)\"/>"
        + "<path class=\"fx-line \(stroke)\" stroke-width=\"1.25\" d=\"\(box)\"/>"
    }
  }
}
