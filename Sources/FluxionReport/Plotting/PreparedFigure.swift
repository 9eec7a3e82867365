/// A figure whose data have been looked at: domains decided, histograms counted, colours assigned.
struct PreparedFigure: Sendable {
  var figure: Figure
  var xDomain: Domain
  var yDomain: Domain
  /// The counted histograms, by the index of their mark.
  var histograms: [Int: BinnedSeries]
  /// The colour of each mark, as the last part of a style class.
  var colours: [String]
  var omissions: Omissions

  init(_ figure: Figure, colours book: inout ColourBook) {
    self.figure = figure
    colours = figure.marks.enumerated().map { book.name(for: $1, at: $0) }
    var survey = Survey(x: figure.x.scale, y: figure.y.scale)
    histograms = PreparedFigure.counted(figure)
    for (index, mark) in figure.marks.enumerated() {
      survey.look(at: mark, binned: histograms[index])
    }
    omissions = survey.omissions
    xDomain = .fitting(figure.x, data: survey.xRange)
    yDomain = .fitting(figure.y, data: survey.yRange, baseline: histograms.isEmpty ? nil : 0)
  }

  /// Counts all histograms; those without edges of their own share theirs.
  private static func counted(_ figure: Figure) -> [Int: BinnedSeries] {
    var shared: [[Double]] = []
    for case .histogram(let histogram) in figure.marks where !histogram.bringsEdges {
      shared.append(histogram.values.filter(figure.x.admits))
    }
    var result: [Int: BinnedSeries] = [:]
    var sharedEdges: [Double]?
    for case (let index, .histogram(let histogram)) in figure.marks.enumerated() {
      let values = histogram.values.filter(figure.x.admits)
      let edges: [Double]
      if histogram.bringsEdges {
        edges = BinnedSeries.edges(for: [values], bins: histogram.bins, scale: figure.x.scale)
      } else {
        edges = sharedEdges ?? BinnedSeries.edges(for: shared, bins: histogram.bins, scale: figure.x.scale)
        sharedEdges = edges
      }
      result[index] = BinnedSeries(values, edges: edges, height: histogram.height)
    }
    return result
  }

  /// What the legend has to name, without repetitions: label, colour and the mark that shows the form of the key.
  var legendEntries: [LegendEntry] {
    var seen = Set<String>()
    var entries: [LegendEntry] = []
    for (mark, colour) in zip(figure.marks, colours) {
      let label = mark.legendLabel
      if !label.isEmpty, seen.insert(label).inserted {
        entries.append(LegendEntry(label: label, colour: colour, mark: mark))
      }
    }
    return entries
  }

  /// A sentence for readers who cannot see the figure.
  var summary: String {
    if !figure.summary.isEmpty { return figure.summary }
    func describe(_ axis: Figure.Axis, _ name: String) -> String {
      let label = axis.label.isEmpty ? name : "\(name): \(axis.label)"
      return axis.scale == .logarithmic ? label + " (logarithmic)" : label
    }
    let series = figure.marks.map { mark in
      let label = if case .reference(let line) = mark { line.label } else { mark.legendLabel }
      return label.isEmpty ? mark.kind : "\(label) (\(mark.kind))"
    }
    let shown = series.isEmpty ? "no data" : series.prefix(12).joined(separator: ", ")
    return "\(describe(figure.x, "x axis")); \(describe(figure.y, "y axis")). Shown: \(shown)."
  }
}

/// One line of a legend.
struct LegendEntry: Sendable {
  var label: String
  var colour: String
  var mark: Figure.Mark
}

/// Gives each mark a colour: the next one of the palette, or the one that its label already has.
///
/// Marks without a label are known by their place in the figure, so that the panels of a grid agree.
struct ColourBook: Sendable {
  private var names: [String: String] = [:]
  private var next = 0

  init() {}

  mutating func name(for mark: Figure.Mark, at index: Int) -> String {
    switch mark.colour {
    case .ink: return "ink"
    case .muted: return "muted"
    case .series(let index): return String(((index % Figure.paletteCount) + Figure.paletteCount) % Figure.paletteCount)
    case .automatic: break
    }
    // The sign in front keeps a label such as "1" apart from the place 1.
    let key = mark.legendLabel.isEmpty ? "\(index)" : "=" + mark.legendLabel
    if let known = names[key] { return known }
    let name = String(next % Figure.paletteCount)
    next += 1
    names[key] = name
    return name
  }
}

extension Figure.Histogram {
  fileprivate var bringsEdges: Bool {
    if case .edges = bins { true } else { false }
  }
}
