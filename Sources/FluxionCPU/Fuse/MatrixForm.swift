import FluxionCore

/// An operand of a product as the runtime's matrix kernels take it: rows and columns, one of them contiguous.
struct MatrixForm {
  var base: Int
  /// Elements.
  var offset: Int
  var rows: Int, columns: Int
  /// Elements between stored rows.
  var leading: Int
  /// Stored columns × rows.
  var isTransposed: Bool
  /// Elements between matrices, for each batch axis.
  var batchStrides: [Int]

  /// Nil when no choice of strides tells where the elements are.
  init?(_ form: MemoryForm, _ shape: Shape, batch: [Int], rows rowAxes: [Int], columns columnAxes: [Int]) {
    base = form.base
    offset = form.offset
    if shape.elementCount == 0 {
      // There is nothing to be found anywhere.
      (rows, columns) = (rowAxes.reduce(1) { $0 * shape[$1] }, columnAxes.reduce(1) { $0 * shape[$1] })
      (leading, isTransposed, batchStrides) = (Swift.max(1, columns), false, batch.map { _ in 0 })
      return
    }
    batchStrides = batch.map { shape[$0] == 1 ? 0 : form.strides[$0] }
    guard batchStrides.allSatisfy({ $0 >= 0 }), let r = MatrixForm.joined(form, shape, rowAxes),
      let c = MatrixForm.joined(form, shape, columnAxes)
    else { return nil }
    (rows, columns) = (r.length, c.length)
    if (c.length == 1 || c.stride == 1) && (r.length == 1 || r.stride >= c.length) {
      isTransposed = false
      leading = r.length == 1 ? c.length : r.stride
    } else if (r.length == 1 || r.stride == 1) && (c.length == 1 || c.stride >= r.length) {
      isTransposed = true
      leading = c.length == 1 ? r.length : c.stride
    } else {
      return nil
    }
  }

  /// Several axes walked as one, if they follow one another in memory.
  private static func joined(_ form: MemoryForm, _ shape: Shape, _ axes: [Int]) -> (length: Int, stride: Int)? {
    var length = 1
    var step = 1
    for axis in axes.reversed() where shape[axis] != 1 {
      if length == 1 {
        step = form.strides[axis]
      } else if form.strides[axis] != step * length {
        return nil
      }
      length *= shape[axis]
    }
    return (length, step)
  }
}

extension Graph {
  /// Products whose operands, contiguous, are matrices: axes that are joined stand side by side, in one order on both sides, and at
  /// most four batch axes remain.
  func arrangingProducts() -> Graph {
    rewritten(subgraphs: { $0.arrangingProducts() }) { editor, node, operands in
      guard case let .dot(d) = node.operation else { return nil }
      let shapes = operands.map { editor.type($0).shape }
      let order = d.lhsContracting.indices.sorted { d.lhsContracting[$0] < d.lhsContracting[$1] }
      let lhsContracting = order.map { d.lhsContracting[$0] }
      let rhsContracting = order.map { d.rhsContracting[$0] }
      let lhsFree = d.lhsFree(rank: shapes[0].rank)
      let rhsFree = d.rhsFree(rank: shapes[1].rank)
      let longBatch = d.lhsBatch.indices.filter { shapes[0][d.lhsBatch[$0]] != 1 }
      let joinsBatch = longBatch.count > 4
      let keepsLeft = !joinsBatch && stand(lhsFree, in: shapes[0]) && stand(lhsContracting, in: shapes[0])
      let keepsRight = !joinsBatch && stand(rhsFree, in: shapes[1]) && stand(rhsContracting, in: shapes[1])
      if keepsLeft && keepsRight && lhsContracting == d.lhsContracting { return nil }

      func arranged(_ v: ValueID, _ shape: Shape, keeps: Bool, _ batch: [Int], _ free: [Int], _ contracting: [Int]) -> (
        ValueID, [Int], [Int]
      ) {
        if keeps { return (v, batch, contracting) }
        let axes = batch + free + contracting
        let moved = axes == Array(axes.indices) ? v : editor.make(.transpose(axes), [v], node.callSite)
        let k = batch.count
        guard joinsBatch else { return (moved, Array(0..<k), Array(k + free.count..<axes.count)) }
        let lengths = axes.map { shape[$0] }
        let joined = [lengths[0..<k].reduce(1, *)] + lengths[k...]
        return (editor.make(.reshape(Shape(joined)), [moved], node.callSite), [0], Array(1 + free.count..<joined.count))
      }
      let (a, aBatch, aContracting) = arranged(operands[0], shapes[0], keeps: keepsLeft, d.lhsBatch, lhsFree, lhsContracting)
      let (b, bBatch, bContracting) = arranged(operands[1], shapes[1], keeps: keepsRight, d.rhsBatch, rhsFree, rhsContracting)
      let product = editor.make(
        .dot(DotDimensions(lhsBatch: aBatch, rhsBatch: bBatch, lhsContracting: aContracting, rhsContracting: bContracting)),
        [a, b], node.callSite)
      let shape = types[node.firstResult.int].shape
      return [editor.type(product).shape == shape ? product : editor.make(.reshape(shape), [product], node.callSite)]
    }
  }
}

/// Whether axes follow one another, axes of length 1 aside.
private func stand(_ axes: [Int], in shape: Shape) -> Bool {
  let long = axes.filter { shape[$0] != 1 }
  for (a, b) in zip(long, long.dropFirst()) {
    if b < a { return false }
    for between in a + 1..<b where shape[between] != 1 { return false }
  }
  return true
}
