public import FluxionCore

/// A strip rolled up: t = 1.5π(1 + 2u); in the plane (t cos t, t sin t)/10 + 0.05 z, in space (t cos t, 21u₂, t sin t) + σz.
///
/// Labels: the third of the strip, 0 innermost; ``rolledSample(_:key:)`` gives t itself, the usual colour.
public struct SwissRoll: PointDistribution, Codable {
  public static let name = "swiss-roll"
  /// Whether points lie in space (three coordinates) instead of the plane.
  public var isSpatial: Bool
  /// σ.
  public var noise: Double

  public init(isSpatial: Bool = false, noise: Double? = nil) {
    self.isSpatial = isSpatial
    self.noise = noise ?? (isSpatial ? 0 : 0.05)
  }

  public var dimension: Int { isSpatial ? 3 : 2 }

  /// Points and the place t in [1.5π, 4.5π] of each along the roll, `f32 [count]`.
  public func rolledSample(_ count: Int, key: Key) -> (points: Tensor, t: Tensor) {
    let keys = key.split(3)
    let u = keys[0].uniform([count])
    let t = (u * 2 + 1) * (1.5 * Double.pi)
    let (x, y) = (t * cos(t), t * sin(t))
    let z = keys[2].normal([count, dimension]) * noise
    if isSpatial {
      let height = keys[1].uniform([count]) * 21
      return (stacked([x, height, y], alongAxis: 1) + z, t)
    }
    return (stacked([x, y], alongAxis: 1) / 10 + z, t)
  }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let (points, t) = rolledSample(count, key: key)
    let third = floor((t / (1.5 * Double.pi) - 1) * 1.5).converted(to: .int32)
    return LabelledPoints(points: points, labels: clamp(third, 0, 2))
  }
}
