extension ReportTable {
  /// The table as an HTML `<table>` element, everything escaped.
  public func html() -> String {
    var result = "<table><thead><tr>"
    for column in columns {
      result +=
        "<th scope=\"col\"\(column.alignment == .trailing ? " class=\"num\"" : "")>\(column.heading.escaped)</th>"
    }
    result += "</tr></thead><tbody>"
    for row in completeRows {
      result += "<tr>" + zip(row, columns).map(ReportTable.html).joined() + "</tr>"
    }
    return result + "</tbody></table>"
  }

  private static func html(_ cell: Cell, in column: Column) -> String {
    let start = column.alignment == .trailing ? "<td class=\"num\">" : "<td>"
    switch cell {
    case .text(let text): return start + (column.isCode ? "<code>\(text.escaped)</code>" : text.escaped) + "</td>"
    case .number(let value): return start + column.format.typographic(value).html + "</td>"
    case .formatted(let value, let format): return start + format.typographic(value).html + "</td>"
    case .verdict(let verdict): return start + verdict.html + "</td>"
    case .empty: return start + "</td>"
    }
  }

  /// The table as aligned lines for a terminal, each ending in a line feed.
  ///
  /// Control characters in the cells are made visible, so that no label can send commands to the terminal.
  /// - Parameter usesColour: whether verdicts and headings carry ANSI colours; the words are the same either way.
  public func text(usesColour: Bool = false) -> String {
    let body = completeRows.map { row in zip(row, columns).map { $0.plainText(in: $1) } }
    let headings = columns.map(\.heading.printable)
    let widths = columns.indices.map { index in
      ([headings] + body).map { TextMetrics.cells($0[index]) }.max() ?? 0
    }

    func line(_ texts: [String], style: (Int) -> String?) -> String {
      var result = ""
      for (index, text) in texts.enumerated() {
        let padding = String(repeating: " ", count: widths[index] - TextMetrics.cells(text))
        let styled = if usesColour, let code = style(index) { "\u{1B}[\(code)m\(text)\u{1B}[0m" } else { text }
        let isLast = index == texts.count - 1
        switch columns[index].alignment {
        case .leading: result += styled + (isLast ? "" : padding)
        case .trailing: result += padding + styled
        }
        result += isLast ? "" : "  "
      }
      return result.trimmingTrailingSpaces + "\n"
    }

    var result = line(headings) { _ in "1" }
    result += line(widths.map { String(repeating: "─", count: $0) }) { _ in "2" }
    for (texts, row) in zip(body, completeRows) {
      result += line(texts) { index in
        if case .verdict(let verdict) = row[index] { verdict.terminalStyle } else { nil }
      }
    }
    return result
  }
}

extension ReportTable.Cell {
  fileprivate func plainText(in column: ReportTable.Column) -> String {
    switch self {
    case .text(let text): text.printable
    case .number(let value): column.format.string(value)
    case .formatted(let value, let format): format.string(value)
    case .verdict(let verdict): verdict.word
    case .empty: ""
    }
  }
}

extension ReportTable.Verdict {
  /// The word in its colour, with a sign in front that does not depend on colour either.
  var html: String {
    switch self {
    case .pass: "<span class=\"verdict pass\"><span aria-hidden=\"true\">✓ </span>pass</span>"
    case .fail: "<span class=\"verdict fail\"><span aria-hidden=\"true\">✗ </span>FAIL</span>"
    case .skipped: "<span class=\"verdict skipped\"><span aria-hidden=\"true\">– </span>skipped</span>"
    }
  }

  fileprivate var terminalStyle: String {
    switch self {
    case .pass: "32"
    case .fail: "1;31"
    case .skipped: "2"
    }
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var result = self
    while result.last == " " { result.removeLast() }
    return result
  }
}
