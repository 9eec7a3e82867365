/// Dormand and Prince's 5(4) pair: order 5, embedded order 4, seven stages of which the last is reused.
///
/// > J. Dormand, P. Prince. "A family of embedded Runge–Kutta formulae." *J. Comput. Appl. Math.* 6(1), 1980.
public struct DormandPrince5: ExplicitRungeKutta {
  public static let order = 5
  public static let tableau = ButcherTableau(
    a: [
      [],
      [1 / 5],
      [3 / 40, 9 / 40],
      [44 / 45, -56 / 15, 32 / 9],
      [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
      [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
      [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ],
    b: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
    bError: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
    c: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
  public var stepping: Stepping
  public init(_ stepping: Stepping) { self.stepping = stepping }
}
