import Fluxion

/// The product of a sparse matrix, kept by rows, with dense rows; the entries lie anywhere.
public struct SparseProduct: Workload {
  public var family: String { "sparse_product" }
  let rows: Int, entries: Int, width: Int

  public init(rows: Int, entries: Int, width: Int) { (self.rows, self.entries, self.width) = (rows, entries, width) }

  public var name: String { "sparse-product-N\(rows)-E\(entries)-W\(width)" }
  public var unit: String { "product" }
  public var demand: Demand {
    // Each entry with its place, the row that it picks, and the result.
    Demand(bytes: entries * (4 + 4) + 4 * entries * width + 4 * rows * width)
  }

  public func prepare() -> Session {
    let places = (0..<2).map { Key(0).fold($0).integers([entries], in: 0..<rows) }
    let matrix = CSRMatrix(COOMatrix(values: Key(1).normal([entries]), rows: places[0], columns: places[1], shape: [rows, rows]))
    let product = compiled { (a: CSRMatrix, x: Tensor) -> Tensor in a.dot(x) }
    return Session(product, (matrix, Key(2).normal([rows, width]))) { product($0.0, $0.1) }
  }
}
