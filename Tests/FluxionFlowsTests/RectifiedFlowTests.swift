import Foundation
import FluxionCore
import FluxionData
import FluxionExperiment
import FluxionFlows
import FluxionNN
import FluxionTransforms
import Testing

/// v = c everywhere, or c doubled for the class 1: enough to follow equations by hand.
private struct ConstantField: ConditionalVelocityField {
  var value: Double
  var classCount: Int { 2 }
  func velocity(at x: Tensor, time t: Tensor, label: Tensor?) -> Tensor {
    let base = Tensor.full(value, x.shape, as: x.elementType)
    guard let label else { return base }
    return base * (label.converted(to: x.elementType) + 1).asColumn(x.rank)
  }
}

extension Tensor {
  fileprivate func asColumn(_ rank: Int) -> Tensor { reshaped(to: Shape([count] + [Int](repeating: 1, count: rank - 1))) }
}

@Suite("Rectified flow") struct RectifiedFlowTests {
  private func points(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count / 2, 2]) }

  // MARK: Equations by hand

  @Test("regression loss: E‖(X₁ - X₀) - v‖² summed over coordinates")
  func regressionLoss() {
    let system = RectifiedFlow()
    let x0 = points([0, 0, 1, 1])
    let x1 = points([3, 1, 1, 5])
    // Residuals (3-1, 1-1) and (0-1, 4-1): squares 4 + 0 and 1 + 9, mean 7.
    let loss = system.regressionLoss(ConstantField(value: 1), x0, x1, times: Tensor([0.2, 0.9] as [Double]))
    #expect(loss.item() == 7)
    var other = RectifiedFlow.Configuration()
    other.loss = .l1
    #expect(RectifiedFlow(other).regressionLoss(ConstantField(value: 1), x0, x1, times: Tensor([0.2, 0.9] as [Double])).item() == 3)
    other.loss = .logL1
    let relative = RectifiedFlow(other).regressionLoss(ConstantField(value: 1), x0, x1, times: Tensor([0.2, 0.9] as [Double])).item()
    #expect(abs(relative - (log(1 + 1e-8) + log(2 + 1e-8)) / 2) < 1e-12)
  }

  @Test("time weight and feature map enter the loss as written")
  func weightedLosses() {
    var system = RectifiedFlow()
    let (x0, x1) = (points([0, 0, 1, 1]), points([3, 1, 1, 5]))
    let t = Tensor([0.25, 0.5] as [Double])
    system.timeWeight = { (t: Tensor) -> Tensor in t * Tensor(floatLiteral: 4) }
    #expect(system.regressionLoss(ConstantField(value: 1), x0, x1, times: t).item() == (4 * 1 + 10 * 2) / 2)
    system.timeWeight = nil
    // h(x) = x₁²: J_h r = 2 x₁ r₁ at Xₜ, whose first coordinates are ¾ and 1.
    system.featureMap = { $0.sliced(0..<1, alongAxis: 1).squared() }
    let expected: Double = (9.0 + 4.0) / 2  // 2·¾·2 = 3 and 2·1·(-1) = -2, squared
    #expect(abs(system.regressionLoss(ConstantField(value: 1), x0, x1, times: t).item() - expected) < 1e-12)
  }

  @Test("distillation: the residual of the pair, or a premetric between where v leads and z₁")
  func distillationLoss() {
    var system = RectifiedFlow()
    let (z0, z1) = (points([0, 0]), points([2, 1]))
    let t = Tensor([0.5] as [Double])
    #expect(system.distillationLoss(ConstantField(value: 1), z0, z1, times: t).item() == 1)
    // From (1, ½) half a unit of time on: (1.5, 1) against (2, 1).
    system.premetric = { abs($0 - $1).sum(alongAxis: 1) }
    #expect(system.distillationLoss(ConstantField(value: 1), z0, z1, times: t).item() == 0.5)
    system.premetricAddsSquares = true
    #expect(system.distillationLoss(ConstantField(value: 1), z0, z1, times: t).item() == 1.5)
  }

  @Test("schedules of times")
  func schedules() {
    #expect(TimeSchedule.t0.times(3, epsilon: 0.1, key: Key(1)).doubles() == [0, 0, 0])
    #expect(TimeSchedule.t1.times(2, epsilon: 0.1, key: Key(1)).doubles() == [1, 1])
    let steps = TimeSchedule.steps(4).times(4000, epsilon: 0.1, key: Key(1)).doubles()
    #expect(Set(steps) == [0, 0.25, 0.5, 0.75])
    let uniform = TimeSchedule.uniform.times(4000, epsilon: 0.2, key: Key(1)).doubles()
    #expect(uniform.allSatisfy { $0 >= 0.2 && $0 <= 1 })
    // Mean 0.6, deviation 0.8/√12; four standard errors of 4000 draws.
    let mean: Double = uniform.reduce(0, +) / 4000
    let error: Double = 0.8 / (12.0 * 4000).squareRoot()
    #expect(abs(mean - 0.6) < 4 * error)
  }

  @Test("guidance: w = 1 the class, w = 0 none, w = 3 three times the difference")
  func guidance() {
    let x = points([0, 0, 1, 1])
    func guided(_ w: Double) -> [Double] {
      GuidedField(ConstantField(value: 1), label: Tensor([Int32(1)]), scale: w).velocity(at: x, time: Tensor(0, as: .float64)).doubles()
    }
    #expect(guided(1) == [2, 2, 2, 2])
    #expect(guided(0) == [1, 1, 1, 1])
    #expect(guided(3) == [4, 4, 4, 4])
  }

  @Test("measures of paths known by hand: v = 2t has S = ∫(1 - 2t)² = 1/3 per coordinate, and Euler's own value")
  func straightnessByHand() {
    let field = ClosureField { x, t in Tensor.ones(x.shape, as: x.elementType) * t * 2 }
    let z = points([0, 0, 1, -1])
    #expect(abs(field.straightness(from: z, using: .rk4(steps: 20)) - 2.0 / 3) < 1e-9)
    // Euler with two steps has the velocities 0 and 1: variance ¼ per coordinate.
    #expect(abs(field.straightness(from: z, using: .euler(steps: 2)) - 0.5) < 1e-12)
    #expect(abs(TransportCost.power(1, z, field.transport(z, using: .rk4(steps: 4)).value) - 2.0.squareRoot()) < 1e-12)
    #expect(abs(TransportCost.convex(z, z + 2) { abs($0).max(alongAxis: 1) } - 2) < 1e-12)
  }

  @Test("Hutchinson's estimate of the divergence is exact in the mean for a linear field")
  func divergence() {
    let a = points([1, 0.5, -0.25, 2])
    let field = ClosureField { x, _ in x.dot(a.converted(to: x.elementType)) }
    let x = Key(3).normal([6, 2], as: .float64)
    let exact = field.divergence(at: x, time: Tensor(0, as: .float64)).doubles()
    for value in exact { #expect(abs(value - 3) < 1e-12) }
    let estimate = field.divergence(at: x, time: Tensor(0, as: .float64), method: .hutchinson(probes: 4000, key: Key(4))).mean().item()
    // ε'Aε = 3 + 0.25 ε₁ε₂: deviation ¼ over 24 000 draws.
    #expect(abs(estimate - 3) < 4 * 0.25 / 24_000.0.squareRoot())
  }

  // MARK: Samplers

  @Test("the stochastic sampler keeps the marginals of the exact flow")
  func stochasticSampler() {
    let flow = MixtureFlow(from: .standard(dimension: 1), to: GaussianMixture(means: [[1]], deviation: 0.5))
    let end = flow.stochasticTransport(Key(5).normal([4000, 1], as: .float64), steps: 100, noise: 1, key: Key(6))
    let mean = end.mean().item()
    let deviation = (end - mean).squared().mean().item().squareRoot()
    // Four standard errors, and the first-order error of 100 steps.
    #expect(abs(mean - 1) < 4 * 0.5 / 4000.0.squareRoot() + 0.01)
    #expect(abs(deviation - 0.5) < 4 * 0.5 / 8000.0.squareRoot() + 0.01)
    let still = flow.stochasticTransport(Key(5).normal([10, 1]), steps: 20, noise: 0, key: Key(6))
    let euler = flow.transport(Key(5).normal([10, 1]), using: .euler(steps: 20)).value
    #expect(abs(still - euler).max().item() < 1e-5)
  }

  @Test("couplings within batches cost less than independent draws; pairs stay rows")
  func couplings() {
    let target = EightGaussians.wide.sample(256, key: Key(7))
    let data = PairSource(target: target)
    func cost(_ coupling: Coupling) -> Double {
      let (x0, x1, _) = RectifiedFlow(.init(rounds: 1), coupling: coupling).coupled(data, key: Key(8)).draw(2000, key: Key(9))
      return TransportCost.power(2, x0, x1)
    }
    let independent = cost(.independent)
    let assigned = cost(.transport(batch: 64, matching: .assignment))
    let entropic = cost(.transport(batch: 64, matching: .sinkhorn(regularisation: 0.05)))
    // The exact flow costs 7.87, independent draws 18.2.
    #expect(assigned < 0.6 * independent)
    #expect(entropic < 0.75 * independent && entropic > assigned)
    let paired = PairSource(target: target, source: target * 2, isPaired: true).draw(50, key: Key(1))
    #expect(abs(paired.x0 - paired.x1 * 2).max().item() == 0)
  }

  // MARK: Training

  /// Two moons, little work: 2 rounds of 300 steps.
  private var small: RectifiedFlow.Configuration {
    var small = RectifiedFlow.Configuration(rounds: 2, steps: 300, batch: 128)
    small.width = 32
    small.depth = 2
    small.distillationSteps = 150
    small.pairs = 1000
    small.pairMethod = .euler(steps: 20)
    small.averageWarmUp = true
    return small
  }

  @Test("a quick training straightens paths, lowers costs, can be saved, run backward and distilled")
  func training() throws {
    let moons = TwoMoons(noise: 0.1).sample(2000, key: Key(10))
    var stages: [String] = []
    let flow = try RectifiedFlow(small).fit(moons, key: Key(11)) { if $0.isFinished { stages.append($0.stage) } }
    #expect(stages.filter { $0.hasPrefix("round") } == ["round-1", "round-2"])
    let first = flow.straightness(count: 500, using: .euler(steps: 20), model: .flow(round: 1))
    let second = flow.straightness(count: 500, using: .euler(steps: 20), model: .flow(round: 2))
    #expect(second < 0.3 * first, "S \(first) → \(second)")
    let scaled = flow.scaled(moons)
    let before = TransportCost.power(2, Key(12).normal([2000, 2]), scaled)
    #expect(flow.transportCost(power: 2, count: 500) < 0.6 * before)
    // Close to the data: mean and deviation of each column within 0.15 of a deviation.
    let samples = flow.scaled(flow.sample(count: 1000, using: .euler(steps: 20), key: Key(13)))
    #expect(abs(samples.mean(alongAxis: 0)).max().item() < 0.15)
    #expect(abs(samples.standardDeviation(alongAxes: [0]) - 1).max().item() < 0.15)
    // reverse ∘ forward
    let x = moons.sliced(0..<50, alongAxis: 0)
    let back = flow.decode(flow.encode(x))
    #expect(abs(back - x).max().item() < 1e-3)
    // Drawn backward from data: rows of what encoding gives, each once, and noise-like.
    let latents = flow.sample(count: 2000, using: .rk4(steps: 20), reverse: true, from: moons, key: Key(15))
    let all = flow.encode(moons, using: .rk4(steps: 20))
    #expect(abs(latents.sum(alongAxis: 0) - all.sum(alongAxis: 0)).max().item() < 0.1)
    #expect(abs(latents - all).max().item() > 0.1)
    #expect(abs(latents.mean(alongAxis: 0)).max().item() < 0.2)
    #expect(abs(latents.standardDeviation(alongAxes: [0]) - 1).max().item() < 0.2)
    // With repetition where more are asked for than there are, and forward from given points.
    #expect(flow.sample(count: 7, using: .euler(steps: 2), reverse: true, from: x.sliced(0..<3, alongAxis: 0), key: Key(1)).shape == [7, 2])
    let origin = Tensor.zeros([1, 2])
    let forward = flow.sample(count: 4, using: .euler(steps: 3), from: origin, key: Key(1))
    #expect(abs(forward - flow.map(origin, using: .euler(steps: 3))).max().item() < 1e-6)
    // The distilled map is z + v(z, 0).
    let z = Key(14).normal([20, 2])
    let copy = try #require(flow.rounds[1].distilled)
    let byHand = flow.unscaled(z + copy.velocity(at: z, time: Tensor(0, as: .float32)))
    #expect(abs(flow.map(z, model: .distilled()) - byHand).max().item() < 1e-6)
    // Densities: the flow's own samples are likelier than points far away.
    let near = flow.logProbability(moons.sliced(0..<20, alongAxis: 0), using: .rk4(steps: 20)).mean().item()
    let far = flow.logProbability(Tensor([Float(4), 4, -4, 4], shape: [2, 2]), using: .rk4(steps: 20)).mean().item()
    #expect(near > far + 3)
    // Saved and read.
    var file = SafetensorsFile(arrays: [:])
    file.add(flow)
    let copyOfFlow = try SafetensorsFile.decode(file.encoded(), file: "flow").value(TrainedRectifiedFlow.self, file: "flow")
    #expect(copyOfFlow.sample(count: 5, using: .euler(steps: 2), key: Key(1)).doubles() == flow.sample(count: 5, using: .euler(steps: 2), key: Key(1)).doubles())
    #expect(copyOfFlow.scaler == flow.scaler)
  }

  @Test("further rounds and distillations of a trained flow")
  func continuing() throws {
    var settings = small
    (settings.rounds, settings.distils) = (1, false)
    var flow = try RectifiedFlow(settings).fit(TwoMoons().sample(1000, key: Key(15)), key: Key(16))
    #expect(flow.rounds[0].distilled == nil)
    try flow.reflow(times: 1, key: Key(17))
    #expect(flow.rounds.count == 2)
    try flow.distill(steps: 2, key: Key(18))
    #expect(flow.rounds[1].distilled != nil && flow.configuration.distilledSteps == 2)
    #expect(flow.usualMethod(.distilled()) == .euler(steps: 2))
    #expect(flow.sample(count: 7, model: .distilled(), key: Key(19)).shape == [7, 2])
  }

  @Test("classes: each is generated where its data are")
  func conditional() throws {
    let labels = Key(20).integers([1000], in: 0..<2)
    let centre = (labels.converted(to: .float32) * 6 - 3).expanded(at: 1)
    let data = Key(21).normal([1000, 2]) * 0.3 + centre
    var settings = small
    (settings.rounds, settings.distils) = (1, false)
    let flow = try RectifiedFlow(settings).fit(data, labels: labels, key: Key(22))
    for k in 0..<2 {
      let mean = flow.sample(count: 300, using: .euler(steps: 20), guidance: .init(label: Tensor([Int32(k)])), key: Key(23)).mean().item()
      #expect(abs(mean - Double(6 * k - 3)) < 1, "class \(k): \(mean)")
    }
  }

  @Test("images go through the convolutional network")
  func images() throws {
    var settings = small
    (settings.rounds, settings.distils, settings.steps, settings.batch, settings.width) = (1, false, 3, 4, 8)
    let images = Key(24).normal([12, 4, 4, 1])
    let flow = try RectifiedFlow(settings).fit(images, key: Key(25))
    let samples = flow.sample(count: 3, using: .euler(steps: 2), key: Key(26))
    #expect(samples.shape == [3, 4, 4, 1])
    #expect(samples.doubles().allSatisfy { $0.isFinite })
  }

  @Test("data that cannot be used are refused")
  func refusals() {
    let good = Key(27).normal([10, 2])
    let system = RectifiedFlow(small)
    #expect(throws: RectifiedFlowError.tooFewPoints(set: "data", shape: [1, 2])) { try system.fit(Key(1).normal([1, 2]), key: Key(1)) }
    var bad = good
    bad[3, 1] = Tensor(Float.nan)
    #expect(throws: RectifiedFlowError.notFinite(set: "data", row: 3, column: 1)) { try system.fit(bad, key: Key(1)) }
    #expect(throws: RectifiedFlowError.shapesDiffer(source: [3], data: [2])) {
      try system.fit(good, from: Key(1).normal([5, 3]), key: Key(1))
    }
    #expect(throws: RectifiedFlowError.notPaired(source: 5, data: 10)) {
      try RectifiedFlow(small, coupling: .pairs).fit(good, from: Key(1).normal([5, 2]), key: Key(1))
    }
  }

  @Test("domain adaptation: a shifted domain is read better after the flow")
  func adaptation() {
    // Three far classes and a known shift: the exact flow undoes it.
    let centres = [[0.0, 0], [8, 0], [0, 8]]
    let trained = GaussianMixture(means: centres, deviation: 0.5)
    let moved = GaussianMixture(means: centres.map { [$0[0] + 4.5, $0[1] + 4.5] }, deviation: 0.5)
    let (reference, test) = (trained.labelledSample(600, key: Key(28)), moved.labelledSample(600, key: Key(29)))
    let adaptation = DomainAdaptation.nearestCentroid(features: reference.points, labels: reference.labels, classCount: 3)
    #expect(adaptation.accuracy(reference.points, reference.labels) > 0.99)
    let shift = ClosureField { x, _ in Tensor.full(-4.5, x.shape, as: x.elementType) }
    let result = adaptation.evaluate(shift, features: test.points, labels: test.labels, using: .euler(steps: 1))
    #expect(result.before < 0.9)
    #expect(result.after > 0.99)
  }

  // MARK: Gradients

  @Test("gradient of the loss against central differences, f64")
  func gradients() {
    let network = VelocityNetwork(points: PointVelocity(dimension: 2, width: 8, depth: 2, as: .float64, key: Key(30)))
    let (x0, x1) = (Key(31).normal([16, 2], as: .float64), Key(32).normal([16, 2], as: .float64))
    let t = Key(33).uniform([16], as: .float64)
    let system = RectifiedFlow()
    let slopes = flatten(gradient(of: { system.regressionLoss($0, x0, x1, times: t) }, at: network)).leaves
    let (leaves, structure) = flatten(network)
    for leaf in leaves.indices {
      let values = leaves[leaf].doubles()
      let place = values.count / 2
      func loss(_ h: Double) -> Double {
        var (changed, moved) = (leaves, values)
        moved[place] += h
        changed[leaf] = Tensor(moved, shape: leaves[leaf].shape)
        return system.regressionLoss(unflatten(VelocityNetwork.self, structure, changed), x0, x1, times: t).item()
      }
      let difference = (loss(1e-5) - loss(-1e-5)) / 2e-5
      // Truncation 1e-10, rounding 1e-16 / 1e-5.
      #expect(abs(slopes[leaf].doubles()[place] - difference) < 1e-8 * max(1, abs(difference)), "leaf \(leaf)")
    }
  }
}

@Suite("Rectified flow configuration") struct RectifiedFlowConfigurationTests {
  @Test("settings and properties agree") func settings() { #expect(RectifiedFlow.Configuration.settingsProblems() == []) }

  @Test("JSON round trip") func json() throws {
    var configuration = RectifiedFlow.Configuration(rounds: 2)
    (configuration.pairMethod, configuration.reflowTimes) = (.rk45(tolerance: 1e-5), .steps(4))
    (configuration.interpolation, configuration.loss, configuration.source) = (.vpConstant, .logL1, "b.csv")
    let data = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(RectifiedFlow.Configuration.self, from: data) == configuration)
    // A file of settings reads like the command line.
    #expect(String(decoding: data, as: UTF8.self).contains("\"rk45(1e-05)\""))
  }

  @Test("settings that make no sense are refused in one line", arguments: [
    "pairMethod=euler(0)", "pairMethod=rk4", "interpolation=custom", "interpolation=strait", "steps=0", "reflowTimes=0", "coupling=ot",
    "learningRate=-1", "averageDecay=1",
  ])
  func refusals(_ assignment: String) {
    var configuration = RectifiedFlow.Configuration()
    #expect(throws: InputError.self) { try configuration.set(assignment) }
    #expect(configuration == RectifiedFlow.Configuration())
  }

  @Test("methods and schedules are what their text says", arguments: ["euler(3)", "heun(2)", "rk4(1)", "rk45(0.001)"])
  func methods(_ text: String) { #expect(FlowMethod(text)?.description == text) }

  @Test("inputs that do not fit are refused before anything is written")
  func inputs() throws {
    let system = RectifiedFlowExperiment()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("flows-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func cloud(_ rows: Int, _ columns: Int) throws -> PointCloud {
      let path = "\(folder)/\(rows)x\(columns).npy"
      try NumPyFile.write(StoredArray([Double](repeating: 1, count: rows * columns), shape: [rows, columns]), to: path)
      return try PointCloud.load(path)
    }
    let paths = ["data": "a.csv", "source": "b.csv"]
    let mixed = try RunInputs(data: cloud(4, 2), files: ["source": cloud(4, 3)], paths: paths)
    #expect {
      try system.check(.init(), mixed)
    } throws: { "\($0)".hasPrefix("b.csv: a point has 3 coordinates, one of a.csv has 2.") }
    var pairs = RectifiedFlow.Configuration()
    pairs.coupling = .pairs
    let unequal = try RunInputs(data: cloud(4, 2), files: ["source": cloud(5, 2)], paths: paths)
    let alone = try RunInputs(data: cloud(4, 2), paths: paths)
    let fitting = try RunInputs(data: cloud(4, 2), files: ["source": cloud(9, 2)], paths: paths)
    #expect(throws: InputError.self) { try system.check(pairs, unequal) }
    #expect(throws: InputError.self) { try system.check(pairs, alone) }
    #expect(throws: Never.self) { try system.check(.init(), fitting) }
  }
}
