package import Fluxion

/// A fixed number of iterations of conjugate gradients for the five-point Laplacian on a square grid, which is never written as a matrix.
public struct PoissonCG: Workload {
  public var family: String { "cg" }
  let size: Int, iterations: Int

  public init(size: Int, iterations: Int = 200) { (self.size, self.iterations) = (size, iterations) }

  public var name: String { "cg-poisson-n\(size)" }
  public var unit: String { "\(iterations) iterations" }
  /// p for the product p·Ap; then x, r, p read and all three written.
  public var demand: Demand { Demand(bytes: 4 * 7 * size * size * iterations, workingSet: 4 * 4 * size * size) }

  private struct Iterate: Codable { var x: Tensor, r: Tensor, p: Tensor, rr: Tensor }

  package var rightHandSide: Tensor { Key(0).normal([size, size]) }

  public func prepare() -> Session {
    let b = rightHandSide
    let iterations = self.iterations
    let solution = compiled { (b: Tensor) -> Tensor in
      let start = Iterate(x: .zeros(b.shape), r: b, p: b, rr: b.squared().sum())
      return scan(count: iterations, from: start) { (s: Iterate, _: Tensor) in
        let q = fivePointLaplacian(s.p)
        let α = s.rr / (s.p * q).sum()
        let r = s.r - α * q
        let rr = r.squared().sum()
        return Iterate(x: s.x + α * s.p, r: r, p: r + rr / s.rr * s.p, rr: rr)
      }.x
    }
    return Session(solution, b) { solution($0) }
  }
}

/// 4u minus the four neighbours, u being 0 outside the grid.
package func fivePointLaplacian(_ u: Tensor) -> Tensor {
  let (n, m) = (u.shape[0], u.shape[1])
  let p = u.padded(low: [1, 1], high: [1, 1])
  func window(_ i: Int, _ j: Int) -> Tensor { p.sliced(start: [i, j], limit: [i + n, j + m]) }
  return 4 * u - window(0, 1) - window(2, 1) - window(1, 0) - window(1, 2)
}
