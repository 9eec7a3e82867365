import Testing

@testable import FluxionReport

@Suite("Pages")
struct PageTests {
  private var page: ReportPage {
    let figure = Figure("loss", marks: [.line("a", x: [0, 1], y: [1, 0])])
    let grid = FigureGrid("grid", [figure, figure, figure, figure], columns: 4)
    return ReportPage(
      "Rectified flow", subtitle: "s", keyFigures: [.init("2.48 → 0.004", "straightness")],
      sections: [
        .init("One", [.row([.figure(figure, caption: "c"), .figure(figure)]), .grid(grid), .figure(figure)])
      ],
      version: "Fluxion 0.1.0")
  }

  /// The body with the parts that HTML writes without closing removed, so that an XML parser can read it.
  private func body(_ html: String) throws -> ParsedXML {
    let start = try #require(html.firstRange(of: "<main>")).lowerBound
    let end = try #require(html.firstRange(of: "</main>")).upperBound
    return ParsedXML(String(html[start..<end]))
  }

  @Test("the body is well-formed, identifiers are unique and every reference has its target")
  func structure() throws {
    let parsed = try body(page.html())
    let identifiers = parsed.elements.compactMap { $0.attributes["id"] }
    #expect(Set(identifiers).count == identifiers.count)
    let references = parsed.elements.flatMap { element in
      (element.attributes["aria-labelledby"]?.split(separator: " ").map(String.init) ?? [])
        + (element.attributes["href"].map { [String($0.dropFirst())] } ?? [])
    }
    #expect(references.count > 10)
    for reference in references { #expect(identifiers.contains(reference), "\(reference)") }
    #expect(parsed.all("use").count == 8)  // four panels, wide and narrow
    #expect(parsed.all("figcaption").map(\.text) == ["c"])
    #expect(parsed.all("dd").map(\.text) == ["2.48 → 0.004"])
  }

  @Test("nothing is loaded from outside")
  func selfContained() {
    let html = page.html().replacing("http://www.w3.org/2000/svg", with: "")
    for forbidden in ["http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
    #expect(html.components(of: "<script>") == 2)
  }

  @Test("the button's choice overrides the system in both directions, and paper is light")
  func themes() {
    let style = PageStyle.sheet
    #expect(style.contains("@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light])"))
    #expect(style.contains("@media screen{:root[data-theme=dark]"))
    #expect(style.contains("@media print"))
  }
}
