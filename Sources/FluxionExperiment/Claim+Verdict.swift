public import FluxionReport

extension Claim.Bound {
  /// Whether `value` keeps the bound; NaN keeps none.
  public func holds(for value: Double) -> Bool {
    switch self {
    case .below(let bound): value < bound
    case .above(let bound): value > bound
    case .atMost(let bound): value <= bound
    case .atLeast(let bound): value >= bound
    case .between(let low, let high): value >= low && value <= high
    case .within(let fraction, let target): abs(value - target) <= fraction * abs(target)
    case .near(let target, let tolerance): abs(value - target) <= tolerance
    }
  }
}

extension Claim.Bound: CustomStringConvertible {
  public var description: String {
    func text(_ x: Double) -> String { NumberFormat.shortest.string(x) }
    switch self {
    case .below(let bound): return "< \(text(bound))"
    case .above(let bound): return "> \(text(bound))"
    case .atMost(let bound): return "≤ \(text(bound))"
    case .atLeast(let bound): return "≥ \(text(bound))"
    case .between(let low, let high): return "in [\(text(low)), \(text(high))]"
    case .within(let fraction, let target): return "within \(text(fraction * 100)) % of \(text(target))"
    case .near(let target, let tolerance): return "\(text(target)) ± \(text(tolerance))"
    }
  }
}

extension Claim {
  /// The claim with what was measured. A key that was not measured does not hold.
  public func record(_ measurements: Measurements) -> RunRecord.Claim {
    let measured = measurements.mean(key)
    return RunRecord.Claim(
      key: key, meaning: meaning, measured: measured, bound: "\(bound)", holds: measured.map(bound.holds) ?? false,
      published: published)
  }
}
