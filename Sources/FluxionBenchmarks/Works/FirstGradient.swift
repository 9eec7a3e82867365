import Fluxion

/// A process that starts, differentiates a classifier once, and ends.
public struct FirstGradient: Workload {
  public var family: String { "first_gradient" }
  public var isWholeProcess: Bool { true }

  public init() {}

  public var name: String { "first-gradient" }
  public var unit: String { "process" }
  public var demand: Demand { Demand(products: Demand.layers([64, 128, 128, 10], batch: 32, isTrained: true)) }

  public func prepare() -> Session {
    Session {
      let key = Key(0)
      let (k0, k1) = key.split()
      let model = MLP(64, 128, 128, 10, activation: .relu, key: k0)
      let x = k1.normal([32, 64])
      let slope = gradient(of: { model in model(x).logSumExp(alongAxis: 1).mean() }, at: model)
      return slope.layers[0].weight.norm()
    }
  }
}
