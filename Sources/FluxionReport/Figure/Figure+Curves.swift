extension Figure {
  /// A sequence of points joined by straight segments, with an optional band around it.
  ///
  /// A point that cannot be shown leaves a gap. Long curves are thinned to what can be seen: per pixel column the
  /// first, least, greatest and last value.
  public struct Line: Hashable, Sendable {
    /// The name in the legend; empty for none.
    public var label: String
    public var x: [Double]
    /// One value for each of `x`; surplus numbers in either are counted as not shown.
    public var y: [Double]
    public var colour: Colour
    /// The stroke width, 0.25…12.
    public var width: Double
    public var dash: Dash
    /// Whether each point is also marked by a dot.
    public var hasMarkers: Bool
    /// An interval around the line, such as the spread over seeds.
    public var band: Band?

    public init(
      _ label: String = "",
      x: [Double],
      y: [Double],
      colour: Colour = .automatic,
      width: Double = 1.75,
      dash: Dash = .solid,
      hasMarkers: Bool = false,
      band: Band? = nil
    ) {
      self.label = label
      self.x = x
      self.y = y
      self.colour = colour
      self.width = width
      self.dash = dash
      self.hasMarkers = hasMarkers
      self.band = band
    }
  }

  /// The two edges of a band, one value of each for every point of the line.
  public struct Band: Hashable, Sendable {
    public var low: [Double]
    public var high: [Double]

    public init(low: [Double], high: [Double]) {
      self.low = low
      self.high = high
    }
  }

  /// The pattern of a stroke.
  public enum Dash: Hashable, Sendable {
    case solid
    case dashed
    case dotted

    /// The SVG `stroke-dasharray`, nil for a solid stroke.
    var pattern: String? {
      switch self {
      case .solid: nil
      case .dashed: "6 4"
      case .dotted: "0.1 4"
      }
    }
  }

  /// A straight line across the whole plot, for a bound, a theoretical value or a baseline.
  public struct ReferenceLine: Hashable, Sendable {
    public enum Orientation: Hashable, Sendable {
      case horizontal
      case vertical
    }

    public var orientation: Orientation
    /// The position on the axis that the line crosses.
    public var value: Double
    /// Text beside the line; empty for none.
    public var label: String
    public var dash: Dash
    public var colour: Colour

    public init(
      _ orientation: Orientation, at value: Double, _ label: String = "", dash: Dash = .dashed, colour: Colour = .ink
    ) {
      self.orientation = orientation
      self.value = value
      self.label = label
      self.dash = dash
      self.colour = colour
    }
  }
}
