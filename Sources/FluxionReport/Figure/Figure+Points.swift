extension Figure {
  /// A cloud of points.
  public struct Scatter: Hashable, Sendable {
    /// The name in the legend; empty for none.
    public var label: String
    public var x: [Double]
    /// One value for each of `x`; surplus numbers in either are counted as not shown.
    public var y: [Double]
    public var colour: Colour
    /// The radius of each point, 0.25…20.
    public var radius: Double
    /// 0 (invisible) to 1; where many points meet, opacity builds up in a few steps.
    public var opacity: Double

    public init(
      _ label: String = "",
      x: [Double],
      y: [Double],
      colour: Colour = .automatic,
      radius: Double = 1.5,
      opacity: Double = 0.6
    ) {
      self.label = label
      self.x = x
      self.y = y
      self.colour = colour
      self.radius = radius
      self.opacity = opacity
    }
  }

  /// Many paths through the plane, such as the trajectories of a flow.
  public struct Trajectories: Hashable, Sendable {
    /// The name in the legend; empty for none.
    public var label: String
    public var paths: [[Point]]
    public var colour: Colour
    /// The stroke width, 0.25…12.
    public var width: Double
    /// 0 (invisible) to 1; where many paths meet, opacity builds up in a few steps.
    public var opacity: Double
    /// Whether the first point of each path gets a grey dot.
    public var showsStarts: Bool
    /// Whether the last point of each path gets a dot in the series colour.
    public var showsEnds: Bool

    public init(
      _ label: String = "",
      paths: [[Point]],
      colour: Colour = .automatic,
      width: Double = 0.9,
      opacity: Double = 0.4,
      showsStarts: Bool = false,
      showsEnds: Bool = false
    ) {
      self.label = label
      self.paths = paths
      self.colour = colour
      self.width = width
      self.opacity = opacity
      self.showsStarts = showsStarts
      self.showsEnds = showsEnds
    }
  }

  /// Arrows, such as samples of a velocity field.
  public struct Quiver: Hashable, Sendable {
    /// An arrow from `tail` with components in the units of the axes; only its direction and relative length are shown.
    public struct Arrow: Hashable, Sendable {
      public var tail: Point
      public var dx: Double
      public var dy: Double

      public init(_ tail: Point, dx: Double, dy: Double) {
        self.tail = tail
        self.dx = dx
        self.dy = dy
      }
    }

    /// The name in the legend; empty for none.
    public var label: String
    public var arrows: [Arrow]
    public var colour: Colour
    /// The length of the longest arrow, 2…200; the others are in proportion.
    public var longest: Double

    public init(_ label: String = "", arrows: [Arrow], colour: Colour = .automatic, longest: Double = 20) {
      self.label = label
      self.arrows = arrows
      self.colour = colour
      self.longest = longest
    }
  }
}
