extension Panel {
  /// The names of the reference lines, each beside its line where it covers the least of the data.
  var referenceLabelsSVG: String {
    let lines = prepared.figure.referenceLines.filter {
      !$0.label.isEmpty && (showsLevelNames || $0.orientation == .vertical)
    }
    guard !lines.isEmpty else { return "" }
    let obstacles = obstacles
    var taken: [Box] = []
    var result = ""
    for line in lines {
      let name = TextMetrics.truncated(line.label, width: box.width * 0.7, size: Panel.tickSize)
      let width = TextMetrics.width(of: name, size: Panel.tickSize)
      let places = places(for: line, width: width).filter { $0.isInside(box) }
      let ranked = places.enumerated().map { offset, place in
        // A covered label is worse than any covered curve; among equals the first place wins.
        let cost = 1000 * taken.filter(place.touches).count + obstacles.filter(place.isCrossed).count
        return (cost: cost, offset: offset, place: place)
      }
      guard let best = ranked.min(by: { ($0.cost, $0.offset) < ($1.cost, $1.offset) })?.place else { continue }
      taken.append(best)
      result += text("fx-note", best.x + 2, best.bottom - 3.5, name.escaped)
    }
    return result
  }

  /// Boxes beside a reference line, the preferred one first; none when the line is out of view.
  private func places(for line: Figure.ReferenceLine, width: Double) -> [Box] {
    let size = (width: width + 4, height: 15.0)
    switch line.orientation {
    case .horizontal:
      guard prepared.yDomain.contains(line.value), let y = y(line.value) else { return [] }
      let lefts = [box.right - size.width - 2, box.x + 4, box.x + (box.width - size.width) / 2]
      return lefts.flatMap { left in
        [y - size.height - 1.5, y + 2].map { Box(x: left, y: $0, width: size.width, height: size.height) }
      }
    case .vertical:
      guard prepared.xDomain.contains(line.value), let x = x(line.value) else { return [] }
      let tops = [box.y + 1, box.bottom - size.height - 4, box.y + (box.height - size.height) / 2]
      return tops.flatMap { top in
        [x + 3, x - size.width - 3].map { Box(x: $0, y: top, width: size.width, height: size.height) }
      }
    }
  }

  /// The segments and points that a label should not cover.
  private var obstacles: [(Pixel, Pixel)] {
    var result: [(Pixel, Pixel)] = []
    func add(_ points: [Pixel]) {
      if points.count == 1 { result.append((points[0], points[0])) }
      result += zip(points, points.dropFirst())
    }
    for (index, mark) in prepared.figure.marks.enumerated() {
      switch mark {
      case .line(let line):
        for piece in runs(zip(line.x, line.y).map({ pixel($0, $1) })) { add(thinned(piece)) }
      case .scatter(let scatter):
        for case let point? in zip(scatter.x, scatter.y).map({ pixel($0, $1) }) { add([point]) }
      case .trajectories(let trajectories):
        for path in trajectories.paths {
          for piece in runs(path.map({ pixel($0.x, $0.y) })) { add(piece) }
        }
      case .histogram:
        add(outline(of: prepared.histograms[index]))
      case .reference(let line):
        if line.orientation == .vertical, let x = x(line.value) { add([Pixel(x, box.y), Pixel(x, box.bottom)]) }
        if line.orientation == .horizontal, let y = y(line.value) { add([Pixel(box.x, y), Pixel(box.right, y)]) }
      case .quiver(let quiver):
        for case let point? in quiver.arrows.map({ pixel($0.tail.x, $0.tail.y) }) { add([point]) }
      }
    }
    return result
  }
}

extension Figure {
  /// The reference lines among the marks.
  var referenceLines: [ReferenceLine] {
    marks.compactMap { mark in if case .reference(let line) = mark { line } else { nil } }
  }
}

extension Box {
  fileprivate func isInside(_ outer: Box) -> Bool {
    x >= outer.x && right <= outer.right + 1 && y >= outer.y - 1 && bottom <= outer.bottom + 1
  }

  fileprivate func touches(_ other: Box) -> Bool {
    x < other.right && other.x < right && y < other.bottom && other.y < bottom
  }

  /// Whether a segment passes through, by clipping it at the four sides (Liang and Barsky).
  fileprivate func isCrossed(by segment: (Pixel, Pixel)) -> Bool {
    let (x0, y0) = (Double(segment.0.x) / 10, Double(segment.0.y) / 10)
    let (dx, dy) = (Double(segment.1.x) / 10 - x0, Double(segment.1.y) / 10 - y0)
    var (enter, leave) = (0.0, 1.0)
    for (p, q) in [(-dx, x0 - x), (dx, right - x0), (-dy, y0 - y), (dy, bottom - y0)] {
      if p == 0 {
        if q < 0 { return false }
      } else if p < 0 {
        enter = max(enter, q / p)
      } else {
        leave = min(leave, q / p)
      }
    }
    return enter <= leave
  }
}
