import Fluxion

/// Products of many pairs of small matrices.
public struct SmallProducts: Workload {
  public var family: String { "small_products" }
  let count: Int, size: Int

  public init(count: Int, size: Int) { (self.count, self.size) = (count, size) }

  public var name: String { "small-products-B\(count)-n\(size)" }
  public var unit: String { "\(count) products" }
  public var demand: Demand {
    Demand(
      products: [Demand.Product(rows: size, columns: size, inner: size, count: count)], bytes: 12 * count * size * size)
  }

  public func prepare() -> Session {
    let (a, b) = (Key(0).normal([count, size, size]), Key(1).normal([count, size, size]))
    let product = compiled { (a: Tensor, b: Tensor) -> Tensor in a.matmul(b) }
    return Session(product, (a, b)) { product($0.0, $0.1) }
  }
}
