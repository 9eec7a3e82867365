/// The style sheets of figures.
///
/// Every selector is one class with the prefix `fx`: rules with ancestors would not reach shapes that are drawn
/// through `<use>`. Typeface and ink are inherited from the root.
enum FigureStyle {
  /// The typefaces of the reader's system.
  static let fonts = "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",Arial,sans-serif"

  /// The style of an image that stands alone: plain colours for the light theme, which every viewer understands, and
  /// the dark ones where the viewer knows the system's preference.
  static var standalone: String {
    let dark = colours { Palette.dark.value($0) }
    return layout + colours { Palette.light.value($0) } + "@media(prefers-color-scheme:dark){\(dark)}"
  }

  /// The style of figures in a page, whose variables decide the colours.
  static var embedded: String {
    layout + colours { "var(--fx-\($0))" }
  }

  private static let layout = """
    .fx{font-family:\(fonts.replacing("\"", with: "'"));font-variant-numeric:tabular-nums}\
    .fx-title{font-size:14px;font-weight:600}\
    .fx-heading{font-size:12.5px;font-weight:600}\
    .fx-label,.fx-key{font-size:12px}\
    .fx-tick,.fx-note,.fx-remark{font-size:11.5px}\
    .fx-sup{font-size:78%}\
    .fx-mid{text-anchor:middle}\
    .fx-end{text-anchor:end}\
    .fx-note{paint-order:stroke;stroke-width:3.5px;stroke-linejoin:round}\
    .fx-remark{font-style:italic}\
    .fx-grid,.fx-axis,.fx-line,.fx-dot{fill:none}\
    .fx-grid{stroke-width:1px}\
    .fx-axis{stroke-width:1px}\
    .fx-line{stroke-linejoin:round;stroke-linecap:round}\
    .fx-dot{stroke-linecap:round}

    """

  /// The rules that name colours; `value` turns a role into CSS.
  private static func colours(_ value: (String) -> String) -> String {
    var rules = """
      .fx{fill:\(value("ink"))}\
      .fx-tick,.fx-label,.fx-remark{fill:\(value("soft"))}\
      .fx-note{fill:\(value("ink"));stroke:\(value("paper"))}\
      .fx-grid{stroke:\(value("rule"))}\
      .fx-axis{stroke:\(value("muted"))}\
      .fx-paper{fill:\(value("paper"))}
      """
    let strokes = ["ink", "muted", "paper"] + Palette.light.series.indices.map(String.init)
    for role in strokes {
      rules += ".fx-s\(role){stroke:\(value(role))}.fx-f\(role){fill:\(value(role))}"
    }
    return rules
  }
}
