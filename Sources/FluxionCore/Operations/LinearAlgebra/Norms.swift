// Norms of vectors and matrices; always real.

/// A norm of matrices.
public enum MatrixNorm: Hashable, Sendable {
  /// The root of the sum of squared moduli.
  case frobenius
  /// The sum of the singular values.
  case nuclear
  /// The largest singular value.
  case spectral
  /// The largest column sum of moduli.
  case one
  /// The largest row sum of moduli.
  case infinity
}

extension Tensor {
  /// A norm of the last two axes, `[…]`.
  public func matrixNorm(_ norm: MatrixNorm = .frobenius) -> Tensor {
    let x = asMatrices("matrixNorm")
    switch norm {
    case .frobenius: return x.norm(alongAxes: [x.rank - 2, x.rank - 1])
    case .nuclear: return singularValues(x).sum(alongAxis: -1)
    case .spectral: return singularValues(x).max(alongAxis: -1)
    case .one: return abs(x).sum(alongAxis: -2).max(alongAxis: -1)
    case .infinity: return abs(x).sum(alongAxis: -1).max(alongAxis: -1)
    }
  }

  /// (Σ|xᵢ|ᵖ)^(1/p) along an axis; p = ∞ gives the largest modulus, -∞ the smallest, 0 the number of elements that are not 0.
  ///
  /// At 0 the derivative is taken as 0.
  public func vectorNorm(order p: Double, alongAxis a: Int = -1, keepingAxes: Bool = false) -> Tensor {
    let sizes = abs(asReal)
    if p == .infinity { return sizes.max(alongAxes: [a], keepingAxes: keepingAxes) }
    if p == -.infinity { return sizes.min(alongAxes: [a], keepingAxes: keepingAxes) }
    if p == 0 { return (sizes .!= 0).converted(to: sizes.elementType).sum(alongAxis: a, keepingAxes: keepingAxes) }
    if p == 1 { return sizes.sum(alongAxis: a, keepingAxes: keepingAxes) }
    if p == 2 { return norm(alongAxis: a, keepingAxes: keepingAxes) }
    // Relative to the largest, so that powers neither overflow nor vanish.
    let top = stopGradient(sizes.max(alongAxes: [a], keepingAxes: true))
    let scale = select((top .> 0) .& isFinite(top), top, 1)
    let sum = pow(sizes / scale, Tensor(p, as: sizes.elementType)).sum(alongAxis: a, keepingAxes: true)
    let isZero = sum .== 0
    let root = select(isZero, 0, pow(select(isZero, 1, sum), Tensor(1 / p, as: sizes.elementType)) * scale)
    return keepingAxes ? root : root.reshaped(to: sizes.shape.removing(axes: [axis(a, "vectorNorm")]))
  }
}
