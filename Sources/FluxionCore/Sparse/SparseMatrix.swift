/// A matrix of which only some entries are kept, the others being 0. What it does is done by its coordinates.
///
/// Sparse matrices are structures of tensors: transforms differentiate with respect to the values of the entries; the pattern, whole
/// numbers, has no derivative. Several entries at one place stand for their sum.
public protocol SparseMatrix: Codable, Sendable {
  /// Rows and columns.
  var shape: Shape { get }
  /// The entries with their places.
  var coordinates: COOMatrix { get }
}

extension SparseMatrix {
  /// The product A x with a vector `[columns]` or with dense rows `[columns, …]`: `[rows, …]`.
  ///
  /// In O(entries) times the size of one row of x. Derivatives of every order in the entries and in x.
  public func dot(_ x: Tensor) -> Tensor {
    let a = coordinates
    guard x.shape.first == shape[1] else {
      return reject1(
        "dot", "a sparse matrix of shape \(shape) cannot be multiplied with rows of shape \(x.shape): give \(shape[1]) rows.", like: x.type)
    }
    let factors = a.values.reshaped(to: a.values.shape + Shape([Int](repeating: 1, count: x.rank - 1)))
    // Places are not counted from the end, so they are taken as they are.
    let products = factors * apply1(.gather(batch: 0), x, a.columns.expanded(at: -1))
    let start = Tensor.zeros([shape[0]] + Shape(Array(x.shape.dropFirst())), as: products.elementType)
    return apply1(.scatter(.add, batch: 0), start, a.rows.expanded(at: -1), products)
  }

  /// All entries, in a dense matrix.
  public var dense: Tensor {
    let a = coordinates
    let places = a.rows.converted(to: .int64) * Tensor(integerLiteral: shape[1]) + a.columns.converted(to: .int64)
    return segmentSum(a.values, ids: places, count: shape.elementCount).reshaped(to: shape)
  }

  /// The entries on the main diagonal, 0 where there is none.
  public var diagonal: Tensor {
    let a = coordinates
    let n = Swift.min(shape[0], shape[1])
    guard n > 0 else { return Tensor.zeros([0], as: a.values.elementType) }
    let onDiagonal = a.rows .== a.columns
    return segmentSum(select(onDiagonal, a.values, 0), ids: select(onDiagonal, a.rows, 0), count: n)
  }

  /// Σⱼ Aᵢⱼ.
  public var rowSums: Tensor { segmentSum(coordinates.values, ids: coordinates.rows, count: shape[0]) }
  /// Σᵢ Aᵢⱼ.
  public var columnSums: Tensor { segmentSum(coordinates.values, ids: coordinates.columns, count: shape[1]) }
}

extension Tensor {
  /// The product of this vector `[rows]` or these rows `[…, rows]` with a sparse matrix: `[…, columns]`.
  public func dot(_ matrix: some SparseMatrix) -> Tensor {
    let transposed = matrix.coordinates.transposed
    return rank <= 1 ? transposed.dot(self) : transposed.dot(movingAxis(-1, to: 0)).movingAxis(0, to: -1)
  }
}

/// The entries of the dense product A B at the places of a pattern: Σₖ Aᵢₖ Bₖⱼ for each of its entries, whatever their values. It is
/// the derivative of ``SparseMatrix/dot(_:)`` in the entries (the sampled dense-dense product).
///
/// - Parameters:
///   - a: `[rows, k]`.
///   - b: `[k, columns]`.
///   - pattern: whose places are taken.
public func sampledProduct(_ a: Tensor, _ b: Tensor, at pattern: some SparseMatrix) -> COOMatrix {
  let places = pattern.coordinates
  guard a.rank == 2, b.rank == 2, a.shape[1] == b.shape[0], pattern.shape == [a.shape[0], b.shape[1]] else {
    _ = reject1("sampledProduct", "shapes \(a.shape) and \(b.shape) have no product of the pattern's shape \(pattern.shape).")
    return places
  }
  let values = (a.gathered(places.rows) * b.T.gathered(places.columns)).sum(alongAxis: 1)
  return COOMatrix(values: values, rows: places.rows, columns: places.columns, shape: pattern.shape)
}
