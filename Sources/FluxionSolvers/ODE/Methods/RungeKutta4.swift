/// The classical method of order 4, four stages; no embedded method, so equal steps only.
///
/// > W. Kutta. "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen." *Z. Math. Phys.* 46, 1901.
public struct RungeKutta4: ExplicitRungeKutta {
  public static let order = 4
  public static let tableau = ButcherTableau(
    a: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6], c: [0, 1 / 2, 1 / 2, 1])
  public var stepping: Stepping
  public init(_ stepping: Stepping) { self.stepping = stepping }
}
