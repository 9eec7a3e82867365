/// Several figures of equal size in rows: small multiples.
///
/// Shared axes show the same range in every panel and carry labels only at the outer edge, so that panels can be
/// compared at a glance. A label has the same colour in all panels, and one legend serves them all. The widths,
/// heights and legends of the figures themselves are not used.
public struct FigureGrid: Hashable, Sendable {
  /// What the panels show together; may be empty.
  public var title: String
  /// The panels in reading order; each figure's title becomes its heading.
  public var figures: [Figure]
  /// The number of panels in a full row, limited to 1…12.
  public var columns: Int
  /// Whether all panels have the same horizontal range and only the lowest of each column has labels.
  ///
  /// Ignored when the panels' scales differ.
  public var sharesX: Bool
  /// Whether all panels have the same vertical range and only the leftmost of each row has labels.
  ///
  /// Ignored when the panels' scales differ.
  public var sharesY: Bool
  /// The width of the whole grid in pixels, limited to 160…2400.
  public var width: Double
  /// The height of each plotting area in pixels; nil makes it follow from the first figure: as wide as high, or
  /// whatever gives an equal aspect when that figure asks for one.
  public var plotHeight: Double?

  public init(
    _ title: String = "",
    _ figures: [Figure],
    columns: Int,
    sharesX: Bool = true,
    sharesY: Bool = true,
    width: Double = 1060,
    plotHeight: Double? = nil
  ) {
    self.title = title
    self.figures = figures
    self.columns = columns
    self.sharesX = sharesX
    self.sharesY = sharesY
    self.width = width
    self.plotHeight = plotHeight
  }

  /// The grid as a self-contained SVG image with its own style: light or dark with the reader's system.
  public func svg() -> String {
    GridLayout(self).drawing(identifier: "fx").svg(standalone: true)
  }

  /// The figures with their data surveyed, their colours agreed and their shared ranges united.
  func prepared() -> [PreparedFigure] {
    var book = ColourBook()
    var panels = figures.map { PreparedFigure($0, colours: &book) }
    guard let first = panels.first else { return [] }
    if sharesX, panels.allSatisfy({ $0.xDomain.scale == first.xDomain.scale }) {
      let shared = panels.dropFirst().reduce(first.xDomain) { $0.union($1.xDomain) }
      for index in panels.indices { panels[index].xDomain = shared }
    }
    if sharesY, panels.allSatisfy({ $0.yDomain.scale == first.yDomain.scale }) {
      let shared = panels.dropFirst().reduce(first.yDomain) { $0.union($1.yDomain) }
      for index in panels.indices { panels[index].yDomain = shared }
    }
    return panels
  }
}

extension Domain {
  /// The least domain that contains both.
  fileprivate func union(_ other: Domain) -> Domain {
    Domain(lower: min(lower, other.lower), upper: max(upper, other.upper), scale: scale)
  }
}
