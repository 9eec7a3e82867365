/// A sparse matrix by coordinates: for each entry its value, row and column, in any order.
public struct COOMatrix: SparseMatrix {
  /// `[entries]`.
  public var values: Tensor
  /// `i32[entries]`.
  public var rows: Tensor
  /// `i32[entries]`.
  public var columns: Tensor
  public let shape: Shape

  /// - Parameters:
  ///   - values: the entries, a vector. Those at one place are summed.
  ///   - rows: each entry's, `i32`; a place outside the shape is an error when it is used.
  ///   - columns: each entry's, likewise.
  ///   - shape: rows and columns.
  public init(values: Tensor, rows: Tensor, columns: Tensor, shape: Shape) {
    guard shape.rank == 2, values.rank == 1, rows.shape == values.shape, columns.shape == values.shape else {
      trapAtCaller(
        ProgramError(
          "COOMatrix", "a matrix needs a shape of rows and columns, and as many rows and columns as values, but shape \(shape) and "
            + "\(values.shape), \(rows.shape), \(columns.shape) are given."))
    }
    (self.values, self.rows, self.columns, self.shape) = (values, rows.asIndex, columns.asIndex, shape)
  }

  /// The entries of a dense matrix that are not 0. Their number depends on the elements: inside a trace use ``init(_:size:)``.
  public init(_ dense: Tensor) {
    COOMatrix.requireMatrix(dense)
    self.init(dense, at: dense.nonzero())
  }

  /// The first `size` entries of a dense matrix that are not 0, row by row; what is left over are entries 0 in the corner. Differentiable.
  public init(_ dense: Tensor, size: Int) {
    COOMatrix.requireMatrix(dense)
    // Without elements there is no corner either.
    let size = dense.elementCount == 0 ? 0 : size
    self.init(dense, at: dense.nonzero(size: size))
    let isFilled = arange(size) .< (dense .!= Tensor(0, as: dense.elementType)).sum()
    values = select(isFilled, values, 0)
  }

  private init(_ dense: Tensor, at places: Tensor) {
    self.init(
      values: dense.gatheredAt(places), rows: places[.all, 0], columns: places[.all, 1], shape: dense.shape)
  }

  private static func requireMatrix(_ dense: Tensor) {
    requireOfCaller(dense.rank == 2, "COOMatrix", "a matrix has two axes, not shape \(dense.shape).")
  }

  public var coordinates: COOMatrix { self }
  /// The number of entries kept.
  public var entryCount: Int { values.elementCount }

  /// The same pattern with other values.
  public func replacingValues(_ values: Tensor) -> COOMatrix {
    COOMatrix(values: values, rows: rows, columns: columns, shape: shape)
  }

  public var transposed: COOMatrix { COOMatrix(values: values, rows: columns, columns: rows, shape: [shape[1], shape[0]]) }

  /// The entries ordered by row, then by column.
  public func ordered() -> COOMatrix {
    let (keys, values) = FluxionCore.sorted(values, by: [rows, columns] as [Tensor])
    return COOMatrix(values: values, rows: keys[0], columns: keys[1], shape: shape)
  }

  /// One entry per place, in order. Their number depends on the places: inside a trace use ``summingDuplicates(size:)``.
  public func summingDuplicates() -> COOMatrix { entryCount == 0 ? self : summed(places.distinct()) }

  /// One entry per place, in order, for up to `size` places; what is left over are entries 0 at the first place.
  /// A matrix without entries stays so.
  public func summingDuplicates(size: Int) -> COOMatrix { entryCount == 0 ? self : summed(places.distinct(size: size)) }

  private var places: Tensor { rows.converted(to: .int64) * Tensor(integerLiteral: shape[1]) + columns.converted(to: .int64) }

  private func summed(_ distinct: DistinctElements) -> COOMatrix {
    let size = distinct.values.count
    let room = Swift.max(size, entryCount)
    return COOMatrix(
      values: segmentSum(values, ids: distinct.inverse, count: room).sliced(0..<size, alongAxis: 0),
      rows: rows.gathered(distinct.firstPlaces), columns: columns.gathered(distinct.firstPlaces), shape: shape)
  }

  /// Row i multiplied by `factors[i]`.
  public func scalingRows(by factors: Tensor) -> COOMatrix { replacingValues(values * factors.gathered(rows)) }
  /// Column j multiplied by `factors[j]`.
  public func scalingColumns(by factors: Tensor) -> COOMatrix { replacingValues(values * factors.gathered(columns)) }

  /// Every entry multiplied by a scalar. (Methods, not operators: more meanings of `*` would slow the compiler on every expression.)
  public func scaled(by factor: Tensor) -> COOMatrix { replacingValues(values * factor) }

  /// The sum, which keeps the entries of both; ``summingDuplicates()`` brings them together.
  public func adding(_ other: COOMatrix) -> COOMatrix {
    requireOfCaller(shape == other.shape, "adding", "sparse matrices of shapes \(shape) and \(other.shape) have no sum.")
    return COOMatrix(
      values: concatenated(values, other.values, alongAxis: 0), rows: concatenated(rows, other.rows, alongAxis: 0),
      columns: concatenated(columns, other.columns, alongAxis: 0), shape: shape)
  }
  /// The difference, as ``adding(_:)``.
  public func subtracting(_ other: COOMatrix) -> COOMatrix { adding(other.replacingValues(-other.values)) }
}
