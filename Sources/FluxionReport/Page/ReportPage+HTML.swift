extension ReportPage {
  /// The page as HTML text; equal pages give equal text.
  public func html() -> String {
    var writer = PageWriter()
    for section in sections { writer.add(section) }
    let lead = subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(subtitle.escaped)</p>"
    let header = "<header><h1>\(title.escaped)</h1>\(lead)</header>"
    let footer = ([version] + colophon).filter { !$0.isEmpty }.map { "<span>\($0.escaped)</span>" }.joined(
      separator: " ")
    return """
      <!DOCTYPE html>
      <html lang="\(language.escaped)">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="generator" content="\(version.escaped)">
      <title>\(title.escaped)</title>
      <style>
      \(PageStyle.sheet)</style>
      <script>\(PageStyle.restoreTheme)</script>
      </head>
      <body>
      <button type="button" id="theme" hidden></button>
      <main>
      \(header)
      \(keyFigureRow)\(writer.text)</main>
      <footer>\(footer)</footer>
      <script>\(PageStyle.toggleTheme)</script>
      </body>
      </html>

      """
  }

  private var keyFigureRow: String {
    if keyFigures.isEmpty { return "" }
    let items = keyFigures.map { figure in
      let verdict = figure.verdict.map { " " + $0.html } ?? ""
      // In a description list the term comes first; the style turns the order round for the eye.
      return "<div><dt>\(figure.caption.escaped)\(verdict)</dt><dd>\(figure.value.escaped)</dd></div>"
    }
    return "<dl class=\"key-figures\">\(items.joined())</dl>\n"
  }
}

/// Writes blocks in order and gives each figure a name of its own.
private struct PageWriter {
  private(set) var text = ""
  private var figureCount = 0
  private var sectionCount = 0
  /// The width of figures on a narrow screen: a telephone of 390 pixels less its margins.
  private static let narrowWidth = 360.0

  init() {}

  mutating func add(_ section: ReportPage.Section) {
    sectionCount += 1
    let name = "s\(sectionCount)"
    text += "<section aria-labelledby=\"\(name)\">\n<h2 id=\"\(name)\">\(section.heading.escaped)</h2>\n"
    for block in section.blocks { text += html(block) }
    text += "</section>\n"
  }

  private mutating func html(_ block: ReportPage.Block) -> String {
    switch block {
    case .paragraph(let words):
      return "<p>\(words.escaped)</p>\n"
    case .figure(let figure, let caption):
      return wrapped(html(figure), caption)
    case .grid(let grid, let caption):
      return wrapped(html(grid), caption)
    case .table(let table, let caption):
      // A wide table scrolls by itself, also with the keyboard.
      let group = "tabindex=\"0\" role=\"group\" aria-label=\"\(caption.isEmpty ? "Table" : caption.escaped)\""
      return wrapped("<div class=\"scroll\" \(group)>\(table.html())</div>", caption)
    case .images(let rows, let caption):
      return wrapped(rows.map(html).joined(), caption)
    case .code(let code):
      return "<pre tabindex=\"0\"><code>\(code.escaped)</code></pre>\n"
    case .definitions(let definitions):
      let items = definitions.map { "<div><dt>\($0.term.escaped)</dt><dd>\($0.text.escaped)</dd></div>" }
      return "<dl class=\"definitions\">\(items.joined())</dl>\n"
    case .list(let items):
      return "<ul>\(items.map { "<li>\($0.escaped)</li>" }.joined())</ul>\n"
    case .row(let blocks):
      var content = ""
      for block in blocks { content += "<div>\(html(block))</div>\n" }
      return "<div class=\"row\">\n\(content)</div>\n"
    }
  }

  /// Pixels stay squares, enlarged to about the size of a stamp.
  private func html(_ row: ReportPage.ImageRow) -> String {
    let images = row.images.enumerated().map { index, image -> String in
      let scale = max(1, 64 / max(image.width, image.height))
      let words = "\(row.label.escaped), image \(index + 1) of \(row.images.count)"
      let size = "width=\"\(image.width * scale)\" height=\"\(image.height * scale)\""
      return "<img \(size) alt=\"\(words)\" src=\"\(image.dataAddress)\">"
    }
    return "<div class=\"images\"><span>\(row.label.escaped)</span><div>\(images.joined())</div></div>"
  }

  /// The figure, and for narrow screens a second layout when it is too wide to be read there.
  private mutating func html(_ figure: Figure) -> String {
    figureCount += 1
    let name = "f\(figureCount)"
    let wide = figure.drawing(identifier: name)
    guard wide.width > PageWriter.narrowWidth + 40 else { return wide.svg(standalone: false) }
    var narrow = figure
    narrow.width = PageWriter.narrowWidth
    narrow.plotHeight = min(figure.plotHeight, 260)
    return both(wide, narrow.drawing(identifier: name + "n"))
  }

  /// The grid, and for narrow screens one with fewer columns, with the same shapes when one panel fits.
  private mutating func html(_ grid: FigureGrid) -> String {
    figureCount += 1
    let name = "f\(figureCount)"
    let layout = GridLayout(grid)
    if let columns = layout.narrowColumns {
      let wide = layout.drawing(identifier: name, shared: name)
      let narrow = layout.drawing(columns: columns, identifier: name + "n", shared: name)
      return layout.sharedShapes(identifier: name) + both(wide, narrow)
    }
    var narrow = grid
    narrow.columns = 1
    narrow.width = PageWriter.narrowWidth
    narrow.plotHeight = grid.plotHeight.map { min($0, 300) }
    return both(layout.drawing(identifier: name), GridLayout(narrow).drawing(identifier: name + "n"))
  }

  private func both(_ wide: Drawing, _ narrow: Drawing) -> String {
    "<div class=\"wide\">\(wide.svg(standalone: false))</div>"
      + "<div class=\"narrow\">\(narrow.svg(standalone: false))</div>"
  }

  private func wrapped(_ content: String, _ caption: String) -> String {
    "<figure>\(content)\(caption.isEmpty ? "" : "<figcaption>\(caption.escaped)</figcaption>")</figure>\n"
  }
}
