/// The interval of numbers that an axis shows, and where each number lies in it.
struct Domain: Hashable, Sendable {
  var lower: Double
  var upper: Double
  var scale: Figure.Axis.Scale

  /// Numbers beyond this magnitude are drawn as if they were at it, so that differences stay finite.
  static let greatest = 1e300
  /// On a logarithmic axis, smaller numbers are drawn as if they were this.
  static let leastPositive = 1e-300

  /// The domain of an axis whose data reach from `least` to `greatest` (nil without data).
  ///
  /// Bounds given by the caller are taken as they are; the others get a margin of 4 % of the span, except that a
  /// span starting exactly at `baseline` keeps it, as the foot of a histogram must.
  static func fitting(_ axis: Figure.Axis, data: ClosedRange<Double>?, baseline: Double? = nil) -> Domain {
    let isLogarithmic = axis.scale == .logarithmic
    let data = data ?? (isLogarithmic ? 0.1...1 : 0...1)
    let least = isLogarithmic ? leastPositive : -greatest
    var lower = axis.lower.flatMap { $0 >= least && $0 <= greatest ? $0 : nil }
    var upper = axis.upper.flatMap { $0 >= least && $0 <= greatest ? $0 : nil }
    if let low = lower, let high = upper, low >= high { (lower, upper) = (nil, nil) }
    let base = widened(
      lower: lower ?? min(data.lowerBound, upper ?? .infinity),
      upper: upper ?? max(data.upperBound, lower ?? -.infinity),
      scale: axis.scale,
      keeping: (lower, upper))
    let start = base.transformed(base.lower)
    let end = base.transformed(base.upper)
    let margin = 0.04 * (end - start)
    let low = lower ?? (baseline == base.lower ? base.lower : base.restored(start - margin))
    let high = upper ?? base.restored(end + margin)
    return Domain(lower: low, upper: high, scale: axis.scale)
  }

  /// The interval from `lower` to `upper`, made wide enough to be divided: a single number gets room on both sides.
  ///
  /// A bound in `kept` is not moved unless there is no other way.
  static func widened(
    lower: Double, upper: Double, scale: Figure.Axis.Scale, keeping kept: (Double?, Double?) = (nil, nil)
  ) -> Domain {
    if scale == .logarithmic {
      let low = lower.limited(to: leastPositive...greatest)
      let high = upper.limited(to: leastPositive...greatest)
      if high / low > 1 + 1e-9 { return Domain(lower: low, upper: high, scale: scale) }
      return Domain(
        lower: kept.0 == nil || kept.1 != nil ? low / 2 : low, upper: kept.1 == nil ? high * 2 : high, scale: scale)
    }
    let low = lower.limited(to: -greatest...greatest)
    let high = upper.limited(to: -greatest...greatest)
    let magnitude = max(low.magnitude, high.magnitude)
    if high - low > max(magnitude * 1e-9, 1e-290) { return Domain(lower: low, upper: high, scale: scale) }
    let room = magnitude > 1e-280 ? magnitude * 0.1 : 1
    return Domain(
      lower: kept.0 == nil || kept.1 != nil ? low - room : low, upper: kept.1 == nil ? high + room : high, scale: scale)
  }

  /// Where `value` lies: 0 at the lower end, 1 at the upper end, nil when it cannot be shown on this scale.
  func position(of value: Double) -> Double? {
    guard value.isFinite, scale == .linear || value > 0 else { return nil }
    let start = transformed(lower)
    return (transformed(value) - start) / (transformed(upper) - start)
  }

  /// The same domain with `factor` times its span, about its centre.
  func scaled(by factor: Double) -> Domain {
    let start = transformed(lower)
    let end = transformed(upper)
    let centre = (start + end) / 2
    let half = (end - start) / 2 * factor
    return Domain(lower: restored(centre - half), upper: restored(centre + half), scale: scale)
  }

  /// The length of the axis in the units it is linear in.
  var span: Double {
    transformed(upper) - transformed(lower)
  }

  /// To the coordinate in which this scale is linear.
  func transformed(_ value: Double) -> Double {
    scale == .linear
      ? value.limited(to: -2 * Domain.greatest...2 * Domain.greatest)
      : logarithm(value.limited(to: Domain.leastPositive / 10...Domain.greatest * 10))
  }

  private func restored(_ coordinate: Double) -> Double {
    scale == .linear ? coordinate : powerOfTen(coordinate.limited(to: -301...301))
  }
}
