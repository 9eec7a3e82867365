/// The extent of a figure's data on both axes, and what of the data has no place there.
struct Survey: Sendable {
  let xScale: Figure.Axis.Scale
  let yScale: Figure.Axis.Scale
  private(set) var xRange: ClosedRange<Double>?
  private(set) var yRange: ClosedRange<Double>?
  private(set) var omissions = Omissions()

  init(x: Figure.Axis.Scale, y: Figure.Axis.Scale) {
    xScale = x
    yScale = y
  }

  /// Takes a mark into account.
  mutating func look(at mark: Figure.Mark, binned: BinnedSeries?) {
    switch mark {
    case .line(let line):
      look(atPairs: line.x, line.y)
      for case (let x, let y) in zip(line.x, line.band?.low ?? []) where admits(x, y) { include(x, y) }
      for case (let x, let y) in zip(line.x, line.band?.high ?? []) where admits(x, y) { include(x, y) }
    case .scatter(let scatter):
      look(atPairs: scatter.x, scatter.y)
    case .trajectories(let trajectories):
      for path in trajectories.paths {
        for point in path { look(at: point.x, point.y) }
      }
    case .histogram(let histogram):
      for value in histogram.values { look(at: value, 1) }
      include(binned)
    case .reference(let line):
      lookAtReference(line)
    case .quiver(let quiver):
      for arrow in quiver.arrows {
        if arrow.dx.isFinite && arrow.dy.isFinite {
          look(at: arrow.tail.x, arrow.tail.y)
        } else {
          omissions.notFinite += 1
        }
      }
    }
  }

  private mutating func look(atPairs x: [Double], _ y: [Double]) {
    for (x, y) in zip(x, y) { look(at: x, y) }
    omissions.unpaired += max(x.count, y.count) - min(x.count, y.count)
  }

  private mutating func look(at x: Double, _ y: Double) {
    if !x.isFinite || !y.isFinite {
      omissions.notFinite += 1
    } else if !admits(x, y) {
      omissions.notPositive += 1
    } else {
      include(x, y)
    }
  }

  private mutating func lookAtReference(_ line: Figure.ReferenceLine) {
    let isHorizontal = line.orientation == .horizontal
    if !line.value.isFinite {
      omissions.notFinite += 1
    } else if line.value <= 0, (isHorizontal ? yScale : xScale) == .logarithmic {
      omissions.notPositive += 1
    } else if isHorizontal {
      yRange = Survey.union(yRange, line.value)
    } else {
      xRange = Survey.union(xRange, line.value)
    }
  }

  /// A histogram reaches over its edges and from its foot to its highest bin.
  private mutating func include(_ binned: BinnedSeries?) {
    guard let binned, let first = binned.edges.first, let last = binned.edges.last, binned.edges.count > 1 else {
      return
    }
    xRange = Survey.union(Survey.union(xRange, first), last)
    guard let highest = binned.heights.max(), highest > 0 else { return }
    let least = binned.heights.filter { $0 > 0 }.min() ?? highest
    yRange = Survey.union(Survey.union(yRange, highest), yScale == .linear ? 0 : least / 2)
  }

  private mutating func include(_ x: Double, _ y: Double) {
    xRange = Survey.union(xRange, x)
    yRange = Survey.union(yRange, y)
  }

  private func admits(_ x: Double, _ y: Double) -> Bool {
    x.isFinite && y.isFinite && (xScale == .linear || x > 0) && (yScale == .linear || y > 0)
  }

  private static func union(_ range: ClosedRange<Double>?, _ value: Double) -> ClosedRange<Double> {
    guard let range else { return value...value }
    return min(range.lowerBound, value)...max(range.upperBound, value)
  }
}

/// How many numbers could not be shown, by reason.
struct Omissions: Hashable, Sendable {
  var notFinite = 0
  var notPositive = 0
  var unpaired = 0

  /// A remark for the foot of the figure; nil when everything is shown.
  var note: String? {
    let total = notFinite + notPositive + unpaired
    guard total > 0 else { return nil }
    let reasons = [
      (notFinite, "not finite"), (notPositive, "not positive on a logarithmic axis"), (unpaired, "without a partner"),
    ].filter { $0.0 > 0 }
    let text =
      reasons.count == 1 ? reasons[0].1 : reasons.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    return "\(total) \(total == 1 ? "value" : "values") not shown: \(text)"
  }

  static func + (lhs: Omissions, rhs: Omissions) -> Omissions {
    Omissions(
      notFinite: lhs.notFinite + rhs.notFinite, notPositive: lhs.notPositive + rhs.notPositive,
      unpaired: lhs.unpaired + rhs.unpaired)
  }
}
