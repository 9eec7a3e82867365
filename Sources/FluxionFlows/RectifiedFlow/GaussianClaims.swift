import FluxionCore
import FluxionData

/// Averages over Gaussian beds by quadrature instead of sampling, for checks that a few per cent of noise would blur.
public enum GaussianClaims {
  /// S and V of a one-dimensional Gaussian flow: Gauss–Hermite quadrature over the ends, RK4 along the paths (S), the midpoint rule
  /// over time (V).
  public static func energies(of flow: GaussianFlow, steps: Int = 400, nodes: Int = 32) -> EnergyIdentity {
    precondition(flow.sourceMean.elementCount == 1, "GaussianClaims: the flow must have one coordinate.")
    let (x, w) = hermite(nodes)
    let (m0, s0) = (flow.sourceMean.item(), flow.sourceDeviation.item())
    let (m1, s1) = (flow.targetMean.item(), flow.targetDeviation.item())

    let z0 = Tensor(x.map { m0 + s0 * $0 }, shape: [nodes, 1])
    let weights = Tensor(w)
    let paths = flow.paths(from: z0, using: .rk4(steps: steps))
    let straightness = (paths.straightness * weights).sum().item()
    let after = ((paths.end - z0).squared().sumOverPoint() * weights).sum().item()

    // All pairs of nodes: the independent coupling.
    let x0 = Tensor(x.flatMap { a in x.map { _ in m0 + s0 * a } }, shape: [nodes * nodes, 1])
    let x1 = Tensor(x.flatMap { _ in x.map { m1 + s1 * $0 } }, shape: [nodes * nodes, 1])
    let joint = Tensor(w.flatMap { a in w.map { a * $0 } })
    let before = ((x1 - x0).squared().sumOverPoint() * joint).sum().item()
    let variance = scan(count: steps, from: Tensor(0, as: .float64)) { sum, n in
      let t = (n.converted(to: .float64) + 0.5) / Double(steps)
      let residual = x1 - x0 - flow.velocity(at: t * x1 + (1 - t) * x0, time: t)
      return sum + (residual.squared().sumOverPoint() * joint).sum() / Double(steps)
    }
    return EnergyIdentity(
      costBefore: before, costAfter: after, straightness: straightness, irreducibleVariance: variance.item())
  }

  /// Nodes and weights with Σ w f(x) = E f(X), X ~ N(0, 1), exact for polynomials of degree below 2n: eigenvalues of the Jacobi matrix
  /// of Hermite's polynomials and the squared first parts of its eigenvectors.
  ///
  /// > G. Golub, J. Welsch. "Calculation of Gauss quadrature rules." *Math. Comp.* 23, 1969.
  static func hermite(_ n: Int) -> (nodes: [Double], weights: [Double]) {
    var jacobi = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
    for k in 1..<max(n, 1) {
      jacobi[k][k - 1] = Double(k).squareRoot()
      jacobi[k - 1][k] = jacobi[k][k - 1]
    }
    let (values, vectors) = SymmetricMatrix.eigen(jacobi)
    return (values, vectors[0].map { $0 * $0 })
  }
}
