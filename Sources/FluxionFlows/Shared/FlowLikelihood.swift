public import FluxionCore
import FluxionTransforms

/// How the divergence of a velocity is found.
public enum DivergenceMethod: Sendable {
  /// The trace of the Jacobian by one `jvp` per coordinate.
  case exact
  /// E εᵀ(∂v/∂x)ε with `probes` random sign vectors per point, fixed along the path.
  ///
  /// > M. Hutchinson. "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing splines." 1989.
  case hutchinson(probes: Int, key: Key)

  /// Exact up to 64 coordinates, Hutchinson's estimate with one probe above.
  public static func automatic(dimension: Int, key: Key) -> DivergenceMethod {
    dimension <= 64 ? .exact : .hutchinson(probes: 1, key: key)
  }
}

extension VelocityField {
  /// ∇·v at each point, `[batch]`.
  public func divergence(at x: Tensor, time t: Tensor, method: DivergenceMethod = .exact) -> Tensor {
    let d = x.elementCount / x.count
    func slope(_ direction: Tensor) -> Tensor { jvp({ velocity(at: $0, time: t) }, at: x, along: direction).tangent }
    switch method {
    case .exact:
      // [d, batch, …]: one direction per coordinate; the velocity itself is computed once for all.
      let basis = eye(d, as: x.elementType)
      let traces = vmap({ (e: Tensor) -> Tensor in
        let direction = e.reshaped(to: [1] + x.pointShape).broadcast(to: x.shape)
        return (slope(direction) * direction).sumOverPoint()
      })
      return traces(basis).sum(alongAxis: 0)
    case let .hutchinson(probes, key):
      let signs = key.rademacher([probes] + x.shape, as: x.elementType)
      let estimates = vmap({ (ε: Tensor) -> Tensor in (slope(ε) * ε).sumOverPoint() })
      return estimates(signs).mean(alongAxis: 0)
    }
  }

  /// log p₁(x) of the flow that starts from a source with known density:
  ///
  ///     log p₁(Z₁) = log π₀(Z₀) - ∫₀¹ ∇·v(Zₜ, t) dt
  ///
  /// integrated backward from x at t = 1 together with the path.
  ///
  /// - Parameters:
  ///   - x: Points `[batch, …]`.
  ///   - method: How the path is followed.
  ///   - divergence: How ∇·v is computed.
  ///   - sourceLogDensity: log π₀ of points `[batch, …]`, giving `[batch]`.
  public func logDensity(
    _ x: Tensor, using method: FlowMethod = .rk45(tolerance: 1e-5), divergence: DivergenceMethod = .exact,
    sourceLogDensity: (Tensor) -> Tensor
  ) -> Tensor {
    let n = x.count, d = x.elementCount / n
    let augmented = AugmentedField(base: self, divergence: divergence, shape: x.shape)
    let start = concatenated([x.reshaped(to: [n, d]), Tensor.zeros([n, 1], as: x.elementType)], alongAxis: 1)
    let end = augmented.transport(start, from: 1, to: 0, using: method).value
    let z0 = end.sliced(0..<d, alongAxis: 1).reshaped(to: x.shape)
    // The last column is ∫ from 1 to 0, the negative of the integral in the formula.
    return sourceLogDensity(z0) + end.sliced(d..<d + 1, alongAxis: 1).reshaped(to: [n])
  }
}

/// log N(z; 0, σ²I) summed over the axes of each point: `[batch]`.
public func standardNormalLogDensity(_ z: Tensor, deviation σ: Double = 1) -> Tensor {
  let d = Double(z.elementCount / z.count)
  let quadratic = z.squared().sumOverPoint() * (-0.5 / (σ * σ))
  return quadratic - d * (0.9189385332046727 + logarithm(σ))
}

/// Points with the integral of the divergence as one more coordinate, so that every solver integrates both.
private struct AugmentedField<Base: VelocityField>: VelocityField {
  let base: Base
  let divergence: DivergenceMethod
  /// The shape of the points alone.
  let shape: Shape

  func velocity(at state: Tensor, time t: Tensor) -> Tensor {
    let n = state.count, d = state.shape[1] - 1
    let x = state.sliced(0..<d, alongAxis: 1).reshaped(to: shape)
    let v = base.velocity(at: x, time: t).reshaped(to: [n, d])
    let trace = base.divergence(at: x, time: t, method: divergence).reshaped(to: [n, 1])
    return concatenated([v, trace], alongAxis: 1)
  }
}
