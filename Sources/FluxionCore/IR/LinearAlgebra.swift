/// The factorisations of matrices, and the solution of triangular systems: primitives on the last two axes, the axes before them being
/// a batch. A matrix that has none (not finite, not positive definite, no convergence) gives NaN in its own results only.
public enum LinearAlgebra: Hashable, Sendable {
  /// A `[…, n, n]`, of which the lower triangle counts → L, lower triangular with positive diagonal, A = L Lᴴ.
  case cholesky
  /// A `[…, n, n]`, b `[…, n, k]` → x with op(A) x = b; only the triangle is read.
  case triangularSolve(Triangle)
  /// A `[…, m, n]` → L (below the diagonal, its own diagonal being 1) and U in one array, and a permutation p `i32 […, m]`: row i of
  /// L U is row pᵢ of A.
  case lu
  /// A `[…, m, n]` → Q `[…, m, c]`, R `[…, c, n]` with A = Q R, orthonormal columns and a real diagonal ≥ 0 of R; c = m if full,
  /// else min(m, n).
  case qr(full: Bool)
  /// A `[…, n, n]`, of which the lower triangle counts → real eigenvalues `[…, n]` ascending, and orthonormal vectors in columns.
  case eigh
  /// A `[…, m, n]` → U `[…, m, c]`, real singular values `[…, min(m, n)]` descending, Vᴴ `[…, d, n]`; c = m and d = n if full, else
  /// min(m, n).
  case svd(full: Bool)
  /// A `[…, n, n]` → complex eigenvalues `[…, n]`, and right vectors of length 1 in columns.
  case eig
  /// Complex A `[…, n, n]` → T upper triangular, Q unitary, A = Q T Qᴴ.
  case schur

  /// Which half of a matrix a triangular solve reads, and how.
  public struct Triangle: Hashable, Sendable {
    public var isLower: Bool
    /// Whether the diagonal is taken as 1, whatever it holds.
    public var isUnit: Bool
    public var form: Form

    public init(isLower: Bool, isUnit: Bool = false, form: Form = .plain) {
      self.isLower = isLower
      self.isUnit = isUnit
      self.form = form
    }
  }

  /// op(A): A, Aᵀ or Aᴴ.
  public enum Form: UInt8, Hashable, Sendable { case plain, transpose, adjoint }

  /// The name used in printed graphs and messages.
  public var name: String {
    switch self {
    case .cholesky: "cholesky"
    case .triangularSolve: "triangularSolve"
    case .lu: "lu"
    case .qr: "qr"
    case .eigh: "eigh"
    case .svd: "svd"
    case .eig: "eig"
    case .schur: "schur"
    }
  }

  var isSquare: Bool {
    switch self {
    case .lu, .qr, .svd: false
    default: true
    }
  }
}

extension LinearAlgebra {
  /// The types of the results for operands of the given types.
  func resultTypes(_ operands: [TensorType]) throws(ProgramError) -> [TensorType] {
    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(ProgramError) {
      if !condition { throw ProgramError(name, message()) }
    }
    let a = operands[0]
    let type = a.elementType
    try require(
      [.float32, .float64, .complex64, .complex128].contains(type),
      "\(type) elements are not supported. Convert them first, for example with .converted(to: .float32).")
    try require(a.shape.rank >= 2, "a matrix has two axes, but the operand has shape \(a.shape).")
    let batch = Shape(Array(a.shape.dropLast(2)))
    let (m, n) = (a.shape[a.shape.rank - 2], a.shape[a.shape.rank - 1])
    try require(!isSquare || m == n, "the last two axes of \(a.shape) must be equal.")
    let k = Swift.min(m, n)
    func matrix(_ rows: Int, _ columns: Int, _ element: ElementType? = nil) -> TensorType {
      TensorType(batch + [rows, columns], element ?? type)
    }
    let complex: ElementType = type.realPart == .float32 ? .complex64 : .complex128
    switch self {
    case .cholesky: return [matrix(n, n)]
    case .triangularSolve:
      let b = operands[1]
      try require(
        b.elementType == type && b.shape.rank == a.shape.rank && Shape(Array(b.shape.dropLast(2))) == batch
          && b.shape[b.shape.rank - 2] == n,
        "the right-hand side \(b) does not fit the matrix \(a): it needs the same leading axes and \(n) rows.")
      return [b]
    case .lu: return [matrix(m, n), TensorType(batch + [m], .int32)]
    case let .qr(full): return [matrix(m, full ? m : k), matrix(full ? m : k, n)]
    case .eigh: return [TensorType(batch + [n], type.realPart), matrix(n, n)]
    case let .svd(full): return [matrix(m, full ? m : k), TensorType(batch + [k], type.realPart), matrix(full ? n : k, n)]
    case .eig: return [TensorType(batch + [n], complex), matrix(n, n, complex)]
    case .schur:
      try require(type.isComplex, "the Schur form is that of complex matrices; convert the operand first.")
      return [matrix(n, n), matrix(n, n)]
    }
  }
}
