/// A plot as a value: what is shown, on which axes, under which title.
///
/// A figure holds numbers, not drawing commands. ``svg()`` turns it into a self-contained image; a ``ReportPage``
/// embeds it; a ``FigureGrid`` lays several out as small multiples. Whatever the data, drawing never fails: numbers
/// that have no place (not finite, or not positive on a logarithmic axis) are left out and counted in a note.
///
/// ```swift
/// var figure = Figure("Loss", x: .linear("step"), y: .logarithmic("mean squared error"))
/// figure.marks = [.line("training", x: steps, y: losses), .horizontal(at: floor, "irreducible")]
/// let image = figure.svg()
/// ```
///
/// All lengths are in CSS pixels. Colours follow the reader's light or dark theme.
public struct Figure: Hashable, Sendable {
  /// What the figure shows; at most two lines are drawn.
  public var title: String
  /// A sentence for readers who cannot see the image; when empty, one is made from the axes and labels.
  public var summary: String
  public var x: Axis
  public var y: Axis
  /// What is drawn, from back to front.
  public var marks: [Mark]
  /// The width of the whole figure, limited to 160…2400.
  public var width: Double
  /// The height of the plotting area, limited to 60…2400; not used with ``hasEqualAspect``.
  public var plotHeight: Double
  /// Whether one unit is equally long on both axes.
  ///
  /// The height then follows from the ranges; where that would be extreme, a range is widened. Ignored when an axis
  /// is logarithmic.
  public var hasEqualAspect: Bool
  /// Where series are named.
  public var legend: LegendPlacement

  /// A figure, by default 520 pixels wide with a plotting area 260 high.
  public init(
    _ title: String,
    x: Axis = Axis(),
    y: Axis = Axis(),
    marks: [Mark] = [],
    summary: String = "",
    width: Double = 520,
    plotHeight: Double = 260,
    hasEqualAspect: Bool = false,
    legend: LegendPlacement = .automatic
  ) {
    self.title = title
    self.summary = summary
    self.x = x
    self.y = y
    self.marks = marks
    self.width = width
    self.plotHeight = plotHeight
    self.hasEqualAspect = hasEqualAspect
    self.legend = legend
  }

  /// Where the names of the series stand.
  public enum LegendPlacement: Hashable, Sendable {
    /// Beside the ends of the lines when every labelled mark is a line, otherwise in a row above the plot.
    case automatic
    /// In a row above the plot.
    case above
    /// Nowhere.
    case hidden
  }

  /// A point in data coordinates.
  public struct Point: Hashable, Sendable {
    public var x: Double
    public var y: Double

    public init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// A colour by role, so that each theme can choose its own shade.
  public enum Colour: Hashable, Sendable {
    /// The next colour of the palette; marks with the same label share one.
    case automatic
    /// A palette entry, counted from 0 and taken modulo ``Figure/paletteCount``.
    case series(Int)
    /// The colour of text.
    case ink
    /// A quiet grey for context.
    case muted
  }

  /// The number of distinct series colours; they stay apart in the common kinds of colour blindness, the
  /// first five clearly.
  public static let paletteCount = Palette.light.series.count
}
