/// All operands ordered along `axis` by the first. Equal elements keep their order in both directions; NaN comes last in both; -0
/// and 0 are equal.
func referenceSort(_ x: [ReferenceArray], _ axis: Int, _ descending: Bool) -> [ReferenceArray] {
  let shape = x[0].shape
  let keys: ReferenceArray.Elements = if case .integer = x[0].elements { .integer(x[0].orderedIntegers) } else { x[0].elements }
  let (outer, length) = (shape.prefix(axis).reduce(1, *), shape[axis])
  let inner = shape.dropFirst(axis + 1).reduce(1, *)
  var places = [Int](repeating: 0, count: shape.elementCount)
  for o in 0..<outer {
    for i in 0..<inner {
      let line = (0..<length).map { (o * length + $0) * inner + i }
      // The library's sort is stable, but does not promise it: equal keys are told apart by their places.
      let order = line.sorted { a, b in
        if comesBefore(keys, a, b, descending) { return true }
        return comesBefore(keys, b, a, descending) ? false : a < b
      }
      for (place, source) in zip(line, order) { places[place] = source }
    }
  }
  return x.map { $0.taking(places, $0.type) }
}

private func comesBefore(_ keys: ReferenceArray.Elements, _ a: Int, _ b: Int, _ descending: Bool) -> Bool {
  switch keys {
  case let .real(v):
    if v[a].isNaN || v[b].isNaN { return !v[a].isNaN }
    return descending ? v[a] > v[b] : v[a] < v[b]
  case let .integer(v): return descending ? v[a] > v[b] : v[a] < v[b]
  case .complex: preconditionFailure("complex numbers have no order")
  }
}
