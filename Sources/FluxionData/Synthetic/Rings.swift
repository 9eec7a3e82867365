public import FluxionCore

/// Concentric circles of given radii, equally likely, blurred by σz.
///
/// The default is four rings at 3 · (¼, ½, ¾, 1) with σ = 0.08; ``circles`` is the pair of radii 1 and ½. Labels: the ring, in the
/// order of `radii`.
public struct Rings: PointDistribution, Codable {
  public static let name = "rings"
  public var radii: [Double]
  public var noise: Double

  public init(radii: [Double] = [0.75, 1.5, 2.25, 3], noise: Double = 0.08) {
    precondition(!radii.isEmpty, "Rings: at least one radius is needed.")
    self.radii = radii
    self.noise = noise
  }

  /// An outer circle of radius 1 and an inner one of half that.
  public static let circles = Rings(radii: [1, 0.5], noise: 0.05)

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let keys = key.split(3)
    let ring = keys[0].integers([count], in: 0..<radii.count)
    let radius = Tensor(radii.map { Float($0) }).gathered(ring)
    let angle = keys[1].uniform([count]) * (2 * Double.pi)
    let circle = stacked([radius * cos(angle), radius * sin(angle)], alongAxis: 1)
    return LabelledPoints(points: circle + keys[2].normal([count, 2]) * noise, labels: ring)
  }
}
