public import FluxionCore

/// Two interleaved half circles of radius 1: t = πu, upper (cos t, sin t), lower (1 - cos t, ½ - sin t), plus σz.
///
/// Mean (½, ¼) without centring. Labels: 0 upper, 1 lower.
public struct TwoMoons: PointDistribution, Codable {
  public static let name = "two-moons"
  /// σ, the standard deviation of the noise.
  public var noise: Double
  /// Whether the mean (½, ¼) is subtracted.
  public var isCentred: Bool
  /// A factor on the result.
  public var scale: Double

  public init(noise: Double = 0.05, isCentred: Bool = false, scale: Double = 1) {
    self.noise = noise
    self.isCentred = isCentred
    self.scale = scale
  }

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let keys = key.split(3)
    let lower = keys[0].integers([count], in: 0..<2)
    let t = keys[1].uniform([count]) * Double.pi
    let isLower = lower .== 1
    let x = select(isLower, 1 - cos(t), cos(t))
    let y = select(isLower, 0.5 - sin(t), sin(t))
    let curve = stacked([x, y], alongAxis: 1)
    var points = curve + keys[2].normal([count, 2]) * noise
    if isCentred { points = points - Tensor([Float(0.5), 0.25]) }
    return LabelledPoints(points: points * scale, labels: lower)
  }
}

/// A pair of sets for transport: two moons, centred and enlarged, as source and eight Gaussians as target.
public struct MoonsToEightGaussians: Sendable {
  public var source = TwoMoons(noise: 0.05, isCentred: true, scale: 1.5)
  public var target = EightGaussians.small
  public init() {}

  /// Independent draws of both sides, each `f32 [count, 2]`.
  public func sample(_ count: Int, key: Key) -> (source: Tensor, target: Tensor) {
    let (k0, k1) = key.split()
    return (source.sample(count, key: k0), target.sample(count, key: k1))
  }
}
