// Systems of linear equations.

/// x with op(A) x = b for a triangular A, of which the other half is not read.
///
/// - Parameters:
///   - a: `[…, n, n]`.
///   - b: `[…, n, k]`, or a vector `[n]` for one matrix.
///   - isLower: Which half of A counts.
///   - isUnit: Whether the diagonal is taken as 1.
///   - form: op: A itself, its transpose or its adjoint.
public func solveTriangular(
  _ a: Tensor, _ b: Tensor, isLower: Bool = true, isUnit: Bool = false, form: LinearAlgebra.Form = .plain
) -> Tensor {
  solving("solveTriangular", a, b) { a, b in
    apply1(.linearAlgebra(.triangularSolve(.init(isLower: isLower, isUnit: isUnit, form: form))), a, b)
  }
}

/// x with A x = b, by LU factors with partial pivoting.
///
/// Derivatives come from the equation, not from the factorisation: dx = A⁻¹(db - dA x), one more solution with the same factors.
/// A singular matrix gives results that are not finite.
///
/// - Parameters:
///   - a: `[…, n, n]`.
///   - b: `[…, n, k]`, or a vector `[n]` for one matrix; leading axes are broadcast.
public func solve(_ a: Tensor, _ b: Tensor) -> Tensor {
  solving("solve", a, b) { a, b in
    let factors = apply(.linearAlgebra(.lu), [stopGradient(a)])
    guard factors.count == 2 else { return b }
    return solveCall([a, b, factors[0], factors[1]])
  }
}

/// x with A x = b for a Hermitian positive definite A, by Cholesky's factor: half the work of ``solve(_:_:)``. NaN for other matrices.
public func solvePositiveDefinite(_ a: Tensor, _ b: Tensor) -> Tensor {
  solving("solvePositiveDefinite", a, b) { a, b in
    let symmetric = a.hermitianPart
    return positiveDefiniteCall([symmetric, b, apply1(.linearAlgebra(.cholesky), stopGradient(symmetric))])
  }
}

/// A⁻¹, from LU factors. To apply the inverse, ``solve(_:_:)`` is faster and more accurate.
public func inverse(_ a: Tensor) -> Tensor {
  let x = a.asSquareMatrices("inverse")
  return solve(x, eye(x.shape[x.rank - 1], as: x.elementType))
}

// MARK: - Parts

/// Operands of one element type with equal leading axes; a vector on the right becomes a column and back.
private func solving(_ operation: String, _ a: Tensor, _ b: Tensor, _ body: (Tensor, Tensor) -> Tensor) -> Tensor {
  let (x, y) = (a.asMatrices(operation), b.asReal)
  let common = ElementType.promoted(x.elementType, y.elementType)
  let isVector = y.rank == 1
  let column = isVector ? y.expanded(at: 1) : y
  guard column.isMatrix(operation) else { return y }
  let (matrix, right) = (x.converted(to: common), column.converted(to: common))
  guard x.shape[x.rank - 2] == x.shape[x.rank - 1] else {
    return reject1(operation, "the last two axes of \(x.shape) must be equal.", like: y.type)
  }
  let (batchA, batchB) = (Shape(Array(matrix.shape.dropLast(2))), Shape(Array(right.shape.dropLast(2))))
  guard matrix.shape[matrix.rank - 1] == right.shape[right.rank - 2], let batch = Shape.broadcast(batchA, batchB) else {
    return reject1(
      operation,
      "the right-hand side \(b.shape) does not fit the matrix \(a.shape): it needs \(x.shape[x.rank - 1]) rows, and leading axes that can be broadcast to the matrix's.",
      like: y.type)
  }
  let result = body(matrix.withBatch(batch), right.withBatch(batch))
  return isVector ? result.reshaped(to: Shape(Array(result.shape.dropLast()))) : result
}

extension Tensor {
  /// Broadcast to these leading axes before the last two (or the last one of a vector).
  func withBatch(_ batch: Shape, matrixAxes: Int = 2) -> Tensor {
    let whole = batch + Shape(Array(shape.suffix(matrixAxes)))
    return shape == whole ? self : broadcast(to: whole)
  }
}

/// Brings operands that `vmap` gave different leading axes to the same ones: mapped axes come first.
private func alignedBatch(_ operands: [Tensor], _ matrixAxes: [Int]) -> [Tensor] {
  let batch = zip(operands, matrixAxes).map { Shape(Array($0.shape.dropLast($1))) }.reduce(Shape([])) { Shape.broadcast($0, $1) ?? $0 }
  return zip(operands, matrixAxes).map { $0.withBatch(batch, matrixAxes: $1) }
}

/// A⁻¹b, or A⁻ᴴb, from A's LU factors; operands A, b, packed factors, permutation. The factors are constants to derivatives: the rules
/// know A.
private let solveCall = Equation { operands, isAdjoint in
  let x = alignedBatch(operands, [2, 2, 2, 1])
  func lines(_ b: Tensor, _ places: Tensor) -> Tensor {
    b.gatheredAlong(b.rank - 2, places.expanded(at: places.rank).broadcast(to: b.shape))
  }
  func triangle(_ isLower: Bool, _ b: Tensor) -> Tensor {
    let triangle = LinearAlgebra.Triangle(isLower: isLower, isUnit: isLower, form: isAdjoint ? .adjoint : .plain)
    return apply1(.linearAlgebra(.triangularSolve(triangle)), x[2], b)
  }
  // P A = L U, so A⁻¹ = U⁻¹ L⁻¹ P and A⁻ᴴ = Pᵀ L⁻ᴴ U⁻ᴴ.
  return isAdjoint
    ? lines(triangle(true, triangle(false, x[1])), x[3].argsort(alongAxis: -1)) : triangle(false, triangle(true, lines(x[1], x[3])))
}

/// The same from Cholesky's factor; operands A, b, L. A is its own adjoint.
private let positiveDefiniteCall = Equation { operands, _ in
  let x = alignedBatch(operands, [2, 2, 2])
  let half = apply1(.linearAlgebra(.triangularSolve(.init(isLower: true))), x[2], x[1])
  return apply1(.linearAlgebra(.triangularSolve(.init(isLower: true, form: .adjoint))), x[2], half)
}

/// A call that solves A x = b, whose operands are A, b and factors of A.
private struct Equation: Sendable {
  /// From the operands, and whether A or its adjoint is meant.
  let solution: @Sendable ([Tensor], _ isAdjoint: Bool) -> Tensor

  init(_ solution: @escaping @Sendable ([Tensor], _ isAdjoint: Bool) -> Tensor) { self.solution = solution }

  func callAsFunction(_ operands: [Tensor], isAdjoint: Bool = false) -> Tensor {
    recordedCall("solve", operands, rules: rules(isAdjoint, [])) { [solution($0, isAdjoint)] }[0]
  }

  /// A x = b  ⟹  dx = A⁻¹(db - dA x). Linear in b, with the adjoint A⁻ᴴ.
  ///
  /// - Parameter axes: Axes of the result that b lacks, because it was the same for all.
  private func rules(_ isAdjoint: Bool, _ axes: [Int]) -> CallRules {
    CallRules(
      tangent: { primals, tangents in
        let x = self(primals, isAdjoint: isAdjoint)
        var change = tangents[1]
        if let dA = tangents[0] {
          let moved = -(isAdjoint ? dA.adjoint : dA).matmul(x)
          change = change.map { $0 + moved } ?? moved
        }
        guard let change else { return ([x], [nil]) }
        return ([x], [self([primals[0], change] + primals.dropFirst(2), isAdjoint: isAdjoint)])
      },
      transpose: { operands, cotangents in
        var result = [Tensor?](repeating: nil, count: operands.count)
        guard let arriving = cotangents[0] else { return result }
        let known = operands.enumerated().compactMap { $0.offset == 1 ? nil : $0.element }
        let back = self([known[0], arriving] + known.dropFirst(), isAdjoint: !isAdjoint)
        result[1] = axes.isEmpty ? back : back.sum(alongAxes: axes)
        return result
      },
      batched: { flags, _ in rules(isAdjoint, axes.map { $0 + 1 } + (flags[1] ? [] : [0])) })
  }
}

/// A named sub-program with rules of its own, traced and applied.
package func recordedCall(_ name: String, _ operands: [Tensor], rules: CallRules, _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
  staged(operands) { operands in
    let (graph, captures) = traceGraph(operands.map(\.type), body)
    precondition(captures.isEmpty, "\(name) refers to its operands only")
    return apply(.call(Call(name: name, body: graph, rules: rules)), operands)
  }
}
