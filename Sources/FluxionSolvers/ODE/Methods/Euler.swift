/// Euler's method: order 1, one stage.
///
/// > L. Euler. *Institutionum calculi integralis* I, §650, 1768.
public struct Euler: ExplicitRungeKutta {
  public static let order = 1
  public static let tableau = ButcherTableau(
    a: [[]], b: [1], c: [0])
  public var stepping: Stepping
  public init(_ stepping: Stepping) { self.stepping = stepping }
}
