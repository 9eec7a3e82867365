import FluxionCore
import FluxionData
public import FluxionExperiment
import Foundation

/// Rectified flow as a learning system: data → rounds of training, reflow and distillation → measures, figures and samples.
public struct RectifiedFlowExperiment: LearningSystem {
  public typealias Configuration = RectifiedFlow.Configuration

  public init() {}

  public let card = SystemCard(
    name: "rectified-flow", title: "Rectified flow",
    summary: "a deterministic map between noise and data, or between two domains, that ends in one network evaluation",
    family: "flows",
    papers: [
      Paper(
        key: "liu2023flow", authors: ["Xingchao Liu", "Chengyue Gong", "Qiang Liu"],
        title: "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified Flow",
        venue: .conference("ICLR"), year: 2023, arXiv: "2209.03003", code: "https://github.com/gnobitab/RectifiedFlow"),
      Paper(
        key: "liu2022rectified", authors: ["Qiang Liu"],
        title: "Rectified Flow: A Marginal Preserving Approach to Optimal Transport", venue: .preprint, year: 2022,
        arXiv: "2209.14577"),
    ])

  public let dataUse = DataUse.optional(
    "points, one row each, or images; without a file: Gaussian noise → eight Gaussians on a circle of radius 4")

  public func check(_ configuration: Configuration, _ inputs: RunInputs) throws {
    if configuration.sigmaMax <= configuration.sigmaMin {
      throw InputError(
        "sigmaMax: \(configuration.sigmaMax) is not above sigmaMin, \(configuration.sigmaMin). Give a larger sigmaMax.")
    }
    let source = inputs.files["source"]
    let sourcePath = inputs.paths["source"] ?? "source"
    let dataPath = inputs.paths["data"] ?? "the eight Gaussians"
    let dataShape = inputs.data.map { Self.pointShape($0.points) } ?? [2]
    if let source {
      let shape = Self.pointShape(source.points)
      if shape != dataShape {
        let (a, b) = (shape.reduce(1, *), dataShape.reduce(1, *))
        throw InputError(
          "\(sourcePath): a point has \(a) coordinates, one of \(dataPath) has \(b)\(a == b ? " in another shape" : ""). Both domains need the same columns.")
      }
    }
    if configuration.coupling == .pairs {
      guard let source else {
        throw InputError("coupling: pairs need a source file whose rows belong to those of the data. Give it with --set source=FILE.")
      }
      let rows = inputs.data?.count ?? 0
      if source.count != rows {
        throw InputError(
          "\(sourcePath): there are \(source.count) rows for \(rows) rows of \(dataPath). The coupling pairs needs one for each.")
      }
    }
    if configuration.conditional, inputs.data?.labels == nil {
      throw InputError("conditional: \(dataPath) holds no classes. Name a column with --set label=COLUMN, or set conditional=false.")
    }
    if configuration.classBalanced, inputs.data?.labels == nil {
      throw InputError("classBalanced: \(dataPath) holds no classes. Name a column with --set label=COLUMN, or set classBalanced=false.")
    }
    if configuration.sigmaVar > 0, source != nil {
      throw InputError("sigmaVar: the stochastic sampler needs a Gaussian source, but a source file is given. Leave one of them out.")
    }
  }

  public func run(_ run: RunContext<Configuration>) throws -> RunResult {
    let sets = Self.sets(run)
    warnOfSlowAverages(run)
    let flow = try RectifiedFlow(run.configuration).fit(
      sets.training, from: sets.source, labels: sets.labels, balancedBy: sets.classes, standardises: run.data == nil && sets.source == nil ? false : nil,
      key: run.key.fold(1), session: run.session)
    warnOfConstantColumns(flow, run)

    let test = flow.scaled(sets.test)
    let floor = try run.stage("floor") { slicedDistance(flow.scaled(sets.secondTest), test, key: run.key.fold(2)) }
    run.record("sw2_floor", floor)
    let independent = Self.independentCosts(flow, test, key: run.key.fold(3))
    for (p, cost) in zip([1, 2, 4], independent) { run.record("cost_p\(p)_independent", cost) }
    var rounds: [FlowEvaluation] = []
    for k in 1...flow.rounds.count {
      let measured = try run.stage("measures-\(k)") {
        flow.evaluate(round: k, against: test, guidanceScale: run.configuration.guidanceScale, key: run.key.fold(3))
      }
      record(measured, k, run)
      rounds.append(measured)
    }
    try saveArtefacts(flow, sets, run)
    return RunResult(
      summary: Self.summary(rounds, floor: floor),
      report: RectifiedFlowReport(run, flow: flow, rounds: rounds, floor: floor, independent: independent, data: test).page())
  }

  // MARK: Data

  /// The points of a run: to train on, and two sets apart to test against.
  struct Sets {
    var training: Tensor
    var source: Tensor?
    /// Classes that the network is told.
    var labels: Tensor?
    /// Classes by which batches are balanced.
    var classes: Tensor?
    var test: Tensor
    var secondTest: Tensor
  }

  static func sets(_ run: RunContext<Configuration>) -> Sets {
    let source = run.inputs.files["source"].map { Self.tensor($0.points) }
    guard let cloud = run.data else {
      var sets = builtInSets(key: run.key.fold(0))
      sets.source = source
      return sets
    }
    let points = tensor(cloud.points)
    let known = cloud.labels.map(Self.classes)
    let labels = run.configuration.usesClasses ? known : nil
    let classes = run.configuration.classBalanced ? known : nil
    if run.configuration.coupling == .pairs {
      // Rows belong together and stay together.
      return Sets(training: points, source: source, labels: labels, classes: classes, test: points, secondTest: points)
    }
    // A tenth for each test set, unless that would be too few to compare. Of images fewer: each costs a convolutional network.
    let n = points.count
    let held = min(points.rank == 4 ? 256 : 4000, n / 10)
    guard held >= 20 else {
      return Sets(training: points, source: source, labels: labels, classes: classes, test: points, secondTest: points)
    }
    let order = run.key.fold(0).permutation(n)
    func part(_ range: Range<Int>) -> Tensor { order.sliced(range, alongAxis: 0) }
    let kept = part(2 * held..<n)
    return Sets(
      training: points.gathered(kept), source: source, labels: labels?.gathered(kept), classes: classes?.gathered(kept), test: points.gathered(part(0..<held)),
      secondTest: points.gathered(part(held..<2 * held)))
  }

  /// Eight Gaussians: 50 000 points to train on, 4000 in each test set.
  static func builtInSets(key: Key) -> Sets {
    let keys = key.split(3)
    let set = EightGaussians.wide
    return Sets(
      training: set.sample(50_000, key: keys[0]), test: set.sample(4000, key: keys[1]), secondTest: set.sample(4000, key: keys[2]))
  }

  /// Points `[n, d]`, images `[n, height, width, channels]`: planes of channels in front (at most four) are moved to the end.
  static func tensor(_ array: StoredArray) -> Tensor {
    let x = Tensor(array, as: .float32)
    switch x.rank {
    case 3: return x.expanded(at: 3)
    case 4 where x.shape[1] <= 4 && x.shape[3] > 4: return x.transposed([0, 2, 3, 1])
    case 2, 4: return x
    default: return x.reshaped(to: [x.count, x.elementCount / max(x.count, 1)])
    }
  }

  static func pointShape(_ array: StoredArray) -> [Int] { Array(array.shape.dropFirst()) }

  /// Classes by name, numbered in the order of names.
  static func classes(_ names: [String]) -> Tensor {
    var number: [String: Int32] = [:]
    for (i, name) in Set(names).sorted().enumerated() { number[name] = Int32(i) }
    return Tensor(names.map { number[$0] ?? 0 })
  }

  // MARK: Results

  /// E‖X₁ - X₀‖ᵖ of the independent coupling, p = 1, 2, 4.
  static func independentCosts(_ flow: TrainedRectifiedFlow, _ test: Tensor, key: Key) -> [Double] {
    let z0 = flow.drawSource(test.count, key: key.split(3)[0])
    return [1, 2, 4].map { TransportCost.power($0, z0, test) }
  }

  private func record(_ measured: FlowEvaluation, _ k: Int, _ run: RunContext<Configuration>) {
    run.record("straightness_\(k)", measured.straightness)
    for (p, cost) in zip([1, 2, 4], measured.costs) { run.record("cost_p\(p)_\(k)", cost) }
    for n in [1, 2, 100] { if let distance = measured.distance(steps: n) { run.record("sw2_n\(n)_\(k)", distance) } }
    if let distilled = measured.distilledDistance { run.record("distill_sw2_\(k)", distilled) }
    run.record("nfe_rk45_\(k)", Double(measured.adaptiveEvaluations))
  }

  private func warnOfSlowAverages(_ run: RunContext<Configuration>) {
    let settings = run.configuration
    let left = pow(settings.averageDecay, Double(settings.steps))
    guard !settings.averageWarmUp, left > 0.1 else { return }
    run.warn(
      "after \(settings.steps) steps the averaged weights still are \(Int((100 * left).rounded())) % the first ones. Pass --set averageWarmUp=true, or train longer.")
  }

  private func warnOfConstantColumns(_ flow: TrainedRectifiedFlow, _ run: RunContext<Configuration>) {
    guard let scaler = flow.scaler, let data = run.data else { return }
    for column in scaler.constantColumns {
      let name = data.columnNames.map { "\"\($0[column])\"" } ?? "\(column + 1)"
      run.warn("\(run.inputs.paths["data"] ?? "data"), column \(name): all values are equal; it is kept and divided by 1.")
    }
  }

  private func saveArtefacts(_ flow: TrainedRectifiedFlow, _ sets: Sets, _ run: RunContext<Configuration>) throws {
    let key = run.key.fold(4)
    let count = flow.pointShape.rank == 3 ? 100 : 5000
    let labels = flow.labels
    var guidance: TrainedRectifiedFlow.Guidance?
    if let labels {
      let drawn = labels.gathered(key.fold(1).integers([count], in: 0..<labels.count))
      guidance = .init(label: drawn, scale: run.configuration.guidanceScale)
      try run.save(drawn, as: "labels.npy")
    }
    let samples =
      run.configuration.sigmaVar > 0
      ? flow.stochasticSample(count: count, guidance: guidance, key: key)
      : flow.sample(count: count, guidance: guidance, key: key)
    try run.save(samples, as: "samples.npy")
    if let source = sets.source {
      // Both directions, row by row.
      try run.save(flow.map(source, guidance: nil), as: "transferred.npy")
      try run.save(flow.map(sets.test, reverse: true), as: "returned.npy")
      let back = flow.scaled(flow.map(sets.test, reverse: true))
      run.record("sw2_reverse", slicedDistance(back, flow.drawSource(sets.test.count, key: key.fold(2)), key: run.key.fold(2)))
    }
    var file = SafetensorsFile(arrays: [:])
    file.add(flow)
    try run.write(file.encoded(file: "model.safetensors"), as: "model.safetensors")
  }

  /// One line such as `straightness 2.48 → 0.004   one-step W2 2.63 → 0.24 (floor 0.17)`.
  static func summary(_ rounds: [FlowEvaluation], floor: Double) -> String {
    func change(_ values: [Double]) -> String {
      let texts = [values.first, values.count > 1 ? values.last : nil].compactMap(\.self).map(short)
      return texts.joined(separator: " → ")
    }
    let one = rounds.compactMap { $0.distance(steps: 1) }
    return "straightness \(change(rounds.map(\.straightness)))   one-step W2 \(change(one)) (floor \(short(floor)))"
  }

  /// Two or three significant digits.
  static func short(_ x: Double) -> String {
    guard x.isFinite, x != 0 else { return "\(x)" }
    let digits = abs(x) >= 1 ? 2 : min(6, 1 - Int(log10(abs(x)).rounded(.down)))
    return String(format: "%.\(digits)f", x)
  }
}
