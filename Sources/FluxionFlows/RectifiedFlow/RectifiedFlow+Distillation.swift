public import FluxionCore
public import FluxionExperiment

// Distillation, section 2.1: a network that copies a given coupling in one step, T̂(z₀) = z₀ + v(z₀, 0), or in K Euler steps. Reflow
// changes the coupling; distillation does not.

extension RectifiedFlow {
  /// Trains a copy of `network` on pairs at the times it will be evaluated at; gives the averaged copy.
  func distil(
    _ name: String, _ pairs: PairSource, from network: VelocityNetwork, times: TimeSchedule, key: Key, _ session: Session
  ) throws -> VelocityNetwork {
    try optimise(name, network, on: pairs, times: times, steps: configuration.distillationSteps, key: key, session) {
      network, z0, z1, labels, t in distillationLoss(network, z0, z1, labels: labels, times: t)
    }
  }
}

extension TrainedRectifiedFlow {
  /// Distils a round to few steps: K = 1 learns T̂(z₀) = z₀ + v(z₀, 0), K > 1 learns at t in {0, 1/K, …, (K-1)/K}.
  ///
  /// - Parameters:
  ///   - steps: K, at least 1.
  ///   - number: The round, from 1; nil for the last.
  ///   - system: Gives loss, premetric and steps of training; nil for those of the configuration.
  ///   - key: Decides pairs and batches.
  ///   - progress: Told after every hundred steps.
  public mutating func distill(
    steps: Int = 1, round number: Int? = nil, by system: RectifiedFlow? = nil, key: Key,
    progress: @escaping (RunProgress) -> Void = { _ in }
  ) throws {
    guard steps >= 1 else { trapAtCaller(ProgramError("distill", "a flow cannot be distilled to \(steps) steps; give at least 1.")) }
    let system = system ?? RectifiedFlow(configuration)
    let k = number ?? rounds.count
    let origin = PairSource(
      target: Tensor.zeros([1] + pointShape), source: sourcePoints, labels: labels, sourceDeviation: configuration.noiseScale)
    let pairs = system.makePairs(round(k).field, origin, key: system.purpose(key, .pairs).fold(k))
    let session = Session(onProgress: progress)
    rounds[k - 1].distilled = try system.distil(
      "distillation-\(k)", pairs, from: round(k).field, times: system.distillationTimes(steps),
      key: system.purpose(key, .distillation).fold(k), session)
    configuration.distilledSteps = steps
  }
}
