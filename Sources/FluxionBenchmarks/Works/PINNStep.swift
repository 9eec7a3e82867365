package import Fluxion

/// One step on the residual of Poisson's equation Δu = -sin x₁ in two dimensions: the Laplacian of a tanh network at points, the loss's
/// gradient, Adam.
public struct PINNStep: Workload {
  public var family: String { "pinn" }
  let batch: Int, width: Int

  public init(batch: Int, width: Int) { (self.batch, self.width) = (batch, width) }

  public var name: String { "pinn-laplacian-step-B\(batch)-H\(width)" }
  public var unit: String { "training step" }
  private var sizes: [Int] { [2, width, width, width, 1] }
  /// Value, two derivatives and the Laplacian go through each layer.
  public var demand: Demand {
    Demand(
      products: Demand.layers(sizes, batch: 4 * batch, isTrained: true), functions: 3 * batch * width,
      bytes: 4 * (6 * Demand.parameters(sizes) + 2 * batch))
  }

  package var network: MLP { MLP(sizes: sizes, activation: .tanh, initialisation: .lecun, key: Key(0)) }
  package var points: Tensor { Key(1).uniform([batch, 2]) }

  public func prepare() -> Session {
    let step = compiled { (state: inout TrainingState<MLP>, x: Tensor) -> Tensor in
      let (loss, slope) = valueAndGradient(of: { poissonResidual($0, x) }, at: state.model)
      state.apply(slope)
      return loss
    }
    return Session(TrainingState(network, optimiser: Adam(learningRate: 1e-3)), step, points) { step(&$0, $1) }
  }
}

/// The mean of (Δu + sin x₁)² over points `[batch, 2]`.
func poissonResidual(_ net: MLP, _ x: Tensor) -> Tensor {
  let Δu = vmap { (point: Tensor) -> Tensor in laplacian(of: { net($0)[0] }, at: point) }(x)
  return (Δu + sin(x[.all, 0])).squared().mean()
}
