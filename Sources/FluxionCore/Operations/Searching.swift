// Places in sorted tables, and what is counted with them. Places are `i32` and have no derivative.

/// Which place a value that equals elements of the table gets: before them, or after.
public enum SearchSide: Hashable, Sendable, Codable { case left, right }

/// Where each value would be inserted into a table that is sorted along its last axis, NaN last.
///
/// The place i satisfies `table[i-1] < v ≤ table[i]` (`.left`) or `table[i-1] ≤ v < table[i]` (`.right`). All values are searched
/// together, in ⌈log₂(n + 1)⌉ rounds of one gather.
///
/// - Parameters:
///   - table: `[B…, n]`. Elements out of order give places without meaning.
///   - values: `[B…, I…]`; of any shape where the table is a vector.
///   - side: of elements equal to the value.
/// - Returns: places from 0 to n, `i32[B…, I…]`.
public func searchSorted(_ table: Tensor, _ values: Tensor, side: SearchSide = .left) -> Tensor {
  let batch = table.rank - 1
  guard batch >= 0, values.rank >= batch, table.shape.dropLast().elementsEqual(values.shape.prefix(batch)) else {
    return reject1(
      "searchSorted", "a table of shape \(table.shape) needs values that begin with its axes but the last, not \(values.shape).",
      like: TensorType(values.shape, .int32))
  }
  let common = ElementType.promoted(table.elementType, values.resolved(meeting: table.elementType).elementType)
  let (sorted, v) = (table.converted(to: common), values.converted(to: common))
  let n = table.shape[batch]
  func precedes(_ element: Tensor) -> Tensor {
    // NaN counts as the largest number, as in a sort.
    switch side {
    case .left: common.isFloatingPoint ? (element .< v) .| (isNaN(v) .& .!isNaN(element)) : element .< v
    case .right: common.isFloatingPoint ? (element .<= v) .| isNaN(v) : element .<= v
    }
  }
  var place = Tensor.zeros(v.shape, as: .int32)
  var step = 1
  while 2 * step <= n { step *= 2 }
  while step > 0 && n > 0 {
    let candidate = place + Tensor(integerLiteral: step)
    let element = sorted.lookedUp(minimum(candidate, Tensor(integerLiteral: n)) - 1)
    let fits = candidate .<= Tensor(integerLiteral: n)
    place = select(fits .& precedes(element), candidate, place)
    step /= 2
  }
  return place
}

extension Tensor {
  /// Elements of this table `[B…, n]` at `places`, `[B…, I…]`.
  package func lookedUp(_ places: Tensor) -> Tensor { apply1(.gather(batch: rank - 1), self, places.expanded(at: -1)) }

  /// The number of the interval between increasing `edges` that holds each element: 0 before the first edge, `edges.count` behind the
  /// last.
  ///
  /// - Parameters:
  ///   - edges: a vector, increasing.
  ///   - right: intervals hold their right edge instead of their left one.
  public func digitized(_ edges: Tensor, right: Bool = false) -> Tensor { searchSorted(edges, self, side: right ? .left : .right) }

  /// How often each of the numbers 0 … `count - 1` occurs, `i32[count]`; with weights the sums of the weights.
  ///
  /// A number outside is an error when the program runs.
  public func bincount(_ count: Int, weights: Tensor? = nil) -> Tensor {
    let ids = flattened()
    guard let weights else { return segmentSum(Tensor.ones([ids.count], as: .int32), ids: ids, count: count) }
    return segmentSum(weights.broadcast(to: shape).flattened(), ids: ids, count: count)
  }
}

/// Counts per interval and the intervals' edges.
public struct Histogram: Codable, Sendable {
  /// `[count]`: `i32`, or of the weights' type, or real where a density was asked for.
  public var counts: Tensor
  /// `[count + 1]`.
  public var edges: Tensor
}

/// How many elements of `x` fall between neighbouring edges.
///
/// An interval holds its left edge, the last one both; elements outside all intervals, and NaN, are not counted.
///
/// - Parameters:
///   - x: of any shape.
///   - edges: `[count + 1]`, increasing.
///   - weights: shaped as `x`: summed instead of counted. The result is differentiable in them.
///   - density: divides by the total and the widths, so that the integral is 1.
public func histogram(_ x: Tensor, edges: Tensor, weights: Tensor? = nil, density: Bool = false) -> Histogram {
  guard edges.rank == 1, edges.count >= 2 else {
    return Histogram(counts: reject1("histogram", "edges must be a vector of at least two, not of shape \(edges.shape)."), edges: edges)
  }
  let count = edges.count - 1
  let values = x.flattened()
  let last = edges.sliced(count..<count + 1, alongAxis: 0)
  let place = searchSorted(edges, values, side: .right) - 1
  let closed = select(values .== last, Tensor(integerLiteral: count - 1), place)
  let isInside = (closed .>= 0) .& (closed .< Tensor(integerLiteral: count))
  let each = weights.map { $0.broadcast(to: x.shape).flattened() } ?? Tensor.ones([values.count], as: .int32)
  let bounded = clamp(closed, 0, Tensor(integerLiteral: count - 1))
  var counts = segmentSum(select(isInside, each, 0), ids: bounded, count: count)
  if density {
    let real = edges.asReal
    let widths = real.sliced(1..<count + 1, alongAxis: 0) - real.sliced(0..<count, alongAxis: 0)
    let c = counts.elementType.isDifferentiable ? counts : counts.converted(to: real.elementType)
    counts = c / (widths * c.sum())
  }
  return Histogram(counts: counts, edges: edges)
}

/// How many elements of `x` fall into `count` intervals of equal width.
///
/// - Parameters:
///   - x: of any shape.
///   - count: of intervals.
///   - range: where they begin and end; without it from the smallest element to the largest, widened by ½ on both sides where those are
///     equal.
///   - weights: shaped as `x`: summed instead of counted. The result is differentiable in them.
///   - density: divides by the total and the widths, so that the integral is 1.
public func histogram(
  _ x: Tensor, count: Int, range: ClosedRange<Double>? = nil, weights: Tensor? = nil, density: Bool = false
) -> Histogram {
  guard count > 0 else {
    return Histogram(counts: reject1("histogram", "\(count) intervals cannot be counted: give at least one."), edges: x)
  }
  let real = x.asReal
  let edges: Tensor
  if let range {
    edges = linspace(range.lowerBound, range.upperBound, count + 1, as: real.elementType)
  } else {
    let (low, high) = (stopGradient(real.min()), stopGradient(real.max()))
    let margin = select(low .== high, Tensor(0.5, as: real.elementType), 0)
    let t = linspace(0, 1, count + 1, as: real.elementType)
    let (first, last) = (low - margin, high + margin)
    // The last edge exactly, so that the largest element is counted.
    edges = select(t .== 1, last, first + (last - first) * t)
  }
  return histogram(real, edges: edges, weights: weights, density: density)
}
