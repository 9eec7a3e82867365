public import FluxionCore

/// Arms bent by their radius: (r, s) = (1 + 0.3 z₁, 0.1 z₂) turned by 2πk/n + 0.25 eʳ, times 2.
///
/// > M. Johnson, D. Duvenaud, A. Wiltschko, S. Datta, R. Adams. "Composing graphical models with neural networks." *NeurIPS* 2016.
///
/// Labels: the arm k.
public struct Pinwheel: PointDistribution, Codable {
  public static let name = "pinwheel"
  public var arms: Int
  public var radialDeviation: Double
  public var tangentialDeviation: Double
  /// How much an arm turns with eʳ.
  public var rate: Double

  public init(arms: Int = 5, radialDeviation: Double = 0.3, tangentialDeviation: Double = 0.1, rate: Double = 0.25) {
    precondition(arms > 0, "Pinwheel: at least one arm is needed.")
    self.arms = arms
    self.radialDeviation = radialDeviation
    self.tangentialDeviation = tangentialDeviation
    self.rate = rate
  }

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let keys = key.split(3)
    let arm = keys[0].integers([count], in: 0..<arms)
    let r = keys[1].normal([count]) * radialDeviation + 1
    let s = keys[2].normal([count]) * tangentialDeviation
    let step = 2 * Double.pi / Double(arms)
    let angle = arm.converted(to: .float32) * step + exp(r) * rate
    let (c, n) = (cos(angle), sin(angle))
    let x = r * c - s * n
    let y = r * n + s * c
    return LabelledPoints(points: stacked([x, y], alongAxis: 1) * 2, labels: arm)
  }
}
