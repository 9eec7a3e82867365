/// A position on an axis; a major tick carries a label and a grid line, a minor one only a small mark.
struct Tick: Hashable, Sendable {
  var value: Double
  /// Nil for a minor tick.
  var label: RichText?
}

/// The ticks of an axis, and the power of ten that their labels were divided by.
struct TickSet: Hashable, Sendable {
  var ticks: [Tick]
  /// The labels are to be read times `10^exponent`.
  var exponent = 0

  /// Ticks for `domain` of which about `target` carry labels.
  init(for domain: Domain, target: Int, explicit: [Double]? = nil) {
    if let explicit {
      let format = NumberFormat.shortest
      let inside = explicit.filter { domain.contains($0) }
      self.init(ticks: inside.map { Tick(value: $0, label: format.typographic($0)) })
    } else if domain.scale == .logarithmic {
      self = .logarithmic(domain, target: target)
    } else {
      self = .linear(domain, target: target)
    }
  }

  init(ticks: [Tick], exponent: Int = 0) {
    self.ticks = ticks
    self.exponent = exponent
  }

  /// The ticks that carry labels.
  var major: [Tick] {
    ticks.filter { $0.label != nil }
  }

  /// Ticks at the multiples of 1, 2 or 5 times a power of ten that give about `target` of them.
  static func linear(_ domain: Domain, target: Int) -> TickSet {
    let span = domain.upper - domain.lower
    guard span > 0, span.isFinite else { return TickSet(ticks: []) }
    let raw = span / Double(max(target, 1))
    var power = decimalExponent(raw)
    var multiple = 10
    for candidate in [1, 2, 5] where Double(candidate) * powerOfTen(power) >= raw * (1 - 1e-9) {
      multiple = candidate
      break
    }
    if multiple == 10 { (multiple, power) = (1, power + 1) }

    let step = Double(multiple) * powerOfTen(power)
    guard step > 0, step.isFinite else { return TickSet(ticks: []) }
    let first = (domain.lower / step - 1e-9).rounded(.up)
    let last = (domain.upper / step + 1e-9).rounded(.down)
    guard first <= last, max(first.magnitude, last.magnitude) < 1e15, last - first < 1000 else {
      return TickSet(ticks: [])
    }

    let exponent = commonExponent(of: domain)
    let ticks = (Int(first)...Int(last)).map { index in
      let count = index * multiple
      let value = power < 0 ? Double(count) / powerOfTen(-power) : Double(count) * powerOfTen(power)
      return Tick(value: value, label: RichText(shifted(count, power: power - exponent)))
    }
    return TickSet(ticks: ticks, exponent: exponent)
  }

  /// The power of ten to take out of labels that would be long: none between 10⁻³ and 10⁵.
  private static func commonExponent(of domain: Domain) -> Int {
    let exponent = decimalExponent(max(domain.lower.magnitude, domain.upper.magnitude))
    if exponent >= 5 { return exponent - exponent % 3 }
    return exponent <= -4 ? exponent : 0
  }

  /// The integer `count` times `10^power`, written out with a true minus sign.
  private static func shifted(_ count: Int, power: Int) -> String {
    if count == 0 { return "0" }
    var digits = String(count.magnitude)
    if power > 0 {
      digits += String(repeating: "0", count: power)
    } else if power < 0 {
      digits = String(repeating: "0", count: max(1 - power - digits.count, 0)) + digits
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: power))
    }
    return (count < 0 ? "\u{2212}" : "") + digits
  }
}

extension Domain {
  /// Whether `value` lies inside, give or take rounding.
  func contains(_ value: Double) -> Bool {
    guard let position = position(of: value) else { return false }
    return position >= -1e-9 && position <= 1 + 1e-9
  }
}
