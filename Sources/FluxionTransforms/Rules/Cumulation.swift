import FluxionCore

/// The tangent of running reductions: x the operand, r the result, t the tangent.
func cumulationTangent(_ reduction: Reduction, _ axis: Int, _ reverse: Bool, _ x: Tensor, _ r: Tensor, _ t: Tensor) -> Tensor? {
  switch reduction {
  case .sum: return apply1(.cumulate(.sum, axis: axis, reverse: reverse), t)
  case .product:
    // The product rule for all prefixes: no division, so exact at zeros, and differentiable again.
    let products = associativeScan(over: [x, t], alongAxis: axis, reverse: reverse) { (a: [Tensor], b: [Tensor]) -> [Tensor] in
      let slope: Tensor = a[1] * b[0] + a[0] * b[1]
      return [a[0] * b[0], slope]
    }
    return products[1]
  case .minimum, .maximum:
    // Each place takes the tangent of the last record up to it.
    let n = x.shape[axis]
    guard n > 0 else { return t }
    let before = reverse ? r.sliced(1..<n, alongAxis: axis) : r.sliced(0..<n - 1, alongAxis: axis)
    let after = reverse ? r.sliced(0..<n - 1, alongAxis: axis) : r.sliced(1..<n, alongAxis: axis)
    let places = iota(x.shape, alongAxis: axis)
    func part(_ range: Range<Int>) -> Tensor { places.sliced(range, alongAxis: axis) }
    let isRecord = after .!= before
    let order: Reduction = reverse ? .minimum : .maximum
    let records =
      reverse
      ? concatenated(select(isRecord, part(0..<n - 1), Tensor(Int32(n - 1))), part(n - 1..<n), alongAxis: axis)
      : concatenated(part(0..<1), select(isRecord, part(1..<n), Tensor(Int32(0))), alongAxis: axis)
    return t.gatheredAlong(axis, apply1(.cumulate(order, axis: axis, reverse: reverse), records))
  case .all, .any: return nil
  }
}
