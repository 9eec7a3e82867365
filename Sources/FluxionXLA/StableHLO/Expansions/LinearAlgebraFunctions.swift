// Factorisations in loops of products and choices, all matrices of a batch at once. They take any matrix; a matrix that is not finite
// gives NaN in its own results.

internal import FluxionCore

extension LinearAlgebra {
  func expanded(_ x: [Tensor]) -> [Tensor] {
    let batch = Shape(Array(x[0].shape.dropLast(2)))
    let (m, n) = (x[0].shape[x[0].rank - 2], x[0].shape[x[0].rank - 1])
    let given = x[0].reshaped(to: [batch.elementCount, m, n])
    let isFinite = FluxionCore.isFinite(given).all(alongAxes: [1, 2])
    let a = select(isFinite.reshaped(to: [batch.elementCount, 1, 1]), given, Tensor.zeros([], as: given.elementType))
    let results: [Tensor]
    switch self {
    case .lu: results = luFactors(a)
    case let .qr(full): results = qrFactors(a, isFull: full)
    case .eigh: results = hermitianEigen(a)
    case let .svd(full): results = singularValueFactors(a, isFull: full)
    case .schur: results = schurFactors(a)
    case .eig: results = eigenFactors(a.elementType.isComplex ? a : complex(a, Tensor.zeros(a.shape, as: a.elementType)))
    case .cholesky, .triangularSolve: preconditionFailure("\(name) has a counterpart in StableHLO")
    }
    return results.map { result in
      let condition = isFinite.reshaped(to: Shape([batch.elementCount] + [Int](repeating: 1, count: result.rank - 1)))
      let otherwise =
        result.elementType == .int32 ? iota(result.shape, alongAxis: result.rank - 1) : notANumber(result.elementType)
      return select(condition, result, otherwise).reshaped(to: batch + Shape(Array(result.shape.dropFirst())))
    }
  }
}

func notANumber(_ type: ElementType) -> Tensor {
  let nan = Tensor(Double.nan, as: type.realPart)
  return type.isComplex ? complex(nan, nan) : nan
}

// MARK: - Matrices of a batch `[b, m, n]`

extension Tensor {
  var rows: Int { shape[1] }
  var columns: Int { shape[2] }
  var turned: Tensor { transposed([0, 2, 1]).conjugate() }
  /// The sum of the moduli of the parts, by which pivots are compared as LAPACK does: squares would leave the type.
  func sizes() -> Tensor { elementType.isComplex ? abs(real) + abs(imaginary) : abs(self) }
  func squaredMagnitudes() -> Tensor { elementType.isComplex ? real * real + imaginary * imaginary : self * self }
  /// Real numbers as numbers of this tensor's type.
  func number(_ x: Tensor) -> Tensor { elementType.isComplex ? complex(x, Tensor.zeros(x.shape, as: x.elementType)) : x }
  /// The column at a place known at run time, `[b, m, 1]`.
  func column(at place: Tensor) -> Tensor { dynamicSlice(start: [Tensor(Int32(0)), Tensor(Int32(0)), place], sizes: [shape[0], rows, 1]) }
  /// Whole columns in the order that `places` `[b, k]` names.
  func takingColumns(_ places: Tensor) -> Tensor {
    apply1(.gather(batch: 1), transposed([0, 2, 1]), places.expanded(at: 2)).transposed([0, 2, 1])
  }
  /// The largest absolute value of each matrix `[b, 1, 1]`, 1 for zeros.
  func scales() -> Tensor {
    if rows == 0 || columns == 0 { return Tensor.ones([shape[0], 1, 1], as: elementType.realPart) }
    let largest = abs(self).max(alongAxes: [1, 2], keepingAxes: true)
    return select(largest .== 0, 1, largest)
  }
}

/// x / |x|, and 1 for 0.
func direction(_ x: Tensor) -> Tensor {
  let size = abs(x)
  let isZero = size .== 0
  return select(isZero, x.number(Tensor.ones(size.shape, as: size.elementType)), x / x.number(select(isZero, 1, size)))
}

// MARK: - LU

/// Gauss's elimination; the pivot is the first of the largest elements left in its column.
private func luFactors(_ a: Tensor) -> [Tensor] {
  let (b, m, n) = (a.shape[0], a.rows, a.columns)
  let row = iota([b, m], alongAxis: 1)
  let results = scan(count: Swift.min(m, n), from: [a, row]) { state, k in
    let (a, permutation) = (state[0], state[1])
    let size = a.column(at: k).squeezed([2]).sizes()
    let pivot = select(row .< k, -1, size).argmax(alongAxis: 1).expanded(at: 1)
    let order = select(row .== k, pivot, select(row .== pivot, k, row))
    let swapped = apply1(.gather(batch: 1), a, order.expanded(at: 2))
    let turned = apply1(.gather(batch: 1), permutation, order.expanded(at: 2))
    let pivots = swapped.dynamicSlice(start: [Tensor(Int32(0)), k, Tensor(Int32(0))], sizes: [b, 1, n])
    let diagonal = pivots.column(at: k)
    let column = swapped.column(at: k)
    let isBelow = (row .> k).expanded(at: 2) .& (diagonal .!= Tensor.zeros([], as: a.elementType))
    let factors = select(isBelow, column / select(isBelow, diagonal, Tensor.ones([], as: a.elementType)), Tensor.zeros([], as: a.elementType))
    let place = iota([1, 1, n], alongAxis: 2)
    let reduced = swapped - factors * select(place .> k, pivots, Tensor.zeros([], as: a.elementType))
    return [select(isBelow .& (place .== k), factors, reduced), turned]
  }
  return results
}

// MARK: - QR

/// Householder's reflections, one column after another; then phases that make the diagonal of R real and not negative.
private func qrFactors(_ a: Tensor, isFull: Bool) -> [Tensor] {
  let (b, m, n) = (a.shape[0], a.rows, a.columns)
  let k = Swift.min(m, n)
  let scales = a.scales()
  let row = iota([1, m, 1], alongAxis: 1)
  let identity = eye(m, as: a.elementType).broadcast(to: [b, m, m])
  let zero = Tensor.zeros([], as: a.elementType)
  let factors = scan(count: Swift.min(m - 1, n), from: [a / a.number(scales), identity]) { state, place in
    let (r, q) = (state[0], state[1])
    let x = select(row .>= place, r.column(at: place), zero)
    let length = sqrt(x.squaredMagnitudes().sum(alongAxis: 1, keepingAxes: true))
    let head = select(row .== place, x, zero)
    let v = x + select(row .== place, direction(head) * a.number(length), zero)
    let size = v.squaredMagnitudes().sum(alongAxis: 1, keepingAxes: true)
    let scaled = v * a.number(select(size .== 0, 0, 2 / select(size .== 0, 1, size)))
    return [r - scaled.matmul(v.turned.matmul(r)), q - q.matmul(v).matmul(scaled.turned)]
  }
  let isDiagonal = iota([1, m, n], alongAxis: 1) .== iota([1, m, n], alongAxis: 2)
  let isUpper = iota([1, m, n], alongAxis: 1) .<= iota([1, m, n], alongAxis: 2)
  let phases = direction(factors[0].sliced(start: [0, 0, 0], limit: [b, k, k]).diagonal())
  let rest = Tensor.ones([b, m - k], as: a.elementType)
  let turns = concatenated(phases, rest, alongAxis: 1)
  let r = factors[0] * turns.conjugate().expanded(at: 2) * a.number(scales)
  let real = select(isDiagonal, a.number(abs(r)), select(isUpper, r, zero))
  let q = factors[1] * turns.expanded(at: 1)
  let count = isFull ? m : k
  return [q.sliced(0..<count, alongAxis: 2), real.sliced(0..<count, alongAxis: 1)]
}

// MARK: - Jacobi's rotations

/// The rotations of n/2 pairs of columns at once: columns i and n/2 + i, each pair by an angle of its own.
///
/// After every round the columns move one place on around a circle whose first place stays, so that after n - 1 rounds all pairs have
/// met and all columns are back.
///
/// > R. Brent, F. Luk. "The solution of singular-value and symmetric eigenvalue problems on multiprocessor arrays." *SIAM J. Sci. Stat.
/// > Comput.* 6(1), 1985.
private struct Rotations {
  let cosine: Tensor
  let sine: Tensor

  /// By half the angle, at most π/4, whose tangent is 2|c| / (b - a): they make [[a, c], [c̄, b]] diagonal. All `[b, n/2]`; none where
  /// `isNeeded` is false.
  init(_ a: Tensor, _ b: Tensor, _ c: Tensor, isNeeded: Tensor) {
    let size = abs(c)
    let safe = select(isNeeded, size, 1)
    let slope = (b - a) / (2 * safe)
    // Not slope², which may overflow.
    let far = abs(slope) .> 1e15
    let near = select(far, 0, slope)
    let direction = select(slope .< 0, -1, Tensor.ones(slope.shape, as: slope.elementType))
    let tangent = select(far, 0.5 / select(far, slope, 1), direction / (abs(near) + sqrt(1 + near * near)))
    let t = select(isNeeded, tangent, 0)
    cosine = rsqrt(1 + t * t)
    sine = c.number(t * cosine) * (c / c.number(safe))
  }

  /// Turns columns i and h + i of `[b, m, 2h]`.
  func turningColumns(_ x: Tensor) -> Tensor {
    let h = x.columns / 2
    let (p, q) = (x.sliced(0..<h, alongAxis: 2), x.sliced(h..<2 * h, alongAxis: 2))
    let (c, s) = (x.number(cosine).expanded(at: 1), sine.expanded(at: 1))
    return concatenated(c * p - s.conjugate() * q, s * p + c * q, alongAxis: 2)
  }

  func turningRows(_ x: Tensor) -> Tensor {
    let h = x.rows / 2
    let (p, q) = (x.sliced(0..<h, alongAxis: 1), x.sliced(h..<2 * h, alongAxis: 1))
    let (c, s) = (x.number(cosine).expanded(at: 2), sine.expanded(at: 2))
    return concatenated(c * p - s * q, s.conjugate() * p + c * q, alongAxis: 1)
  }

  /// One place on around the circle.
  static func movedOn(_ x: Tensor, _ axis: Int) -> Tensor {
    let n = x.shape[axis]
    let h = n / 2
    if h < 2 { return x }
    let parts = [0..<1, h..<h + 1, 1..<h - 1, h + 1..<n, h - 1..<h].filter { !$0.isEmpty }
    return concatenated(parts.map { x.sliced($0, alongAxis: axis) }, alongAxis: axis)
  }
}

/// Rotations come in pairs of columns: an odd number gets one more, of zeros, which no rotation touches.
private func evenly(_ x: Tensor, rows: Bool) -> Tensor {
  let more = x.columns % 2
  return more == 0 ? x : x.padded(low: [0, 0, 0], high: [0, rows ? more : 0, more], with: Tensor.zeros([], as: x.elementType))
}

private let sweepLimit = 60

/// Jacobi's rotations of the Hermitian matrix that the lower triangle gives, until nothing but the diagonal is left.
private func hermitianEigen(_ a: Tensor) -> [Tensor] {
  let (b, n) = (a.shape[0], a.rows)
  let scales = a.scales()
  let (row, column) = (iota([1, n, n], alongAxis: 1), iota([1, n, n], alongAxis: 2))
  let lower = select(row .>= column, a / a.number(scales), Tensor.zeros([], as: a.elementType))
  let hermitian = select(row .== column, a.number(lower.real), select(row .> column, lower, lower.turned))
  let start = evenly(hermitian, rows: true)
  let size = start.columns
  let h = size / 2
  let isDiagonal = iota([1, size, size], alongAxis: 1) .== iota([1, size, size], alongAxis: 2)
  let distance = iota([1, size, size], alongAxis: 1) - iota([1, size, size], alongAxis: 2)
  let isPair = abs(distance) .== Tensor(Int32(h))
  let zero = Tensor.zeros([], as: a.elementType)
  func outside(_ x: Tensor) -> Tensor { select(isDiagonal, 0, x.squaredMagnitudes()).sum(alongAxes: [1, 2]) }
  let enough = Tensor(a.elementType.ulpOfOne * a.elementType.ulpOfOne, as: a.elementType.realPart) * start.squaredMagnitudes().sum(alongAxes: [1, 2])
  let vectors = eye(size, as: a.elementType).broadcast(to: [b, size, size])
  let result = whileLoop(
    from: [start, vectors, Tensor(Int32(0))],
    while: { state in (outside(state[0]) .> enough).any() .& (state[2] .< Tensor(Int32(sweepLimit))) },
    do: { state in
      let turned = scan(count: size - 1, from: [state[0], state[1]]) { state, _ in
        let diagonal = state[0].diagonal().real
        let corner = state[0].sliced(start: [0, 0, h], limit: [b, h, size]).diagonal()
        let rotations = Rotations(
          diagonal.sliced(0..<h, alongAxis: 1), diagonal.sliced(h..<size, alongAxis: 1), corner, isNeeded: abs(corner) .!= 0)
        let x = select(isPair, zero, rotations.turningRows(rotations.turningColumns(state[0])))
        return [
          Rotations.movedOn(Rotations.movedOn(x, 1), 2), Rotations.movedOn(rotations.turningColumns(state[1]), 2),
        ]
      }
      return turned + [state[2] + 1]
    })
  let values = result[0].diagonal().real.sliced(0..<n, alongAxis: 1)
  let order = values.argsort(alongAxis: 1)
  let kept = result[1].sliced(start: [0, 0, 0], limit: [b, n, n])
  return [apply1(.gather(batch: 1), values, order.expanded(at: 2)) * scales.reshaped(to: [b, 1]), kept.takingColumns(order)]
}

/// Columns turned against each other until all are at right angles: their lengths are the singular values. Left vectors are the
/// columns' directions, completed by Householder's reflections.
private func singularValueFactors(_ a: Tensor, isFull: Bool) -> [Tensor] {
  guard a.rows >= a.columns else {
    let factors = singularValueFactors(a.turned, isFull: isFull)
    return [factors[2].turned, factors[1], factors[0].turned]
  }
  let (b, n) = (a.shape[0], a.columns)
  if n == 0 { return [qrFactors(a, isFull: isFull)[0], Tensor.zeros([b, 0], as: a.elementType.realPart), Tensor.zeros([b, 0, 0], as: a.elementType)] }
  let scales = a.scales()
  let start = evenly(a / a.number(scales), rows: false)
  let size = start.columns
  let h = size / 2
  let vectors = eye(size, as: a.elementType).broadcast(to: [b, size, size])
  let least = Tensor(a.elementType.ulpOfOne / 4, as: a.elementType.realPart)
  let result = whileLoop(
    from: [start, vectors, Tensor(Int32(0)), Tensor(true)],
    while: { $0[3] .& ($0[2] .< Tensor(Int32(sweepLimit))) },
    do: { state in
      let turned = scan(count: size - 1, from: [state[0], state[1], Tensor(false)]) { state, _ in
        let (p, q) = (state[0].sliced(0..<h, alongAxis: 2), state[0].sliced(h..<size, alongAxis: 2))
        let product = (p.conjugate() * q).sum(alongAxis: 1)
        let (x, y) = (p.squaredMagnitudes().sum(alongAxis: 1), q.squaredMagnitudes().sum(alongAxis: 1))
        let isNeeded = abs(product) .> least * sqrt(x) * sqrt(y)
        let rotations = Rotations(x, y, product, isNeeded: isNeeded)
        return [
          Rotations.movedOn(rotations.turningColumns(state[0]), 2), Rotations.movedOn(rotations.turningColumns(state[1]), 2),
          state[2] .| isNeeded.any(),
        ]
      }
      return [turned[0], turned[1], state[2] + 1, turned[2]]
    })
  let columns = result[0].sliced(0..<n, alongAxis: 2)
  let lengths = sqrt(columns.squaredMagnitudes().sum(alongAxis: 1))
  let order = lengths.argsort(alongAxis: 1, descending: true)
  let right = result[1].sliced(start: [0, 0, 0], limit: [b, n, n]).takingColumns(order)
  let left = qrFactors(columns.takingColumns(order), isFull: isFull)[0]
  return [left, apply1(.gather(batch: 1), lengths, order.expanded(at: 2)) * scales.reshaped(to: [b, 1]), right.turned]
}
