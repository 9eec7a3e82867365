/// Names to the right of a plot, each beside the end of its line and joined to it by a thin leader.
///
/// This spares the reader the way to a legend. It is used when every named mark is a line that ends near the right
/// edge and the names are short; horizontal reference lines then get their names here too.
struct DirectLabels: Sendable {
  private static let leader = 14.0
  private static let spacing = 15.0

  private struct Label {
    var text: String
    var colour: String
    /// Where the line ends, as fractions of both axes.
    var end: (x: Double, y: Double)
  }

  private var labels: [Label] = []
  /// Whether the names of horizontal reference lines are among the labels.
  private(set) var namesLevels = false

  /// Decides whether the series of a figure of this width can be named directly; otherwise there are no labels.
  init(_ prepared: PreparedFigure, width: Double) {
    let figure = prepared.figure
    let entries = prepared.legendEntries
    let limit = min(width * 0.33, 170)
    guard figure.legend == .automatic, (1...6).contains(entries.count),
      figure.marks.filter({ !$0.legendLabel.isEmpty }).count == entries.count
    else { return }
    for entry in entries {
      guard case .line(let line) = entry.mark, let end = DirectLabels.end(of: line, prepared), end.x > 0.85,
        TextMetrics.width(of: entry.label, size: Panel.labelSize) < limit
      else {
        labels = []
        return
      }
      labels.append(Label(text: entry.label, colour: entry.colour, end: end))
    }
    addLevels(of: prepared, limit: limit)
  }

  var isEmpty: Bool {
    labels.isEmpty
  }

  /// The room needed to the right of the plot.
  var width: Double {
    labels.map { DirectLabels.leader + 5 + TextMetrics.width(of: $0.text, size: Panel.labelSize) }.max() ?? 0
  }

  /// The labels beside `panel`, moved apart where lines end close together.
  func svg(in panel: Panel) -> String {
    let box = panel.box
    var placed = labels.map {
      (label: $0, end: box.bottom - $0.end.y * box.height, y: box.bottom - $0.end.y * box.height)
    }
    placed.sort { $0.end < $1.end }
    // Downwards until none touches, then upwards from the foot of the plot.
    for index in placed.indices.dropFirst() {
      placed[index].y = max(placed[index].y, placed[index - 1].y + DirectLabels.spacing)
    }
    var limit = box.bottom
    for index in placed.indices.reversed() {
      placed[index].y = min(placed[index].y, limit)
      limit = placed[index].y - DirectLabels.spacing
    }
    return placed.map { item in
      var leader = PathData()
      let start = min(box.x + item.label.end.x * box.width + 5, box.right + 2)
      leader.addPolyline([
        Pixel(start, item.end), Pixel(box.right + 4, item.end), Pixel(box.right + DirectLabels.leader, item.y),
      ])
      let stroke = "class=\"fx-line fx-s\(item.label.colour)\" stroke-width=\"1\" stroke-opacity=\".7\""
      return "<path \(stroke) d=\"\(leader.text)\"/>"
        + panel.text("fx-key", box.right + DirectLabels.leader + 4, item.y + 4, item.label.text.escaped)
    }.joined()
  }

  /// Adds the named horizontal lines when all of them are short enough.
  private mutating func addLevels(of prepared: PreparedFigure, limit: Double) {
    let lines = prepared.figure.referenceLines.filter { line in
      line.orientation == .horizontal && !line.label.isEmpty && prepared.yDomain.contains(line.value)
    }
    guard labels.count + lines.count <= 8,
      lines.allSatisfy({ TextMetrics.width(of: $0.label, size: Panel.labelSize) < limit })
    else { return }
    namesLevels = true
    for line in lines {
      if let y = prepared.yDomain.position(of: line.value) {
        labels.append(Label(text: line.label, colour: "muted", end: (1, y)))
      }
    }
  }

  /// The fractions of both axes at which a line ends; nil when it has no visible end.
  private static func end(of line: Figure.Line, _ prepared: PreparedFigure) -> (x: Double, y: Double)? {
    for (x, y) in zip(line.x, line.y).reversed() {
      if let x = prepared.xDomain.position(of: x), let y = prepared.yDomain.position(of: y) {
        return (-0.01...1.01).contains(x) && (-0.01...1.01).contains(y) ? (x, y) : nil
      }
    }
    return nil
  }
}
