public import FluxionCore
import FluxionSolvers

/// What is measured along the paths of a flow.
public struct PathMeasures: Codable, Sendable {
  /// The ends of the paths, `[batch, …]`.
  public var end: Tensor
  /// ∫₀¹ ‖(Z₁ - Z₀) - v(Zₜ, t)‖² dt of each path, `[batch]`; their mean is S(Z).
  public var straightness: Tensor
}

extension VelocityField {
  /// Follows paths and measures how straight each is.
  ///
  /// S(Z) = ∫₀¹ E‖(Z₁ - Z₀) - v(Zₜ, t)‖² dt is 0 exactly for straight lines at constant speed, on which one Euler step is exact. It
  /// is integrated with the very stages that made Z₁: since Z₁ - Z₀ is then their weighted mean, the measure is their weighted
  /// variance about it and no two quadratures disagree. The variance is accumulated in one pass, without cancellation.
  ///
  /// > D. West. "Updating mean and variance estimates: an improved method." *Comm. ACM* 22(9), 1979.
  public func paths(from z: Tensor, start: Double = 0, end: Double = 1, using method: FlowMethod) -> PathMeasures {
    guard let (tableau, steps) = method.fixedStep else {
      trapAtCaller(ProgramError("paths", "\(method) takes steps of its own; straightness needs euler, heun or rk4."))
    }
    checkSteps(steps)
    let zero = Tensor.zeros(z.shape, as: z.elementType)
    let initial = PathCarry(z: z, mean: zero, spread: Tensor.zeros([z.count], as: z.elementType))
    let last = scan(count: steps, from: initial) { carry, n in
      let (next, stages) = fixedStep(acrossDevices(carry.z), n, steps: steps, from: start, to: end, tableau)
      var (mean, spread) = (carry.mean, carry.spread)
      let before = n.converted(to: z.elementType)
      var within = 0.0
      for (weight, k) in zip(tableau.b, stages) {
        within += weight
        let share = Tensor(weight, as: z.elementType) / (before + within)
        let δ = k - mean
        mean = mean + share * δ
        spread = spread + (δ * (k - mean)).sumOverPoint() * (weight / Double(steps))
      }
      return PathCarry(z: next, mean: mean, spread: spread)
    }
    return PathMeasures(end: last.z, straightness: last.spread)
  }

  /// S(Z) for paths from the points `z`.
  public func straightness(from z: Tensor, using method: FlowMethod = .euler(steps: 100)) -> Double {
    paths(from: z, using: method).straightness.mean().item()
  }
}

/// Points under way with the running mean of their velocities and the weighted sum of squared distances from it.
private struct PathCarry: Codable {
  var z: Tensor
  var mean: Tensor
  var spread: Tensor
}

/// E c(Z₁ - Z₀) for a coupling given as pairs of points.
public enum TransportCost {
  /// E‖Z₁ - Z₀‖ᵖ with the Euclidean norm of each difference.
  public static func power(_ p: Double, _ z0: Tensor, _ z1: Tensor) -> Double {
    let square = (z1 - z0).squared().sumOverPoint()
    let cost: Tensor = p == 2 ? square : pow(square, Tensor(floatLiteral: p / 2))
    return cost.mean().item()
  }

  /// E c(Z₁ - Z₀) for any c that maps differences `[batch, …]` to costs `[batch]`. Where c is convex, rectifying does not raise it.
  public static func convex(_ z0: Tensor, _ z1: Tensor, _ cost: (Tensor) -> Tensor) -> Double { cost(z1 - z0).mean().item() }
}

/// The energy identity of a rectification under the quadratic cost:
///
///     E‖X₁-X₀‖² - E‖Z₁-Z₀‖² = S(Z) + V(X₀, X₁)
///
/// exact for the exact velocity of `straight`; a trained flow misses it by its error.
public struct EnergyIdentity: Codable, Sendable {
  /// E‖X₁-X₀‖².
  public var costBefore: Double
  /// E‖Z₁-Z₀‖².
  public var costAfter: Double
  public var straightness: Double
  public var irreducibleVariance: Double

  /// |costBefore - costAfter - S - V| / costBefore.
  public var relativeGap: Double { abs(costBefore - costAfter - straightness - irreducibleVariance) / costBefore }
}

extension VelocityField {
  /// ∫₀¹ E‖(a′X₁ + b′X₀) - v(Xₜ, t)‖² dt, the value of the training loss on the pairs.
  ///
  /// For the exact velocity of the coupling this is V(X₀, X₁), what no velocity can explain, 0 only where the coupling is a fixed
  /// point of rectification; for any other velocity it is larger. Times are stratified: pair i gets one of `pairs` equal parts of
  /// [0, 1], in random order, so that the integral over time adds almost no noise.
  ///
  /// - Parameters:
  ///   - x0: X₀ of the pairs, `[pairs, …]`.
  ///   - x1: X₁ of the pairs, `[pairs, …]`.
  ///   - interpolation: The way between them.
  ///   - repeats: How many times each pair is used, each with new times.
  ///   - key: Decides the times.
  public func regressionError(
    _ x0: Tensor, _ x1: Tensor, along interpolation: Interpolation = .straight, repeats: Int = 1, key: Key
  ) -> Double {
    let n = x0.count
    let total = scan(over: key.splitWords(repeats), from: Tensor(0, as: x0.elementType)) { (sum: Tensor, words: Tensor) -> Tensor in
      let (order, offset) = Key(words: words).split()
      let u = offset.uniform([n], as: x0.elementType)
      let t = ((order.permutation(n).converted(to: x0.elementType) + u) / Double(n)).asColumn(rank: x0.rank)
      let residual = interpolation.velocity(x0, x1, t) - velocity(at: interpolation.position(x0, x1, t), time: t)
      return sum + residual.squared().sumOverPoint().mean()
    }
    return total.item() / Double(repeats)
  }

  /// The terms of the energy identity for this velocity on pairs (X₀, X₁) of its coupling.
  public func energyIdentity(
    _ x0: Tensor, _ x1: Tensor, using method: FlowMethod = .rk4(steps: 100), key: Key
  ) -> EnergyIdentity {
    let z = paths(from: x0, using: method)
    return EnergyIdentity(
      costBefore: TransportCost.power(2, x0, x1), costAfter: TransportCost.power(2, x0, z.end),
      straightness: z.straightness.mean().item(), irreducibleVariance: regressionError(x0, x1, key: key))
  }
}
