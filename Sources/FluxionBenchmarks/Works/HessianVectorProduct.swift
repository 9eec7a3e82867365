import Fluxion

/// The product of the Hessian of a network's mean squared error with a direction in the space of its parameters.
public struct HessianVectorProduct: Workload {
  public var family: String { "hessian_vector" }
  let batch: Int, width: Int

  public init(batch: Int, width: Int) { (self.batch, self.width) = (batch, width) }

  public var name: String { "hessian-vector-B\(batch)-H\(width)" }
  public var unit: String { "product" }
  private var sizes: [Int] { [64, width, width, 10] }
  /// The gradient and its derivative.
  public var demand: Demand {
    Demand(
      products: Demand.layers(sizes, batch: batch, isTrained: true, times: 2), functions: 2 * batch * width,
      bytes: 4 * (3 * Demand.parameters(sizes) + 74 * batch))
  }

  public func prepare() -> Session {
    let net = MLP(sizes: sizes, activation: .tanh, initialisation: .lecun, key: Key(0))
    let direction = MLP(sizes: sizes, activation: .tanh, key: Key(1))
    let (x, y) = (Key(2).normal([batch, 64]), Key(3).normal([batch, 10]))
    let product = compiled { (net: MLP, direction: MLP, x: Tensor, y: Tensor) -> MLP in
      hessianVectorProduct(of: { meanSquaredError($0(x), y) }, at: net, along: direction)
    }
    return Session(product, (net, direction, x, y)) { product($0.0, $0.1, $0.2, $0.3) }
  }
}
