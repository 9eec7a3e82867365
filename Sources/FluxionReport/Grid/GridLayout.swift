/// Where the panels of a grid go.
///
/// Plotting areas have one size whatever the number of columns, so that a narrow version of the same grid can reuse
/// the data of the wide one.
struct GridLayout: Sendable {
  private static let gap = 18.0
  private static let headingHeight = 20.0

  private let grid: FigureGrid
  private let columns: Int
  private let panels: [Panel]
  private let sharesX: Bool
  private let sharesY: Bool
  /// The room for labels left of a plotting area.
  private let leftMargin: Double
  private let plot: (width: Double, height: Double)

  init(_ grid: FigureGrid) {
    self.grid = grid
    columns = min(max(grid.columns, 1), 12, max(grid.figures.count, 1))
    var prepared = grid.prepared()
    sharesX = grid.sharesX && Set(prepared.map(\.xDomain.scale)).count < 2
    sharesY = grid.sharesY && Set(prepared.map(\.yDomain.scale)).count < 2

    // Round one finds the labels, round two the room they leave.
    var left = 36.0
    var size = (width: 100.0, height: 100.0)
    var result: [Panel] = []
    for _ in 0..<2 {
      prepared = grid.prepared()
      let margins = sharesY ? left : left * Double(columns)
      let total = grid.width.limited(to: 160...2400) - margins - GridLayout.gap * Double(columns - 1) - 14
      size.width = max(total / Double(columns), 60)
      size.height = grid.plotHeight?.limited(to: 60...2400) ?? size.width
      if prepared.first?.figure.isEqualAspect == true {
        for index in prepared.indices { size.height = prepared[index].equaliseAspect(width: size.width) }
      }
      result = prepared.map { Panel($0, width: size.width, height: size.height) }
      left = min(result.map(\.yLabelWidth).max() ?? 0, 120)
    }
    leftMargin = left
    panels = result
    plot = size
  }

  /// The number of columns that fits a narrow screen; nil when even one panel is too wide for it.
  var narrowColumns: Int? {
    let perPanel = plot.width + GridLayout.gap + (sharesY ? 0 : leftMargin)
    let count = Int((430 + GridLayout.gap - (sharesY ? leftMargin : 0)) / perPanel)
    return count < 1 ? nil : min(columns, count)
  }

  /// The marks of all panels as shapes that are not shown themselves, for ``drawing(columns:identifier:shared:)``.
  func sharedShapes(identifier: String) -> String {
    let shapes = panels.enumerated().map { "<g id=\"\(identifier)-p\($0.offset)\">\($0.element.dataSVG)</g>" }
    return "<svg class=\"fx shared\" aria-hidden=\"true\"><defs>\(shapes.joined())</defs></svg>"
  }

  /// The drawing with its own number of columns or another one.
  ///
  /// When `shared` is given, the marks are not drawn but taken from the shapes of that identifier.
  func drawing(columns requested: Int? = nil, identifier: String, shared: String? = nil) -> Drawing {
    let columns = requested ?? self.columns
    let stepX = plot.width + GridLayout.gap + (sharesY ? 0 : leftMargin)
    let width = leftMargin + Double(columns) * stepX - GridLayout.gap - (sharesY ? 0 : leftMargin) + 14
    var content = ""
    var y = 4.0
    for line in TextMetrics.wrapped(grid.title, width: width - 4, lines: 2, size: 14, isBold: true) {
      content += "<text class=\"fx-title\" x=\"0\" y=\"\(Pixel.text(y + 11))\">\(line.escaped)</text>"
      y += 19
    }
    if !grid.title.isEmpty { y += 5 }
    let legend = Legend(entries, width: width - 4)
    content += legend.svg(x: 0, y: y)
    y += legend.height

    for start in stride(from: 0, to: panels.count, by: columns) {
      let row = start..<min(start + columns, panels.count)
      let hasLabel = row.contains { showsYLabel($0, columns) && hasYLabel($0) }
      let hasHeading = row.contains { !panels[$0].prepared.figure.title.isEmpty }
      y += (hasHeading ? GridLayout.headingHeight : 0) + (hasLabel ? 18 : 4)
      for index in row {
        var panel = panels[index]
        panel.showsXLabels = showsXLabel(index, columns)
        panel.showsYLabels = showsYLabel(index, columns)
        let wide = origin(of: index, stepX: stepX, y: y, columns: columns)
        (panel.box.x, panel.box.y) = wide
        content += frame(panel, labelHeight: hasLabel ? 18 : 4)
        content += data(of: index, at: wide, shared: shared) + panel.axesSVG
      }
      let labelled = row.contains { showsXLabel($0, columns) }
      let named = row.contains { showsXLabel($0, columns) && hasXLabel($0) }
      y += plot.height + (named ? 44 : labelled ? 28 : 14)
    }
    let omissions = panels.reduce(Omissions()) { $0 + $1.prepared.omissions }
    for note in TextMetrics.wrapped(omissions.note ?? "", width: width, lines: 3, size: Panel.tickSize, isBold: false) {
      y += 15
      content += "<text class=\"fx-remark\" x=\"0\" y=\"\(Pixel.text(y))\">\(note.escaped)</text>"
    }
    return Drawing(
      width: width, height: y + 4, title: grid.title.isEmpty ? headings : grid.title, summary: summary,
      content: content, identifier: identifier)
  }

  /// The marks of a panel. They are drawn around the origin and moved into place, so that they can be reused.
  private func data(of index: Int, at origin: (Double, Double), shared: String?) -> String {
    let place = "transform=\"translate(\(Pixel.text(origin.0)) \(Pixel.text(origin.1)))\""
    if let shared { return "<use href=\"#\(shared)-p\(index)\" \(place)/>" }
    return "<g \(place)>\(panels[index].dataSVG)</g>"
  }

  private func frame(_ panel: Panel, labelHeight: Double) -> String {
    let figure = panel.prepared.figure
    let left = panel.box.x
    var result = ""
    if !figure.title.isEmpty {
      let title = TextMetrics.truncated(figure.title, width: plot.width, size: 12.5, isBold: true)
      result += panel.text("fx-heading", left, panel.box.y - labelHeight - 5, title.escaped)
    }
    let vertical = Panel.axisLabel(figure.y.label, exponent: panel.yTicks.exponent, width: plot.width)
    if panel.showsYLabels, !vertical.runs.isEmpty {
      result += panel.text("fx-label", max(left - leftMargin, 0), panel.box.y - 9, vertical.svg)
    }
    let horizontal = Panel.axisLabel(figure.x.label, exponent: panel.xTicks.exponent, width: plot.width)
    if panel.showsXLabels, !horizontal.runs.isEmpty {
      result += panel.text("fx-label fx-mid", left + plot.width / 2, panel.box.bottom + 35, horizontal.svg)
    }
    return result + panel.gridSVG
  }

  private func origin(of index: Int, stepX: Double, y: Double, columns: Int) -> (Double, Double) {
    (leftMargin + Double(index % columns) * stepX, y)
  }

  private func showsXLabel(_ index: Int, _ columns: Int) -> Bool {
    !sharesX || index + columns >= panels.count
  }

  private func showsYLabel(_ index: Int, _ columns: Int) -> Bool {
    !sharesY || index % columns == 0
  }

  private func hasXLabel(_ index: Int) -> Bool {
    !panels[index].prepared.figure.x.label.isEmpty || panels[index].xTicks.exponent != 0
  }

  private func hasYLabel(_ index: Int) -> Bool {
    !panels[index].prepared.figure.y.label.isEmpty || panels[index].yTicks.exponent != 0
  }

  private var entries: [LegendEntry] {
    var seen = Set<String>()
    return panels.flatMap(\.prepared.legendEntries).filter { seen.insert($0.label).inserted }
  }

  private var headings: String {
    panels.map(\.prepared.figure.title).filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private var summary: String {
    let parts = panels.map { panel in
      panel.prepared.figure.title.isEmpty
        ? panel.prepared.summary : "\(panel.prepared.figure.title): \(panel.prepared.summary)"
    }
    return "\(panels.count) panels. " + parts.joined(separator: " ")
  }
}
