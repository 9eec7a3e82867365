public import FluxionCore

/// Discrete optimal transport: masses aᵢ to be moved to masses bⱼ at cost Cᵢⱼ each.
public struct OptimalTransport: Codable, Sendable {
  /// C `[n, m]`.
  public var cost: Tensor
  /// a `[n]`, positive, of sum 1.
  public var source: Tensor
  /// b `[m]`, positive, of sum 1.
  public var target: Tensor

  /// - Parameters:
  ///   - cost: `[n, m]`, of a real type.
  ///   - source: masses of the rows; equal unless told.
  ///   - target: masses of the columns; equal unless told.
  public init(cost: Tensor, source: Tensor? = nil, target: Tensor? = nil) {
    requireOfCaller(
      cost.rank == 2 && cost.elementType.isFloatingPoint && cost.elementCount > 0, "OptimalTransport",
      "the cost must be a real matrix [n, m], not \(cost.type).")
    let (n, m) = (cost.shape[0], cost.shape[1])
    requireOfCaller(
      (source?.shape ?? [n]) == [n] && (target?.shape ?? [m]) == [m], "OptimalTransport",
      "masses of shapes \(source?.shape ?? [n]) and \(target?.shape ?? [m]) do not fit a cost of shape \(cost.shape).")
    self.cost = cost
    self.source = source?.converted(to: cost.elementType) ?? Tensor.full(1 / Double(n), [n], as: cost.elementType)
    self.target = target?.converted(to: cost.elementType) ?? Tensor.full(1 / Double(m), [m], as: cost.elementType)
  }
}

/// A plan of transport and its dual potentials.
public struct TransportPlan: Codable, Sendable {
  /// P `[n, m]`: what is moved from i to j. A constant to derivatives.
  public var plan: Tensor
  /// f `[n]` and g `[m]`, with P = a b exp((f + g - C) / ε). Constants to derivatives.
  public var sourcePotential: Tensor
  public var targetPotential: Tensor
  /// The regularised cost Σ P C + ε KL(P ‖ a b). Its derivative by C is P, by the envelope theorem exact at convergence.
  public var value: Tensor
  /// Σ P C, with the derivative P by C.
  public var transportCost: Tensor
  /// Σᵢ |Σⱼ P - a|, by which convergence is judged.
  public var violation: Tensor
}

/// Sinkhorn's iteration for transport regularised by entropy, in logarithms so that a small ε does not underflow:
///
///     f ← -ε log Σⱼ bⱼ exp((gⱼ - Cᵢⱼ) / ε)        g ← -ε log Σᵢ aᵢ exp((fᵢ - Cᵢⱼ) / ε)
///
/// It ends when the row sums of P differ from a by at most `tolerance` in all; their column sums are b then. O(n m) an iteration, the
/// number of iterations growing as 1/ε.
///
/// > M. Cuturi. "Sinkhorn distances: lightspeed computation of optimal transport." *NeurIPS* 2013; in logarithms: G. Peyré, M. Cuturi.
/// > *Computational Optimal Transport*, 2019, §4.4.
public struct Sinkhorn: Codable, Sendable {
  /// ε > 0, in units of the cost.
  public var regularisation: Double
  public var tolerance: Double
  public var maximumIterations: Int

  public init(regularisation: Double, tolerance: Double = 1e-4, maximumIterations: Int = 2000) {
    requireOfCaller(regularisation > 0, "Sinkhorn", "the regularisation \(regularisation) must be positive.")
    requireOfCaller(tolerance > 0 && maximumIterations > 0, "Sinkhorn", "tolerance and the number of iterations must be positive.")
    self.regularisation = regularisation
    self.tolerance = tolerance
    self.maximumIterations = maximumIterations
  }
}

/// The regularised plan of least cost. Status: `stepLimitReached` when the tolerance was not met in time; the plan is the best known.
public func solve(_ problem: OptimalTransport, using method: Sinkhorn) -> Solution<TransportPlan> {
  let ε = method.regularisation
  let type = problem.cost.elementType
  let cost = stopGradient(problem.cost)
  let (a, b) = (stopGradient(problem.source), stopGradient(problem.target))
  let (logA, logB) = (log(a), log(b))
  struct Walk: Codable { var f: Tensor, g: Tensor, violation: Tensor, count: Tensor }
  func rows(_ g: Tensor) -> Tensor { ((g - cost) / ε + logB).logSumExp(alongAxis: 1) * -ε }
  func columns(_ f: Tensor) -> Tensor { ((f.expanded(at: 1) - cost) / ε + logA.expanded(at: 1)).logSumExp(alongAxis: 0) * -ε }
  let start = Walk(
    f: .zeros([problem.cost.shape[0]], as: type), g: .zeros([problem.cost.shape[1]], as: type),
    violation: Tensor(Double.infinity, as: type), count: Tensor(Int32(0)))
  let end = whileLoop(
    from: start,
    while: { ($0.violation .> Tensor(floatLiteral: method.tolerance)) .& ($0.count .< Tensor(Int32(method.maximumIterations))) },
    do: { w in
      // With g just renewed the columns are exact. The next f tells how far the rows are off, before it is used.
      let f = rows(w.g)
      let rowSums = a * exp((w.f - f) / ε)
      let isFirst = w.count .== Tensor(Int32(0))
      let violation = select(isFirst, Tensor(Double.infinity, as: type), abs(rowSums - a).sum())
      let isDone = violation .<= Tensor(floatLiteral: method.tolerance)
      return Walk(
        f: select(isDone, w.f, f), g: select(isDone, w.g, columns(f)), violation: violation, count: w.count + 1)
    })
  let (f, g) = (end.f, end.g)
  let scaled = (f.expanded(at: 1) + g - cost) / ε + logA.expanded(at: 1) + logB
  let plan = stopGradient(exp(scaled))
  // The dual value, and a term that is 0 but carries the derivative.
  let slope = (plan * (problem.cost - cost)).sum()
  let dual = (f * a).sum() + (g * b).sum()
  let isMet = end.violation .<= Tensor(floatLiteral: method.tolerance)
  let failure = select(
    isFinite(end.violation), Tensor(SolverStatus.stepLimitReached.rawValue), Tensor(SolverStatus.nonFinite.rawValue))
  let zero = Tensor(Int32(0))
  return Solution(
    value: TransportPlan(
      plan: plan, sourcePotential: f, targetPotential: g, value: dual + slope, transportCost: (plan * problem.cost).sum(),
      violation: end.violation),
    statusCode: select(isMet, Tensor(SolverStatus.converged.rawValue), failure),
    statistics: SolverStatistics(evaluations: 2 * end.count, accepted: end.count, rejected: zero), solver: "Sinkhorn")
}
