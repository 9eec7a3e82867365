public import Fluxion

private func loss(_ v: Velocity, _ x: Tensor) -> Tensor {
  let row = x.reshaped(to: [1, 2])
  return (v(row, at: Tensor.zeros([1, 1])) - row).squared().sum()
}

/// One gradient per row of a batch.
public func perExampleGradients(_ model: Velocity, _ batch: Tensor) -> Velocity {
  vmap(gradient(of: loss), over: (nil, 0))(model, batch)
}

/// The tangent kernel of a function of two points: K(x₁, x₂) = ⟨∂f(x₁), ∂f(x₂)⟩ over the parameters, for all pairs of rows.
public func tangentKernel(_ model: Velocity, _ points: Tensor) -> Tensor {
  @Sendable func slope(_ x: Tensor) -> [Tensor] { flatten(gradient(of: { loss($0, x) }, at: model)).leaves }
  return vmap { x1 in
    vmap { x2 in
      zip(slope(x1), slope(x2)).reduce(Tensor(Float(0))) { $0 + ($1.0 * $1.1).sum() }
    }(points)
  }(points)
}
