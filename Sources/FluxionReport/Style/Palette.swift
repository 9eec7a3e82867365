/// The colours of one theme.
///
/// The series colours follow the hues of Okabe and Ito's palette (blue, vermilion, green, purple, a dark or bright
/// yellow, sky, grey, brown). Their lightness was moved until each has a contrast of at least 3 : 1 against the
/// theme's paper and any two differ by ΔE*ab ≥ 10, the first five by ≥ 17, in full colour vision and in simulated
/// protanopia, deuteranopia and tritanopia. Text colours have a contrast of at least 4.5 : 1.
///
/// > M. Okabe, K. Ito. "Color Universal Design: How to make figures and presentations that are friendly to colorblind
/// > people." 2008.
struct Palette: Sendable {
  /// The background of pages and figures.
  var paper: String
  /// A surface a step away from the paper, for code and cards.
  var surface: String
  /// Text and reference lines.
  var ink: String
  /// Secondary text.
  var soft: String
  /// Spines, ticks and context marks.
  var muted: String
  /// Grid lines and rules.
  var rule: String
  /// A link or control.
  var accent: String
  /// A verdict: it holds.
  var pass: String
  /// A verdict: it does not.
  var fail: String
  var series: [String]

  static let light = Palette(
    paper: "#ffffff", surface: "#f6f7f8", ink: "#16191d", soft: "#565c64", muted: "#858b93", rule: "#e6e8eb",
    accent: "#005f9e", pass: "#146c43", fail: "#b3261e",
    series: ["#026db4", "#d05b00", "#039b6e", "#953d7e", "#564f07", "#2d91d5", "#6b7077", "#956242"])

  static let dark = Palette(
    paper: "#111417", surface: "#1a1e22", ink: "#eceef0", soft: "#a3aab2", muted: "#7d858e", rule: "#2a2f35",
    accent: "#6fbdf2", pass: "#5fd39a", fail: "#ff8f85",
    series: ["#6f9ddd", "#ff9657", "#42cd9a", "#e29dc9", "#d0c91b", "#a6d9fa", "#919ca5", "#c19979"])

  /// The roles and their values, in a fixed order.
  var roles: [(name: String, value: String)] {
    let named = [
      ("paper", paper), ("surface", surface), ("ink", ink), ("soft", soft), ("muted", muted), ("rule", rule),
      ("accent", accent), ("pass", pass), ("fail", fail),
    ]
    return named + series.enumerated().map { ("\($0.offset)", $0.element) }
  }

  /// The value of a role.
  func value(_ role: String) -> String {
    roles.first { $0.name == role }?.value ?? ink
  }

  /// CSS declarations of one variable for each role.
  var variables: String {
    roles.map { "--fx-\($0.name):\($0.value);" }.joined()
  }
}
