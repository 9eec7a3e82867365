/// Bogacki and Shampine's 3(2) pair: order 3, embedded order 2, four stages of which the last is reused.
///
/// > P. Bogacki, L. Shampine. "A 3(2) pair of Runge–Kutta formulas." *Appl. Math. Letters* 2(4), 1989.
public struct BogackiShampine3: ExplicitRungeKutta {
  public static let order = 3
  public static let tableau = ButcherTableau(
    a: [[], [1 / 2], [0, 3 / 4], [2 / 9, 1 / 3, 4 / 9]],
    b: [2 / 9, 1 / 3, 4 / 9, 0],
    bError: [-5 / 72, 1 / 12, 1 / 9, -1 / 8],
    c: [0, 1 / 2, 3 / 4, 1])
  public var stepping: Stepping
  public init(_ stepping: Stepping) { self.stepping = stepping }
}
