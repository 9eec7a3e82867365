public import FluxionCore

/// A mixture of Gaussians in any number of dimensions, with its density and its score.
///
///     p(x) = Σₖ wₖ N(x; mₖ, Sₖ)        log p by logSumExp; ∇log p = Σₖ rₖ(x) Sₖ⁻¹(mₖ - x)
///
/// Parameters are kept in `f64` and converted to the element type they meet. Labels: the component.
public struct GaussianMixture: DensityDistribution, Codable {
  public static let name = "gaussian-mixture"
  /// `f64 [K]`, sum 1.
  public let weights: Tensor
  /// `f64 [K, d]`.
  public let means: Tensor
  /// `f64 [K, d, d]`.
  public let covariances: Tensor
  /// Lower triangles Lₖ with Lₖ Lₖᵀ = Sₖ, `f64 [K, d, d]`.
  package let factors: Tensor
  /// Lₖ⁻¹, `f64 [K, d, d]`.
  package let whitenings: Tensor
  /// log wₖ - ½ log det 2πSₖ, `f64 [K]`.
  package let constants: Tensor

  /// - Parameters:
  ///   - weights: One positive number per component, in any scale; nil for equal ones.
  ///   - means: One row per component.
  ///   - covariances: One symmetric positive definite matrix per component, row by row.
  public init(weights: [Double]? = nil, means: [[Double]], covariances: [[[Double]]]) {
    let count = means.count
    let d = means.first?.count ?? 0
    precondition(count > 0 && d > 0, "GaussianMixture: at least one component with one coordinate is needed.")
    precondition(means.allSatisfy { $0.count == d }, "GaussianMixture: all means need \(d) coordinates.")
    precondition(
      covariances.count == count && covariances.allSatisfy { $0.count == d && $0.allSatisfy { $0.count == d } },
      "GaussianMixture: \(count) covariances of [\(d), \(d)] are needed.")
    let w = weights ?? [Double](repeating: 1, count: count)
    precondition(w.count == count && w.allSatisfy { $0 > 0 && $0.isFinite }, "GaussianMixture: \(count) positive weights are needed.")
    let total = w.reduce(0, +)
    var l: [[[Double]]] = []
    for (k, covariance) in covariances.enumerated() {
      guard let factor = SymmetricMatrix.cholesky(covariance) else {
        preconditionFailure("GaussianMixture: covariance \(k) is not positive definite.")
      }
      l.append(factor)
    }
    let logDeterminants = l.map { factor in factor.indices.reduce(0.0) { $0 + logarithm(factor[$1][$1]) } }
    self.weights = Tensor(w.map { $0 / total })
    self.means = Tensor(means.flatMap { $0 }, shape: [count, d])
    self.covariances = Tensor(covariances.flatMap { $0.flatMap { $0 } }, shape: [count, d, d])
    self.factors = Tensor(l.flatMap { $0.flatMap { $0 } }, shape: [count, d, d])
    self.whitenings = Tensor(l.flatMap { SymmetricMatrix.lowerInverse($0).flatMap { $0 } }, shape: [count, d, d])
    self.constants = Tensor(
      (0..<count).map { logarithm(w[$0] / total) - logDeterminants[$0] - 0.9189385332046727 * Double(d) })  // ½ log 2π
  }

  /// Components of one standard deviation in all directions.
  public init(weights: [Double]? = nil, means: [[Double]], deviation: Double) {
    let d = means.first?.count ?? 0
    let covariance = (0..<d).map { i in (0..<d).map { $0 == i ? deviation * deviation : 0 } }
    self.init(weights: weights, means: means, covariances: means.map { _ in covariance })
  }

  /// N(0, σ²I).
  public static func standard(dimension: Int, deviation: Double = 1) -> GaussianMixture {
    GaussianMixture(means: [[Double](repeating: 0, count: dimension)], deviation: deviation)
  }

  /// Components of equal weight at the corners of a regular simplex of circumradius `scale` about the origin.
  ///
  /// - Parameters:
  ///   - dimension: coordinates of a point.
  ///   - components: at most `dimension` + 1; as many unless told.
  ///   - scale: the corners' distance from the origin.
  ///   - deviation: σ of each component.
  public static func simplex(dimension: Int, components: Int? = nil, scale: Double = 4, deviation: Double = 0.5) -> GaussianMixture {
    let count = components ?? dimension + 1
    precondition(
      count > 0 && count <= dimension + 1,
      "GaussianMixture.simplex: \(dimension) dimensions have 1 to \(dimension + 1) corners, not \(count).")
    // Columns of Helmert's matrix: equal lengths √(1 - 1/K) and equal angles.
    let length = count == 1 ? 1 : (1 - 1 / Double(count)).squareRoot()
    let corners = (0..<count).map { i in
      (0..<dimension).map { row -> Double in
        let k = Double(row + 1)
        guard row + 1 < count, i <= row + 1 else { return 0 }
        let unit = 1 / (k * (k + 1)).squareRoot()
        return scale / length * (i == row + 1 ? -k * unit : unit)
      }
    }
    return GaussianMixture(means: corners, deviation: deviation)
  }

  public var componentCount: Int { means.shape[0] }
  public var dimension: Int { means.shape[1] }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let (which, noise) = key.split()
    let u = which.uniform([count, 1])
    // The place of u among the cumulative weights.
    var sums: [Double] = []
    for w in weights.doubles().dropLast() { sums.append((sums.last ?? 0) + w) }
    let k =
      sums.isEmpty
      ? Tensor.zeros([count], as: .int32)
      : (u .>= Tensor(sums.map { Float($0) }).expanded(at: 0)).converted(to: .int32).sum(alongAxis: 1)
    let l = factors.converted(to: .float32).gathered(k)
    let z = noise.normal([count, dimension])
    let spread = (l * z.expanded(at: 1)).sum(alongAxis: 2)
    return LabelledPoints(points: means.converted(to: .float32).gathered(k) + spread, labels: k)
  }

  /// log wₖ + log N(x; mₖ, Sₖ), `[batch, K]`.
  public func componentLogDensities(_ x: Tensor) -> Tensor {
    let type = x.elementType
    let y = whitened(x)
    return y.squared().sum(alongAxis: 2) * -0.5 + constants.converted(to: type)
  }

  public func logDensity(_ x: Tensor) -> Tensor { componentLogDensities(x).logSumExp(alongAxis: 1) }

  /// ∇ₓ log p(x), `[batch, d]`.
  public func score(_ x: Tensor) -> Tensor {
    let r = componentLogDensities(x).softmax(alongAxis: 1)
    let w = whitenings.converted(to: x.elementType)
    let pull = einsum("bki,kij->bkj", whitened(x), w)  // Lᵀ⁻¹ L⁻¹ (x - m)
    return -(r.expanded(at: 2) * pull).sum(alongAxis: 1)
  }

  /// Lₖ⁻¹(x - mₖ), `[batch, K, d]`.
  private func whitened(_ x: Tensor) -> Tensor {
    let centred = x.expanded(at: 1) - means.converted(to: x.elementType).expanded(at: 0)
    return einsum("kij,bkj->bki", whitenings.converted(to: x.elementType), centred)
  }
}
