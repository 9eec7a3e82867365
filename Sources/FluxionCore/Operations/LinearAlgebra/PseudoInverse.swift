// Least squares, and what else the singular values tell.

/// Moore and Penrose's inverse, from the singular values.
///
/// Its derivative is that of matrices of constant rank.
///
/// > G. H. Golub, V. Pereyra. "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate."
/// > *SIAM J. Numer. Anal.* 10(2), 1973.
///
/// - Parameters:
///   - a: `[…, m, n]`.
///   - cutoff: Singular values up to this fraction of the largest count as 0; nil for max(m, n) times the element type's epsilon.
public func pseudoInverse(_ a: Tensor, cutoff: Double? = nil) -> Tensor {
  let x = a.asMatrices("pseudoInverse")
  let limit = cutoff ?? defaultCutoff(x)
  return recordedCall("pseudoInverse", [x], rules: pseudoInverseRules(limit)) { x in
    let (u, s, vh) = svd(x[0])
    let inverse = invertedValues(s, limit).expanded(at: s.rank - 1).converted(to: x[0].elementType)
    return [(vh.adjoint * inverse).matmul(u.adjoint)]
  }[0]
}

/// The x of least norm among those that make ‖A x - b‖ least.
///
/// - Parameters:
///   - a: `[…, m, n]`, of any rank.
///   - b: `[…, m, k]`, or a vector `[m]` for one matrix.
///   - cutoff: As of ``pseudoInverse(_:cutoff:)``.
public func leastSquares(_ a: Tensor, _ b: Tensor, cutoff: Double? = nil) -> Tensor {
  let x = a.asMatrices("leastSquares")
  let common = ElementType.promoted(x.elementType, b.asReal.elementType)
  let isVector = b.rank == 1
  let column = (isVector ? b.asReal.expanded(at: 1) : b.asReal).converted(to: common)
  let matrix = x.converted(to: common)
  guard column.isMatrix("leastSquares") else { return column }
  let batches = (Shape(Array(matrix.shape.dropLast(2))), Shape(Array(column.shape.dropLast(2))))
  guard matrix.shape[matrix.rank - 2] == column.shape[column.rank - 2], let batch = Shape.broadcast(batches.0, batches.1) else {
    return reject1(
      "leastSquares", "the right-hand side \(b.shape) does not fit the matrix \(a.shape): it needs \(x.shape[x.rank - 2]) rows, and leading axes that can be broadcast to the matrix's.",
      like: column.type)
  }
  let result = leastSquaresCall([matrix.withBatch(batch), column.withBatch(batch)], cutoff ?? defaultCutoff(matrix))
  return isVector ? result.reshaped(to: Shape(Array(result.shape.dropLast()))) : result
}

/// The number of singular values above `cutoff` times the largest, `i32 […]`.
public func matrixRank(_ a: Tensor, cutoff: Double? = nil) -> Tensor {
  let x = a.asMatrices("matrixRank")
  let s = singularValues(x)
  guard s.shape[s.rank - 1] > 0 else { return Tensor.zeros(Shape(Array(s.shape.dropLast())), as: .int32) }
  return (s .> s.max(alongAxis: -1, keepingAxes: true) * (cutoff ?? defaultCutoff(x))).sum(alongAxis: -1)
}

/// The largest singular value over the smallest: how much relative errors of b may grow in A⁻¹ b.
public func conditionNumber(_ a: Tensor) -> Tensor {
  let s = singularValues(a)
  return s.max(alongAxis: -1) / s.min(alongAxis: -1)
}

// MARK: - Parts

private func defaultCutoff(_ a: Tensor) -> Double {
  let epsilon = a.elementType.ulpOfOne
  return Double(Swift.max(a.shape[a.rank - 2], a.shape[a.rank - 1])) * epsilon
}

/// 1/s, and 0 for what counts as 0.
private func invertedValues(_ s: Tensor, _ cutoff: Double) -> Tensor {
  guard s.shape[s.rank - 1] > 0 else { return s }
  let counts = s .> s.max(alongAxis: -1, keepingAxes: true) * cutoff
  return select(counts, 1 / select(counts, s, 1), select(isNaN(s), s, 0))
}

/// dP = -P dA P + P Pᴴ dAᴴ (I - A P) + (I - P A) dAᴴ Pᴴ P.
private func pseudoInverseRules(_ cutoff: Double) -> CallRules {
  CallRules(
    tangent: { primals, tangents in
      let a = primals[0]
      let p = pseudoInverse(a, cutoff: cutoff)
      return ([p], [tangents[0].map { pseudoInverseTangent(a, p, $0) }])
    },
    batched: { _, _ in pseudoInverseRules(cutoff) })
}

private func pseudoInverseTangent(_ a: Tensor, _ p: Tensor, _ dA: Tensor) -> Tensor {
  let change = dA.adjoint
  let first = p.matmul(p.adjoint).matmul(change)
  let second = change.matmul(p.adjoint).matmul(p)
  let residual = first - first.matmul(a).matmul(p)
  return residual + second - p.matmul(a.matmul(second)) - p.matmul(dA).matmul(p)
}

/// Solved through the singular vectors, without forming the inverse; differentiated through it.
private func leastSquaresCall(_ operands: [Tensor], _ cutoff: Double) -> Tensor {
  let batch = Shape.broadcast(Shape(Array(operands[0].shape.dropLast(2))), Shape(Array(operands[1].shape.dropLast(2)))) ?? Shape([])
  let rules = leastSquaresRules(cutoff)
  return recordedCall("leastSquares", operands.map { $0.withBatch(batch) }, rules: rules) { x in
    let (u, s, vh) = svd(x[0])
    let inverse = invertedValues(s, cutoff).expanded(at: s.rank).converted(to: x[0].elementType)
    return [vh.adjoint.matmul(inverse * u.adjoint.matmul(x[1]))]
  }[0]
}

/// dx = P (db - dA x) + P Pᴴ dAᴴ (b - A x) + (I - P A) dAᴴ Pᴴ x.
private func leastSquaresRules(_ cutoff: Double) -> CallRules {
  CallRules(
    tangent: { primals, tangents in
      let (a, b) = (primals[0], primals[1])
      let x = leastSquaresCall(primals, cutoff)
      let p = pseudoInverse(a, cutoff: cutoff)
      var change = tangents[1].map { p.matmul($0) }
      if let dA = tangents[0] {
        let back = dA.adjoint
        let inside = p.matmul(p.adjoint.matmul(back.matmul(b - a.matmul(x))) - dA.matmul(x))
        let outside = back.matmul(p.adjoint.matmul(x))
        let moved = inside + outside - p.matmul(a.matmul(outside))
        change = change.map { $0 + moved } ?? moved
      }
      return ([x], [change])
    },
    batched: { _, _ in leastSquaresRules(cutoff) })
}
