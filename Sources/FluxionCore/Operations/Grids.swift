// Arrays made from a few numbers, and arrays taken apart or laid out anew.

/// Coordinates of the grid spanned by vectors: one array per vector, each of the shape of their lengths.
///
/// - Parameters:
///   - vectors: the coordinates along each axis.
///   - rowsFirst: the first vector runs along the first axis (NumPy's `indexing="ij"`); otherwise along the second, as in pictures
///     (`"xy"`).
public func meshgrid(_ vectors: Tensor..., rowsFirst: Bool = true) -> [Tensor] {
  var shape = vectors.map(\.elementCount)
  var places = Array(vectors.indices)
  if !rowsFirst && vectors.count >= 2 {
    shape.swapAt(0, 1)
    places.swapAt(0, 1)
  }
  return zip(vectors, places).map { vector, place in
    vector.flattened().broadcast(to: Shape(shape), axes: [place])
  }
}

/// `count` numbers from `base`^`start` to `base`^`end` whose logarithms are evenly spaced.
public func logspace(
  _ start: Double, _ end: Double, _ count: Int, base: Double = 10, as elementType: ElementType = .float32
) -> Tensor {
  pow(Tensor(base, as: elementType), linspace(start, end, count, as: elementType))
}

/// `count` numbers from `start` to `end`, both of one sign and included, each the same multiple of the one before.
public func geomspace(_ start: Double, _ end: Double, _ count: Int, as elementType: ElementType = .float32) -> Tensor {
  guard start * end > 0 else { return reject1("geomspace", "the ends \(start) and \(end) must have one sign and not be 0.") }
  let t = linspace(0, 1, count, as: elementType)
  let inner = Tensor(start, as: elementType) * pow(Tensor(end / start, as: elementType), t)
  // The last one exactly, whatever the power rounds to.
  return count < 2 ? inner : select(t .== 1, Tensor(end, as: elementType), inner)
}

/// `start`, `start + step` … up to but not including `end`.
public func arange(_ start: Int, _ end: Int, by step: Int = 1, as elementType: ElementType = .int32) -> Tensor {
  guard step != 0 else { return reject1("arange", "a step of 0 never reaches \(end).") }
  let count = Swift.max(0, (end - start + step - step.signum()) / step)
  return arange(count, as: elementType) * Tensor(integerLiteral: step) + Tensor(integerLiteral: start)
}

/// 1 on and below the `k`-th diagonal, else 0.
public func triangle(_ rows: Int, _ columns: Int? = nil, _ k: Int = 0, as elementType: ElementType = .float32) -> Tensor {
  let shape: Shape = [rows, columns ?? rows]
  return (iota(shape, alongAxis: 0) .>= iota(shape, alongAxis: 1) - Tensor(integerLiteral: k)).converted(to: elementType)
}

/// The powers x^(n-1), …, x, 1 of a vector as columns: `[count, n]`; with `increasing` 1, x, ….
public func vandermonde(_ x: Tensor, _ n: Int, increasing: Bool = false) -> Tensor {
  guard n > 0 else { return Tensor.zeros(x.shape + [0], as: x.elementType) }
  var powers = [x * 0 + 1]
  while powers.count < n { powers.append(powers.last! * x) }
  return stacked(increasing ? powers : powers.reversed(), alongAxis: -1)
}

/// Σ c[i] x^(n-1-i): the polynomial whose coefficients stand in the first axis, the highest power first, by Horner's scheme. Further
/// axes of the coefficients are broadcast against `x`.
public func polynomial(_ coefficients: Tensor, at x: Tensor) -> Tensor {
  let n = coefficients.count
  guard n > 0 else { return x * 0 }
  return (1..<n).reduce(coefficients[0] + x * 0) { $0 * x + coefficients[$1] }
}

extension Tensor {
  /// `parts` pieces of equal length along `axis`.
  public func split(into parts: Int, alongAxis a: Int = 0) -> [Tensor] {
    let at = axis(a, "split")
    guard parts > 0, shape[at] % parts == 0 else {
      return [reject1("split", "axis \(at) of shape \(shape) cannot be cut into \(parts) equal parts.", like: type)]
    }
    let length = shape[at] / parts
    return (0..<parts).map { sliced($0 * length..<($0 + 1) * length, alongAxis: at) }
  }

  /// The pieces along `axis` between 0, the increasing `places`, and its end.
  public func split(at places: [Int], alongAxis a: Int = 0) -> [Tensor] {
    let at = axis(a, "split")
    let bounds = [0] + places + [shape[at]]
    guard zip(bounds, bounds.dropFirst()).allSatisfy(<=) else {
      return [reject1("split", "places \(places) do not increase within 0…\(shape[at]).", like: type)]
    }
    return zip(bounds, bounds.dropFirst()).map { sliced($0..<$1, alongAxis: at) }
  }

  /// The slices along `axis`, without it: what ``stacked(_:alongAxis:)`` puts together.
  public func unstacked(alongAxis a: Int = 0) -> [Tensor] {
    let at = axis(a, "unstacked")
    return (0..<shape[at]).map { sliced($0..<$0 + 1, alongAxis: at).squeezed([at]) }
  }

  /// The first axis turned towards the second by `quarters` right angles (the last two axes unless others are named).
  public func rotated(quarters: Int = 1, axes: (Int, Int) = (-2, -1)) -> Tensor {
    let (a, b) = (axis(axes.0, "rotated"), axis(axes.1, "rotated"))
    switch ((quarters % 4) + 4) % 4 {
    case 1: return reversed(alongAxis: b).swappingAxes(a, b)
    case 2: return reversed(alongAxis: a, b)
    case 3: return swappingAxes(a, b).reversed(alongAxis: b)
    default: return self
    }
  }

  /// The elements on and above the `k`-th diagonal of the last two axes, the rest 0.
  public func upperTriangle(_ k: Int = 0) -> Tensor {
    let s: Shape = [shape[rank - 2], shape[rank - 1]]
    return select(iota(s, alongAxis: 0) .<= iota(s, alongAxis: 1) - Tensor(integerLiteral: k), self, 0)
  }

  /// Whether |a - b| ≤ absolute + relative · |b|, element by element. Equal infinities are close.
  ///
  /// - Parameters:
  ///   - other: b.
  ///   - relative: of b's size, not negative.
  ///   - absolute: whatever the size, not negative.
  ///   - equalNaN: NaN counts as close to NaN.
  public func isClose(to other: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8, equalNaN: Bool = false) -> Tensor {
    let (a, b) = matched(asReal, other, "isClose")
    // |b| = ∞ would make the allowance infinite, so only equality counts there.
    let near = (abs(a - b) .<= abs(b) * relative + absolute) .& isFinite(b)
    let close = near .| (a .== b)
    return equalNaN ? close .| (isNaN(a) .& isNaN(b)) : close
  }
  /// Whether all elements are close.
  public func allClose(to other: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8, equalNaN: Bool = false) -> Tensor {
    isClose(to: other, relative: relative, absolute: absolute, equalNaN: equalNaN).all()
  }
}
