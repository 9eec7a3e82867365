import Testing

@testable import FluxionReport
import FluxionText

@Suite("Escaping")
struct EscapingTests {
  private let hostile = "<script>alert('x')</script>\"&\u{0}\u{1B}[31m"

  @Test("the five characters and forbidden controls")
  func characters() {
    #expect("<a href=\"x\">&'".escaped == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;")
    #expect("a\u{0}b\u{1B}c\u{FFFE}".escaped == "a\u{FFFD}b\u{FFFD}c\u{FFFD}")
    #expect("a\n\u{1B}[2J".printable == "a \u{FFFD}[2J")
    #expect("\"\\\n\u{1}<é".jsonQuoted == "\"\\\"\\\\\\n\\u0001\\u003cé\"")
  }

  @Test("no part of a figure or page lets a tag through")
  func everywhere() {
    let figure = Figure(
      hostile, x: .linear(hostile), y: .logarithmic(hostile),
      marks: [
        .line(hostile, x: [1, 2], y: [1, 2]), .scatter(hostile, x: [1], y: [1]), .horizontal(at: 1, hostile),
        .vertical(at: 1, hostile),
      ], summary: hostile)
    let grid = FigureGrid(hostile, [figure, figure], columns: 2)
    for svg in [figure.svg(), grid.svg()] {
      #expect(ParsedXML(svg).all("script").isEmpty)
      #expect(svg.contains("&lt;script&gt;"))
    }

    var table = ReportTable([.init(hostile, isCode: true), .init(hostile)])
    table.addRow([.text(hostile), .text(hostile)])
    let page = ReportPage(
      hostile, subtitle: hostile, keyFigures: [.init(hostile, hostile, verdict: .pass)],
      sections: [
        .init(
          hostile,
          [
            .paragraph(hostile), .figure(figure, caption: hostile), .grid(grid, caption: hostile),
            .table(table, caption: hostile), .code(hostile), .definitions([.init(hostile, hostile)]), .list([hostile]),
            .row([.paragraph(hostile)]),
          ])
      ], version: hostile, colophon: [hostile], language: hostile)
    let html = page.html()
    #expect(html.components(of: "<script>") == 2)  // the two of the theme button
    #expect(!html.contains("alert('x')"))
    #expect(!html.unicodeScalars.contains("\u{0}") && !html.unicodeScalars.contains("\u{1B}"))
    #expect(!table.text().unicodeScalars.contains("\u{1B}"))
  }
}

extension String {
  /// How often `part` occurs.
  func components(of part: String) -> Int {
    ranges(of: part).count
  }
}
