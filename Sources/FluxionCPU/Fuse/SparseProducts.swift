import FluxionCore

/// A product with a matrix whose entries e lie at (rows[e], columns[e]), as programs write it: rows of x are gathered, one for each
/// entry, multiplied by the entries, and scattered into sums. Its kernel reads x where it lies and writes nothing for an entry.
///
/// Its derivative in the entries is one too: the sums of y[rows[e], :] · x[columns[e], :], both of them gathered.
struct SparseProduct {
  enum Kind {
    /// `factors`: the entries, if they are not 1.
    case sum
    /// `factors`: y.
    case sampled
  }
  let kind: Kind
  /// The scatter or the reduction.
  let node: Int
  let rows: ValueID, columns: ValueID
  let x: ValueID
  let factors: ValueID?
  /// Whether zeros of x add nothing, not even of an infinite entry: so are cotangents multiplied behind a `select`.
  let isMasked: Bool
  /// The gather whose indices are the columns, and what else picks rows: what an index outside is told of.
  let columnPicker: Int, rowPicker: Int

  var operands: [ValueID] { [rows, columns, x] + (factors.map { [$0] } ?? []) }
}

extension Graph {
  /// The products with sparse matrices, and the values that are made for nothing else.
  func sparseProducts() -> (products: [SparseProduct], between: Set<ValueID>) {
    guard nodes.contains(where: { if case .gather = $0.operation { true } else { false } }) else { return ([], []) }
    var search = SparseProductSearch(Definitions(self))
    for n in nodes.indices { search.visit(n) }
    return (search.products, search.between)
  }
}

private struct SparseProductSearch {
  let definitions: Definitions
  var products: [SparseProduct] = []
  /// How many of its readers do without a value.
  private var spared: [ValueID: Int] = [:]

  init(_ definitions: Definitions) { self.definitions = definitions }

  var between: Set<ValueID> { Set(spared.filter { definitions.uses(of: $0.key) == $0.value }.keys) }

  mutating func visit(_ n: Int) {
    let node = definitions.graph.nodes[n]
    let element = definitions.graph.types[node.firstResult.int].elementType
    guard element == .float32 || element == .float64 else { return }
    switch node.operation {
    case .scatter(.add, batch: 0): sum(n, node)
    case .reduce(.sum, let axes): sampled(n, node, axes)
    default: return
    }
  }

  private mutating func sum(_ n: Int, _ node: Node) {
    let (start, rows, updates) = (node.operands[0], node.operands[1], node.operands[2])
    guard let zero = definitions.number(start), zero == 0, zero.sign == .plus, pickRows(rows, of: start) else { return }
    if let picked = gather(updates) {
      add(.sum, n, rows, picked, factors: nil, rowPicker: n, without: [updates])
      return
    }
    guard let (a, b, isMasked) = product(updates) else { return }
    let axes = Array(1..<Swift.max(1, definitions.shape(updates).rank))
    for (a, b) in isMasked ? [(a, b)] : [(a, b), (b, a)] {
      guard let picked = gather(a), let factors = definitions.source(of: b, repeatedAlong: axes) else { continue }
      add(.sum, n, rows, picked, factors: factors, isMasked: isMasked, rowPicker: n, without: [updates, a])
      return
    }
  }

  private mutating func sampled(_ n: Int, _ node: Node, _ axes: [Int]) {
    let products = node.operands[0]
    let rank = definitions.shape(products).rank
    guard rank > 1, axes == Array(1..<rank), let (a, b, isMasked) = product(products), !isMasked, let y = gather(a), let x = gather(b)
    else { return }
    add(.sampled, n, y.indices, x, factors: y.source, rowPicker: y.node, without: [products, a, b])
  }

  private mutating func add(
    _ kind: SparseProduct.Kind, _ n: Int, _ rows: ValueID, _ picked: Picked, factors: ValueID?, isMasked: Bool = false, rowPicker: Int,
    without values: [ValueID]
  ) {
    products.append(
      SparseProduct(
        kind: kind, node: n, rows: rows, columns: picked.indices, x: picked.source, factors: factors, isMasked: isMasked,
        columnPicker: picked.node, rowPicker: rowPicker))
    for v in values { spared[v, default: 0] += 1 }
  }

  // MARK: Parts

  private struct Picked {
    let node: Int
    let source: ValueID, indices: ValueID
  }

  /// Whole rows of a source, picked by one index each.
  private func gather(_ v: ValueID) -> Picked? {
    guard let n = definitions.position(of: v), case .gather(batch: 0) = definitions.graph.nodes[n].operation else { return nil }
    let operands = definitions.graph.nodes[n].operands
    return pickRows(operands[1], of: operands[0]) ? Picked(node: n, source: operands[0], indices: operands[1]) : nil
  }

  /// Whether these are single indices, one after the other, of rows that 31 bits count.
  private func pickRows(_ indices: ValueID, of source: ValueID) -> Bool {
    let shape = definitions.shape(indices)
    return shape.rank == 2 && shape[1] == 1 && definitions.shape(source)[0] <= Int(Int32.max)
  }

  /// The factors of a product that is read once, and whether zeros of the first one stay zeros.
  private func product(_ v: ValueID) -> (ValueID, ValueID, isMasked: Bool)? {
    guard definitions.uses(of: v) == 1, let node = definitions.maker(v), case let .binary(f) = node.operation,
      f == .multiply || f == .multiplyNoNaN
    else { return nil }
    return (node.operands[0], node.operands[1], f == .multiplyNoNaN)
  }
}
