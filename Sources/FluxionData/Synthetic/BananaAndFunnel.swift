public import FluxionCore

/// A bent Gaussian: x₁ ~ N(0, 1), x₂ = x₁² + 0.5 z. All labels are 0.
public struct Banana: DensityDistribution, Codable {
  public static let name = "banana"
  public var deviation: Double

  public init(deviation: Double = 0.5) {
    precondition(deviation > 0, "Banana: the deviation must be positive.")
    self.deviation = deviation
  }

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let (k0, k1) = key.split()
    let x = k0.normal([count])
    let y = x.squared() + k1.normal([count]) * deviation
    return LabelledPoints(points: stacked([x, y], alongAxis: 1), labels: Tensor.zeros([count], as: .int32))
  }

  public func logDensity(_ x: Tensor) -> Tensor {
    let x1 = x[.all, 0]
    let bend = (x[.all, 1] - x1.squared()) / deviation
    let quadratic = (x1.squared() + bend.squared()) * -0.5
    return quadratic - (1.8378770664093453 + logarithm(deviation))  // log 2π + log σ
  }
}

/// Neal's funnel: v ~ N(0, 9), x ~ N(0, eᵛ); points (v, x). All labels are 0.
///
/// > R. Neal. "Slice sampling." *Annals of Statistics* 31(3), 2003, section 8.
public struct Funnel: DensityDistribution, Codable {
  public static let name = "funnel"
  /// The standard deviation of v.
  public var deviation: Double

  public init(deviation: Double = 3) {
    precondition(deviation > 0, "Funnel: the deviation must be positive.")
    self.deviation = deviation
  }

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let (k0, k1) = key.split()
    let v = k0.normal([count]) * deviation
    let x = exp(v / 2) * k1.normal([count])
    return LabelledPoints(points: stacked([v, x], alongAxis: 1), labels: Tensor.zeros([count], as: .int32))
  }

  public func logDensity(_ x: Tensor) -> Tensor {
    let v = x[.all, 0]
    let neck = x[.all, 1].squared() * exp(-v) * -0.5
    let mouth = (v / deviation).squared() * -0.5
    return neck + mouth - v / 2 - (1.8378770664093453 + logarithm(deviation))
  }
}
