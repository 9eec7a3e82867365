// Operations whose places are themselves data. A place outside its axis is an error, never clamped.

func referenceDynamicSlice(_ operation: Operation, _ x: [ReferenceArray], _ type: TensorType, _ site: CallSite?)
  throws(ExecutionError) -> ReferenceArray
{
  let places = try windowPlaces(operation, x[0].shape, type.shape, Array(x.dropFirst()), site)
  return x[0].taking(places, type)
}

func referenceDynamicUpdateSlice(_ operation: Operation, _ x: [ReferenceArray], _ site: CallSite?)
  throws(ExecutionError) -> ReferenceArray
{
  let places = try windowPlaces(operation, x[0].shape, x[1].shape, Array(x.dropFirst(2)), site)
  return ReferenceArray(x[0].type, x[0].elements.replacing(places, with: x[1].elements))
}

private func windowPlaces(_ operation: Operation, _ shape: Shape, _ window: Shape, _ starts: [ReferenceArray], _ site: CallSite?)
  throws(ExecutionError) -> [Int]
{
  let strides = shape.rowMajorStrides
  var offset = 0
  for axis in 0..<shape.rank {
    let start = Int(starts[axis].integers[0])
    if start < 0 || start > shape[axis] - window[axis] {
      // The first element missed: the start itself, or the window's last.
      let index = start < 0 ? start : start &+ Swift.max(window[axis], 1) &- 1
      throw .indexOutOfBounds(operation: operation.name, index: index, bound: shape[axis], callSite: site)
    }
    offset += start * strides[axis]
  }
  return stridedPlaces(window, strides: strides, offset: offset)
}

/// x `[B…, X…, R…]`, indices `[B…, I…, K]`, result `[B…, I…, R…]`.
func referenceGather(
  _ operation: Operation, _ x: ReferenceArray, _ indices: ReferenceArray, _ batch: Int, _ type: TensorType, _ site: CallSite?
) throws(ExecutionError) -> ReferenceArray {
  x.taking(try indexedPlaces(operation, x.shape, indices, batch, site), type)
}

/// Updates `[B…, I…, R…]` combined with x at the indexed places, in order.
func referenceScatter(
  _ operation: Operation, _ mode: ScatterMode, _ x: ReferenceArray, _ indices: ReferenceArray, _ updates: ReferenceArray,
  _ batch: Int, _ site: CallSite?
) throws(ExecutionError) -> ReferenceArray {
  let places = try indexedPlaces(operation, x.shape, indices, batch, site)
  guard let combine = mode.combination else { return ReferenceArray(x.type, x.elements.replacing(places, with: updates.elements)) }
  let type = x.elementType
  switch x.elements {
  case var .real(v):
    for (place, u) in zip(places, updates.reals) { v[place] = combine.real(v[place], u, type) }
    return ReferenceArray(x.type, .real(v))
  case var .integer(v):
    for (place, u) in zip(places, updates.integers) { v[place] = combine.integer(v[place], u, type) }
    return ReferenceArray(x.type, .integer(v))
  case var .complex(v):
    for (place, u) in zip(places, updates.complexNumbers) { v[place] = combine.complex(v[place], u) }
    return ReferenceArray(x.type, .complex(v))
  }
}

extension ScatterMode {
  /// How an update meets what is there; nil: it replaces it.
  fileprivate var combination: Binary? {
    switch self {
    case .set: nil
    case .add: .add
    case .multiply: .multiply
    case .minimum: .minimum
    case .maximum: .maximum
    }
  }
}

/// For every element of `[B…, I…, R…]` its place in `[B…, X…, R…]`.
private func indexedPlaces(_ operation: Operation, _ shape: Shape, _ indices: ReferenceArray, _ batch: Int, _ site: CallSite?)
  throws(ExecutionError) -> [Int]
{
  let k = indices.shape.last!
  let batches = shape.prefix(batch).reduce(1, *)
  let indexed = Array(shape.dimensions[batch..<batch + k])
  let rest = shape.dropFirst(batch + k).reduce(1, *)
  let vectors = indices.shape.dropFirst(batch).dropLast().reduce(1, *)
  let entries = indices.integers
  var places: [Int] = []
  for b in 0..<batches {
    for i in 0..<vectors {
      var place = b
      for (axis, length) in indexed.enumerated() {
        let index = Int(entries[(b * vectors + i) * k + axis])
        guard index >= 0 && index < length else {
          throw .indexOutOfBounds(operation: operation.name, index: index, bound: length, callSite: site)
        }
        place = place * length + index
      }
      for r in 0..<rest { places.append(place * rest + r) }
    }
  }
  return places
}
