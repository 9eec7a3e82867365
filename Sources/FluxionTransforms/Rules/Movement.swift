import FluxionCore

// Operations that move elements are linear in what they move: the tangent goes the same way.

func movementTangent(_ operation: Operation, _ x: [Tensor], _ r: Tensor, _ t: [Tensor?]) -> Tensor? {
  switch operation {
  case .broadcast, .reshape, .transpose, .slice, .reverse:
    return apply1(operation, t[0]!)
  case .dynamicSlice, .gather:
    return t[0].map { apply1(operation, [$0] + x.dropFirst()) }
  case .dynamicUpdateSlice:
    return apply1(operation, [t[0] ?? zerosLike(x[0]), t[1] ?? zerosLike(x[1])] + x.dropFirst(2))
  case .pad, .concatenate:
    return apply1(operation, zip(x, t).map { $1 ?? zerosLike($0) })
  case let .scatter(mode, batch): return scatterTangent(mode, batch, x, r, t[0], t[2])
  default: return nil  // sources and integer results
  }
}

/// Tangent of a scatter: x and updates u at places i.
private func scatterTangent(_ mode: ScatterMode, _ batch: Int, _ x: [Tensor], _ r: Tensor, _ tx: Tensor?, _ tu: Tensor?) -> Tensor? {
  let (operand, places, updates) = (x[0], x[1], x[2])
  func scatter(_ mode: ScatterMode, _ a: Tensor, _ u: Tensor) -> Tensor { apply1(.scatter(mode, batch: batch), a, places, u) }
  func gather(_ a: Tensor) -> Tensor { apply1(.gather(batch: batch), a, places) }
  let (ta, tb) = (tx ?? zerosLike(operand), tu ?? zerosLike(updates))
  switch mode {
  case .add: return scatter(.add, ta, tb)
  case .set: return scatter(.set, ta, tb)
  case .minimum, .maximum:
    // Equal extremes share the derivative, as in a reduction.
    let (fromX, fromU) = ((operand .== r).converted(to: r.elementType), (updates .== gather(r)).converted(to: r.elementType))
    let sharers = scatter(.add, fromX, fromU)
    return scatter(.add, fromX * ta, fromU * tb) / maximum(sharers, 1)
  case .multiply:
    // r = x Π u. Each factor's slope is the product of the others, found without dividing by zeros.
    let one = Tensor(1, as: r.elementType)
    let (xZero, uZero) = (operand .== 0, updates .== 0)
    let (x1, u1) = (select(xZero, one, operand), select(uZero, one, updates))
    let product = scatter(.multiply, x1, u1)
    let zeros = scatter(.add, xZero.converted(to: r.elementType), uZero.converted(to: r.elementType))
    func slope(_ factor: Tensor, _ isZero: Tensor, _ product: Tensor, _ zeros: Tensor) -> Tensor {
      select(isZero, select(zeros .== 1, product, 0), select(zeros .== 0, product / factor, 0))
    }
    return scatter(.add, ta * slope(x1, xZero, product, zeros), tb * slope(u1, uZero, gather(product), gather(zeros)))
  }
}

/// Sorting moves tangents with their elements: the places come from sorting an index along.
func sortTangents(_ axis: Int, _ descending: Bool, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let sorted = apply(.sort(axis: axis, descending: descending), x + [iota(x[0].shape, alongAxis: axis)])
  guard sorted.count == x.count + 1 else { return (sorted, t) }
  let places = sorted[x.count]
  return (Array(sorted.dropLast()), t.map { $0.map { $0.gatheredAlong(axis, places) } })
}
