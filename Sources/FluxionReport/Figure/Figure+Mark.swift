extension Figure {
  /// One thing drawn in a figure.
  public enum Mark: Hashable, Sendable {
    case line(Line)
    case scatter(Scatter)
    case trajectories(Trajectories)
    case histogram(Histogram)
    case reference(ReferenceLine)
    case quiver(Quiver)
  }
}

extension Figure.Mark {
  /// A line through the points (x, y).
  public static func line(
    _ label: String = "",
    x: [Double],
    y: [Double],
    colour: Figure.Colour = .automatic,
    dash: Figure.Dash = .solid,
    hasMarkers: Bool = false,
    band: Figure.Band? = nil
  ) -> Figure.Mark {
    .line(Figure.Line(label, x: x, y: y, colour: colour, dash: dash, hasMarkers: hasMarkers, band: band))
  }

  /// A cloud of the points (x, y).
  public static func scatter(
    _ label: String = "",
    x: [Double],
    y: [Double],
    colour: Figure.Colour = .automatic,
    radius: Double = 1.5,
    opacity: Double = 0.6
  ) -> Figure.Mark {
    .scatter(Figure.Scatter(label, x: x, y: y, colour: colour, radius: radius, opacity: opacity))
  }

  /// Many paths through the plane.
  public static func trajectories(
    _ label: String = "",
    _ paths: [[Figure.Point]],
    colour: Figure.Colour = .automatic,
    opacity: Double = 0.4,
    showsStarts: Bool = false,
    showsEnds: Bool = false
  ) -> Figure.Mark {
    .trajectories(
      Figure.Trajectories(
        label, paths: paths, colour: colour, opacity: opacity, showsStarts: showsStarts, showsEnds: showsEnds))
  }

  /// Counts of `values` in bins.
  public static func histogram(
    _ label: String = "",
    _ values: [Double],
    bins: Figure.Histogram.Bins = .automatic,
    height: Figure.Histogram.Height = .count,
    colour: Figure.Colour = .automatic
  ) -> Figure.Mark {
    .histogram(Figure.Histogram(label, values: values, bins: bins, height: height, colour: colour))
  }

  /// A horizontal line across the plot at the height `value`.
  public static func horizontal(
    at value: Double, _ label: String = "", dash: Figure.Dash = .dashed, colour: Figure.Colour = .ink
  ) -> Figure.Mark {
    .reference(Figure.ReferenceLine(.horizontal, at: value, label, dash: dash, colour: colour))
  }

  /// A vertical line across the plot at `value`.
  public static func vertical(
    at value: Double, _ label: String = "", dash: Figure.Dash = .dashed, colour: Figure.Colour = .ink
  ) -> Figure.Mark {
    .reference(Figure.ReferenceLine(.vertical, at: value, label, dash: dash, colour: colour))
  }

  /// Arrows in the plane.
  public static func quiver(
    _ label: String = "", _ arrows: [Figure.Quiver.Arrow], colour: Figure.Colour = .automatic, longest: Double = 20
  ) -> Figure.Mark {
    .quiver(Figure.Quiver(label, arrows: arrows, colour: colour, longest: longest))
  }

  /// The name in the legend; reference lines carry theirs in the plot.
  var legendLabel: String {
    switch self {
    case .line(let line): line.label
    case .scatter(let scatter): scatter.label
    case .trajectories(let trajectories): trajectories.label
    case .histogram(let histogram): histogram.label
    case .quiver(let quiver): quiver.label
    case .reference: ""
    }
  }

  var colour: Figure.Colour {
    switch self {
    case .line(let line): line.colour
    case .scatter(let scatter): scatter.colour
    case .trajectories(let trajectories): trajectories.colour
    case .histogram(let histogram): histogram.colour
    case .quiver(let quiver): quiver.colour
    case .reference(let reference): reference.colour
    }
  }

  /// Two or three words for the description of the figure.
  var kind: String {
    switch self {
    case .line: "line"
    case .scatter: "points"
    case .trajectories: "paths"
    case .histogram: "histogram"
    case .quiver: "arrows"
    case .reference: "reference line"
    }
  }
}
