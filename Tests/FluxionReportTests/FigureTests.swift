import Testing

@testable import FluxionReport

@Suite("Figures")
struct FigureTests {
  /// The plotting area of a figure, from the first polyline of its axes: top left, bottom left, bottom right.
  private func plot(_ svg: ParsedXML) throws -> Box {
    let axes = try #require(svg.all(class: "fx-axis").first?.attributes["d"])
    let corners = points(ofPath: axes)
    return Box(
      x: corners[0].x, y: corners[0].y, width: corners[2].x - corners[0].x, height: corners[1].y - corners[0].y)
  }

  @Test("a line on linear axes passes through the right pixels")
  func linearPixels() throws {
    let figure = Figure(
      "t", x: .linear(range: 0...10), y: .linear(range: -1...1), marks: [.line(x: [0, 2.5, 10], y: [-1, 0, 1])])
    let svg = ParsedXML(figure.svg())
    let box = try plot(svg)
    let drawn = points(ofPath: try #require(svg.all(class: "fx-line").first?.attributes["d"]))
    let expected = [(box.x, box.bottom), (box.x + box.width / 4, box.y + box.height / 2), (box.right, box.y)]
    try #require(drawn.count == 3)
    // Both ends of each comparison are rounded to a tenth.
    for (point, target) in zip(drawn, expected) {
      #expect(abs(point.x - target.0) < 0.16 && abs(point.y - target.1) < 0.16, "\(point) against \(target)")
    }
  }

  @Test("points on logarithmic axes lie at equal steps for equal factors")
  func logarithmicPixels() throws {
    let figure = Figure(
      "t", x: .logarithmic(range: 1...1000), y: .logarithmic(range: 0.01...1),
      marks: [.scatter(x: [1, 10, 100, -5], y: [0.01, 0.1, 1, 1], opacity: 1)])
    let svg = ParsedXML(figure.svg())
    let box = try plot(svg)
    let drawn = points(ofPath: try #require(svg.all(class: "fx-dot").first?.attributes["d"]))
    try #require(drawn.count == 3)
    for (index, point) in drawn.enumerated() {
      #expect(abs(point.x - (box.x + box.width * Double(index) / 3)) < 0.16)
      #expect(abs(point.y - (box.bottom - box.height * Double(index) / 2)) < 0.16)
    }
    #expect(svg.all(class: "fx-remark").map(\.text) == ["1 value not shown: not positive on a logarithmic axis"])
  }

  @Test("an equal aspect makes units equally long")
  func equalAspect() throws {
    let figure = Figure(
      "t", x: .linear(range: 0...4), y: .linear(range: 0...3), marks: [.scatter(x: [1], y: [1])], hasEqualAspect: true)
    let box = try plot(ParsedXML(figure.svg()))
    #expect(abs(box.width / 4 - box.height / 3) < 0.1)
  }

  @Test("histograms count into shared bins, the last edge included")
  func histogram() {
    let edges = BinnedSeries.edges(for: [[0, 1, 2, 3], [4]], bins: .count(4), scale: .linear)
    #expect(edges == [0, 1, 2, 3, 4])
    #expect(BinnedSeries([0, 0.5, 1, 4, 5], edges: edges, height: .count).heights == [2, 1, 0, 1])
    #expect(BinnedSeries([0, 1, 1, 3], edges: edges, height: .fraction).heights == [0.25, 0.5, 0, 0.25])
    let ratios = BinnedSeries.edges(for: [[1, 100]], bins: .count(2), scale: .logarithmic)
    #expect(ratios.count == 3 && abs(ratios[1] - 10) < 1e-9 && ratios[0] <= 1 && ratios[2] >= 100)
  }

  @Test("a gap breaks a line into pieces")
  func gaps() throws {
    let figure = Figure("t", marks: [.line(x: [0, 1, 2, 3, 4], y: [0, 1, .nan, 1, 0])])
    let path = try #require(ParsedXML(figure.svg()).all(class: "fx-line").first?.attributes["d"])
    #expect(path.filter { $0 == "M" }.count == 2)
  }

  @Test("thousands of points stay small, long curves are thinned but keep their extremes")
  func size() throws {
    let count = 4000
    let x = (0..<count).map { Double($0 * 7919 % 4001) }
    let y = (0..<count).map { Double($0 * 104_729 % 3989) }
    #expect(Figure("t", marks: [.scatter(x: x, y: y)]).svg().utf8.count < 12 * count)

    let steps = (0..<200_000).map(Double.init)
    var values = steps.map { $0.truncatingRemainder(dividingBy: 17) }
    values[123_456] = 1000
    let svg = Figure("t", y: .linear(range: 0...1000), marks: [.line(x: steps, y: values)]).svg()
    #expect(svg.utf8.count < 60_000)
    let parsed = ParsedXML(svg)
    let top = try plot(parsed).y
    let drawn = points(ofPath: try #require(parsed.all(class: "fx-line").first?.attributes["d"]))
    #expect(drawn.contains { abs($0.y - top) < 0.11 })
  }

  @Test("lines are named beside their ends, other marks above")
  func legends() {
    let lines = Figure("t", marks: [.line("up", x: [0, 1], y: [0, 1]), .line("down", x: [0, 1], y: [1, 0])])
    var book = ColourBook()
    #expect(!DirectLabels(PreparedFigure(lines, colours: &book), width: 520).isEmpty)
    var mixed = lines
    mixed.marks.append(.scatter("dots", x: [0], y: [0]))
    #expect(DirectLabels(PreparedFigure(mixed, colours: &book), width: 520).isEmpty)
    #expect(ParsedXML(mixed.svg()).all(class: "fx-key").map(\.text) == ["up", "down", "dots"])
    mixed.legend = .hidden
    #expect(ParsedXML(mixed.svg()).all(class: "fx-key").isEmpty)
  }

  @Test("panels of a grid share ranges and colours, and label only the outer edge")
  func grid() {
    let panels = [1.0, 10, 100, 1000].map { top in
      Figure("to \(Int(top))", x: .linear("x"), y: .linear("y"), marks: [.line("a", x: [0, 1], y: [0, top])])
    }
    let grid = FigureGrid("g", panels, columns: 2)
    let prepared = grid.prepared()
    #expect(Set(prepared.map(\.yDomain)).count == 1)
    #expect(Set(prepared.flatMap(\.colours)) == ["0"])
    let svg = ParsedXML(grid.svg())
    #expect(svg.all(class: "fx-label").map(\.text).sorted() == ["x", "x", "y", "y"])
    #expect(svg.all(class: "fx-heading").map(\.text) == ["to 1", "to 10", "to 100", "to 1000"])
    #expect(svg.all(class: "fx-key").map(\.text) == ["a"])
  }

  @Test("equal figures give equal bytes")
  func determinism() {
    let figure = Figure("t", marks: [.scatter("a", x: [1, 2, 3], y: [3, 1, 2]), .histogram("b", [1, 2, 2, 3])])
    #expect(figure.svg() == figure.svg())
  }
}
