public import FluxionCore

/// Two spiral arms through the origin: n = √u · 3π, ±(-n cos n, n sin n)/3 + 0.1 z.
///
/// Labels: 0 for the arm with the plus sign, 1 for its reflection.
public struct Spirals: PointDistribution, Codable {
  public static let name = "spirals"
  public var noise: Double
  /// 2, or 1 for the first arm alone.
  public var arms: Int

  public init(noise: Double = 0.1, arms: Int = 2) {
    precondition(arms == 1 || arms == 2, "Spirals: there are one or two arms, not \(arms).")
    self.noise = noise
    self.arms = arms
  }

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let keys = key.split(3)
    let arm = keys[0].integers([count], in: 0..<arms)
    let n = sqrt(keys[1].uniform([count])) * (3 * Double.pi)
    let sign = 1 - 2 * arm.converted(to: .float32)
    let x = -(n * cos(n)) * sign / 3
    let y = n * sin(n) * sign / 3
    let curve = stacked([x, y], alongAxis: 1)
    return LabelledPoints(points: curve + keys[2].normal([count, 2]) * noise, labels: arm)
  }
}
