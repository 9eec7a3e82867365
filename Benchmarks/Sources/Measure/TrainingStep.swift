import Fluxion
import FluxionFlows

/// What it takes to begin a training: tracing a step with its gradient, and compiling it.
enum TrainingStep {
  static func run() throws {
    let key = Key(0)
    let perceptron = TrainingState(MLP(64, 128, 128, 128, 10, activation: .relu, key: key), optimiser: Adam(learningRate: 1e-3))
    let batch = (x: key.fold(1).normal([256, 64]), y: key.fold(2).normal([256, 10]))
    try measure("4-layer perceptron with Adam", perceptron) { state in
      let (loss, slope) = valueAndGradient(of: { ($0(batch.x) - batch.y).squared().mean() }, at: state.model)
      state.apply(slope)
      return loss
    }

    // The step of the main job, `fluxion run rectified-flow`, with its defaults.
    let system = RectifiedFlow()
    let settings = system.configuration
    let flow = TrainingState(
      VelocityNetwork(points: PointVelocity(dimension: 2, width: settings.width, depth: settings.depth, key: key)),
      optimiser: Adam(learningRate: Schedule.cosine(from: settings.learningRate, steps: settings.steps, floor: settings.finalRateFraction)),
      averaging: ExponentialMovingAverage(decay: settings.averageDecay))
    let data = PairSource(target: key.fold(3).normal([4000, 2]))
    try measure("rectified flow's own step", flow) { state in
      let keys = key.split()
      let (x0, x1, _) = data.draw(settings.batch, key: keys.0)
      let t = keys.1.uniform([settings.batch])
      let (loss, slope) = valueAndGradient(of: { system.regressionLoss($0, x0, x1, times: t) }, at: state.model)
      state.apply(slope)
      return loss
    }
  }

  private static func measure<State: Structured>(_ name: String, _ state: State, _ step: @escaping @Sendable (inout State) -> Tensor) throws {
    func traced() throws -> Graph {
      try trace(
        { (state: State) -> Stepped<State> in
          var next = state
          let loss = step(&next)
          return Stepped(state: next, loss: loss)
        }, like: state)
    }
    let graph = try traced()
    let engine = Device.default.engine
    let executable = try engine.compile(graph, options: CompilationOptions())
    Measure.report("\(name): trace and differentiate", try Measure.median(repetitions: 101) { _ = try traced() })
    // Of the engine itself, so that nothing compiled before is found again.
    Measure.report(
      "\(name): compile, \(executable.cost.kernels) kernels",
      try Measure.median(repetitions: 101) { _ = try engine.compile(graph, options: CompilationOptions()) })
  }

  private struct Stepped<State: Structured>: Codable {
    var state: State
    var loss: Tensor
  }
}
