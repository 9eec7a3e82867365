// The factorisations users call. Each takes matrices `[…, m, n]` of real or complex numbers; the axes before the last two are a batch,
// and a matrix that has no such factors gives NaN in its own results. See ``LinearAlgebra`` for conventions.

extension Tensor {
  /// Integers as `f32`, other numbers as they are, two axes at least.
  func asMatrices(_ operation: String) -> Tensor {
    let x = asReal
    return x.isMatrix(operation) ? x : Tensor.zeros([1, 1], as: x.elementType)
  }

  /// The same of square matrices only.
  func asSquareMatrices(_ operation: String) -> Tensor {
    let x = asMatrices(operation)
    guard x.shape[x.rank - 2] == x.shape[x.rank - 1] else {
      return reject1(operation, "the last two axes of \(x.shape) must be equal.", like: TensorType([1, 1], x.elementType))
    }
    return x
  }

  /// (A + Aᴴ)/2: what a function of Hermitian matrices sees of any matrix.
  var hermitianPart: Tensor { (self + adjoint) * 0.5 }
}

/// L, lower triangular with positive diagonal, of a Hermitian positive definite A = L Lᴴ.
///
/// Takes the Hermitian part of A first, so that the derivative is symmetric. A matrix that is not positive definite gives NaN.
///
/// - Parameter a: `[…, n, n]`.
public func cholesky(_ a: Tensor) -> Tensor { apply1(.linearAlgebra(.cholesky), a.asSquareMatrices("cholesky").hermitianPart) }

/// P A = L U with partial pivoting.
///
/// - Parameter a: `[…, m, n]`.
/// - Returns: L `[…, m, k]` with ones on the diagonal, U `[…, k, n]`, k = min(m, n), and the permutation p `i32 […, m]`: row i of
///   L U is row pᵢ of A.
public func lu(_ a: Tensor) -> (l: Tensor, u: Tensor, permutation: Tensor) {
  let x = a.asMatrices("lu")
  let results = apply(.linearAlgebra(.lu), [x])
  guard results.count == 2 else { return (results[0], results[0], results[0]) }
  let packed = results[0]
  let (m, n) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
  let k = Swift.min(m, n)
  let unit = eye(Swift.max(m, k), as: x.elementType).sliced(0..<k, alongAxis: 1)
  let l = packed.sliced(0..<k, alongAxis: -1).lowerTriangle(-1) + unit
  return (l, packed.sliced(0..<k, alongAxis: -2).upperTriangle(), results[1])
}

/// A = Q R with orthonormal columns of Q and a real diagonal ≥ 0 of R, which makes the factors of a matrix of full column rank unique.
///
/// The derivative is that of a matrix whose first min(m, n) columns are independent.
///
/// - Parameters:
///   - a: `[…, m, n]`.
///   - full: Whether Q is square `[…, m, m]`; else Q is `[…, m, k]`, R `[…, k, n]`, k = min(m, n).
public func qr(_ a: Tensor, full: Bool = false) -> (q: Tensor, r: Tensor) {
  let results = apply(.linearAlgebra(.qr(full: full)), [a.asMatrices("qr")])
  return (results[0], results[results.count - 1])
}

/// The real eigenvalues of a Hermitian matrix, ascending, and orthonormal eigenvectors in the columns of the second result.
///
/// Takes the Hermitian part of A first. A vector is determined up to its sign (phase), the vectors of equal eigenvalues up to a change
/// of basis; functions that do not depend on the choice have the right derivatives also where eigenvalues are equal.
///
/// - Parameter a: `[…, n, n]`.
/// - Returns: values `[…, n]`, vectors `[…, n, n]`.
public func eigh(_ a: Tensor) -> (values: Tensor, vectors: Tensor) {
  let results = apply(.linearAlgebra(.eigh), [a.asSquareMatrices("eigh").hermitianPart])
  return (results[0], results[results.count - 1])
}

/// The singular value decomposition A = U diag(s) Vᴴ, s descending.
///
/// A pair of vectors is determined up to a common sign (phase), those of equal singular values up to a change of basis. Where a singular
/// value is 0, what its vectors would move by is taken as 0.
///
/// - Parameters:
///   - a: `[…, m, n]`.
///   - full: Whether U and V are square; else they have min(m, n) columns.
/// - Returns: U, s (real), and Vᴴ.
public func svd(_ a: Tensor, full: Bool = false) -> (u: Tensor, s: Tensor, vAdjoint: Tensor) {
  let results = apply(.linearAlgebra(.svd(full: full)), [a.asMatrices("svd")])
  guard results.count == 3 else { return (results[0], results[0], results[0]) }
  return (results[0], results[1], results[2])
}

/// The singular values, descending, `[…, min(m, n)]`.
public func singularValues(_ a: Tensor) -> Tensor { svd(a).s }

/// The eigenvalues of any square matrix and its right eigenvectors, of length 1, in columns; both complex, in no particular order.
///
/// A vector is determined up to its phase. Derivatives need distinct eigenvalues; those of a defective matrix are not finite.
///
/// - Parameter a: `[…, n, n]`.
public func eigen(_ a: Tensor) -> (values: Tensor, vectors: Tensor) {
  let results = apply(.linearAlgebra(.eig), [a.asMatrices("eigen")])
  return (results[0], results[results.count - 1])
}

/// The Schur form A = Q T Qᴴ: T upper triangular with the eigenvalues on its diagonal, Q unitary; both complex. Has no derivative.
public func schur(_ a: Tensor) -> (t: Tensor, q: Tensor) {
  let x = a.asMatrices("schur")
  let results = apply(.linearAlgebra(.schur), [x.converted(to: x.elementType.complexType)])
  return (results[0], results[results.count - 1])
}

extension ElementType {
  /// The complex numbers of which this type is a part; a complex type is its own.
  var complexType: ElementType { realPart == .float64 ? .complex128 : .complex64 }
}
