public import FluxionCore
import FluxionData
public import FluxionExperiment
import FluxionReport

/// Fits the mean of the data by noisy gradient steps, twice: small, quick, and using every part of the protocol.
public struct ToyExperiment: LearningSystem {
  public init() {}
  public let card = SystemCard(
    name: "toy-mean", title: "The mean, the hard way", summary: "Finds the mean of points by stochastic gradient descent.",
    family: "toys",
    papers: [
      Paper(
        key: "robbins1951stochastic", authors: ["Herbert Robbins", "Sutton Monro"], title: "A Stochastic Approximation Method",
        venue: .journal("The Annals of Mathematical Statistics", volume: "22", pages: "400–407"), year: 1951)
    ], seeds: [0, 1])
  public let dataUse = DataUse.optional("points, one row each; without a file, three points on a line.")
  public let claims = [
    Claim("error", "distance of the estimate from the mean", .below(0.2), published: "0 in the limit"),
    Claim("impossible", "one minus one", .near(0, tolerance: 1e-12), published: "0"),
  ]

  public func check(_ configuration: ToyConfiguration, _ inputs: RunInputs) throws {
    guard let data = inputs.data, let other = inputs.files["source"] else { return }
    if data.dimension != other.dimension {
      throw InputError(
        "\(inputs.paths["source"] ?? ""): points of \(other.dimension) columns, but \(inputs.paths["data"] ?? "") has \(data.dimension). Give both the same columns.")
    }
  }

  public func run(_ run: RunContext<ToyConfiguration>) throws -> RunResult {
    let points = run.data.map { Tensor($0.points, as: .float32) } ?? Tensor([1, 2, 6] as [Float], shape: [3, 1])
    let first = try train("round-1", points, from: ToyState(zerosLike: points), run.configuration, key: run.key.fold(1), run.session)
    let target = try run.stage("target") { points.mean(alongAxis: 0) }
    let second = try train("round-2", points, from: first, run.configuration, key: run.key.fold(2), run.session)
    let error = (second.average - target).squared().sum().item().squareRoot()
    run.record("error", error)
    run.record("steps", second.count.item())
    try run.save(second.average, as: "estimate.npy")
    let (steps, losses) = run.history.curve("loss", in: "round-2")
    let figure = Figure(
      "Loss", x: .linear("step"), y: .linear("loss"), marks: [.line("loss", x: steps, y: losses)], summary: "The loss falls.")
    return RunResult(
      summary: "error \(NumberFormat.significant(3).string(error))",
      report: ReportPage(card.title, sections: [.init("Loss", [.figure(figure)])], version: "Fluxion \(Release.version)"))
  }

  public func verify(_ check: VerificationContext) throws -> Measurements {
    var measured = Measurements()
    let points = Tensor([1, 2, 6] as [Float], shape: [3, 1])
    for seed in check.seeds {
      let trained = try train(
        "fit", points, from: ToyState(zerosLike: points), ToyConfiguration(), key: Key(seed), check.session("seed \(seed)"))
      measured.record("error", abs(trained.average.item() - 3))
    }
    // What the error is without training: the average begins at 0.
    measured.record("untrained_error", 3)
    try check.progress("arithmetic")
    // A seed of 13 is bad luck, so that there is a check that fails.
    measured.record("impossible", check.seeds.contains(13) ? 1 : 0)
    return measured
  }

  private func train(
    _ name: String, _ points: Tensor, from initial: ToyState, _ configuration: ToyConfiguration, key: Key, _ session: Session
  ) throws -> ToyState {
    let rate = configuration.learningRate
    let batch = configuration.batch
    return try session.train(name, from: initial, steps: configuration.steps, chunk: configuration.chunk, key: key) { state, i, key in
      let bits = key.bits([batch]) &>> Tensor(UInt32(8))
      let uniform = bits.converted(to: .float32) * 0x1p-24
      let places = floor(uniform * Double(points.count)).converted(to: .int32)
      let difference = state.estimate - acrossDevices(points.gathered(places))
      state.estimate = state.estimate - difference.mean(alongAxis: 0) * rate
      state.count = state.count + 1
      state.average = state.average + (state.estimate - state.average) / state.count
      return ["loss": difference.squared().mean(), "step": i.converted(to: .float32)]
    }
  }
}

public struct ToyState: Codable, Sendable {
  public var estimate: Tensor
  public var average: Tensor
  public var count = Tensor(Float(0))

  public init(zerosLike points: Tensor) {
    estimate = .zeros(Shape(Array(points.shape.dropFirst())))
    average = estimate
  }
}

public struct ToyConfiguration: SystemConfiguration {
  public var steps = 300
  public var chunk = 20
  public var batch = 8
  public var learningRate = 0.05
  public var flavour = Flavour.plain
  public var source: String?

  public enum Flavour: String, CaseIterable, SettingValue { case plain, vanilla }

  public init() {}

  public static let settings: [Setting<Self>] = [
    Setting("steps", \.steps, .range(1...1_000_000), "Steps of each round."),
    Setting("chunk", \.chunk, .range(1...10_000), "Steps of one program."),
    Setting("batch", \.batch, .atLeast(1), "Points of a step."),
    Setting("learningRate", \.learningRate, .above(0), "The step size.", paper: "1/n"),
    Setting("flavour", \.flavour, "Changes nothing."),
    Setting(file: "source", \.source, "A second set of points, which is only looked at."),
  ]
}
