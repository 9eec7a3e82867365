extension Figure {
  /// The figure as a self-contained SVG image with its own style: light or dark with the reader's system.
  ///
  /// The result is well-formed XML whatever the data and labels; equal figures give equal text.
  public func svg() -> String {
    drawing(identifier: "fx").svg(standalone: true)
  }

  /// The figure as a drawing, whose elements refer to each other by names that start with `identifier`.
  func drawing(identifier: String) -> Drawing {
    var book = ColourBook()
    return SingleLayout(PreparedFigure(self, colours: &book)).drawing(identifier: identifier)
  }
}

/// A finished drawing: its size, its words and its content.
struct Drawing: Sendable {
  var width: Double
  var height: Double
  var title: String
  var summary: String
  var content: String
  var identifier: String

  /// The `<svg>` element; a standalone one brings its style and paper with it, an embedded one takes the page's.
  func svg(standalone: Bool) -> String {
    // A page has margins of its own; an image that stands alone needs some.
    let margin = standalone ? 12.0 : 0
    let (full, tall) = (Pixel.text(width + 2 * margin), Pixel.text(height + 2 * margin))
    let size = "width=\"\(full)\" height=\"\(tall)\""
    let view = "viewBox=\"\(Pixel.text(-margin)) \(Pixel.text(-margin)) \(full) \(tall)\""
    let names = "role=\"img\" aria-labelledby=\"\(identifier)-t \(identifier)-d\""
    var result = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fx\" \(size) \(view) \(names)>"
    result += "<title id=\"\(identifier)-t\">\(title.escaped)</title>"
    result += "<desc id=\"\(identifier)-d\">\(summary.escaped)</desc>"
    if standalone {
      result += "<style>\(FigureStyle.standalone)</style>"
      result += "<rect class=\"fx-paper\" x=\"-12\" y=\"-12\" width=\"100%\" height=\"100%\"/>"
    }
    return result + content + "</svg>"
  }
}

/// Where the parts of a single figure go, from top to bottom: title, legend, vertical label, plot, horizontal label,
/// note.
private struct SingleLayout {
  private static let titleSize = 14.0
  private static let titleLine = 19.0
  private let width: Double
  private let panel: Panel
  private let titleLines: [String]
  private let legend: Legend
  private let direct: DirectLabels
  private let notes: [String]
  private let height: Double

  init(_ prepared: PreparedFigure) {
    var prepared = prepared
    let figure = prepared.figure
    width = figure.width.limited(to: 160...2400)
    titleLines = TextMetrics.wrapped(
      figure.title, width: width - 4, lines: 2, size: SingleLayout.titleSize, isBold: true)
    direct = DirectLabels(prepared, width: width)
    let right = direct.width

    // The left margin depends on the labels, which depend on the height, which depends on the margin when the aspect
    // is equal: two rounds settle it.
    var left = 40.0
    var size = (width: width - left - max(right, 14), height: figure.plotHeight.limited(to: 60...2400))
    var panel = Panel(prepared, width: size.width, height: size.height)
    let decided = prepared
    for _ in 0..<2 {
      prepared = decided
      left = min(panel.yLabelWidth, width * 0.4)
      size.width = max(width - left - max(right, 14, panel.xLabelOverhang + 2), 60)
      if figure.isEqualAspect { size.height = prepared.equaliseAspect(width: size.width) }
      panel = Panel(prepared, width: size.width, height: size.height)
    }

    legend = Legend(
      direct.isEmpty && figure.legend != .hidden ? prepared.legendEntries : [], width: width - 4)
    notes = TextMetrics.wrapped(
      prepared.omissions.note ?? "", width: width, lines: 3, size: Panel.tickSize, isBold: false)
    panel.showsLevelNames = !direct.namesLevels
    let hasYLabel = !figure.y.label.isEmpty || panel.yTicks.exponent != 0
    let hasXLabel = !figure.x.label.isEmpty || panel.xTicks.exponent != 0
    var top = 4 + Double(titleLines.count) * SingleLayout.titleLine + (titleLines.isEmpty ? 0 : 5)
    top += legend.height + (hasYLabel ? 20 : 4)
    panel.box.x = left
    panel.box.y = top + 4
    height = panel.box.bottom + 24 + (hasXLabel ? 18 : 0) + Double(notes.count) * 16
    self.panel = panel
  }

  func drawing(identifier: String) -> Drawing {
    let figure = panel.prepared.figure
    var content = ""
    for (index, line) in titleLines.enumerated() {
      content += panel.text("fx-title", 0, 15 + Double(index) * SingleLayout.titleLine, line.escaped)
    }
    let legendTop = 4 + Double(titleLines.count) * SingleLayout.titleLine + (titleLines.isEmpty ? 0 : 5)
    content += legend.svg(x: 0, y: legendTop)
    let vertical = Panel.axisLabel(figure.y.label, exponent: panel.yTicks.exponent, width: width - 4)
    if !vertical.runs.isEmpty {
      content += panel.text("fx-label", 0, panel.box.y - 11, vertical.svg)
    }
    let horizontal = Panel.axisLabel(figure.x.label, exponent: panel.xTicks.exponent, width: width - 4)
    let labelWidth = horizontal.width(size: Panel.labelSize)
    let centre = panel.box.x + panel.box.width / 2
    // Centred under the plot, but moved inwards when it would leave the figure.
    let middle = min(max(centre, labelWidth / 2 + 2), max(width - labelWidth / 2 - 2, width / 2))
    content += panel.text("fx-label fx-mid", middle, panel.box.bottom + 36, horizontal.svg)
    content += panel.gridSVG + panel.dataSVG + panel.axesSVG + direct.svg(in: panel)
    for (index, line) in notes.reversed().enumerated() {
      content += panel.text("fx-remark", 0, height - 5 - 16 * Double(index), line.escaped)
    }
    return Drawing(
      width: width, height: height, title: figure.title, summary: panel.prepared.summary, content: content,
      identifier: identifier)
  }
}

extension Figure {
  /// Whether the aspect is asked for and possible.
  var isEqualAspect: Bool {
    hasEqualAspect && x.scale == .linear && y.scale == .linear
  }
}

extension PreparedFigure {
  /// The height at which one unit is equally long on both axes of a plot of this width.
  ///
  /// Heights outside 0.3…1.5 widths are not used; the range that would be too short is widened instead.
  mutating func equaliseAspect(width: Double) -> Double {
    let ratio = yDomain.span / max(xDomain.span, 1e-290)
    if ratio < 0.3 {
      yDomain = yDomain.scaled(by: (0.3 / max(ratio, 1e-9)).limited(to: 1...1e9))
      return width * 0.3
    }
    if ratio > 1.5 {
      xDomain = xDomain.scaled(by: (ratio / 1.5).limited(to: 1...1e9))
      return width * 1.5
    }
    return width * ratio
  }
}
