import Fluxion

/// A process that fits a neural differential equation to a spiral: dy/dt = net(y³) with a network of 2-50-2, solved by Dormand and
/// Prince's pair over short windows of the true path, and trained by Adam on the mean absolute error. In `f64`, for tolerances of 10⁻⁷
/// (relative) and 10⁻⁹ are below what `f32` can tell.
///
/// > R. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud. "Neural ordinary differential equations." *NeurIPS* 2018, and `ode_demo.py` of
/// > torchdiffeq, from which the sizes are.
public struct SpiralNeuralODE: Workload {
  public var family: String { "spiral_neural_ode" }
  public var isWholeProcess: Bool { true }
  let steps: Int, width: Int, batch: Int, window: Int

  public init(steps: Int = 500, width: Int = 50, batch: Int = 20, window: Int = 10) {
    (self.steps, self.width, self.batch, self.window) = (steps, width, batch, window)
  }

  public var name: String { "spiral-neural-ode-S\(steps)" }
  public var unit: String { "process" }
  public var demand: Demand { Demand() }

  private struct Training: Codable {
    var state: TrainingState<MLP>
    var key: Key
  }

  public func prepare() -> Session {
    let (batch, window) = (self.batch, self.window)
    let times = linspace(0, 25, 1000, as: .float64)
    let method = DormandPrince5(relativeTolerance: 1e-7, absoluteTolerance: 1e-9)
    let fine = DormandPrince5(relativeTolerance: 1e-7, absoluteTolerance: 1e-9, maximumSteps: 5000)
    let A = Tensor([-0.1, 2, -2, -0.1], shape: [2, 2])
    let spiral = ODE { (t: Tensor, y: Tensor) in (y * y * y).matmul(A) }
    let model = ODE { (t: Tensor, y: Tensor, net: MLP) in net(y * y * y) }
    let truth = compiled { (times: Tensor) -> Tensor in
      solve(spiral, from: Tensor([2.0, 0.0], shape: [1, 2]), at: times, using: fine).value
    }
    let step = compiled { (training: inout Training, path: Tensor, times: Tensor) -> Tensor in
      let keys = training.key.split()
      training.key = keys.0
      let starts = keys.1.integers([batch], in: 0..<path.count - window)
      let places = arange(window).expanded(at: 1) + starts
      let targets = path.gathered(places)  // [window, batch, 2]
      let (loss, slope) = valueAndGradient(
        of: { net in
          let fit = solve(
            model, from: path.gathered(starts), at: times.sliced(0..<window, alongAxis: 0), parameters: net,
            using: method)
          return abs(fit.value - targets).mean()
        }, at: training.state.model)
      training.state.apply(slope)
      return loss
    }
    let steps = self.steps
    let net = MLP(2, width, 2, activation: .tanh, initialisation: .lecun, as: .float64, key: Key(0))
    return Session {
      var training = Training(state: TrainingState(net, optimiser: Adam(learningRate: 1e-3)), key: Key(1))
      let path = truth(times).squeezed([1])
      var losses: [Tensor] = []
      for _ in 0..<steps { losses.append(step(&training, path, times)) }
      return stacked(losses)
    }
  }
}
