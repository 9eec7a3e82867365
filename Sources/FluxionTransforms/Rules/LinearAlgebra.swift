import FluxionCore

// Tangents of factorisations: each is written with products, sums and triangular solves alone, so that it has tangents itself.
//
// Where several factors belong to one matrix (the phases of eigenvectors, bases of equal eigenvalues, completions of a basis), the
// tangent takes the one that moves least. Functions that do not depend on the choice have the right derivatives, to any order.

func linearAlgebraTangents(_ f: LinearAlgebra, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let results = apply(.linearAlgebra(f), x)
  if case let .triangularSolve(triangle) = f {
    return (results, [triangularSolveTangent(triangle, x[0], results[0], t[0], t[1])])
  }
  // In a throwing trace of an ill-formed program there is one result, whatever was asked for.
  guard let dA = t[0], results.count == f.resultCount else { return (results, [Tensor?](repeating: nil, count: results.count)) }
  switch f {
  case .triangularSolve: return (results, [nil])
  case .cholesky: return (results, [choleskyTangent(results[0], dA)])
  case .lu: return (results, [luTangent(results[0], results[1], dA), nil])
  case .qr: return (results, qrTangents(results[0], results[1], x[0], dA))
  case .eigh: return (results, eighTangents(results[0], results[1], dA))
  case .svd: return (results, svdTangents(results[0], results[1], results[2], dA))
  case .eig: return (results, eigTangents(results[0], results[1], dA))
  case .schur:
    trapAtCaller(
      ProgramError(
        "schur", "the Schur form has no derivative here. Functions made of it, such as matrixSquareRoot, have rules of their own."))
  }
}

extension LinearAlgebra {
  fileprivate var resultCount: Int {
    switch self {
    case .cholesky, .triangularSolve: 1
    case .svd: 3
    default: 2
    }
  }
}

// MARK: - Parts

/// a / b, and 0 where b is 0.
private func ratio(_ a: Tensor, _ b: Tensor) -> Tensor {
  let isZero = b .== 0
  return select(isZero, 0, a / select(isZero, 1, b))
}

/// The columns of a matrix scaled by a vector.
private func scaledColumns(_ a: Tensor, _ v: Tensor) -> Tensor { a * v.expanded(at: v.rank - 1).converted(to: a.elementType) }

/// 1 / (bⱼ - bᵢ), and 0 on the diagonal and between equals. The diagonal is known by its place: where an engine's compiler fuses the
/// subtraction with what makes the values, their difference from themselves may be a rounding error.
private func inverseGaps(_ values: Tensor) -> Tensor {
  let n = values.rank
  let (columns, rows) = (values.expanded(at: n - 1), values.expanded(at: n))
  let square = Shape([values.shape[n - 1], values.shape[n - 1]])
  let isDiagonal = (iota(square, alongAxis: 0) .== iota(square, alongAxis: 1)).broadcast(to: (columns - rows).shape)
  let gaps = select(isDiagonal, 0, columns - rows)
  return ratio(gaps * 0 + 1, gaps)
}

/// The Hermitian matrix of which only the lower triangle is read.
private func hermitian(_ lower: Tensor) -> Tensor {
  let below = lower.lowerTriangle(-1)
  let diagonal = lower.lowerTriangle() - below
  let real = lower.elementType.isComplex ? complex(diagonal.real, zerosLike(diagonal.real)) : diagonal
  return below + below.adjoint + real
}

// MARK: - Triangular solve

/// op(A) x = b  ⟹  op(A) dx = db - op(dA) x, dA cut to the triangle.
private func triangularSolveTangent(
  _ triangle: LinearAlgebra.Triangle, _ a: Tensor, _ x: Tensor, _ da: Tensor?, _ db: Tensor?
) -> Tensor {
  let change = da.map { da -> Tensor in
    let offset = triangle.isUnit ? 1 : 0
    let read = triangle.isLower ? da.lowerTriangle(-offset) : da.upperTriangle(offset)
    let turned =
      switch triangle.form {
      case .plain: read
      case .transpose: read.matrixTransposed
      case .adjoint: read.adjoint
      }
    return -turned.matmul(x)
  }
  return apply1(.linearAlgebra(.triangularSolve(triangle)), a, sum(db, change)!)
}

/// The adjoint of op(A)⁻¹ is op(A)⁻ᴴ.
func triangularSolveTranspose(_ triangle: LinearAlgebra.Triangle, _ a: Tensor, _ cotangent: Tensor) -> Tensor {
  var turned = triangle
  switch triangle.form {
  case .plain: turned.form = .adjoint
  case .adjoint: turned.form = .plain
  case .transpose: turned.form = .plain
  }
  let matrix = triangle.form == .transpose && a.elementType.isComplex ? a.conjugate() : a
  return apply1(.linearAlgebra(.triangularSolve(turned)), matrix, cotangent)
}

/// a X⁻¹ for upper triangular X: Xᴴ yᴴ = aᴴ.
private func dividedByUpper(_ a: Tensor, _ x: Tensor) -> Tensor {
  let solve = LinearAlgebra.triangularSolve(.init(isLower: false, form: .adjoint))
  return apply1(.linearAlgebra(solve), x, a.adjoint).adjoint
}

// MARK: - Cholesky and LU

/// dL = L Φ(L⁻¹ dA L⁻ᴴ), Φ the lower triangle with half the diagonal.
///
/// > I. Murray. "Differentiation of the Cholesky decomposition." arXiv 1602.07527, 2016.
private func choleskyTangent(_ l: Tensor, _ dA: Tensor) -> Tensor {
  let solve = Operation.linearAlgebra(.triangularSolve(.init(isLower: true)))
  let half = apply1(solve, l, hermitian(dA))
  let inner = apply1(solve, l, half.adjoint)
  let lower = (inner.lowerTriangle() + inner.lowerTriangle(-1)) * 0.5
  return l.matmul(lower)
}

/// With P A = L U and F = L⁻¹ P dA U⁻¹: dL = L (F below the diagonal), dU = (F from the diagonal up) U. Factors of matrices that are
/// not square are completed by the identity.
private func luTangent(_ packed: Tensor, _ permutation: Tensor, _ dA: Tensor) -> Tensor {
  let (m, n) = (packed.shape[packed.rank - 2], packed.shape[packed.rank - 1])
  let k = Swift.min(m, n)
  let last = packed.rank - 1
  let rows = dA.gatheredAlong(last - 1, permutation.expanded(at: permutation.rank).broadcast(to: dA.shape))
  func squared(_ a: Tensor, _ size: Int) -> Tensor {
    let (height, width) = (a.shape[last - 1], a.shape[last])
    let low = [Int](repeating: 0, count: a.rank)
    var high = low
    high[last - 1] = size - height
    high[last] = size - width
    return a.padded(low: low, high: high)
  }
  let identityRest = { (size: Int) -> Tensor in
    // Ones on the diagonal beyond the first k.
    let square = Shape([size, size])
    let onDiagonal = (iota(square, alongAxis: 0) .== iota(square, alongAxis: 1)) .& (iota(square, alongAxis: 0) .>= Tensor(Int32(k)))
    return select(onDiagonal, Tensor(1, as: packed.elementType), Tensor(0, as: packed.elementType))
  }
  let lower = squared(packed.sliced(0..<k, alongAxis: last).lowerTriangle(-1), m)
  let upper = squared(packed.sliced(0..<k, alongAxis: last - 1).upperTriangle(), n) + identityRest(n)
  let left = apply1(.linearAlgebra(.triangularSolve(.init(isLower: true, isUnit: true))), lower, rows)
  let f = dividedByUpper(left, upper)
  let below = f.lowerTriangle(-1)
  return lower.matmul(below) + below + f.upperTriangle().matmul(upper)
}

// MARK: - QR

/// For m ≥ n, X = Qᴴ dA R⁻¹ and Ω = (X below the diagonal) - its adjoint + i Im(diagonal): dQ = dA R⁻¹ - Q (X - Ω), dR = (X - Ω) R.
/// A wide matrix is that of its first m columns, and R's other columns are Qᴴ A. Columns that complete Q move only as far as they must.
///
/// > S. F. Walter, L. Lehmann. "Algorithmic differentiation of linear algebra functions with application in optimum experimental
/// > design." arXiv 1001.1654, 2010.
private func qrTangents(_ q: Tensor, _ r: Tensor, _ a: Tensor, _ dA: Tensor) -> [Tensor] {
  let last = a.rank - 1
  let (m, n) = (a.shape[last - 1], a.shape[last])
  let k = Swift.min(m, n)
  func columns(_ x: Tensor, _ range: Range<Int>) -> Tensor { x.sliced(range, alongAxis: last) }
  let q1 = columns(q, 0..<k)
  let r1 = columns(r.sliced(0..<k, alongAxis: last - 1), 0..<k)
  let change = columns(dA, 0..<k)
  let divided = dividedByUpper(change, r1)
  let x = q1.adjoint.matmul(divided)
  let below = x.lowerTriangle(-1)
  var turn = below - below.adjoint
  if x.elementType.isComplex {
    let diagonal = x.lowerTriangle() - below
    turn = turn + complex(zerosLike(diagonal.real), diagonal.imaginary)
  }
  let dq1 = divided - q1.matmul(x - turn)
  var dr1 = (x - turn).matmul(r1)
  if n > m {
    let rest = dq1.adjoint.matmul(columns(a, m..<n)) + q1.adjoint.matmul(columns(dA, m..<n))
    dr1 = concatenated(dr1, rest, alongAxis: last)
  }
  let completed = q.shape[last] - k
  guard completed > 0 else { return [dq1, dr1] }
  let q2 = columns(q, k..<m)
  let dq2 = -q1.matmul(dq1.adjoint.matmul(q2))
  var zeros = r.shape.dimensions
  zeros[last - 1] = completed
  return [concatenated(dq1, dq2, alongAxis: last), concatenated(dr1, Tensor.zeros(Shape(zeros), as: r.elementType), alongAxis: last - 1)]
}

// MARK: - Eigenvalues

/// dλ = diag(Vᴴ dA V), dV = V (F ∘ Vᴴ dA V) with Fᵢⱼ = 1/(λⱼ - λᵢ).
private func eighTangents(_ values: Tensor, _ vectors: Tensor, _ dA: Tensor) -> [Tensor] {
  let inner = vectors.adjoint.matmul(hermitian(dA)).matmul(vectors)
  let dValues = inner.diagonal()
  let mixing = inner * inverseGaps(values).converted(to: inner.elementType)
  return [inner.elementType.isComplex ? dValues.real : dValues, vectors.matmul(mixing)]
}

/// dΛ = diag(V⁻¹ dA V), dV = V (F ∘ V⁻¹ dA V), less what lies along each vector, so that lengths stay 1.
///
/// > C. Boeddeker, P. Hanebrink, L. Drude, J. Heymann, R. Haeb-Umbach. "On the computation of complex-valued gradients with
/// > application to statistically optimum beamforming." arXiv 1701.00392, 2017.
private func eigTangents(_ values: Tensor, _ vectors: Tensor, _ dA: Tensor) -> [Tensor] {
  let inner = solve(vectors, dA.converted(to: vectors.elementType).matmul(vectors))
  let free = vectors.matmul(inner * inverseGaps(values))
  let along = (vectors.conjugate() * free).sum(alongAxis: vectors.rank - 2, keepingAxes: true)
  return [inner.diagonal(), free - vectors * along]
}

// MARK: - Singular values

/// With P = Uᴴ dA V: ds = Re diag P; what turns U and V within their spans comes from the Hermitian and skew parts of P over
/// sⱼ² - sᵢ², what leaves them from the rest of dA over s. Equal or zero singular values share no turn.
///
/// > J. Townsend. "Differentiating the singular value decomposition." 2016.
private func svdTangents(_ u: Tensor, _ s: Tensor, _ vh: Tensor, _ dA: Tensor) -> [Tensor] {
  let last = dA.rank - 1
  let (m, n, k) = (dA.shape[last - 1], dA.shape[last], s.shape[s.rank - 1])
  let u1 = u.sliced(0..<k, alongAxis: last)
  let v1 = vh.sliced(0..<k, alongAxis: last - 1).adjoint
  let p = u1.adjoint.matmul(dA).matmul(v1)
  let diagonal = p.diagonal()
  let ds = p.elementType.isComplex ? diagonal.real : diagonal
  // sⱼ² - sᵢ² by its factors: a difference of squares loses digits, and more where it is fused.
  let sums = s.expanded(at: s.rank - 1) + s.expanded(at: s.rank)
  let f = (inverseGaps(s) * ratio(sums * 0 + 1, sums)).converted(to: p.elementType)
  let columnsScaled = scaledColumns(p, s)
  let rowsScaled = p * s.expanded(at: s.rank).converted(to: p.elementType)
  // On the diagonal P's imaginary part turns the phase of u against that of v.
  let skew = (p - p.adjoint) * 0.5
  let onDiagonal = skew.lowerTriangle() - skew.lowerTriangle(-1)
  let inverse = ratio(s * 0 + 1, s)
  var du = u1.matmul(f * (columnsScaled + columnsScaled.adjoint) + scaledColumns(onDiagonal, inverse))
  var dv = v1.matmul(f * (rowsScaled + rowsScaled.adjoint))
  if m > k {
    let change = dA.matmul(v1)
    du = du + scaledColumns(change - u1.matmul(u1.adjoint.matmul(change)), inverse)
  }
  if n > k {
    let change = dA.adjoint.matmul(u1)
    dv = dv + scaledColumns(change - v1.matmul(v1.adjoint.matmul(change)), inverse)
  }
  func completed(_ whole: Tensor, _ first: Tensor, _ change: Tensor) -> Tensor {
    let rest = whole.shape[last] - k
    guard rest > 0 else { return change }
    let others = whole.sliced(k..<k + rest, alongAxis: last)
    return concatenated(change, -first.matmul(change.adjoint.matmul(others)), alongAxis: last)
  }
  return [completed(u, u1, du), ds, completed(vh.adjoint, v1, dv).adjoint]
}
