public import FluxionCore
import FluxionTransforms

/// Rectified flow: a deterministic map between two distributions known by samples, learnt by one least-squares regression.
///
///     Xₜ = t X₁ + (1-t) X₀,   min_v ∫₀¹ E‖(X₁ - X₀) - v(Xₜ, t)‖² dt,   dZₜ = v(Zₜ, t) dt
///
/// The minimiser v(x, t) = E[X₁ - X₀ | Xₜ = x] gives Zₜ the law of Xₜ at every t and lowers every convex transport cost at once.
/// Training again on the pairs (Z₀, Z₁) of a flow (reflow) makes paths straight, so that few steps, in the end one, suffice;
/// distillation then copies the coupling into a network that is evaluated once.
///
/// ```swift
/// var flow = try RectifiedFlow(.init(rounds: 2)).fit(moons, key: key) { progress in print(progress) }
/// let samples = flow.sample(count: 5000, using: .euler(steps: 1), key: key)
/// ```
///
/// > X. Liu, C. Gong, Q. Liu. "Flow straight and fast: Learning to generate and transfer data with rectified flow." *ICLR* 2023,
/// > arXiv:2209.03003. Theory: Q. Liu. "Rectified flow: A marginal preserving approach to optimal transport." arXiv:2209.14577.
public struct RectifiedFlow: Sendable {
  public typealias FeatureMap = @Sendable (Tensor) -> Tensor
  public typealias Premetric = @Sendable (_ prediction: Tensor, _ target: Tensor) -> Tensor

  public var configuration: Configuration
  /// The way from source to data; that of the configuration unless another was given.
  public var interpolation: Interpolation
  /// The coupling of the first round; that of the configuration unless another was given.
  public var coupling: Coupling
  /// wₜ, a weight of the loss by time; nil for 1.
  public var timeWeight: Interpolation.Coefficient?
  /// h `[batch, …]` → `[batch, features]`: only what it sees is regressed, ‖J_h(Xₜ)(X₁ - X₀ - v)‖² (domain transfer, section 2.3).
  public var featureMap: FeatureMap?
  /// A distance of two points, `[batch]`, for distillation: between where v leads and z₁. Nil for the configuration's loss.
  public var premetric: Premetric?
  /// Whether the squared error is added to the premetric.
  public var premetricAddsSquares = false

  public init(_ configuration: Configuration = Configuration(), interpolation: Interpolation? = nil, coupling: Coupling? = nil) {
    self.configuration = configuration
    let named = Interpolation.named(
      configuration.interpolation, sigmaMin: configuration.sigmaMin, sigmaMax: configuration.sigmaMax)
    self.interpolation = interpolation ?? named ?? .straight
    self.coupling = coupling ?? Coupling(configuration.coupling)
  }

  /// The distance between target and velocity.
  public enum Loss: String, Codable, Sendable, Hashable, CaseIterable {
    /// Σ r² per point.
    case l2
    /// Σ |r| per point.
    case l1
    /// log(10⁻⁸ + mean |r|) per point: the relative error.
    case logL1 = "log-l1"

    /// The mean over the batch, each point with its weight.
    func callAsFunction(_ residual: Tensor, weight: Tensor? = nil) -> Tensor {
      let perPoint: Tensor
      switch self {
      case .l2: perPoint = residual.squared().sumOverPoint()
      case .l1: perPoint = abs(residual).sumOverPoint()
      case .logL1:
        let features = Double(residual.elementCount / residual.count)
        perPoint = log(abs(residual).sumOverPoint() / features + 1e-8)
      }
      return weight.map { (perPoint * $0).mean() } ?? perPoint.mean()
    }
  }

  /// The loss of one batch: E wₜ‖(a′X₁ + b′X₀) - v(Xₜ, t)‖², equation 1 (5 for curved interpolations).
  ///
  /// - Parameters:
  ///   - field: The velocity v.
  ///   - x0: Sources of pairs of the coupling, `[batch, …]`.
  ///   - x1: Data of the same pairs, `[batch, …]`.
  ///   - labels: One class per pair, `i32 [batch]`.
  ///   - t: One time per pair, `[batch]`.
  public func regressionLoss(
    _ field: some ConditionalVelocityField, _ x0: Tensor, _ x1: Tensor, labels: Tensor? = nil, times t: Tensor
  ) -> Tensor {
    let column = t.asColumn(rank: x0.rank)
    let xt = interpolation.position(x0, x1, column)
    var residual = interpolation.velocity(x0, x1, column) - field.velocity(at: xt, time: column, label: labels)
    if let featureMap { residual = jvp({ featureMap($0) }, at: xt, along: residual).tangent }
    return configuration.loss(residual, weight: timeWeight.map { $0(t) })
  }

  /// The loss of distilling the coupling (Z₀, Z₁): E‖(Z₁ - Z₀) - v(Xₜ, t)‖² with Xₜ on the straight line between the pair; at t = 0
  /// the one-step map T̂(z₀) = z₀ + v(z₀, 0).
  public func distillationLoss(
    _ field: some ConditionalVelocityField, _ z0: Tensor, _ z1: Tensor, labels: Tensor? = nil, times t: Tensor
  ) -> Tensor {
    let column = t.asColumn(rank: z0.rank)
    let xt = column * z1 + (1 - column) * z0
    let v = field.velocity(at: xt, time: column, label: labels)
    let residual = z1 - z0 - v
    guard let premetric else { return configuration.distillationLoss(residual) }
    let arrival = xt + (1 - column) * v
    let distance = premetric(arrival, z1).mean()
    return premetricAddsSquares ? distance + Loss.l2(residual) : distance
  }

  /// Classes with some hidden, for classifier-free guidance.
  func hidingSome(_ labels: Tensor?, classCount: Int, key: Key) -> Tensor? {
    guard let labels, configuration.labelDropout > 0 else { return labels }
    let hidden = key.uniform(labels.shape) .< Tensor(configuration.labelDropout, as: .float32)
    return select(hidden, Tensor(Int32(classCount)), labels)
  }
}
