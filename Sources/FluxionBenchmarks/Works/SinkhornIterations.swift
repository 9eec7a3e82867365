package import Fluxion

/// A fixed number of Sinkhorn's iterations in logarithms, between two clouds of `count` points in the plane with squared distances as
/// costs; the dual value.
public struct SinkhornIterations: Workload {
  public var family: String { "sinkhorn" }
  let count: Int, iterations: Int, regularisation: Double

  public init(count: Int, iterations: Int = 100, regularisation: Double = 0.05) {
    (self.count, self.iterations, self.regularisation) = (count, iterations, regularisation)
  }

  public var name: String { "sinkhorn-n\(count)" }
  public var unit: String { "\(iterations) iterations" }
  public var demand: Demand {
    Demand(
      functions: 2 * iterations * count * count, bytes: 4 * 2 * iterations * count * count,
      workingSet: 4 * count * count)
  }

  private struct Potentials: Codable { var f: Tensor, g: Tensor }

  package var points: (x: Tensor, y: Tensor) { (Key(0).uniform([count, 2]), Key(1).uniform([count, 2])) }

  public func prepare() -> Session {
    let (x, y) = points
    let (iterations, ε) = (self.iterations, regularisation)
    let value = compiled { (x: Tensor, y: Tensor) -> Tensor in
      let n = x.count
      let cost = (x.expanded(at: 1) - y).squared().sum(alongAxis: -1)
      let logMass = -log(Tensor(Float(n)))
      let end = scan(count: iterations, from: Potentials(f: .zeros([n]), g: .zeros([n]))) {
        (p: Potentials, _: Tensor) in
        let f = -ε * ((p.g - cost) / ε + logMass).logSumExp(alongAxis: 1)
        let g = -ε * ((f.expanded(at: 1) - cost) / ε + logMass).logSumExp(alongAxis: 0)
        return Potentials(f: f, g: g)
      }
      return end.f.mean() + end.g.mean()
    }
    return Session(value, (x, y)) { value($0.0, $0.1) }
  }
}
