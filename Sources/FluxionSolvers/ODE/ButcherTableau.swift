import FluxionCore

/// The coefficients of an explicit Runge–Kutta method:
///
///     kᵢ = f(t + cᵢ h, y + h Σⱼ aᵢⱼ kⱼ)        y₁ = y + h Σᵢ bᵢ kᵢ        error = h Σᵢ eᵢ kᵢ
public struct ButcherTableau: Sendable {
  /// aᵢⱼ, row i with i entries.
  public let a: [[Double]]
  public let b: [Double]
  /// e = b minus the weights of the embedded method; nil without one.
  public let bError: [Double]?
  public let c: [Double]
  /// Whether the last stage is the next step's first: its point is y₁ itself.
  public let reusesLastStage: Bool

  public init(a: [[Double]], b: [Double], bError: [Double]? = nil, c: [Double]) {
    let s = b.count
    requireOfCaller(
      a.count == s && c.count == s && (bError.map { $0.count == s } ?? true) && a.indices.allSatisfy { a[$0].count == $0 },
      "ButcherTableau", "an explicit method of \(s) stages needs rows of 0, 1 … \(s - 1) entries and \(s) weights, errors and nodes.")
    self.a = a
    self.b = b
    self.bError = bError
    self.c = c
    reusesLastStage = s > 1 && c[s - 1] == 1 && a[s - 1] + [0] == b
  }

  public var stages: Int { b.count }
  /// Evaluations of the field that a step costs, its first one aside where that is reused.
  var evaluationsPerStep: Int { reusesLastStage ? stages - 1 : stages }
}
