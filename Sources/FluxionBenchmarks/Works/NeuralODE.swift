import Fluxion

/// dy/dt = 2 · MLP(y) over [0, 1] by Dormand and Prince's pair at tolerances of 10⁻⁵: the solution, or the gradient of its sum of
/// squares with respect to the network by the adjoint.
public struct NeuralODE: Workload {
  public static let family = "neural_ode"
  let batch: Int, width: Int, takesGradient: Bool, tolerance: Double

  public init(batch: Int, width: Int, takesGradient: Bool, tolerance: Double = 1e-5) {
    (self.batch, self.width, self.takesGradient, self.tolerance) = (batch, width, takesGradient, tolerance)
  }

  public var name: String { "neural-ode-\(takesGradient ? "gradient" : "solve")-B\(batch)-H\(width)" }
  public var unit: String { "solve" }
  private var sizes: [Int] { [2, width, width, 2] }
  /// Of one evaluation of the field (and its derivative): how many there are depends on the steps.
  public var demand: Demand {
    Demand(
      products: Demand.layers(sizes, batch: batch, isTrained: takesGradient), functions: 2 * batch * width,
      bytes: 4 * (Demand.parameters(sizes) + 4 * batch))
  }

  public func prepare() -> Session {
    let net = MLP(sizes: sizes, activation: .tanh, initialisation: .lecun, key: Key(0))
    let y0 = Key(1).normal([batch, 2])
    let problem = ODE { (t: Tensor, y: Tensor, net: MLP) in 2 * net(y) }
    let method = DormandPrince5(relativeTolerance: tolerance, absoluteTolerance: tolerance, maximumSteps: 256)
    if takesGradient {
      let slope = compiled { (net: MLP, y0: Tensor) -> MLP in
        gradient(of: { net in solve(problem, from: y0, over: 0...1, parameters: net, using: method).value.squared().sum() }, at: net)
      }
      return Session(slope, (net, y0)) { slope($0.0, $0.1) }
    }
    let end = compiled { (net: MLP, y0: Tensor) -> Solution<Tensor> in solve(problem, from: y0, over: 0...1, parameters: net, using: method) }
    return Session(end, (net, y0)) { end($0.0, $0.1) }
  }
}
