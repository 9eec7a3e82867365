package import Fluxion

/// The classical Runge–Kutta method on a small linear system dx/dt = A x, all steps in one program: what a loop costs.
public struct RungeKuttaLoop: Workload {
  public var family: String { "tiny_scan" }
  let size: Int, steps: Int

  public init(size: Int, steps: Int) { (self.size, self.steps) = (size, steps) }

  public var name: String { "rk4-loop-n\(size)-S\(steps)" }
  public var unit: String { "\(steps) steps" }
  public var demand: Demand {
    Demand(
      products: [Demand.Product(rows: 1, columns: size, inner: size, count: 4 * steps)],
      bytes: 4 * (size * size + 2 * size))
  }

  package var matrix: Tensor { Key(0).normal([size, size]) / Double(size) }
  package static let stepSize = 1e-3

  public func prepare() -> Session {
    let (A, x0) = (matrix, Tensor.ones([size]))
    let (h, steps) = (Self.stepSize, self.steps)
    let end = compiled { (A: Tensor, x: Tensor) -> Tensor in
      scan(count: steps, from: x) { (x: Tensor, _: Tensor) in
        let k1 = A.dot(x)
        let k2 = A.dot(x + h / 2 * k1)
        let k3 = A.dot(x + h / 2 * k2)
        let k4 = A.dot(x + h * k3)
        return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
      }
    }
    return Session(end, (A, x0)) { end($0.0, $0.1) }
  }
}
