import FluxionCore

// Reductions and products.

func contractionTangent(_ operation: Operation, _ x: [Tensor], _ r: Tensor, _ t: [Tensor?]) -> Tensor? {
  switch operation {
  case let .reduce(reduction, axes):
    let t = t[0]!
    switch reduction {
    case .sum: return apply1(operation, t)
    case .minimum, .maximum:
      // Equal extremes share the derivative. Selected, not multiplied, so that other tangents may be anything.
      let winners = x[0] .== spread(r, over: x[0].shape, axes)
      let count = winners.converted(to: r.elementType).sum(alongAxes: axes)
      return select(winners, t, 0).sum(alongAxes: axes) / count
    case .product: return productTangent(x[0], t, axes)
    case .all, .any: return nil
    }
  case .dot, .convolution:
    return sum(t[0].map { apply1(operation, $0, x[1]) }, t[1].map { apply1(operation, x[0], $0) })
  default: preconditionFailure("\(operation.name) is not a contraction")
  }
}

/// A reduction's result brought back to the operand's shape.
func spread(_ r: Tensor, over shape: Shape, _ axes: [Int]) -> Tensor {
  r.broadcast(to: shape, axes: (0..<shape.rank).filter { !axes.contains($0) })
}

/// The product rule over a tree of pairs: exact at zeros and differentiable again, where r/x would be neither.
private func productTangent(_ x: Tensor, _ t: Tensor, _ axes: [Int]) -> Tensor {
  let kept = (0..<x.rank).filter { !axes.contains($0) }
  let shape = Shape(kept.map { x.shape[$0] })
  let n = axes.reduce(1) { $0 * x.shape[$1] }
  guard n > 0 else { return Tensor.zeros(shape, as: x.elementType) }
  var values = x.transposed(axes + kept).reshaped(to: [n] + shape)
  var slopes = t.transposed(axes + kept).reshaped(to: [n] + shape)
  var count = n
  while count > 1 {
    let half = count / 2
    func part(_ a: Tensor, _ range: Range<Int>) -> Tensor { a.sliced(range, alongAxis: 0) }
    let (a, b) = (part(values, 0..<half), part(values, half..<2 * half))
    let (ta, tb) = (part(slopes, 0..<half), part(slopes, half..<2 * half))
    var (v, s) = (a * b, ta * b + tb * a)
    if count % 2 == 1 {
      v = concatenated(v, part(values, 2 * half..<count), alongAxis: 0)
      s = concatenated(s, part(slopes, 2 * half..<count), alongAxis: 0)
    }
    (values, slopes, count) = (v, s, half + count % 2)
  }
  return slopes.reshaped(to: shape)
}
