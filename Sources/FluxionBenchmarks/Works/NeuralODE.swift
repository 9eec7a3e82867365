package import Fluxion

/// dy/dt = 2 · MLP(y) over [0, 1] by Dormand and Prince's pair at tolerances of 10⁻⁵, the first step 0.05: the solution, or the
/// gradient of its sum of squares with respect to the network by the adjoint.
public struct NeuralODE: Workload {
  public var family: String { "neural_ode" }
  let batch: Int, width: Int, takesGradient: Bool, tolerance: Double

  public init(batch: Int, width: Int, takesGradient: Bool, tolerance: Double = 1e-5) {
    (self.batch, self.width, self.takesGradient, self.tolerance) = (batch, width, takesGradient, tolerance)
  }

  public var name: String { "neural-ode-\(takesGradient ? "gradient" : "solve")-B\(batch)-H\(width)" }
  public var unit: String { "solve" }
  private var sizes: [Int] { [2, width, width, 2] }
  private var method: DormandPrince5 {
    DormandPrince5(
      .adaptive(
        StepControl(relativeTolerance: tolerance, absoluteTolerance: tolerance, maximumSteps: 256, firstStep: 0.05)))
  }
  /// Of the evaluations that a solution takes, and backwards of six for each step, of which everything is at hand.
  public var demand: Demand {
    let taken = solve(Self.problem, from: initial, over: 0...1, parameters: network, using: method).statistics
    let forward = Int(taken.evaluations.item())
    let backward = takesGradient ? 6 * Int(taken.accepted.item()) : 0
    return Demand(
      products: Demand.layers(sizes, batch: batch, isTrained: false, times: forward - backward)
        + (takesGradient ? Demand.layers(sizes, batch: batch, isTrained: true, times: backward) : []),
      functions: 2 * batch * width * forward, bytes: 4 * (Demand.parameters(sizes) + 4 * batch))
  }

  package static let problem = ODE { (t: Tensor, y: Tensor, net: MLP) in 2 * net(y) }
  package var network: MLP { MLP(sizes: sizes, activation: .tanh, initialisation: .lecun, key: Key(0)) }
  package var initial: Tensor { Key(1).normal([batch, 2]) }

  public func prepare() -> Session {
    let (net, y0, problem, method) = (network, initial, Self.problem, self.method)
    if takesGradient {
      let slope = compiled { (net: MLP, y0: Tensor) -> MLP in
        gradient(
          of: { net in solve(problem, from: y0, over: 0...1, parameters: net, using: method).value.squared().sum() },
          at: net)
      }
      return Session(slope, (net, y0)) { slope($0.0, $0.1) }
    }
    let end = compiled { (net: MLP, y0: Tensor) -> Solution<Tensor> in
      solve(problem, from: y0, over: 0...1, parameters: net, using: method)
    }
    return Session(end, (net, y0)) { end($0.0, $0.1) }
  }
}
