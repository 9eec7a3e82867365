public import FluxionCore
public import FluxionExperiment

// Reflow, section 2.1 and 2.2: Zᵏ⁺¹ = RectFlow(Z₀ᵏ, Z₁ᵏ). The pairs of a flow are a better coupling than the one it was trained on:
// cost(Zᵏ) - cost(Zᵏ⁺¹) = S(Zᵏ⁺¹) + V(Zᵏ) ≥ 0, so the S(Zᵏ) are summable and min S(Zᵏ) ≤ E‖X₁-X₀‖² / K.

extension RectifiedFlow {
  /// Pairs (Z₀, Z₁) of a flow from fresh source points, by the averaged network and the configuration's method.
  func makePairs(_ network: VelocityNetwork, _ data: PairSource, key: Key) -> PairSource {
    let (k0, k1) = key.split()
    let x0 = data.drawSource(configuration.pairs, key: k0)
    var labels: Tensor?
    if let classes = data.labels { labels = classes.gathered(data.drawRows(configuration.pairs, key: k1)) }
    let begin = configuration.interpolation == .ve ? interpolation.noise(Tensor(Float(0))) * x0 : x0
    let end: Tensor
    if let labels {
      end = GuidedField(network, label: labels).transport(begin, using: configuration.pairMethod).value
    } else {
      end = network.transport(begin, using: configuration.pairMethod).value
    }
    return PairSource(target: end, source: x0, labels: labels, isPaired: true, sourceDeviation: data.sourceDeviation)
  }
}

extension TrainedRectifiedFlow {
  /// Trains further rounds, each from the network and on the pairs of the one before. Data are not needed.
  ///
  /// - Parameters:
  ///   - times: How many rounds.
  ///   - key: Decides pairs and batches.
  ///   - progress: Told after every hundred steps.
  public mutating func reflow(
    times: Int = 1, key: Key, progress: @escaping (RunProgress) -> Void = { _ in }
  ) throws {
    let system = RectifiedFlow(configuration)
    let session = Session(onProgress: progress)
    let origin = PairSource(
      target: Tensor.zeros([labels?.count ?? 1] + pointShape), source: sourcePoints, labels: labels,
      sourceDeviation: configuration.noiseScale, balance: configuration.classBalanced ? labels.map { ClassBalance($0) } : nil)
    for _ in 0..<times {
      let k = rounds.count
      let pairs = system.makePairs(field, origin, key: system.purpose(key, .pairs).fold(k))
      let next = try system.trainRound(
        "round-\(k + 1)", on: pairs, from: field, times: configuration.reflowTimes,
        key: system.purpose(key, .rounds).fold(k + 1), session)
      rounds.append(Round(field: next))
    }
  }
}
