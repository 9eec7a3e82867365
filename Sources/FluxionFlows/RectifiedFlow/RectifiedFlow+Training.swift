public import FluxionCore
import FluxionData
public import FluxionExperiment
import FluxionNN
import FluxionOptimisers
import FluxionTransforms

extension RectifiedFlow {
  /// What a key is used for: each use folds its own number into it, so that no two share random numbers.
  enum Purpose: Int {
    case initialisation, coupling, rounds, pairs, distillation
  }

  /// Learns the flows of all rounds.
  ///
  /// - Parameters:
  ///   - target: Data, `[n, d]`, or images `[n, height, width, channels]`; finite, n ≥ 2.
  ///   - source: Points of the source domain, each shaped as those of the data; nil for N(0, noiseScale²).
  ///   - labels: One class per row of the data, `i32 [n]`, from 0; the network is told it.
  ///   - classes: One class per row of the data, `i32 [n]`, by which batches are balanced without the network being told; nil for
  ///     `labels` if the configuration says `classBalanced`, else for batches in which every row is equally likely.
  ///   - standardises: Whether columns are brought to mean 0 and deviation 1 (both domains with one scale, so that distances between
  ///     them keep their meaning); nil for the configuration's choice.
  ///   - key: Decides the first weights, the pairs and the batches.
  ///   - progress: Told after every hundred steps.
  /// - Throws: ``RectifiedFlowError``; `TrainingDiverged` when the loss stops being finite.
  public func fit(
    _ target: Tensor, from source: Tensor? = nil, labels: Tensor? = nil, balancedBy classes: Tensor? = nil, standardises: Bool? = nil,
    key: Key, progress: @escaping (RunProgress) -> Void = { _ in }
  ) throws -> TrainedRectifiedFlow {
    try fit(
      target, from: source, labels: labels, balancedBy: classes, standardises: standardises, key: key,
      session: Session(onProgress: progress))
  }

  /// The same within a run, whose checkpoint keeps what is finished.
  public func fit(
    _ target: Tensor, from source: Tensor? = nil, labels: Tensor? = nil, balancedBy classes: Tensor? = nil, standardises: Bool? = nil,
    key: Key, session: Session
  ) throws -> TrainedRectifiedFlow {
    try configuration.check()
    try check(target, source, labels)
    let balancing = classes ?? (configuration.classBalanced ? labels : nil)
    if let balancing { try check(classes: balancing, rows: target.count) }
    let columns = target.shape[target.rank - 1]
    var scaler: Standardiser?
    if standardises ?? configuration.standardise {
      scaler = Standardiser(fitting: target.doubles() + (source?.doubles() ?? []), columns: columns)
    }
    func prepared(_ x: Tensor) -> Tensor { (scaler.map { $0.apply(x) } ?? x).converted(to: .float32) }
    let data = PairSource(
      target: prepared(target), source: source.map(prepared), labels: labels?.converted(to: .int32),
      sourceDeviation: configuration.noiseScale, balance: balancing.map { ClassBalance($0) })
    var flow = TrainedRectifiedFlow(
      configuration: configuration, rounds: [], scaler: scaler, pointShape: target.pointShape, sourcePoints: data.source,
      labels: data.labels)

    let coupled = try session.stage("coupling") { self.coupled(data, key: purpose(key, .coupling)) }
    var network = initialNetwork(for: data, key: purpose(key, .initialisation))
    var pairs = coupled
    for k in 1...configuration.rounds {
      let times = k == 1 ? TimeSchedule.uniform : configuration.reflowTimes
      network = try trainRound("round-\(k)", on: pairs, from: network, times: times, key: purpose(key, .rounds).fold(k), session)
      var round = TrainedRectifiedFlow.Round(field: network)
      if k < configuration.rounds || configuration.distils {
        pairs = try session.stage("pairs-\(k)") { makePairs(network, data, key: purpose(key, .pairs).fold(k)) }
      }
      if configuration.distils {
        round.distilled = try distil(
          "distillation-\(k)", pairs, from: network, times: distillationTimes(configuration.distilledSteps),
          key: purpose(key, .distillation).fold(k), session)
      }
      flow.rounds.append(round)
    }
    return flow
  }

  /// The data with the pairs of the first round's coupling.
  public func coupled(_ data: PairSource, key: Key) -> PairSource { coupling.realised(data, key: key) }

  func purpose(_ key: Key, _ purpose: Purpose) -> Key { key.fold(purpose.rawValue) }

  func distillationTimes(_ steps: Int) -> TimeSchedule { steps == 1 ? .t0 : .steps(steps) }

  /// A perceptron for points, a convolutional network for images.
  func initialNetwork(for data: PairSource, key: Key) -> VelocityNetwork {
    let shape = data.target.pointShape
    let classes = data.labels.map { labels in 1 + Int(labels.max().item()) } ?? 0
    if shape.rank == 3 {
      // As many halvings as height and width allow, two at most.
      let halvings = [4, 2].first { shape[0] % $0 == 0 && shape[1] % $0 == 0 } ?? 1
      let multipliers = halvings == 4 ? [1, 2, 2] : halvings == 2 ? [1, 2] : [1]
      let width = configuration.width + configuration.width % 2
      return VelocityNetwork(images: UNet(channels: shape[2], width: width, multipliers: multipliers, classes: classes, key: key))
    }
    return VelocityNetwork(
      points: PointVelocity(
        dimension: shape.elementCount, width: configuration.width, depth: configuration.depth, classCount: classes, key: key))
  }

  /// Regresses the velocity on pairs; gives the averaged network.
  func trainRound(
    _ name: String, on data: PairSource, from network: VelocityNetwork, times: TimeSchedule, key: Key, _ session: Session
  ) throws -> VelocityNetwork {
    try optimise(name, network, on: data, times: times, steps: configuration.steps, key: key, session) { network, x0, x1, labels, t in
      regressionLoss(network, x0, x1, labels: labels, times: t)
    }
  }

  /// Adam along a cosine, with averaged weights, on batches of pairs at drawn times; the loop is a compiled program of a hundred
  /// steps at a time.
  ///
  /// - Parameter loss: Of a network, sources, data, classes (some hidden, for guidance) and times.
  func optimise(
    _ name: String, _ network: VelocityNetwork, on pairs: PairSource, times: TimeSchedule, steps: Int, key: Key, _ session: Session,
    loss: @escaping (VelocityNetwork, Tensor, Tensor, Tensor?, Tensor) -> Tensor
  ) throws -> VelocityNetwork {
    func batchLoss(_ network: VelocityNetwork, _ key: Key) -> Tensor {
      let keys = key.split(3)
      let (x0, x1, labels) = pairs.draw(configuration.batch, key: keys[0])
      let t = times.times(configuration.batch, epsilon: configuration.timeEpsilon, key: keys[1])
      let shown = hidingSome(labels, classCount: network.classCount, key: keys[2])
      // Every device of a mesh has its share of the batch.
      return loss(network, acrossDevices(x0), acrossDevices(x1), shown.map { acrossDevices($0) }, acrossDevices(t))
    }
    let adam = Adam(learningRate: Schedule.cosine(from: configuration.learningRate, steps: steps, floor: configuration.finalRateFraction))
    let averaging = ExponentialMovingAverage(decay: configuration.averageDecay, warmsUp: configuration.averageWarmUp)
    let initial =
      configuration.gradientClip > 0
      ? TrainingState(network, optimiser: Chain(ClipByGlobalNorm(configuration.gradientClip), adam), averaging: averaging)
      : TrainingState(network, optimiser: adam, averaging: averaging)
    let trained = try session.train(name, from: initial, steps: steps, key: key) { state, _, key in
      let (value, gradient) = valueAndGradient(of: { batchLoss($0, key) }, at: state.model)
      state.apply(gradient)
      return value
    }
    return trained.averagedModel
  }

  private func check(_ target: Tensor, _ source: Tensor?, _ labels: Tensor?) throws(RectifiedFlowError) {
    func checkSet(_ x: Tensor, _ name: String) throws(RectifiedFlowError) {
      guard x.rank >= 2, x.count >= 2, x.elementCount > 0 else { throw .tooFewPoints(set: name, shape: x.shape) }
      if let place = x.doubles().firstIndex(where: { !$0.isFinite }) {
        let width = x.elementCount / x.count
        throw .notFinite(set: name, row: place / width, column: place % width)
      }
    }
    try checkSet(target, "data")
    if let source {
      try checkSet(source, "source")
      guard source.pointShape == target.pointShape else {
        throw .shapesDiffer(source: source.pointShape, data: target.pointShape)
      }
      if case .pairs = coupling, source.count != target.count { throw .notPaired(source: source.count, data: target.count) }
    } else if case .pairs = coupling {
      throw .notPaired(source: 0, data: target.count)
    }
    if let labels { try check(classes: labels, rows: target.count) }
  }

  private func check(classes: Tensor, rows: Int) throws(RectifiedFlowError) {
    guard classes.shape == [rows], classes.elementType.isInteger, classes.doubles().allSatisfy({ $0 >= 0 }) else {
      throw .badLabels(classes.type, rows: rows)
    }
  }
}

/// Data that a rectified flow cannot be trained on.
public enum RectifiedFlowError: Error, Hashable, Sendable {
  case tooFewPoints(set: String, shape: Shape)
  /// Row and column count from 0.
  case notFinite(set: String, row: Int, column: Int)
  case shapesDiffer(source: Shape, data: Shape)
  case notPaired(source: Int, data: Int)
  case badLabels(TensorType, rows: Int)
}

extension RectifiedFlowError: CustomStringConvertible {
  public var description: String {
    switch self {
    case let .tooFewPoints(set, shape):
      "the \(set) has shape \(shape); at least 2 points with one coordinate are needed, [n, d] or [n, height, width, channels]."
    case let .notFinite(set, row, column):
      "the \(set) holds a number that is not finite in row \(row), column \(column) (from 0). Remove the row."
    case let .shapesDiffer(source, data):
      "a point of the source has shape \(source), one of the data \(data); both domains need the same coordinates."
    case let .notPaired(source, data):
      "the coupling `pairs` needs one source point for each of the \(data) data points, but there are \(source)."
    case let .badLabels(type, rows):
      "labels must be whole numbers ≥ 0, one for each of the \(rows) data points, not \(type)."
    }
  }
}
