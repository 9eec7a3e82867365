public import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Gaussians of equal weight on a circle, by default eight: centres R (cos 2πk/n, sin 2πk/n), standard deviation σ.
///
/// Second moment per axis R²/2 + σ². Labels: the place k of the centre.
public struct EightGaussians: DensityDistribution, Codable {
  public static let name = "eight-gaussians"
  /// R.
  public var radius: Double
  /// σ.
  public var deviation: Double
  /// n.
  public var components: Int

  public init(radius: Double = 4, deviation: Double = 0.3, components: Int = 8) {
    precondition(
      radius >= 0 && deviation > 0 && components > 0, "EightGaussians: a radius ≥ 0, a deviation > 0 and a component are needed.")
    self.radius = radius
    self.deviation = deviation
    self.components = components
  }

  /// Radius 4, deviation 0.3: the target of the rectified-flow experiments.
  public static let wide = EightGaussians()
  /// Radius 2, deviation 0.2.
  public static let small = EightGaussians(radius: 2, deviation: 0.2)
  /// Radius 4/√2, deviation 0.5/√2: the scale used with unit-variance sources in the flow literature.
  public static let large = EightGaussians(radius: 4 / 2.0.squareRoot(), deviation: 0.5 / 2.0.squareRoot())

  public var dimension: Int { 2 }

  /// The centres, row by row.
  public var centres: [[Double]] {
    (0..<components).map { k in
      let angle = 2 * Double.pi * Double(k) / Double(components)
      return [radius * cos(angle), radius * sin(angle)]
    }
  }

  /// The same distribution as a mixture, with density and score.
  public var mixture: GaussianMixture { GaussianMixture(means: centres, deviation: deviation) }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let (which, noise) = key.split()
    let k = which.integers([count], in: 0..<components)
    let table = Tensor(centres.flatMap { $0.map { Float($0) } }, shape: [components, 2])
    return LabelledPoints(points: table.gathered(k) + noise.normal([count, 2]) * deviation, labels: k)
  }

  public func logDensity(_ x: Tensor) -> Tensor { mixture.logDensity(x) }
}
