import Testing

@testable import FluxionReport

/// Every kind of mark crossed with every kind of awkward data and axis: nothing may trap, and no number that is not
/// finite may reach the image.
@Suite("Awkward data")
struct RobustnessTests {
  static let data: [(name: String, values: [Double])] = [
    ("empty", []),
    ("single", [3]),
    ("equal", [2, 2, 2, 2]),
    ("zeros", [0, 0, 0]),
    ("not finite", [.nan, .infinity, -.infinity]),
    ("mixed", [1, .nan, 3, .infinity, -2]),
    ("huge", [-1e308, 0, 1e308, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]),
    ("tiny", [.leastNonzeroMagnitude, 2000 * .leastNonzeroMagnitude, 0]),
    ("wide", [1e-300, 1, 1e300]),
    ("negative", [-3, -2, -1]),
    ("close", [1, 1 + 2e-16, 1 - 1e-16]),
    ("offset", [1e15, 1e15 + 1, 1e15 + 2]),
  ]

  static let axes: [Figure.Axis] = [
    .linear("x"), .logarithmic("x"), .linear(range: 0...1), .logarithmic(range: 1e-3...1), .linear(range: 5...5),
    .linear(range: -.infinity ... .infinity), .logarithmic(range: -1...0), .linear(range: 1e305...1e306),
    .logarithmic(range: (.leastNonzeroMagnitude)...1e-305), .linear(ticks: [.nan, 0, 1, 1, 1e300]),
    .logarithmic(ticks: []),
  ]

  private func marks(_ values: [Double]) -> [Figure.Mark] {
    let reversed = Array(values.reversed())
    let points = zip(values, reversed).map { Figure.Point($0, $1) }
    return [
      .line("line", x: values, y: reversed, hasMarkers: true, band: .init(low: values, high: reversed)),
      .line("short", x: values, y: Array(values.dropLast())),
      .scatter("scatter", x: values, y: reversed, radius: .nan, opacity: .infinity),
      .trajectories("paths", [points, [], points], showsStarts: true, showsEnds: true),
      .histogram("histogram", values), .histogram("fraction", values, bins: .count(-4), height: .fraction),
      .histogram("edges", values, bins: .edges([3, .nan, 1, 1, 2])), .histogram("none", values, bins: .edges([])),
      .horizontal(at: values.first ?? .nan, "level"), .vertical(at: values.last ?? .infinity, "time"),
      .quiver("arrows", points.map { .init($0, dx: $0.x, dy: $0.y) }, longest: -.infinity),
    ]
  }

  private func check(_ text: String, _ context: String) {
    let svg = ParsedXML(text)
    for element in svg.elements {
      for (name, value) in element.attributes where !["id", "class", "aria-labelledby"].contains(name) {
        let lower = value.lowercased()
        #expect(
          !lower.contains("nan") && !lower.contains("inf") && !lower.contains("e+"), "\(context): \(name)=\(value)")
        #expect(name != "d" || points(ofPath: value).allSatisfy { $0.x.isFinite && $0.y.isFinite }, "\(context)")
      }
      if element.attributes["class"]?.contains("fx-tick") == true {
        #expect(!element.text.contains("nan") && !element.text.contains("∞"), "\(context): tick \(element.text)")
      }
    }
  }

  @Test("each mark on each axis", arguments: data.indices)
  func everyMark(index: Int) {
    let (name, values) = RobustnessTests.data[index]
    for (number, axis) in RobustnessTests.axes.enumerated() {
      for mark in marks(values) {
        var figure = Figure("t", x: axis, y: axis, marks: [mark])
        check(figure.svg(), "\(name), axis \(number), \(mark.kind)")
        figure.hasEqualAspect = true
        figure.y = .linear("y")
        figure.width = .nan
        check(figure.svg(), "\(name), axis \(number), \(mark.kind), equal aspect")
      }
    }
  }

  @Test("all marks together, alone and in a grid", arguments: data.indices)
  func together(index: Int) {
    let (name, values) = RobustnessTests.data[index]
    let figures = RobustnessTests.axes.map { Figure(name, x: $0, y: .linear("y"), marks: marks(values)) }
    for figure in figures { check(figure.svg(), name) }
    for shares in [true, false] {
      check(FigureGrid(name, figures, columns: 3, sharesX: shares, sharesY: shares).svg(), name)
    }
  }

  @Test("empty and extreme grids")
  func grids() {
    check(FigureGrid("", [], columns: 3).svg(), "empty grid")
    check(FigureGrid("t", [Figure("a")], columns: -1, width: .infinity, plotHeight: .nan).svg(), "odd grid")
    check(Figure("t", width: -5, plotHeight: .infinity).svg(), "odd figure")
    #expect(ParsedXML(Figure("t").svg()).all(class: "fx-remark").map(\.text) == ["no data"])
  }

  @Test("values that are not shown are counted")
  func counted() {
    let figure = Figure("t", y: .logarithmic(), marks: [.line(x: [0, 1, 2, 3, 4], y: [1, 0, .nan, 10])])
    let remarks = ParsedXML(figure.svg()).all(class: "fx-remark").map(\.text)
    #expect(
      remarks.joined(separator: " ")
        == "3 values not shown: 1 not finite, 1 not positive on a logarithmic axis, 1 without a partner")
  }

  @Test("very long labels are cut and stay inside the image")
  func longLabels() throws {
    let long = String(repeating: "unbreakable", count: 60) + String(repeating: " and words", count: 60)
    let figure = Figure(
      long, x: .linear(long), y: .linear(long),
      marks: [.line(long, x: [0, 1], y: [0, 1]), .horizontal(at: 0.5, long), .vertical(at: 0.9, long)])
    let svg = ParsedXML(figure.svg())
    check(figure.svg(), "long")
    for text in svg.all("text") {
      #expect(TextMetrics.width(of: text.text, size: 14, isBold: true) < 520 * 1.3)
    }
  }
}
