/// One plotting area with its axes, placed on a drawing.
///
/// A single figure is one panel with a title; a grid is several panels whose ticks may be shared.
struct Panel: Sendable {
  static let tickSize = 11.5
  static let labelSize = 12.0

  var prepared: PreparedFigure
  var box: Box
  var xTicks: TickSet
  var yTicks: TickSet
  var showsXLabels = true
  var showsYLabels = true
  /// Whether horizontal reference lines are named inside the plot.
  var showsLevelNames = true

  /// The panel for a plotting area of the given size at the origin; its ticks are chosen for that size.
  init(_ prepared: PreparedFigure, width: Double, height: Double) {
    self.prepared = prepared
    box = Box(x: 0, y: 0, width: width, height: height)
    xTicks = Panel.horizontalTicks(prepared, width: width)
    yTicks = Panel.verticalTicks(prepared, height: height)
  }

  /// The room that the labels of the vertical axis need to the left of the plotting area.
  var yLabelWidth: Double {
    let widest = yTicks.major.compactMap { $0.label?.width(size: Panel.tickSize) }.max() ?? 0
    return widest + 9
  }

  /// How far the labels of the horizontal axis reach beyond the right edge of the plotting area.
  var xLabelOverhang: Double {
    xTicks.major.reduce(0) { reach, tick in
      let position = prepared.xDomain.position(of: tick.value) ?? 0
      return max(reach, position * box.width + (tick.label?.width(size: Panel.tickSize) ?? 0) / 2 - box.width)
    }
  }

  /// The horizontal pixel of a number, nil when it has no place on the axis.
  func x(_ value: Double) -> Double? {
    prepared.xDomain.position(of: value).map { box.x + $0 * box.width }
  }

  /// The vertical pixel of a number, nil when it has no place on the axis.
  func y(_ value: Double) -> Double? {
    prepared.yDomain.position(of: value).map { box.bottom - $0 * box.height }
  }

  /// The pixel of a point, nil when either coordinate has no place.
  func pixel(_ xValue: Double, _ yValue: Double) -> Pixel? {
    guard let x = x(xValue), let y = y(yValue) else { return nil }
    return Pixel(x, y)
  }

  /// The grid lines behind the data.
  var gridSVG: String {
    var path = PathData()
    for case let x? in xTicks.major.map({ x($0.value) }) {
      path.addPolyline([Pixel(x, box.y), Pixel(x, box.bottom)])
    }
    for case let y? in yTicks.major.map({ y($0.value) }) {
      path.addPolyline([Pixel(box.x, y), Pixel(box.right, y)])
    }
    return path.isEmpty ? "" : "<path class=\"fx-grid\" d=\"\(path.text)\"/>"
  }

  /// The spines, ticks and tick labels.
  var axesSVG: String {
    var path = PathData()
    path.addPolyline([Pixel(box.x, box.y), Pixel(box.x, box.bottom), Pixel(box.right, box.bottom)])
    var labels = ""
    for tick in xTicks.ticks {
      guard let x = x(tick.value) else { continue }
      path.addPolyline([Pixel(x, box.bottom), Pixel(x, box.bottom + (tick.label == nil ? 3 : 5))])
      if showsXLabels, let label = tick.label {
        labels += text("fx-tick fx-mid", x, box.bottom + 17, label.svg)
      }
    }
    for tick in yTicks.ticks {
      guard let y = y(tick.value) else { continue }
      path.addPolyline([Pixel(box.x - (tick.label == nil ? 3 : 5), y), Pixel(box.x, y)])
      if showsYLabels, let label = tick.label {
        labels += text("fx-tick fx-end", box.x - 8, y + 4, label.svg)
      }
    }
    return "<path class=\"fx-axis\" d=\"\(path.text)\"/>" + labels
  }

  /// A text element; `content` is SVG.
  func text(_ classes: String, _ x: Double, _ y: Double, _ content: String) -> String {
    "<text class=\"\(classes)\" x=\"\(Pixel.text(x))\" y=\"\(Pixel.text(y))\">\(content)</text>"
  }

  /// An axis label with the power of ten that its ticks were divided by; cut to `width` pixels.
  static func axisLabel(_ label: String, exponent: Int, width: Double) -> RichText {
    let room = width - (exponent == 0 ? 0 : 46)
    let name = TextMetrics.truncated(label, width: max(room, 30), size: labelSize)
    guard exponent != 0 else { return RichText(name) }
    return RichText(name.isEmpty ? "×\u{2009}" : name + " (×\u{2009}") + .powerOfTen(exponent)
      + RichText(name.isEmpty ? "" : ")")
  }

  private static func horizontalTicks(_ prepared: PreparedFigure, width: Double) -> TickSet {
    var target = max(Int(width / 62), 4)
    while true {
      var set = TickSet(for: prepared.xDomain, target: target, explicit: prepared.figure.x.ticks)
      let dropped = set.dropLabels { tick in
        let centre = (prepared.xDomain.position(of: tick.value) ?? 0) * width
        let half = (tick.label?.width(size: tickSize) ?? 0) / 2 + 5
        return (centre - half)...(centre + half)
      }
      if dropped == 0 || target == 1 || prepared.figure.x.ticks != nil { return set }
      target -= 1
    }
  }

  private static func verticalTicks(_ prepared: PreparedFigure, height: Double) -> TickSet {
    // With an equal aspect both axes get the same density, and so the same steps.
    let distance = prepared.figure.isEqualAspect ? 62.0 : 42
    var set = TickSet(
      for: prepared.yDomain, target: max(Int(height / distance), prepared.figure.isEqualAspect ? 4 : 3),
      explicit: prepared.figure.y.ticks)
    set.dropLabels { tick in
      let centre = (prepared.yDomain.position(of: tick.value) ?? 0) * height
      return (centre - 7)...(centre + 7)
    }
    return set
  }
}

extension TickSet {
  /// Removes labels that would touch the one before, in the order of the axis, and returns how many.
  @discardableResult
  mutating func dropLabels(extent: (Tick) -> ClosedRange<Double>) -> Int {
    ticks.sort { $0.value < $1.value }
    var end = -Double.infinity
    var dropped = 0
    for index in ticks.indices where ticks[index].label != nil {
      let range = extent(ticks[index])
      if range.lowerBound < end {
        ticks[index].label = nil
        dropped += 1
      } else {
        end = range.upperBound
      }
    }
    return dropped
  }
}
