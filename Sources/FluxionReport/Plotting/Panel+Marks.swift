extension Panel {
  /// All marks, clipped to the plotting area, and the reference labels on top.
  ///
  /// A nested `<svg>` clips without needing an identifier, so that figures can be put together on one page.
  var dataSVG: String {
    var inside = ""
    for (index, mark) in prepared.figure.marks.enumerated() {
      let colour = prepared.colours[index]
      let drawing: String
      switch mark {
      case .line(let line): drawing = svg(line, colour)
      case .scatter(let scatter): drawing = svg(scatter, colour)
      case .trajectories(let trajectories): drawing = svg(trajectories, colour)
      case .histogram: drawing = svg(prepared.histograms[index], colour)
      case .quiver(let quiver): drawing = svg(quiver, colour)
      case .reference(let line): drawing = svg(line, colour)
      }
      let name = mark.legendLabel
      inside += name.isEmpty || drawing.isEmpty ? drawing : "<g><title>\(name.escaped)</title>\(drawing)</g>"
    }
    let corner = "x=\"\(Pixel.text(box.x))\" y=\"\(Pixel.text(box.y - 2))\""
    let size = "width=\"\(Pixel.text(box.width + 2))\" height=\"\(Pixel.text(box.height + 4))\""
    let view = [box.x, box.y - 2, box.width + 2, box.height + 4].map { Pixel.text($0) }.joined(separator: " ")
    return inside.isEmpty
      ? noDataSVG : "<svg \(corner) \(size) viewBox=\"\(view)\">\(inside)</svg>" + referenceLabelsSVG
  }

  private func svg(_ scatter: Figure.Scatter, _ colour: String) -> String {
    let points = zip(scatter.x, scatter.y).compactMap { pixel($0, $1) }.filter(isNear)
    return dots(points, radius: scatter.radius, opacity: scatter.opacity, "fx-s\(colour)")
  }

  private func svg(_ trajectories: Figure.Trajectories, _ colour: String) -> String {
    let paths = trajectories.paths.flatMap { path in runs(path.map { pixel($0.x, $0.y) }) }
    let opacity = trajectories.opacity.limited(to: 0...1)
    let width = Pixel.text2(trajectories.width.limited(to: 0.25...12))
    var result = ""
    for layer in layered(paths, opacity: opacity) {
      var data = PathData()
      for path in layer { data.addPolyline(path) }
      guard !data.isEmpty else { continue }
      result +=
        "<path class=\"fx-line fx-s\(colour)\" stroke-width=\"\(width)\"\(transparency(opacity)) d=\"\(data.text)\"/>"
    }
    if trajectories.showsStarts {
      result += dots(paths.compactMap(\.first), radius: 1.5, opacity: 0.75, "fx-smuted")
    }
    if trajectories.showsEnds {
      result += dots(paths.compactMap(\.last), radius: 1.75, opacity: 1, "fx-s\(colour)")
    }
    return result
  }

  private var noDataSVG: String {
    text("fx-remark fx-mid", box.x + box.width / 2, box.y + box.height / 2 + 4, "no data")
  }

  private func svg(_ binned: BinnedSeries?, _ colour: String) -> String {
    var data = PathData()
    data.addPolyline(outline(of: binned))
    guard !data.isEmpty else { return "" }
    return "<path class=\"fx-area fx-f\(colour)\" fill-opacity=\"0.22\" d=\"\(data.text)\"/>"
      + "<path class=\"fx-line fx-s\(colour)\" stroke-width=\"1.25\" d=\"\(data.text)\"/>"
  }

  /// The steps of a histogram from its foot on the left to its foot on the right.
  func outline(of binned: BinnedSeries?) -> [Pixel] {
    guard let binned, binned.edges.count > 1 else { return [] }
    var outline: [Pixel] = []
    let foot = box.bottom + (prepared.yDomain.scale == .linear ? 0 : 4)
    let base = prepared.yDomain.scale == .linear ? y(0) ?? foot : foot
    for (index, height) in binned.heights.enumerated() {
      guard let left = x(binned.edges[index]), let right = x(binned.edges[index + 1]) else { continue }
      let top = height > 0 ? y(height) ?? base : base
      if outline.isEmpty { outline.append(Pixel(left, base)) }
      outline.append(Pixel(left, top))
      outline.append(Pixel(right, top))
      if index == binned.heights.count - 1 { outline.append(Pixel(right, base)) }
    }
    return outline
  }

  private func svg(_ quiver: Figure.Quiver, _ colour: String) -> String {
    // Components become pixels by the scale of each axis, so that an arrow points where a path would go.
    let perX = box.width / max(prepared.xDomain.span, 1e-290)
    let perY = box.height / max(prepared.yDomain.span, 1e-290)
    let arrows = quiver.arrows.compactMap { arrow -> (tail: (Double, Double), dx: Double, dy: Double)? in
      guard let x = x(arrow.tail.x), let y = y(arrow.tail.y), arrow.dx.isFinite, arrow.dy.isFinite else { return nil }
      return ((x, y), (arrow.dx * perX).limited(to: -1e150...1e150), (-arrow.dy * perY).limited(to: -1e150...1e150))
    }
    let longest = arrows.map { ($0.dx * $0.dx + $0.dy * $0.dy).squareRoot() }.max() ?? 0
    guard longest > 0, longest.isFinite else { return "" }
    let factor = quiver.longest.limited(to: 2...200) / longest
    var data = PathData()
    for arrow in arrows {
      let (dx, dy) = (arrow.dx * factor, arrow.dy * factor)
      let tip = (x: arrow.tail.0 + dx, y: arrow.tail.1 + dy)
      // Barbs: a third of the shaft, at most 5 pixels, turned by about 27° (slope one half).
      let size = min(1.0 / 3, 5 / max((dx * dx + dy * dy).squareRoot(), 1e-9))
      data.addPolyline([Pixel(arrow.tail.0, arrow.tail.1), Pixel(tip.x, tip.y)])
      data.addPolyline([
        Pixel(tip.x - (dx + dy / 2) * size, tip.y - (dy - dx / 2) * size), Pixel(tip.x, tip.y),
        Pixel(tip.x - (dx - dy / 2) * size, tip.y - (dy + dx / 2) * size),
      ])
    }
    return "<path class=\"fx-line fx-s\(colour)\" stroke-width=\"1.1\" d=\"\(data.text)\"/>"
  }

  /// Dots in a few paths: within one path overlapping dots are painted once, so several paths let density show.
  private func dots(_ points: [Pixel], radius: Double, opacity: Double, _ strokeClass: String) -> String {
    let opacity = opacity.limited(to: 0...1)
    let diameter = Pixel.text2(2 * radius.limited(to: 0.25...20))
    return layered(points, opacity: opacity).map { layer in
      var data = PathData()
      data.addDots(layer)
      let stroke = "class=\"fx-dot \(strokeClass)\" stroke-width=\"\(diameter)\"\(transparency(opacity))"
      return "<path \(stroke) d=\"\(data.text)\"/>"
    }.joined()
  }

  /// Deals items into one layer when opaque or few, else into eight.
  private func layered<Item>(_ items: [Item], opacity: Double) -> [[Item]] {
    guard !items.isEmpty else { return [] }
    let count = opacity >= 1 || items.count < 16 ? 1 : 8
    return (0..<count).map { layer in stride(from: layer, to: items.count, by: count).map { items[$0] } }
  }

  private func transparency(_ opacity: Double) -> String {
    opacity >= 1 ? "" : " stroke-opacity=\"\(Pixel.text2(opacity))\""
  }

  /// Whether a dot can touch the plotting area.
  private func isNear(_ pixel: Pixel) -> Bool {
    let margin = 20.0
    return Double(pixel.x) / 10 >= box.x - margin && Double(pixel.x) / 10 <= box.right + margin
      && Double(pixel.y) / 10 >= box.y - margin && Double(pixel.y) / 10 <= box.bottom + margin
  }
}

extension Pixel {
  /// A width or an opacity with up to two digits after the point.
  static func text2(_ value: Double) -> String {
    NumberFormat.shortest.string((value * 100).rounded() / 100)
  }
}
