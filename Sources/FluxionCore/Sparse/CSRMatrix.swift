/// A sparse matrix by rows: the entries of row i are those at places `rowOffsets[i]` up to but not including `rowOffsets[i + 1]`.
public struct CSRMatrix: SparseMatrix {
  /// `[entries]`, row after row.
  public var values: Tensor
  /// `i32[entries]`.
  public var columns: Tensor
  /// `i32[rows + 1]`, from 0 to the number of entries, not decreasing.
  public var rowOffsets: Tensor
  public let shape: Shape

  public init(values: Tensor, columns: Tensor, rowOffsets: Tensor, shape: Shape) {
    guard shape.rank == 2, values.rank == 1, columns.shape == values.shape, rowOffsets.shape == [shape[0] + 1] else {
      trapAtCaller(
        ProgramError(
          "CSRMatrix", "a matrix of shape \(shape) needs as many columns as values and one offset more than rows, but \(values.shape), "
            + "\(columns.shape), \(rowOffsets.shape) are given."))
    }
    (self.values, self.columns, self.rowOffsets, self.shape) = (values, columns.asIndex, rowOffsets.asIndex, shape)
  }

  /// The entries of a matrix ordered by row, then by column. Several at one place stay several.
  public init(_ matrix: COOMatrix) {
    let ordered = matrix.ordered()
    let rows = arange(matrix.shape[0] + 1, as: ordered.rows.elementType)
    self.init(values: ordered.values, columns: ordered.columns, rowOffsets: searchSorted(ordered.rows, rows), shape: matrix.shape)
  }

  /// The entries of a dense matrix that are not 0.
  public init(_ dense: Tensor) { self.init(COOMatrix(dense)) }

  /// The number of entries kept.
  public var entryCount: Int { values.elementCount }

  public var coordinates: COOMatrix {
    let places = arange(entryCount, as: rowOffsets.elementType)
    let rows = searchSorted(rowOffsets, places, side: .right) - 1
    return COOMatrix(values: values, rows: rows, columns: columns, shape: shape)
  }

  /// The same pattern with other values.
  public func replacingValues(_ values: Tensor) -> CSRMatrix {
    CSRMatrix(values: values, columns: columns, rowOffsets: rowOffsets, shape: shape)
  }

  public var transposed: CSRMatrix { CSRMatrix(coordinates.transposed) }

  /// Every entry multiplied by a scalar.
  public func scaled(by factor: Tensor) -> CSRMatrix { replacingValues(values * factor) }
}
