// How the slopes of cubic pieces are chosen. x is [n], y [n, …]; h are the pieces' lengths and δ their mean slopes.

extension CubicSpline {
  /// The spline that keeps the samples' order: where they rise or fall it does too, without overshoot. Slopes are weighted harmonic means
  /// of the neighbours', 0 at extremes of the samples.
  ///
  /// > F. N. Fritsch, J. Butland. "A method for constructing local monotone piecewise cubic interpolants." *SIAM Journal on Scientific and
  /// > Statistical Computing* 5(2), 1984.
  public static func monotone(_ x: Tensor, _ y: Tensor) -> CubicSpline {
    let line = CubicSpline(x, y, slopes: 0)
    let (h, δ) = steps(line.places, line.values)
    let n = line.places.count
    guard n > 2 else { return CubicSpline(x, y, slopes: concatenated(δ, δ, alongAxis: 0)) }
    let (h0, h1) = (h.sliced(0..<n - 2, alongAxis: 0), h.sliced(1..<n - 1, alongAxis: 0))
    let (δ0, δ1) = (δ.sliced(0..<n - 2, alongAxis: 0), δ.sliced(1..<n - 1, alongAxis: 0))
    let (w0, w1) = (h0 + h1 * 2, h0 * 2 + h1)
    let agree = sign(δ0) * sign(δ1) .> 0
    // (w₀ + w₁) / (w₀/δ₀ + w₁/δ₁) without dividing by slopes; where they disagree the denominator may vanish, so 1 stands there.
    let denominator = select(agree, w0 * δ1 + w1 * δ0, 1)
    let inside = select(agree, (w0 + w1) * δ0 * δ1 / denominator, 0)
    let first = monotoneEnd(h[0..<1], h[1..<2], δ[0..<1], δ[1..<2])
    let last = monotoneEnd(h[n - 2..<n - 1], h[n - 3..<n - 2], δ[n - 2..<n - 1], δ[n - 3..<n - 2])
    return CubicSpline(x, y, slopes: concatenated([first, inside, last], alongAxis: 0))
  }

  /// The spline whose slope is the mean of the neighbours', each weighted by how little the slope changes on the other side: it does not
  /// swing beside a sudden bend.
  ///
  /// > H. Akima. "A new method of interpolation and smooth curve fitting based on local procedures." *Journal of the ACM* 17(4), 1970.
  public static func akima(_ x: Tensor, _ y: Tensor) -> CubicSpline {
    let line = CubicSpline(x, y, slopes: 0)
    let δ = steps(line.places, line.values).δ
    let n = line.places.count
    guard n > 2 else { return CubicSpline(x, y, slopes: concatenated(δ, δ, alongAxis: 0)) }
    // Two more slopes at each end, that go on as the last two did.
    let (a, b) = (δ[0..<1], δ[1..<2])
    let (c, d) = (δ[n - 3..<n - 2], δ[n - 2..<n - 1])
    let before = [a * 3 - b * 2, a * 2 - b]
    let after = [d * 2 - c, d * 3 - c * 2]
    let m = concatenated(before + [δ] + after, alongAxis: 0)
    let change = abs(m.differences(alongAxis: 0))
    let (left, right) = (change.sliced(0..<n, alongAxis: 0), change.sliced(2..<n + 2, alongAxis: 0))
    let total = left + right
    // Where the slope changes on neither side the weights have no meaning: the mean of both.
    let isBent = total .> total.max() * 1e-9
    let weighted = (right * m.sliced(1..<n + 1, alongAxis: 0) + left * m.sliced(2..<n + 2, alongAxis: 0)) / select(isBent, total, 1)
    let plain = (m.sliced(0..<n, alongAxis: 0) + m.sliced(3..<n + 3, alongAxis: 0)) * 0.5
    return CubicSpline(x, y, slopes: select(isBent, weighted, plain))
  }
}

/// Lengths of the pieces, `[n - 1, 1…]`, and their mean slopes.
private func steps(_ x: Tensor, _ y: Tensor) -> (h: Tensor, δ: Tensor) {
  let h = x.differences().reshaped(to: [x.count - 1] + Shape([Int](repeating: 1, count: y.rank - 1)))
  return (h, y.differences(alongAxis: 0) / h)
}

/// The slope at an end of the parabola through three samples, held back where it would break the samples' order.
private func monotoneEnd(_ h0: Tensor, _ h1: Tensor, _ δ0: Tensor, _ δ1: Tensor) -> Tensor {
  let slope = ((h0 * 2 + h1) * δ0 - h0 * δ1) / (h0 + h1)
  let turns = sign(slope) .!= sign(δ0)
  let isSteep = (sign(δ0) .!= sign(δ1)) .& (abs(slope) .> abs(δ0) * 3)
  return select(turns, 0, select(isSteep, δ0 * 3, slope))
}

/// Slopes that make the second derivative continuous: a tridiagonal system, one equation per place.
func smoothSlopes(_ x: Tensor, _ y: Tensor, _ boundary: CubicSpline.Boundary) -> Tensor {
  let n = x.count
  let (h, δ) = steps(x, y)
  if boundary == .flat { return clampedSlopes(x, y, Tensor(0, as: y.elementType), Tensor(0, as: y.elementType)) }
  if n == 2 { return concatenated(δ, δ, alongAxis: 0) }
  let one = Tensor(1, as: x.elementType).broadcast(to: h[0..<1].shape)
  if boundary == .natural {
    return solvedForSlopes(h, δ, first: (one * 2, one, δ[0..<1] * 3), last: (one, one * 2, δ[n - 2..<n - 1] * 3))
  }
  if n == 3 {
    let (h0, h1, δ0, δ1) = (h[0..<1], h[1..<2], δ[0..<1], δ[1..<2])
    let c = (δ1 - δ0) / (h0 + h1)
    return concatenated(δ0 - c * h0, δ0 + c * h0, δ1 + c * h1, alongAxis: 0)
  }
  func end(_ h0: Tensor, _ h1: Tensor, _ δ0: Tensor, _ δ1: Tensor) -> (Tensor, Tensor, Tensor) {
    let sum = h0 + h1
    return (h1, sum, ((h0 + sum * 2) * h1 * δ0 + h0 * h0 * δ1) / sum)
  }
  let first = end(h[0..<1], h[1..<2], δ[0..<1], δ[1..<2])
  let last = end(h[n - 2..<n - 1], h[n - 3..<n - 2], δ[n - 2..<n - 1], δ[n - 3..<n - 2])
  return solvedForSlopes(h, δ, first: first, last: (last.1, last.0, last.2))
}

func clampedSlopes(_ x: Tensor, _ y: Tensor, _ firstSlope: Tensor, _ lastSlope: Tensor) -> Tensor {
  let (h, δ) = steps(x, y)
  let one = Tensor(1, as: x.elementType).broadcast(to: h[0..<1].shape)
  func row(_ slope: Tensor) -> Tensor {
    slope.resolved(meeting: y.elementType).converted(to: y.elementType).broadcast(to: y[0..<1].shape)
  }
  return solvedForSlopes(h, δ, first: (one, one * 0, row(firstSlope)), last: (one * 0, one, row(lastSlope)))
}

/// The equations inside, hᵢ mᵢ₋₁ + 2 (hᵢ₋₁ + hᵢ) mᵢ + hᵢ₋₁ mᵢ₊₁ = 3 (hᵢ δᵢ₋₁ + hᵢ₋₁ δᵢ), between one for the first slope (its coefficient,
/// the second's, the right side) and one for the last (the last but one's coefficient, its own, the right side).
private func solvedForSlopes(
  _ h: Tensor, _ δ: Tensor, first: (Tensor, Tensor, Tensor), last: (Tensor, Tensor, Tensor)
) -> Tensor {
  let n = h.count + 1
  let (h0, h1) = (h.sliced(0..<n - 2, alongAxis: 0), h.sliced(1..<n - 1, alongAxis: 0))
  let (δ0, δ1) = (δ.sliced(0..<n - 2, alongAxis: 0), δ.sliced(1..<n - 1, alongAxis: 0))
  let zero = first.0 * 0
  return solveTridiagonal(
    lower: concatenated([zero, h1, last.0], alongAxis: 0), diagonal: concatenated([first.0, (h0 + h1) * 2, last.1], alongAxis: 0),
    upper: concatenated([first.1, h0, zero], alongAxis: 0),
    concatenated([first.2, (h1 * δ0 + h0 * δ1) * 3, last.2], alongAxis: 0))
}

/// Solves aᵢ xᵢ₋₁ + bᵢ xᵢ + cᵢ xᵢ₊₁ = dᵢ by elimination without exchanging rows, which diagonally dominant systems allow; all are
/// `[n, …]`, a₀ and cₙ₋₁ are not used.
///
/// > L. H. Thomas. "Elliptic problems in linear differential equations over a network." Columbia University, 1949.
private func solveTridiagonal(lower a: Tensor, diagonal b: Tensor, upper c: Tensor, _ d: Tensor) -> Tensor {
  let (c0, d0) = (zerosOfRow(c), zerosOfRow(d))
  let eliminated = scan(over: [a, b, c, d], from: [c0, d0]) { (before: [Tensor], row: [Tensor]) -> ([Tensor], [Tensor]) in
    let pivot = row[1] - row[0] * before[0]
    let next = [row[2] / pivot, (row[3] - row[0] * before[1]) / pivot]
    return (next, next)
  }.outputs
  return scan(over: eliminated, from: [d0], reverse: true) { (after: [Tensor], row: [Tensor]) -> ([Tensor], [Tensor]) in
    let x = row[1] - row[0] * after[0]
    return ([x], [x])
  }.outputs[0]
}

private func zerosOfRow(_ x: Tensor) -> Tensor { Tensor.zeros(Shape(Array(x.shape.dropFirst())), as: x.elementType) }
