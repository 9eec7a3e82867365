public import FluxionCore

/// The exact rectified flow between component-wise Gaussians, X₀ ~ N(m₀, s₀²) and X₁ ~ N(m₁, s₁²) independent.
///
///     D(t) = (1-t)² s₀² + t² s₁²
///     v(x, t) = (m₁ - m₀) + (t s₁² - (1-t) s₀²) / D(t) · (x - (1-t) m₀ - t m₁)
///
/// In closed form, per coordinate: Z₁ = m₁ + (s₁/s₀)(Z₀ - m₀); E|X₁-X₀|² = Δm² + s₀² + s₁²; E|Z₁-Z₀|² = Δm² + (s₁-s₀)²;
/// V = (π/2) s₀s₁; S = (2 - π/2) s₀s₁.
public struct GaussianFlow: VelocityField, Codable {
  /// `f64 [d]` each: means and standard deviations of the source, then of the target.
  public let sourceMean: Tensor, sourceDeviation: Tensor
  public let targetMean: Tensor, targetDeviation: Tensor

  public init(sourceMean: [Double], sourceDeviation: [Double], targetMean: [Double], targetDeviation: [Double]) {
    let counts = Set([sourceMean.count, sourceDeviation.count, targetMean.count, targetDeviation.count])
    precondition(counts.count == 1 && !sourceMean.isEmpty, "GaussianFlow: means and deviations need one length.")
    precondition((sourceDeviation + targetDeviation).allSatisfy { $0 > 0 }, "GaussianFlow: deviations must be positive.")
    self.sourceMean = Tensor(sourceMean)
    self.sourceDeviation = Tensor(sourceDeviation)
    self.targetMean = Tensor(targetMean)
    self.targetDeviation = Tensor(targetDeviation)
  }

  public func velocity(at x: Tensor, time t: Tensor) -> Tensor {
    let type = x.elementType
    let t = t.converted(to: type)
    let s = 1 - t
    let (m0, m1) = (sourceMean.converted(to: type), targetMean.converted(to: type))
    let v0 = sourceDeviation.converted(to: type).squared()
    let v1 = targetDeviation.converted(to: type).squared()
    let slope = (t * v1 - s * v0) / (s.squared() * v0 + t.squared() * v1)
    return (m1 - m0) + slope * (x - s * m0 - t * m1)
  }

  /// Z₁ of a path that starts at `z0`.
  public func destination(of z0: Tensor) -> Tensor {
    let type = z0.elementType
    let ratio = (targetDeviation / sourceDeviation).converted(to: type)
    return targetMean.converted(to: type) + ratio * (z0 - sourceMean.converted(to: type))
  }

  /// S(Z) = Σ (2 - π/2) s₀ s₁.
  public var straightness: Double { (2 - Double.pi / 2) * (sourceDeviation * targetDeviation).sum().item() }

  /// V(X₀, X₁) = Σ (π/2) s₀ s₁.
  public var irreducibleVariance: Double { Double.pi / 2 * (sourceDeviation * targetDeviation).sum().item() }

  /// E‖X₁ - X₀‖² and E‖Z₁ - Z₀‖².
  public var transportCosts: (independent: Double, rectified: Double) {
    let shift = (targetMean - sourceMean).squared().sum().item()
    let squares = (sourceDeviation.squared() + targetDeviation.squared()).sum().item()
    let difference = (targetDeviation - sourceDeviation).squared().sum().item()
    return (shift + squares, shift + difference)
  }
}
