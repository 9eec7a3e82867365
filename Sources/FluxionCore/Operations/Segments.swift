// Reductions of the rows of an array that share an id. `ids` (in any order) has the leading axis of `values`; the result has `count`
// rows. An id outside 0 … count - 1 is an error when the program runs. Each function says what ids that do not occur get.

/// Sums of the rows of `values` that share an id: `[count, …]`; 0 for ids that do not occur.
public func segmentSum(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  scatteredSegments(values, ids, count, .add, empty: 0)
}
/// Products of the rows that share an id; 1 for ids that do not occur.
public func segmentProduct(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  scatteredSegments(values, ids, count, .multiply, empty: 1)
}
/// The largest row, element by element, of those that share an id; -∞, or the smallest number of an integer type, for ids that do not
/// occur. Equal extremes share the derivative.
public func segmentMax(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  scatteredSegments(values, ids, count, .maximum, empty: values.elementType.extremes.lowest)
}
/// The smallest row, element by element, of those that share an id; ∞, or the largest number of an integer type, for ids that do not
/// occur. Equal extremes share the derivative.
public func segmentMin(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  scatteredSegments(values, ids, count, .minimum, empty: values.elementType.extremes.highest)
}

/// Means of the rows that share an id; 0 for ids that do not occur.
public func segmentMean(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  let x = values.asReal
  return segmentSum(x, ids: ids, count: count) / maximum(segmentSizes(x, ids, count), 1)
}

/// Mean squared distances from the mean of the rows that share an id, with `n - correction` in the denominator; 0 for ids that do not
/// occur, NaN where `n` is `correction`.
public func segmentVariance(_ values: Tensor, ids: Tensor, count: Int, correction: Int = 0) -> Tensor {
  let x = values.asReal
  let centred = x - segmentMean(x, ids: ids, count: count).gathered(ids)
  let sizes = segmentSizes(x, ids, count)
  let squares = segmentSum(centred.squaredSizes, ids: ids, count: count)
  return squares / select(sizes .== 0, 1, sizes - Double(correction))
}

/// log Σ eˣ over the rows that share an id, without overflow; -∞, with derivative 0, for ids that do not occur.
public func segmentLogSumExp(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  let x = values.asReal
  let shift = segmentShift(x, ids, count)
  let sum = segmentSum(exp(x - shift.gathered(ids)), ids: ids, count: count)
  let isEmpty = sum .== 0
  return select(isEmpty, Tensor(-Double.infinity, as: x.elementType), log(select(isEmpty, 1, sum)) + shift)
}

/// eˣ divided by its sum over the rows that share an id; shaped as `values`.
public func segmentSoftmax(_ values: Tensor, ids: Tensor, count: Int) -> Tensor {
  let x = values.asReal
  let e = exp(x - segmentShift(x, ids, count).gathered(ids))
  return e / segmentSum(e, ids: ids, count: count).gathered(ids)
}

private func scatteredSegments(_ values: Tensor, _ ids: Tensor, _ count: Int, _ mode: ScatterMode, empty: Tensor) -> Tensor {
  guard ids.rank == 1, values.rank >= 1, ids.count == values.shape[0] else {
    return reject1(
      "segment", "ids of shape \(ids.shape) do not name the rows of values of shape \(values.shape): give a vector with one id per row.",
      like: TensorType([count] + Shape(Array(values.shape.dropFirst())), values.elementType))
  }
  let start = empty.resolved(meeting: values.elementType).broadcast(to: [count] + Shape(Array(values.shape.dropFirst())))
  // Ids are not counted from the end, so they are taken as they are.
  return apply1(.scatter(mode, batch: 0), start, ids.asIndex.expanded(at: -1), values.resolved(meeting: nil))
}

/// The number of rows of each id, `[count, 1…]`.
private func segmentSizes(_ x: Tensor, _ ids: Tensor, _ count: Int) -> Tensor {
  segmentSum(Tensor.ones([x.count], as: x.elementType.realPart.realPart), ids: ids, count: count)
    .reshaped(to: [count] + Shape([Int](repeating: 1, count: x.rank - 1)))
}

/// What is subtracted before the exponential: the largest element of each segment, 0 where that is not finite.
private func segmentShift(_ x: Tensor, _ ids: Tensor, _ count: Int) -> Tensor {
  let top = segmentMax(stopGradient(x), ids: ids, count: count)
  return select(isFinite(top), top, 0)
}

extension ElementType {
  /// The ends of the type's order, as scalars: what a minimum or maximum over nothing is.
  var extremes: (lowest: Tensor, highest: Tensor) {
    if self == .bool { return (Tensor(false), Tensor(true)) }
    if let integer = scalar as? any (RealElement & FixedWidthInteger).Type { return integer.extremes }
    let greatest = floatFormat.map { $0.hasInfinity ? .infinity : $0.greatestFiniteMagnitude } ?? Double.infinity
    return (Tensor(-greatest, as: self), Tensor(greatest, as: self))
  }
}

extension RealElement where Self: FixedWidthInteger {
  fileprivate static var extremes: (Tensor, Tensor) { (Tensor(Self.min), Tensor(Self.max)) }
}
