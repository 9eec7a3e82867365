/// All prefixes of a sequence under an associative function: yᵢ = x₀ ∘ x₁ ∘ … ∘ xᵢ along an axis.
///
/// In 2⌈log₂ n⌉ rounds with fewer than 2n applications of the function: neighbours are combined, the sequence of half the length is
/// scanned, and the places between are filled in. A recurrence such as hᵢ = aᵢ hᵢ₋₁ + bᵢ becomes one by carrying pairs:
///
/// ```swift
/// let (_, h) = associativeScan(over: [a, b]) { p, q in [p[0] * q[0], p[1] * q[0] + q[1]] }
/// ```
///
/// - Parameters:
///   - xs: tensors (any structure) with one length along `axis`.
///   - axis: counted in each tensor; negative ones from the last.
///   - reverse: from the last element to the first: yᵢ = xₙ ∘ … ∘ xᵢ.
///   - combine: of the elements on the left and on the right. It is given many at once, along `axis`, and must work on each by itself, as
///     elementwise functions and products over batches do. Shapes and element types must stay.
/// - Returns: the prefixes, shaped as `xs`. Differentiable to every order in both modes, as far as `combine` is.
///
/// > G. E. Blelloch. "Prefix sums and their applications." CMU-CS-90-190, 1990.
public func associativeScan<Xs: Codable>(
  over xs: Xs, alongAxis axis: Int = 0, reverse: Bool = false, _ combine: (Xs, Xs) -> Xs
) -> Xs {
  let (leaves, structure) = flatten(xs)
  let operands = leaves.map { $0.resolved(meeting: nil) }
  let axes = operands.map { $0.axis(axis, "associativeScan") }
  guard let first = operands.first else {
    trapAtCaller(ProgramError("associativeScan", "there is nothing to scan over: give tensors with an axis."))
  }
  let length = first.shape[axes[0]]
  for (x, a) in zip(operands, axes) where x.shape[a] != length {
    trapAtCaller(
      ProgramError(
        "associativeScan", "the tensors need one length along axis \(axis), but \(x.shape) has \(x.shape[a]) and another \(length)."))
  }
  guard length > 1 else { return xs }
  /// Every second element of the range.
  func part(_ xs: [Tensor], _ start: Int, _ limit: Int) -> [Tensor] {
    zip(xs, axes).map { x, a in
      var (from, to, stride) = ([Int](repeating: 0, count: x.rank), x.shape.dimensions, [Int](repeating: 1, count: x.rank))
      (from[a], to[a], stride[a]) = (start, limit, 2)
      return x.sliced(start: from, limit: to, stride: stride)
    }
  }
  func combined(_ a: [Tensor], _ b: [Tensor]) -> [Tensor] {
    let (first, second) = reverse ? (b, a) : (a, b)
    let (results, s) = flatten(combine(unflatten(Xs.self, structure, first), unflatten(Xs.self, structure, second)))
    guard s == structure, zip(results, a).allSatisfy({ $0.shape == $1.shape && $0.elementType == $1.elementType }) else {
      trapAtCaller(
        ProgramError("associativeScan", "the function must give what it takes: \(a.map(\.type)), but it gives \(results.map(\.type))."))
    }
    return results
  }
  func prefixes(_ xs: [Tensor], _ n: Int) -> [Tensor] {
    guard n > 1 else { return xs }
    let half = n / 2
    // Prefixes that end at odd places; the even ones are one element longer than those before them.
    let odd = prefixes(combined(part(xs, 0, 2 * half), part(xs, 1, 2 * half)), half)
    let first = zip(xs, axes).map { $0.sliced(0..<1, alongAxis: $1) }
    let betweenCount = (n + 1) / 2 - 1
    let before = zip(odd, axes).map { $0.sliced(0..<betweenCount, alongAxis: $1) }
    let between = betweenCount == 0 ? nil : combined(before, part(xs, 2, n))
    return odd.indices.map { i in
      let a = axes[i]
      let even = between.map { concatenated(first[i], $0[i], alongAxis: a) } ?? first[i]
      return interleaved(even, odd[i], a)
    }
  }
  let results = staged(operands) { operands in
    // From the last element to the first is the reversed sequence with the sides exchanged, which `combined` sees to.
    let forward = reverse ? zip(operands, axes).map { $0.reversed(alongAxis: $1) } : operands
    let results = prefixes(forward, length)
    return reverse ? zip(results, axes).map { $0.reversed(alongAxis: $1) } : results
  }
  return unflatten(Xs.self, structure, results)
}

/// a₀ b₀ a₁ b₁ …, where `a` may have one element more.
private func interleaved(_ a: Tensor, _ b: Tensor, _ axis: Int) -> Tensor {
  let pairs = b.shape[axis]
  let whole = stacked([a.sliced(0..<pairs, alongAxis: axis), b], alongAxis: axis + 1)
  var dimensions = b.shape.dimensions
  dimensions[axis] = 2 * pairs
  let result = whole.reshaped(to: Shape(dimensions))
  return a.shape[axis] == pairs ? result : concatenated(result, a.sliced(pairs..<pairs + 1, alongAxis: axis), alongAxis: axis)
}
