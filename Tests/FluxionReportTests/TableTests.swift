import Testing

@testable import FluxionReport

@Suite("Tables")
struct TableTests {
  private var table: ReportTable {
    var table = ReportTable([.init("key", isCode: true), .number("value", .significant(3)), .init("verdict")])
    table.addRow(["alpha", 0.4291, .verdict(.pass)])
    table.addRow(["b", -12.5, .verdict(.fail)])
    table.addRow(["漢字"])
    return table
  }

  @Test("plain text is aligned, wide characters count twice")
  func plain() {
    #expect(
      table.text() == """
        key    value  verdict
        ─────  ─────  ───────
        alpha  0.429  pass
        b      -12.5  FAIL
        漢字

        """)
  }

  @Test("colour adds only escape sequences")
  func colour() {
    let coloured = table.text(usesColour: true)
    #expect(coloured.contains("\u{1B}[32mpass\u{1B}[0m") && coloured.contains("\u{1B}[1;31mFAIL\u{1B}[0m"))
    let bare = coloured.replacing(#/\u{1B}\[[0-9;]*m/#, with: "")
    #expect(bare == table.text())
  }

  @Test("verdicts are words with a class; numbers are right-aligned in HTML")
  func html() {
    let html = table.html()
    let parsed = ParsedXML(html)
    #expect(parsed.all(class: "pass").map(\.text) == ["✓ pass"])
    #expect(parsed.all(class: "fail").map(\.text) == ["✗ FAIL"])
    #expect(parsed.all("td").filter { $0.attributes["class"] == "num" }.map(\.text) == ["0.429", "\u{2212}12.5", ""])
    #expect(parsed.all("code").map(\.text) == ["alpha", "b", "漢字"])
    #expect(parsed.all("td").count == 9)
  }

  @Test("surplus cells are dropped and an empty table is no trouble")
  func shapes() {
    #expect(ReportTable([.init("a")], rows: [["x", "y"]]).text() == "a\n─\nx\n")
    #expect(ParsedXML(ReportTable([]).html()).all("td").isEmpty)
    #expect(ReportTable([], rows: [["x"]]).text() == "\n\n\n")
  }

  @Test("claims become rows with verdicts, and an unmeasured one is skipped")
  func claims() {
    let table = ReportTable(claims: [
      .init(key: "a", meaning: "m", measured: 1, bound: "< 2", holds: true),
      .init(key: "b", meaning: "m", measured: 3, bound: "< 2", holds: false),
      .init(key: "c", meaning: "m", measured: nil, bound: "< 2", holds: false),
    ])
    #expect(table.columns.count == 5)
    #expect(table.rows.map { $0[4] } == [.verdict(.pass), .verdict(.fail), .verdict(.skipped)])
  }
}
