/// Heun's method, the explicit trapezoidal rule: order 2, two stages; Euler's method is embedded, order 1.
///
/// > K. Heun. "Neue Methoden zur approximativen Integration der Differentialgleichungen." *Z. Math. Phys.* 45, 1900.
public struct Heun2: ExplicitRungeKutta {
  public static let order = 2
  public static let tableau = ButcherTableau(
    a: [[], [1]], b: [1 / 2, 1 / 2], bError: [-1 / 2, 1 / 2], c: [0, 1])
  public var stepping: Stepping
  public init(_ stepping: Stepping) { self.stepping = stepping }
}
