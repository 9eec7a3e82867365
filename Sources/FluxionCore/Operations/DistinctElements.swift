// How many elements a result has can depend on the elements. Outside a trace it simply does; inside, `size:` says how many there are
// room for.

/// The different elements of an array, and where they come from.
public struct DistinctElements: Codable, Sendable {
  /// In order, NaN last and once.
  public var values: Tensor
  /// Where each first occurs in the flattened array, `i32`.
  public var firstPlaces: Tensor
  /// For each element of the array the place of its value in `values`, `i32` and shaped as the array.
  public var inverse: Tensor
  /// How often each occurs, `i32`.
  public var counts: Tensor
}

extension Tensor {
  /// The different elements in order. Their number depends on the elements, so a traced array needs ``distinct(size:filledWith:)``.
  public func distinct() -> DistinctElements {
    outsideTrace("distinct") { x in
      let all = x.distinct(size: x.elementCount)
      let number = Int((all.counts .> 0).sum().item())
      return DistinctElements(
        values: all.values.sliced(0..<number, alongAxis: 0), firstPlaces: all.firstPlaces.sliced(0..<number, alongAxis: 0),
        inverse: all.inverse, counts: all.counts.sliced(0..<number, alongAxis: 0))
    }
  }

  /// The `size` smallest different elements in order. Places that are left over hold `fill` (without one the smallest element), with
  /// count 0. The values are differentiable: each is the element at its first place.
  ///
  /// Elements that there is no room for are dropped; their `inverse` still counts on, to places from `size`.
  public func distinct(size: Int, filledWith fill: Tensor? = nil) -> DistinctElements {
    let x = flattened().resolved(meeting: nil)
    let n = x.count
    guard size >= 0, n > 0 || size == 0 || fill != nil else {
      let empty = reject1("distinct", "\(size) elements cannot be taken from none without a value to fill with.", like: type)
      return DistinctElements(values: empty, firstPlaces: empty, inverse: empty, counts: empty)
    }
    let (sorted, places) = x.sortedWithPlaces(0, descending: false)
    let group = groupsOfEquals(sorted)
    let inverse = Tensor.zeros([n], as: .int32).scattered(group, at: places)
    let room = Swift.max(n, size)
    let counts = segmentSum(Tensor.ones([n], as: .int32), ids: group, count: room).sliced(0..<size, alongAxis: 0)
    // A stable sort has the first of equal elements first, so the smallest place is that one's.
    let first = segmentMin(places, ids: group, count: room).sliced(0..<size, alongAxis: 0)
    let isFilled = counts .> 0
    let smallest = n > 0 ? places.sliced(0..<1, alongAxis: 0) : Tensor.zeros([1], as: .int32)
    let firstPlaces = select(isFilled, first, smallest)
    var values = n > 0 ? x.gathered(firstPlaces) : Tensor.zeros([size], as: elementType)
    if let fill { values = select(isFilled, values, fill.resolved(meeting: elementType).converted(to: elementType)) }
    return DistinctElements(values: values, firstPlaces: firstPlaces, inverse: inverse.reshaped(to: shape), counts: counts)
  }

  /// The index vectors of the elements that are not 0, row-major: `i32[number, rank]`.
  public func nonzero() -> Tensor {
    outsideTrace("nonzero") { x in x.nonzero(size: Int((x .!= Tensor(0, as: x.elementType)).sum().item())) }
  }

  /// The first `size` index vectors of elements that are not 0, row-major: `i32[size, rank]`. Rows left over hold `fill`.
  public func nonzero(size: Int, filledWith fill: Int = 0) -> Tensor {
    let x = flattened().resolved(meeting: nil)
    let isNonzero = (elementType == .bool ? x : x .!= Tensor(0, as: elementType)).converted(to: .int32)
    let order = isNonzero.argsort(descending: true)
    let kept = Swift.min(size, x.count)
    let places = order.sliced(0..<kept, alongAxis: 0).padded(low: [0], high: [size - kept])
    let isFilled = (arange(size) .< isNonzero.sum()).expanded(at: 1)
    return select(isFilled, unravelled(places, in: shape), Tensor(integerLiteral: fill))
  }

  /// `body` of this array outside the trace in force, where its elements are known.
  private func outsideTrace<Result>(_ operation: String, _ body: (Tensor) -> Result) -> Result {
    if isTraced {
      trapAtCaller(
        ProgramError(
          operation, "the number of results is not known while the program is being traced. Say how many there is room for with size:."))
    }
    return GraphBuilder.$current.withValue(nil) { body(self) }
  }
}

/// For each element of a sorted vector the number of different elements before it.
private func groupsOfEquals(_ sorted: Tensor) -> Tensor {
  let n = sorted.count
  guard n > 1 else { return Tensor.zeros([n], as: .int32) }
  let (before, after) = (sorted.sliced(0..<n - 1, alongAxis: 0), sorted.sliced(1..<n, alongAxis: 0))
  var differs = before .!= after
  if sorted.elementType.isFloatingPoint { differs = differs .& .!(isNaN(before) .& isNaN(after)) }
  return differs.converted(to: .int32).padded(low: [1], high: [0]).cumulativeSum()
}

/// The index vectors, `[…, rank]`, of places in the row-major order of `shape`.
public func unravelled(_ places: Tensor, in shape: Shape) -> Tensor {
  let i = places.asIndex
  guard shape.rank > 0 else { return Tensor.zeros(i.shape + [0], as: i.elementType) }
  let parts = zip(shape.dimensions, shape.rowMajorStrides).map { length, step in
    (i / Tensor(integerLiteral: Swift.max(step, 1))) % Tensor(integerLiteral: Swift.max(length, 1))
  }
  return stacked(parts, alongAxis: -1)
}

/// The places in the row-major order of `shape` of index vectors `[…, rank]`.
public func ravelled(_ indices: Tensor, in shape: Shape) -> Tensor {
  let i = indices.asIndex
  guard i.shape.last == shape.rank else {
    return reject1(
      "ravelled", "index vectors of shape \(i.shape) must end in an axis of \(shape.rank), the rank of \(shape).", like: i.type)
  }
  let steps = Tensor(shape.rowMajorStrides.map { Int64($0) }).converted(to: i.elementType)
  return (i * steps).sum(alongAxis: -1)
}
