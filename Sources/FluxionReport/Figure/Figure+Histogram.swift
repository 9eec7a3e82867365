extension Figure {
  /// Counts of values in intervals.
  ///
  /// Several histograms in one figure share their bins (unless they bring their own edges), so that their heights can
  /// be compared. On a logarithmic x axis the bins have equal ratios.
  public struct Histogram: Hashable, Sendable {
    public enum Bins: Hashable, Sendable {
      /// Freedman and Diaconis' width 2·IQR·n^(−1/3), the least one over the series, limited to 8…60 bins.
      case automatic
      /// This many bins of equal width, limited to 1…1000.
      case count(Int)
      /// Increasing edges; bins are closed below and open above, the last one closed.
      case edges([Double])
    }

    public enum Height: Hashable, Sendable {
      case count
      /// The fraction of this series' values that fall into the bin.
      case fraction
    }

    /// The name in the legend; empty for none.
    public var label: String
    public var values: [Double]
    public var bins: Bins
    public var height: Height
    public var colour: Colour

    public init(
      _ label: String = "",
      values: [Double],
      bins: Bins = .automatic,
      height: Height = .count,
      colour: Colour = .automatic
    ) {
      self.label = label
      self.values = values
      self.bins = bins
      self.height = height
      self.colour = colour
    }
  }
}

/// A histogram after counting.
struct BinnedSeries: Hashable, Sendable {
  /// One more than there are bins, increasing.
  var edges: [Double]
  var heights: [Double]

  /// Counts `values` between `edges`; values outside are not counted.
  init(_ values: [Double], edges: [Double], height: Figure.Histogram.Height) {
    var counts = [Double](repeating: 0, count: Swift.max(edges.count - 1, 0))
    if let first = edges.first, let last = edges.last, edges.count > 1 {
      for value in values where value >= first && value <= last {
        var low = 0
        var high = counts.count
        while high - low > 1 {
          let middle = (low + high) / 2
          if edges[middle] <= value { low = middle } else { high = middle }
        }
        counts[low] += 1
      }
    }
    let total = Double(Swift.max(values.count, 1))
    self.edges = edges
    heights = height == .count ? counts : counts.map { $0 / total }
  }

  /// The edges that suit all `series` together on an axis of this scale; every value must be admitted by it.
  static func edges(for series: [[Double]], bins: Figure.Histogram.Bins, scale: Figure.Axis.Scale) -> [Double] {
    if case .edges(let given) = bins {
      let usable = given.filter { $0.isFinite && (scale == .linear || $0 > 0) }.sorted()
      return usable.enumerated().filter { $0.offset == 0 || $0.element > usable[$0.offset - 1] }.map(\.element)
    }
    let sorted = series.filter { !$0.isEmpty }.map { (scale == .logarithmic ? $0.map(logarithm) : $0).sorted() }
    guard let least = sorted.map({ $0[0] }).min(), let greatest = sorted.map({ $0[$0.count - 1] }).max() else {
      return []
    }
    let domain = Domain.widened(lower: least, upper: greatest, scale: .linear)
    let span = domain.upper - domain.lower
    var count = 0
    if case .count(let requested) = bins {
      count = min(max(requested, 1), 1000)
    } else {
      let widths = sorted.map { values in
        2 * (values[values.count * 3 / 4] - values[values.count / 4]) * powerOfTen(-logarithm(Double(values.count)) / 3)
      }
      let width = widths.filter { $0 > 0 }.min()
      count = width.map { Int((span / $0).rounded(.up).limited(to: 8...60)) } ?? 20
    }
    let edges = (0...count).map { domain.lower + span * (Double($0) / Double(count)) }
    guard scale == .logarithmic else { return edges }
    // The outer edges are the data themselves, which rounding through the logarithm could miss.
    var powers = edges.map { powerOfTen($0) }
    powers[0] = min(powers[0], series.compactMap { $0.min() }.min() ?? powers[0])
    powers[count] = max(powers[count], series.compactMap { $0.max() }.max() ?? powers[count])
    return powers
  }
}
