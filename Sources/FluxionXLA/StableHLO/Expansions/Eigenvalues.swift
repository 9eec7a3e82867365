internal import FluxionCore

// Eigenvalues of matrices that need not be Hermitian, in complex numbers, all matrices of a batch `[b, n, n]` at once. Each goes its own
// way: what is done in a step is chosen by masks.

/// A = Q T Qᴴ with T upper triangular: Hessenberg's form by Householder's reflections, then QR steps with Wilkinson's shift, which
/// split off one eigenvalue after another. A matrix that takes too many steps gives NaN.
///
/// > G. Golub, C. Van Loan. *Matrix Computations*, 4th edition, 2013, algorithms 7.4.2 and 7.5.2, in complex form.
func schurFactors(_ a: Tensor) -> [Tensor] {
  let (b, n) = (a.shape[0], a.rows)
  let scales = a.scales()
  let identity = eye(n, as: a.elementType).broadcast(to: [b, n, n])
  if n == 1 { return [a, identity] }
  let (h, q) = hessenberg(a / a.number(scales), identity)
  let last = Tensor.full(Double(n - 1), [b], as: .int32)
  let zeroSteps = Tensor.zeros([b], as: .int32)
  // Some three steps for an eigenvalue are usual.
  let limit = Tensor(Int32(60 * (n + 1)))
  let state = whileLoop(
    from: [h, q, last, zeroSteps, Tensor(Int32(0))], while: { ($0[2] .> Tensor(Int32(0))).any() .& ($0[4] .< limit) },
    do: { shiftedStep($0) })
  let isUpper = iota([1, n, n], alongAxis: 1) .<= iota([1, n, n], alongAxis: 2)
  let isFound = (state[2] .<= Tensor(Int32(0))).reshaped(to: [b, 1, 1])
  let zero = Tensor.zeros([], as: a.elementType)
  let t = select(isUpper, state[0] * a.number(scales), zero)
  return [t, state[1]].map { select(isFound, $0, notANumber(a.elementType)) }
}

/// Values, and vectors of length 1: those of T by back substitution, turned by Q. Equal eigenvalues are treated as if they differed by
/// rounding.
func eigenFactors(_ a: Tensor) -> [Tensor] {
  let (b, n) = (a.shape[0], a.rows)
  let factors = schurFactors(a)
  let (t, q) = (factors[0], factors[1])
  let values = t.diagonal()
  let least = maximum(
    abs(t).max(alongAxes: [1, 2], keepingAxes: true) * Tensor(a.elementType.ulpOfOne, as: a.elementType.realPart),
    Tensor(a.elementType == .complex64 ? 1e-30 : 1e-300, as: a.elementType.realPart))
  let place = iota([1, 1, n], alongAxis: 2)
  let zero = Tensor.zeros([], as: a.elementType)
  let identity = eye(n, as: a.elementType).broadcast(to: [b, n, n])
  // Row i of all vectors from the rows below it.
  let y = scan(over: arange(n), from: [identity], reverse: true) { state, i in
    let start = [Tensor(Int32(0)), i, Tensor(Int32(0))]
    let row = select(place .> i, t.dynamicSlice(start: start, sizes: [b, 1, n]), zero)
    let own = values.expanded(at: 1).column(at: i)
    let gap = own - values.expanded(at: 1)
    let isClose = abs(gap) .< least
    let found = -row.matmul(state[0]) / select(isClose, a.number(least), gap)
    return [state[0].replacingWindow(at: start, with: select(place .> i, found, state[0].dynamicSlice(start: start, sizes: [b, 1, n])))]
  }[0]
  let vectors = q.matmul(y)
  let lengths = sqrt(vectors.squaredMagnitudes().sum(alongAxis: 1, keepingAxes: true))
  return [values, vectors / a.number(lengths)]
}

/// Qᴴ A Q with zeros below the first subdiagonal.
private func hessenberg(_ a: Tensor, _ identity: Tensor) -> (h: Tensor, q: Tensor) {
  let n = a.rows
  let row = iota([1, n, 1], alongAxis: 1)
  let zero = Tensor.zeros([], as: a.elementType)
  let results = scan(count: Swift.max(0, n - 2), from: [a, identity]) { state, k in
    let x = select(row .> k, state[0].column(at: k), zero)
    let length = sqrt(x.squaredMagnitudes().sum(alongAxis: 1, keepingAxes: true))
    let isHead = row .== k + 1
    let v = x + select(isHead, direction(select(isHead, x, zero)) * a.number(length), zero)
    let size = v.squaredMagnitudes().sum(alongAxis: 1, keepingAxes: true)
    let scaled = v * a.number(select(size .== 0, 0, 2 / select(size .== 0, 1, size)))
    let left = state[0] - scaled.matmul(v.turned.matmul(state[0]))
    return [left - left.matmul(v).matmul(scaled.turned), state[1] - state[1].matmul(v).matmul(scaled.turned)]
  }
  return (results[0], results[1])
}

/// For each matrix: its last eigenvalue is split off, or one QR step T - μ = Q R, T ← R Q + μ is made of its leading block.
///
/// - Parameter state: T, Q, of each matrix the last row of the block at work and the steps made with it, and the number of all steps.
private func shiftedStep(_ state: [Tensor]) -> [Tensor] {
  let (t, q, last, steps) = (state[0], state[1], state[2], state[3])
  let (b, n) = (t.shape[0], t.rows)
  let type = t.elementType
  let one = Tensor(Int32(1))
  let isAtWork = last .> Tensor(Int32(0))
  let high = maximum(last, one)
  // The block's last two rows and columns.
  let pair = concatenated((high - one).expanded(at: 1), high.expanded(at: 1), alongAxis: 1)
  let rows = apply1(.gather(batch: 1), t, pair.expanded(at: 2))
  let corner = rows.takingColumns(pair)
  func entry(_ i: Int, _ j: Int) -> Tensor { corner.sliced(start: [0, i, j], limit: [b, i + 1, j + 1]).reshaped(to: [b]) }
  let (a11, a12, a21, a22) = (entry(0, 0), entry(0, 1), entry(1, 0), entry(1, 1))
  let around = abs(a11) + abs(a22)
  let isSmall = abs(a21) .<= Tensor(type.ulpOfOne, as: type.realPart) * select(around .== 0, 1, around)
  let splits = isAtWork .& isSmall
  let turns = isAtWork .& .!isSmall

  // The eigenvalue of the corner that is nearer to its last element; now and then another number, against cycles.
  let half = (a11 - a22) * 0.5
  let root = sqrt(half * half + a12 * a21)
  let (first, second) = (a22 + half + root, a22 + half - root)
  let nearest = select(abs(first - a22) .<= abs(second - a22), first, second)
  let isTenth = (steps % Tensor(Int32(10))) .== Tensor(Int32(9))
  let shift = select(isTenth, a22 + t.number(abs(a21)), nearest)

  let (row, column) = (iota([1, n, n], alongAxis: 1), iota([1, n, n], alongAxis: 2))
  let edge = last.reshaped(to: [b, 1, 1])
  let shifts = select((row .== column) .& (row .<= edge) .& turns.reshaped(to: [b, 1, 1]), shift.reshaped(to: [b, 1, 1]), Tensor.zeros([], as: type))
  let isEntry = (row .== edge) .& (column .== edge - one) .& splits.reshaped(to: [b, 1, 1])
  let start = select(isEntry, Tensor.zeros([], as: type), t - shifts)
  let zero = Tensor(Int32(0))

  // The rotations of rows k and k + 1 that make the subdiagonal zero, then the same of columns.
  let (reduced, rotations) = scan(over: arange(n - 1), from: [start]) { (state: [Tensor], k: Tensor) -> ([Tensor], [Tensor]) in
    let rows = state[0].dynamicSlice(start: [zero, k, zero], sizes: [b, 2, n])
    let heads = state[0].dynamicSlice(start: [zero, k, k], sizes: [b, 2, 1])
    let (x, y) = (heads.sliced(0..<1, alongAxis: 1), heads.sliced(1..<2, alongAxis: 1))
    let length = sqrt(x.squaredMagnitudes() + y.squaredMagnitudes())
    let isTurned = (turns .& (k .< last)).reshaped(to: [b, 1, 1]) .& (length .> 0)
    let safe = t.number(select(isTurned, length, 1))
    let c = select(isTurned, x / safe, Tensor.ones([], as: type))
    let s = select(isTurned, y / safe, Tensor.zeros([], as: type))
    let (upper, lower) = (rows.sliced(0..<1, alongAxis: 1), rows.sliced(1..<2, alongAxis: 1))
    let turned = concatenated(c.conjugate() * upper + s.conjugate() * lower, c * lower - s * upper, alongAxis: 1)
    return ([state[0].replacingWindow(at: [zero, k, zero], with: turned)], [c, s])
  }
  func columns(_ x: Tensor, _ k: Tensor, _ c: Tensor, _ s: Tensor) -> Tensor {
    let pair = x.dynamicSlice(start: [zero, zero, k], sizes: [b, n, 2])
    let (left, right) = (pair.sliced(0..<1, alongAxis: 2), pair.sliced(1..<2, alongAxis: 2))
    let turned = concatenated(c * left + s * right, c.conjugate() * right - s.conjugate() * left, alongAxis: 2)
    return x.replacingWindow(at: [zero, zero, k], with: turned)
  }
  let turned = scan(over: [arange(n - 1)] + rotations, from: [reduced[0], q]) { state, x in
    state.map { columns($0, x[0], x[1], x[2]) }
  }
  return [
    turned[0] + shifts, turned[1], last - splits.converted(to: .int32), select(splits, Tensor(Int32(0)), steps + one), state[4] + one,
  ]
}
