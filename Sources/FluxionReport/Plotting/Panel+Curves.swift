extension Panel {
  /// A line with its band and markers.
  func svg(_ line: Figure.Line, _ colour: String) -> String {
    var result = ""
    if let band = line.band {
      result += svg(band, x: line.x, colour)
    }
    let pieces = runs(zip(line.x, line.y).map { pixel($0, $1) })
    var data = PathData()
    for piece in pieces { data.addPolyline(thinned(piece)) }
    if !data.isEmpty {
      let dash = line.dash.pattern.map { " stroke-dasharray=\"\($0)\"" } ?? ""
      let width = Pixel.text2(line.width.limited(to: 0.25...12))
      result += "<path class=\"fx-line fx-s\(colour)\" stroke-width=\"\(width)\"\(dash) d=\"\(data.text)\"/>"
    }
    let alone = pieces.filter { $0.count == 1 }.flatMap { $0 }
    if !line.hasMarkers, !alone.isEmpty {
      // A point between two gaps would be a speck no larger than the stroke.
      var dots = PathData()
      dots.addDots(alone)
      result += "<path class=\"fx-dot fx-s\(colour)\" stroke-width=\"4.5\" d=\"\(dots.text)\"/>"
    }
    if line.hasMarkers, !data.isEmpty {
      var dots = PathData()
      dots.addDots(pieces.flatMap { $0 })
      // A rim in the colour of the paper sets each marker off from the line.
      result += "<path class=\"fx-dot fx-spaper\" stroke-width=\"8.5\" d=\"\(dots.text)\"/>"
      result += "<path class=\"fx-dot fx-s\(colour)\" stroke-width=\"6\" d=\"\(dots.text)\"/>"
    }
    return result
  }

  private func svg(_ band: Figure.Band, x: [Double], _ colour: String) -> String {
    var data = PathData()
    var upper: [Pixel] = []
    var lower: [Pixel] = []
    func close() {
      if upper.count > 1 { data.addPolyline(thinned(upper) + thinned(lower).reversed(), isClosed: true) }
      (upper, lower) = ([], [])
    }
    for (x, (low, high)) in zip(x, zip(band.low, band.high)) {
      guard let top = pixel(x, high) else {
        close()
        continue
      }
      // On a logarithmic axis a band that reaches zero goes down to the foot of the plot.
      if let bottom = pixel(x, low) {
        lower.append(bottom)
      } else if low <= 0, let left = self.x(x) {
        lower.append(Pixel(left, box.bottom + 4))
      } else {
        close()
        continue
      }
      upper.append(top)
    }
    close()
    return data.isEmpty ? "" : "<path class=\"fx-area fx-f\(colour)\" fill-opacity=\"0.16\" d=\"\(data.text)\"/>"
  }

  /// A line across the plot.
  func svg(_ line: Figure.ReferenceLine, _ colour: String) -> String {
    var data = PathData()
    switch line.orientation {
    case .horizontal:
      guard let y = y(line.value) else { return "" }
      data.addPolyline([Pixel(box.x, y), Pixel(box.right, y)])
    case .vertical:
      guard let x = x(line.value) else { return "" }
      data.addPolyline([Pixel(x, box.bottom), Pixel(x, box.y)])
    }
    let dash = line.dash.pattern.map { " stroke-dasharray=\"\($0)\"" } ?? ""
    return "<path class=\"fx-line fx-s\(colour)\" stroke-width=\"1\"\(dash) d=\"\(data.text)\"/>"
  }

  /// The pieces between points that cannot be shown.
  func runs(_ pixels: [Pixel?]) -> [[Pixel]] {
    var pieces: [[Pixel]] = []
    var current: [Pixel] = []
    for pixel in pixels {
      if let pixel {
        current.append(pixel)
      } else if !current.isEmpty {
        pieces.append(current)
        current = []
      }
    }
    return current.isEmpty ? pieces : pieces + [current]
  }

  /// A curve with many more points than pixel columns, reduced to the first, least, greatest and last of each column.
  func thinned(_ points: [Pixel]) -> [Pixel] {
    guard points.count > 4 * Int(box.width), zip(points, points.dropFirst()).allSatisfy({ $0.x <= $1.x }) else {
      return points
    }
    var result: [Pixel] = []
    var start = 0
    while start < points.count {
      var end = start
      var (lowest, highest) = (start, start)
      while end < points.count, points[end].x / 10 == points[start].x / 10 {
        if points[end].y < points[lowest].y { lowest = end }
        if points[end].y > points[highest].y { highest = end }
        end += 1
      }
      for index in Set([start, lowest, highest, end - 1]).sorted() { result.append(points[index]) }
      start = end
    }
    return result
  }
}
