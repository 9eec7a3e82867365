import Fluxion

/// Points moved along a velocity field by Euler's method, all steps in one program.
public struct EulerSampling: Workload {
  public var family: String { "sampler" }
  let count: Int, width: Int, steps: Int

  public init(count: Int, width: Int, steps: Int) { (self.count, self.width, self.steps) = (count, width, steps) }

  public var name: String { "euler-sampling-N\(count)-H\(width)-S\(steps)" }
  public var unit: String { "\(count) samples" }
  private var sizes: [Int] { [3, width, width, width, 2] }
  public var demand: Demand {
    Demand(
      products: Demand.layers(sizes, batch: count, isTrained: false, times: steps),
      functions: 3 * count * width * steps,
      bytes: 4 * (Demand.parameters(sizes) + 4 * count))
  }

  public func prepare() -> Session {
    let net = MLP(sizes: sizes, initialisation: .lecun, key: Key(0))
    let x0 = Key(1).normal([count, 2])
    let steps = self.steps
    let sample = compiled { (net: MLP, x: Tensor) -> Tensor in
      scan(over: arange(steps, as: .float32) / Double(steps), from: x) { (x: Tensor, t: Tensor) in
        x + net(concatenated(x, t.broadcast(to: [x.count, 1]), alongAxis: 1)) / Double(steps)
      }
    }
    return Session(sample, (net, x0)) { sample($0.0, $0.1) }
  }
}
