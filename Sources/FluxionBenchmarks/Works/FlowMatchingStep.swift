import Fluxion

/// One training step of a velocity field on straight paths: draw noise and times, interpolate, squared error, gradient, Adam.
public struct FlowMatchingStep: Workload {
  public var family: String { "flow_matching" }
  let batch: Int, width: Int, depth: Int, dimension: Int

  public init(batch: Int, width: Int, depth: Int = 3, dimension: Int = 2) {
    (self.batch, self.width, self.depth, self.dimension) = (batch, width, depth, dimension)
  }

  public var name: String { "flow-matching-step-B\(batch)-H\(width)" }
  public var unit: String { "training step" }
  private var sizes: [Int] { [dimension + 1] + [Int](repeating: width, count: depth) + [dimension] }
  public var demand: Demand {
    // Parameters and both moments are read and written.
    Demand(
      products: Demand.layers(sizes, batch: batch, isTrained: true), functions: batch * (width * depth + 2 * dimension),
      bytes: 4 * (6 * Demand.parameters(sizes) + batch * dimension))
  }

  private struct State: Codable {
    var training: TrainingState<MLP>
    var key: Key
  }

  public func prepare() -> Session {
    let net = MLP(sizes: sizes, initialisation: .lecun, key: Key(0))
    let points = Key(2).normal([batch, dimension])
    let step = compiled { (state: inout State, x1: Tensor) -> Tensor in
      let keys = state.key.split(3)
      state.key = keys[0]
      let x0 = keys[1].normal(x1.shape)
      let t = keys[2].uniform([x1.count, 1])
      let (loss, slope) = valueAndGradient(
        of: { net in
          let xt = (1 - t) * x0 + t * x1
          return (net(concatenated(xt, t, alongAxis: 1)) - (x1 - x0)).squared().mean()
        }, at: state.training.model)
      state.training.apply(slope)
      return loss
    }
    let state = State(training: TrainingState(net, optimiser: Adam(learningRate: 1e-3)), key: Key(1))
    return Session(state, step, points) { step(&$0, $1) }
  }
}
