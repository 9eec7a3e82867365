// Parts and arrangements of matrices, which are the last two axes of a tensor; the axes before them are a batch.

extension Tensor {
  /// The rows as columns.
  public var matrixTransposed: Tensor {
    guard isMatrix("matrixTransposed") else { return self }
    return transposed(Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// The conjugate of the transpose, Aᴴ; of real matrices the transpose.
  public var adjoint: Tensor { elementType.isComplex ? matrixTransposed.conjugate() : matrixTransposed }

  func isMatrix(_ operation: String) -> Bool {
    if rank >= 2 { return true }
    _ = reject1(operation, "a matrix has two axes, but the operand has shape \(shape).", like: type)
    return false
  }
}

/// Kronecker's product `[…, m p, n q]` of matrices `[…, m, n]` and `[…, p, q]`: every element of `a` times all of `b`.
public func kronecker(_ a: Tensor, _ b: Tensor) -> Tensor {
  guard a.isMatrix("kronecker"), b.isMatrix("kronecker") else { return a }
  let (m, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
  let (p, q) = (b.shape[b.rank - 2], b.shape[b.rank - 1])
  let left = a.expanded(at: a.rank - 1).expanded(at: a.rank + 1)   // […, m, 1, n, 1]
  let right = b.expanded(at: b.rank - 2).expanded(at: b.rank)     // […, 1, p, 1, q]
  let product = left * right
  return product.reshaped(to: Shape(Array(product.shape.dropLast(4))) + [m * p, n * q])
}

/// The vector product along an axis of length 3.
public func cross(_ a: Tensor, _ b: Tensor, alongAxis axis: Int = -1) -> Tensor {
  let (x, y) = matched(a, b, "cross")
  let at = x.axis(axis, "cross")
  guard x.shape[at] == 3 else {
    return reject1("cross", "the vector product is that of 3 coordinates, but axis \(axis) of \(x.shape) has \(x.shape[at]).", like: x.type)
  }
  func turned(_ v: Tensor, _ first: Int) -> Tensor {
    // Coordinates first, first + 1, first + 2 modulo 3.
    concatenated(v.sliced(first..<3, alongAxis: at), v.sliced(0..<first, alongAxis: at), alongAxis: at)
  }
  return turned(x, 1) * turned(y, 2) - turned(x, 2) * turned(y, 1)
}
