public import FluxionCore
public import FluxionData

/// The exact velocity between two Gaussian mixtures with the independent coupling.
///
/// π₀ = Σᵢ wᵢ N(μᵢ, Σᵢ), π₁ = Σⱼ uⱼ N(νⱼ, Λⱼ), Xₜ = a X₁ + b X₀. Given the components, Xₜ is Gaussian with mean mᵢⱼ = a νⱼ + b μᵢ and
/// covariance Cᵢⱼ = a² Λⱼ + b² Σᵢ, hence, with responsibilities rᵢⱼ(x) ∝ wᵢ uⱼ N(x; mᵢⱼ, Cᵢⱼ),
///
///     v(x, t) = Σᵢⱼ rᵢⱼ [ a′νⱼ + b′μᵢ + (a a′ Λⱼ + b b′ Σᵢ) Cᵢⱼ⁻¹ (x - mᵢⱼ) ]
///
/// which for `straight` has (νⱼ - μᵢ) and (tΛⱼ - (1-t)Σᵢ). Each pair is diagonalised once, Uᵀ Σᵢ U = I and Uᵀ Λⱼ U = D, so that at any
/// time C⁻¹ = U (b² + a²D)⁻¹ Uᵀ costs two products; b′ is met only beside means of the source that are not 0.
public struct MixtureFlow: VelocityField {
  public let source: GaussianMixture
  public let target: GaussianMixture
  public let interpolation: Interpolation
  /// log wᵢuⱼ + log |det U| - (d/2) log 2π, `f64 [P]` over the pairs P = I·J.
  private let constants: Tensor
  /// μᵢ and νⱼ of each pair, `f64 [P, d]`.
  private let sourceMeans: Tensor, targetMeans: Tensor
  /// Uᵀ, `f64 [P, d, d]`.
  private let whitenings: Tensor
  /// Σᵢ U = U⁻ᵀ, `f64 [P, d, d]`.
  private let colourings: Tensor
  /// D, `f64 [P, d]`.
  private let ratios: Tensor
  private let sourceIsCentred: Bool

  public init(from source: GaussianMixture, to target: GaussianMixture, along interpolation: Interpolation = .straight) {
    let d = source.dimension
    precondition(d == target.dimension, "MixtureFlow: the source has \(d) coordinates, the target \(target.dimension).")
    self.source = source
    self.target = target
    self.interpolation = interpolation
    func rows(_ t: Tensor, _ k: Int, _ width: Int) -> [[Double]] {
      let all = t.doubles()
      let start = k * width * d
      return (0..<width).map { Array(all[start + $0 * d..<start + ($0 + 1) * d]) }
    }
    let (w, u) = (source.weights.doubles(), target.weights.doubles())
    var (c, mu, nu, white, colour, ratio) = ([Double](), [Double](), [Double](), [Double](), [Double](), [Double]())
    for i in w.indices {
      let l = rows(source.factors, i, d)
      let inverse = SymmetricMatrix.lowerInverse(l)
      var logDeterminant = 0.0  // of U: det U = 1 / det L, since Q is orthonormal
      for k in 0..<d { logDeterminant -= logarithm(l[k][k]) }
      for j in u.indices {
        let λ = rows(target.covariances, j, d)
        let reduced = SymmetricMatrix.product(SymmetricMatrix.product(inverse, λ), SymmetricMatrix.transpose(inverse))
        let (values, q) = SymmetricMatrix.eigen(reduced)
        white += SymmetricMatrix.product(SymmetricMatrix.transpose(q), inverse).flatMap { $0 }  // Uᵀ = Qᵀ L⁻¹
        colour += SymmetricMatrix.product(l, q).flatMap { $0 }  // Σ U = L Q
        ratio += values
        mu += rows(source.means, i, 1)[0]
        nu += rows(target.means, j, 1)[0]
        c.append(logarithm(w[i]) + logarithm(u[j]) + logDeterminant - 0.9189385332046727 * Double(d))
      }
    }
    let pairs = c.count
    constants = Tensor(c)
    sourceMeans = Tensor(mu, shape: [pairs, d])
    targetMeans = Tensor(nu, shape: [pairs, d])
    whitenings = Tensor(white, shape: [pairs, d, d])
    colourings = Tensor(colour, shape: [pairs, d, d])
    ratios = Tensor(ratio, shape: [pairs, d])
    sourceIsCentred = mu.allSatisfy { $0 == 0 }
  }

  public func velocity(at x: Tensor, time t: Tensor) -> Tensor {
    let parts = components(at: x, time: t)
    return (parts.responsibilities.expanded(at: 2) * parts.velocities).sum(alongAxis: 1)
  }

  /// log pₜ(x), the density of Xₜ: `[batch]`.
  public func logDensity(_ x: Tensor, time t: Tensor) -> Tensor { components(at: x, time: t).logDensities.logSumExp(alongAxis: 1) }

  /// E[X₁], where one Euler step of the straight flow from independent X₀ sends every point: `f64 [d]`.
  public var targetMean: Tensor { (target.weights.expanded(at: 1) * target.means).sum(alongAxis: 0) }

  private func components(at x: Tensor, time t: Tensor) -> (responsibilities: Tensor, velocities: Tensor, logDensities: Tensor) {
    let type = x.elementType
    // [1, 1, 1] or [batch, 1, 1], against [batch, pairs, d].
    let t = t.converted(to: type).reshaped(to: t.elementCount == 1 ? [1, 1, 1] : [t.elementCount, 1, 1])
    let (a, b, da) = (interpolation.signal(t), interpolation.noise(t), interpolation.signalRate(t))
    let product = interpolation.noiseProduct(t)
    let (μ, ν) = (sourceMeans.converted(to: type).expanded(at: 0), targetMeans.converted(to: type).expanded(at: 0))
    let d = ratios.converted(to: type).expanded(at: 0)
    let centred = sourceIsCentred ? x.expanded(at: 1) - a * ν : x.expanded(at: 1) - (a * ν + b * μ)
    let y = einsum("pij,bpj->bpi", whitenings.converted(to: type), centred)  // Uᵀ(x - m)
    let spread = a.squared() * d + b.squared()
    let scaled = y / spread
    let quadratic = (y * scaled).sum(alongAxis: 2)
    let logSpread = log(spread).sum(alongAxis: 2)
    let logDensities = constants.converted(to: type) - (quadratic + logSpread) * 0.5
    let pulled = ((a * da) * d + product) * scaled
    let relative = einsum("pij,bpj->bpi", colourings.converted(to: type), pulled)
    var drift = da * ν
    if !sourceIsCentred { drift = drift + interpolation.noiseRate(t) * μ }
    return (logDensities.softmax(alongAxis: 1), drift + relative, logDensities)
  }
}
