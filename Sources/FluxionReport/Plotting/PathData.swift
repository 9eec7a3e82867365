/// A rectangle in pixels.
struct Box: Hashable, Sendable {
  var x: Double
  var y: Double
  var width: Double
  var height: Double

  var right: Double { x + width }
  var bottom: Double { y + height }
}

/// A point in pixels, kept as whole tenths: a tenth is finer than any screen and cheap to write.
struct Pixel: Hashable, Sendable {
  var x: Int
  var y: Int

  /// Rounds to tenths; coordinates far outside any image are brought to ±20000, where clipping hides them.
  init(_ x: Double, _ y: Double) {
    self.x = Pixel.tenths(x)
    self.y = Pixel.tenths(y)
  }

  static func tenths(_ value: Double) -> Int {
    Int((value.limited(to: -20_000...20_000) * 10).rounded())
  }

  /// A number of tenths in as few characters as possible: "12.3", "12", "-.5".
  static func text(_ tenths: Int) -> String {
    let (whole, fraction) = Int(tenths.magnitude).quotientAndRemainder(dividingBy: 10)
    let sign = tenths < 0 ? "-" : ""
    if fraction == 0 { return "\(sign)\(whole)" }
    return whole == 0 ? "\(sign).\(fraction)" : "\(sign)\(whole).\(fraction)"
  }

  /// A length or coordinate for an attribute.
  static func text(_ value: Double) -> String {
    text(tenths(value))
  }
}

/// The `d` attribute of an SVG path.
struct PathData: Hashable, Sendable {
  private(set) var text = ""

  var isEmpty: Bool { text.isEmpty }

  /// Adds a polyline; a single point becomes a segment of no length, which round caps show as a dot.
  mutating func addPolyline(_ points: [Pixel], isClosed: Bool = false) {
    guard let first = points.first else { return }
    text += "M"
    append(first.x, first.y)
    var last = first
    var count = 1
    for point in points.dropFirst() where point != last {
      if Pixel.text(point.x).first != "-" { text += " " }
      append(point.x, point.y)
      last = point
      count += 1
    }
    if count == 1 { text += "h0" } else if isClosed { text += "z" }
  }

  /// Adds dots as segments of no length, each at its position relative to the one before; equal points are drawn once.
  mutating func addDots(_ points: [Pixel]) {
    var seen = Set<Pixel>()
    var previous: Pixel?
    // Neighbours in order of x are close, which keeps the relative steps short.
    for point in points.sorted(by: { ($0.x, $0.y) < ($1.x, $1.y) }) where seen.insert(point).inserted {
      if let last = previous {
        text += "m"
        append(point.x - last.x, point.y - last.y)
      } else {
        text += "M"
        append(point.x, point.y)
      }
      text += "h0"
      previous = point
    }
  }

  private mutating func append(_ x: Int, _ y: Int) {
    let second = Pixel.text(y)
    text += Pixel.text(x)
    if second.first != "-" { text += " " }
    text += second
  }
}
