/// Text in which some runs are raised, such as the exponent in 10⁻³.
struct RichText: Hashable, Sendable {
  enum Run: Hashable, Sendable {
    case plain(String)
    case raised(String)
  }

  var runs: [Run]

  init(_ runs: [Run]) {
    self.runs = runs
  }

  init(_ text: String) {
    runs = [.plain(text)]
  }

  /// A power of ten: "10" with its exponent raised.
  static func powerOfTen(_ exponent: Int) -> RichText {
    RichText([.plain("10"), .raised(signed(exponent))])
  }

  /// An integer with a true minus sign.
  static func signed(_ value: Int) -> String {
    value < 0 ? "\u{2212}\(value.magnitude)" : "\(value)"
  }

  static func + (lhs: RichText, rhs: RichText) -> RichText {
    RichText(lhs.runs + rhs.runs)
  }

  /// HTML with `<sup>` for raised runs.
  var html: String {
    runs.map { run in
      switch run {
      case .plain(let text): text.escaped
      case .raised(let text): "<sup>\(text.escaped)</sup>"
      }
    }.joined()
  }

  /// SVG content for a `<text>` element; raised runs are smaller and shifted, and the baseline comes back after them.
  var svg: String {
    var result = ""
    var isRaised = false
    for run in runs {
      switch run {
      case .plain(let text) where text.isEmpty: break
      case .plain(let text):
        result += isRaised ? "<tspan dy=\"4\">\(text.escaped)</tspan>" : text.escaped
        isRaised = false
      case .raised(let text):
        result += "<tspan class=\"fx-sup\"\(isRaised ? "" : " dy=\"-4\"")>\(text.escaped)</tspan>"
        isRaised = true
      }
    }
    return result
  }

  /// The estimated width in pixels at a font size in pixels.
  func width(size: Double) -> Double {
    runs.reduce(0) { total, run in
      switch run {
      case .plain(let text): total + TextMetrics.width(of: text, size: size)
      case .raised(let text): total + TextMetrics.width(of: text, size: size * 0.78)
      }
    }
  }
}
