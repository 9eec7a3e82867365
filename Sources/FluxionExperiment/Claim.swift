/// A statement of the paper, or of theory, that a run can confirm or refute: a measured key and the bound it must keep.
public struct Claim: Hashable, Sendable {
  /// The short name, such as `gain_n1`.
  public var key: String
  /// What the number is.
  public var meaning: String
  public var bound: Bound
  /// The published or theoretical value, as text; empty when there is none.
  public var published: String

  public init(_ key: String, _ meaning: String, _ bound: Bound, published: String = "") {
    self.key = key
    self.meaning = meaning
    self.bound = bound
    self.published = published
  }

  /// The numbers that keep a claim. NaN keeps none.
  public enum Bound: Hashable, Sendable {
    case below(Double)
    case above(Double)
    case atMost(Double)
    case atLeast(Double)
    case between(Double, Double)
    /// |x − value| ≤ fraction · |value|.
    case within(fraction: Double, of: Double)
    /// |x − value| ≤ tolerance.
    case near(Double, tolerance: Double)
  }
}
