// Products: general dot, matrix product, einsum.

extension Tensor {
  /// The product over one pair of axes: by default the last of this tensor and the first of `other`, so that vectors give their
  /// inner product and matrices the matrix product. The result has this tensor's other axes, then `other`'s.
  public func dot(_ other: Tensor) -> Tensor {
    let (a, b) = promotedPair(self, other)
    guard a.rank > 0 && b.rank > 0 else { return a * b }
    return apply1(.dot(DotDimensions(lhsContracting: [a.rank - 1], rhsContracting: [0])), a, b)
  }

  /// The product over named pairs of axes, with batch axes; see ``DotDimensions``.
  public func dot(_ other: Tensor, _ dimensions: DotDimensions) -> Tensor {
    let (a, b) = promotedPair(self, other)
    return apply1(.dot(dimensions), a, b)
  }

  /// The matrix product of the last two axes, the others broadcast (NumPy's `@`).
  public func matmul(_ other: Tensor) -> Tensor {
    var (a, b) = promotedPair(self, other)
    guard a.rank > 0 && b.rank > 0 else {
      return reject1("matmul", "\(a.type) and \(b.type): scalars have no matrix product; use *.", like: a.type)
    }
    if b.rank == 1 || (a.rank <= 2 && b.rank == 2) || a.rank == 1 && b.rank == 2 {
      return apply1(.dot(DotDimensions(lhsContracting: [a.rank - 1], rhsContracting: [Swift.max(0, b.rank - 2)])), a, b)
    }
    if b.rank == 2 { return apply1(.dot(DotDimensions(lhsContracting: [a.rank - 1], rhsContracting: [0])), a, b) }
    let wasVector = a.rank == 1
    if wasVector { a = a.expanded(at: 0) }
    let (ab, bb) = (Shape(Array(a.shape.dropLast(2))), Shape(Array(b.shape.dropLast(2))))
    guard let batch = Shape.broadcast(ab, bb) else {
      return reject1("matmul", "the leading axes \(ab) and \(bb) cannot be broadcast together.", like: a.type)
    }
    a = a.broadcast(to: batch + Shape(Array(a.shape.suffix(2))))
    b = b.broadcast(to: batch + Shape(Array(b.shape.suffix(2))))
    let n = batch.rank
    let axes = Array(0..<n)
    let product = apply1(.dot(DotDimensions(lhsBatch: axes, rhsBatch: axes, lhsContracting: [n + 1], rhsContracting: [n])), a, b)
    return wasVector ? product.squeezed([n]) : product
  }
}

package func promotedPair(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
  let x = a.resolved(meeting: b.elementType)
  let y = b.resolved(meeting: x.elementType)
  let common = ElementType.promoted(x.elementType, y.elementType)
  return (x.converted(to: common), y.converted(to: common))
}

/// Outer product of two vectors.
public func outer(_ a: Tensor, _ b: Tensor) -> Tensor { a.expanded(at: 1) * b.expanded(at: 0) }

/// Einstein's summation: `einsum("bij,bjk->bik", a, b)`. Letters that the output lacks are summed over; without `->` the output has
/// the letters that occur once, in alphabetical order. One to any number of operands, multiplied from the left.
public func einsum(_ equation: String, _ operands: Tensor...) -> Tensor {
  let sides = equation.filter { $0 != " " }.split(separator: ">", omittingEmptySubsequences: false)
  let left = String(sides[0]).replacing("-", with: "")
  let terms = left.split(separator: ",", omittingEmptySubsequences: false).map { Array($0) }
  guard terms.count == operands.count, sides.count <= 2 else {
    return reject1("einsum", "\"\(equation)\" names \(terms.count) operands, but \(operands.count) were given.")
  }
  var lengths: [Character: Int] = [:]
  for (term, x) in zip(terms, operands) {
    guard term.count == x.rank, term.allSatisfy(\.isLetter) else {
      return reject1("einsum", "term \"\(String(term))\" of \"\(equation)\" does not name the \(x.rank) axes of \(x.shape).", like: x.type)
    }
    for (letter, n) in zip(term, x.shape) {
      if let known = lengths[letter], known != n {
        return reject1("einsum", "axis \(letter) of \"\(equation)\" has both \(known) and \(n) elements.", like: x.type)
      }
      lengths[letter] = n
    }
  }
  let all = terms.flatMap { $0 }
  let output =
    sides.count == 2
    ? Array(sides[1]) : Array(Set(all)).filter { c in all.filter { $0 == c }.count == 1 }.sorted()
  guard Set(output).count == output.count, output.allSatisfy({ lengths[$0] != nil }) else {
    return reject1("einsum", "the output of \"\(equation)\" must name letters of the operands, each once.")
  }
  var (current, letters) = takeDiagonals(operands[0], terms[0])
  for i in 1..<Swift.max(1, operands.count) {
    let (next, nextLetters) = takeDiagonals(operands[i], terms[i])
    let later = Set(output).union(terms.dropFirst(i + 1).flatMap { $0 })
    let shared = letters.filter { nextLetters.contains($0) }
    let batch = shared.filter { later.contains($0) }
    let contracted = shared.filter { !later.contains($0) }
    func places(_ wanted: [Character], in own: [Character]) -> [Int] { wanted.map { own.firstIndex(of: $0)! } }
    let dims = DotDimensions(
      lhsBatch: places(batch, in: letters), rhsBatch: places(batch, in: nextLetters),
      lhsContracting: places(contracted, in: letters), rhsContracting: places(contracted, in: nextLetters))
    let result = current.dot(next, dims)
    letters = batch + letters.filter { !shared.contains($0) } + nextLetters.filter { !shared.contains($0) }
    current = result
  }
  let summed = letters.indices.filter { !output.contains(letters[$0]) }
  if !summed.isEmpty {
    current = current.sum(alongAxes: summed)
    letters = letters.filter { output.contains($0) }
  }
  return current.transposed(output.map { letters.firstIndex(of: $0)! })
}

/// Replaces repeated letters of one term by the diagonal over their axes.
private func takeDiagonals(_ x: Tensor, _ letters: [Character]) -> (Tensor, [Character]) {
  var (x, letters) = (x.resolved(meeting: nil), letters)
  while let second = letters.indices.first(where: { i in letters[..<i].contains(letters[i]) }) {
    let first = letters.firstIndex(of: letters[second])!
    let mask = iota(x.shape, alongAxis: first) .== iota(x.shape, alongAxis: second)
    x = select(mask, x, 0).sum(alongAxis: second)
    letters.remove(at: second)
  }
  return (x, letters)
}
