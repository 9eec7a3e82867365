public import FluxionCore

/// Adam: steps along the mean of the gradients, divided by the root of the mean of their squares.
///
///     mₜ = β₁ mₜ₋₁ + (1 - β₁) gₜ        vₜ = β₂ vₜ₋₁ + (1 - β₂) gₜ²
///     m̂ = mₜ / (1 - β₁ᵗ)                v̂ = vₜ / (1 - β₂ᵗ)
///     Δθ = -η (m̂ / (√(v̂ + ε_root) + ε) + λ θ)
///
/// λ > 0 is the decoupled weight decay of AdamW. Of complex gradients gₜ² is |gₜ|², as in Optax; PyTorch takes their parts for separate
/// real parameters.
///
/// > D. Kingma, J. Ba. "Adam: a method for stochastic optimization." *ICLR* 2015, Algorithm 1.
/// > I. Loshchilov, F. Hutter. "Decoupled weight decay regularization." *ICLR* 2019.
/// > T. Dozat. "Incorporating Nesterov momentum into Adam." *ICLR* workshop 2016.
/// > S. Reddi, S. Kale, S. Kumar. "On the convergence of Adam and beyond." *ICLR* 2018 (AMSGrad).
public struct Adam: Optimiser {
  /// What stands in the denominator.
  public enum Denominator: String, Codable, Sendable {
    /// v̂.
    case current
    /// The largest v̂ so far: AMSGrad as in Optax.
    case largestCorrected
    /// The largest v so far, divided by 1 - β₂ᵗ: AMSGrad as in the paper and PyTorch.
    case largest
  }

  public var learningRate: Schedule
  public var beta1: Double
  public var beta2: Double
  /// ε, added to the root.
  public var epsilon: Double
  /// ε_root, added under the root: positive where the step itself is differentiated, since the root's slope at 0 is infinite.
  public var epsilonRoot: Double
  /// λ.
  public var weightDecay: Double
  public var decays: DecayedLeaves
  /// Replaces m̂ by β₁ mₜ / (1 - β₁ᵗ⁺¹) + (1 - β₁) gₜ / (1 - β₁ᵗ): Nadam.
  public var isNesterov: Bool
  public var denominator: Denominator

  /// - Parameters:
  ///   - learningRate: η; 10⁻³ unless told. Moments are of the parameters' element type.
  ///   - beta1: β₁ of [0, 1).
  ///   - beta2: β₂ of [0, 1).
  ///   - epsilon: ε ≥ 0, added to the root.
  ///   - epsilonRoot: ε_root ≥ 0, added under the root.
  ///   - weightDecay: λ ≥ 0.
  ///   - decays: which tensors λ acts on.
  ///   - isNesterov: true for Nadam.
  ///   - denominator: v̂, or the largest so far (AMSGrad).
  public init(
    learningRate: some ScheduleConvertible = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    epsilonRoot: Double = 0, weightDecay: Double = 0, decays: DecayedLeaves = .all, isNesterov: Bool = false,
    denominator: Denominator = .current
  ) {
    requireFactor(beta1, "Adam", "beta1")
    requireFactor(beta2, "Adam", "beta2")
    requireNotNegative(epsilon, "Adam", "epsilon")
    requireNotNegative(epsilonRoot, "Adam", "epsilonRoot")
    requireNotNegative(weightDecay, "Adam", "weightDecay")
    self.learningRate = learningRate.schedule
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.epsilonRoot = epsilonRoot
    self.weightDecay = weightDecay
    self.decays = decays
    self.isNesterov = isNesterov
    self.denominator = denominator
  }

  public func initialState<M: Structured>(for parameters: M) -> OptimiserState<M> {
    let (mean, square) = (zeros(like: parameters), squares(0, like: parameters))
    return OptimiserState(moments: denominator == .current ? ["m": mean, "v": square] : ["m": mean, "v": square, "vMax": square])
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    let (β1, β2) = (beta1, beta2)
    let t = state.count + 1
    var inputs = [gradient, parameters, state.moment("m", "Adam"), state.moment("v", "Adam")]
    if denominator != .current { inputs.append(state.moment("vMax", "Adam")) }
    let results = leafwise("Adam", inputs, results: inputs.count - 1) { leaf in
      let (g, θ) = (leaf[0], leaf[1])
      let m = β1 * leaf[2] + (1 - β1) * g
      let v = β2 * leaf[3] + (1 - β2) * g.squaredSizes
      let c1 = biasCorrection(β1, t, like: g)
      let c2 = biasCorrection(β2, t, like: g)
      var mean = m / c1
      if isNesterov { mean = m * β1 / biasCorrection(β1, t + 1, like: g) + g * (1 - β1) / c1 }
      var kept = [m, v]
      var spread = v / c2
      switch denominator {
      case .current: break
      case .largestCorrected:
        spread = maximum(leaf[4], spread)
        kept.append(spread)
      case .largest:
        let largest = maximum(leaf[4], v)
        spread = largest / c2
        kept.append(largest)
      }
      var direction = mean / (sqrt(spread + epsilonRoot) + epsilon)
      if weightDecay > 0 && decays.includes(θ) { direction += weightDecay * θ }
      let η = learningRate(state.count, as: g.elementType.realPart)
      return [-η * direction] + kept
    }
    state.moments["m"] = results[1]
    state.moments["v"] = results[2]
    if denominator != .current { state.moments["vMax"] = results[3] }
    return results[0]
  }
}

/// AdamW: ``Adam`` with decoupled weight decay; λ = 10⁻⁴ unless told, as in Optax (PyTorch: 10⁻²).
public func AdamW(
  learningRate: some ScheduleConvertible = 1e-3, weightDecay: Double = 1e-4, decays: DecayedLeaves = .all, beta1: Double = 0.9,
  beta2: Double = 0.999, epsilon: Double = 1e-8
) -> Adam {
  Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, decays: decays)
}
