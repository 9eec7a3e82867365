extension Figure {
  /// One axis of a figure: its label, scale and range.
  public struct Axis: Hashable, Sendable {
    /// How numbers are laid out along the axis.
    public enum Scale: Hashable, Sendable {
      case linear
      /// Equal factors take equal lengths, to base ten; only positive numbers have a place.
      case logarithmic
    }

    /// The quantity, with its unit if it has one.
    public var label: String
    public var scale: Scale
    /// The least number shown; nil takes it from the data with a small margin.
    ///
    /// A bound that makes no sense (not finite, not positive on a logarithmic axis, or not below ``upper``) is
    /// treated as nil.
    public var lower: Double?
    /// The greatest number shown; nil takes it from the data with a small margin.
    public var upper: Double?
    /// Where ticks with labels stand; nil places them at round numbers.
    public var ticks: [Double]?

    public init(
      _ label: String = "",
      scale: Scale = .linear,
      lower: Double? = nil,
      upper: Double? = nil,
      ticks: [Double]? = nil
    ) {
      self.label = label
      self.scale = scale
      self.lower = lower
      self.upper = upper
      self.ticks = ticks
    }

    /// A linear axis over `range`, or over the data when that is nil.
    public static func linear(
      _ label: String = "", range: ClosedRange<Double>? = nil, ticks: [Double]? = nil
    ) -> Axis {
      Axis(label, lower: range?.lowerBound, upper: range?.upperBound, ticks: ticks)
    }

    /// A linear axis that starts at `lower` and ends where the data do.
    public static func linear(_ label: String = "", from lower: Double) -> Axis {
      Axis(label, lower: lower)
    }

    /// A logarithmic axis over `range`, or over the positive data when that is nil.
    public static func logarithmic(
      _ label: String = "", range: ClosedRange<Double>? = nil, ticks: [Double]? = nil
    ) -> Axis {
      Axis(label, scale: .logarithmic, lower: range?.lowerBound, upper: range?.upperBound, ticks: ticks)
    }

    /// Whether a number can be shown on an axis of this scale.
    func admits(_ value: Double) -> Bool {
      value.isFinite && (scale == .linear || value > 0)
    }
  }
}
