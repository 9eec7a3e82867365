/// The midpoint rule: order 2, two stages; Euler's method is embedded, order 1.
///
/// > C. Runge. "Über die numerische Auflösung von Differentialgleichungen." *Math. Ann.* 46, 1895.
public struct Midpoint: ExplicitRungeKutta {
  public static let order = 2
  public static let tableau = ButcherTableau(
    a: [[], [1 / 2]], b: [0, 1], bError: [-1, 1], c: [0, 1 / 2])
  public var stepping: Stepping
  public init(_ stepping: Stepping) { self.stepping = stepping }
}
