/// A sparse matrix by rows: the entries of row i are those at places `rowOffsets[i]` up to but not including `rowOffsets[i + 1]`.
public struct CSRMatrix: SparseMatrix {
  /// `[entries]`, row after row.
  public var values: Tensor
  /// `i32[entries]`.
  public let columns: Tensor
  /// `i32[rows + 1]`, from 0 to the number of entries, not decreasing.
  public let rowOffsets: Tensor
  /// `i32[entries]`: each entry's row, found once, as every product asks for them.
  public let rows: Tensor
  public let shape: Shape

  public init(values: Tensor, columns: Tensor, rowOffsets: Tensor, shape: Shape) {
    guard shape.rank == 2, values.rank == 1, columns.shape == values.shape, rowOffsets.shape == [shape[0] + 1] else {
      trapAtCaller(
        ProgramError(
          "CSRMatrix", "a matrix of shape \(shape) needs as many columns as values and one offset more than rows, but \(values.shape), "
            + "\(columns.shape), \(rowOffsets.shape) are given."))
    }
    let offsets = rowOffsets.asIndex
    let rows = searchSorted(offsets, arange(values.elementCount, as: offsets.elementType), side: .right) - 1
    self.init(values, columns.asIndex, offsets, rows, shape)
  }

  private init(_ values: Tensor, _ columns: Tensor, _ rowOffsets: Tensor, _ rows: Tensor, _ shape: Shape) {
    (self.values, self.columns, self.rowOffsets, self.rows, self.shape) = (values, columns, rowOffsets, rows, shape)
  }

  /// The entries of a matrix ordered by row, then by column. Several at one place stay several.
  public init(_ matrix: COOMatrix) {
    let ordered = matrix.ordered()
    let starts = arange(matrix.shape[0] + 1, as: ordered.rows.elementType)
    self.init(ordered.values, ordered.columns, searchSorted(ordered.rows, starts), ordered.rows, matrix.shape)
  }

  /// The entries of a dense matrix that are not 0.
  public init(_ dense: Tensor) { self.init(COOMatrix(dense)) }

  /// The number of entries kept.
  public var entryCount: Int { values.elementCount }

  public var coordinates: COOMatrix { COOMatrix(values: values, rows: rows, columns: columns, shape: shape) }

  /// The same pattern with other values.
  public func replacingValues(_ values: Tensor) -> CSRMatrix {
    requireOfCaller(
      values.shape == columns.shape, "replacingValues", "a pattern of \(entryCount) entries cannot take values of shape \(values.shape).")
    return CSRMatrix(values, columns, rowOffsets, rows, shape)
  }

  public var transposed: CSRMatrix { CSRMatrix(coordinates.transposed) }

  /// Every entry multiplied by a scalar.
  public func scaled(by factor: Tensor) -> CSRMatrix { replacingValues(values * factor) }
}
