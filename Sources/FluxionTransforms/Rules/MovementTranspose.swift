import FluxionCore

// Each way of moving elements, walked back: what was repeated is summed, what was left out gets zeros.

func movementTranspose(_ operation: Operation, _ types: [TensorType], _ x: [Tensor?], _ ct: Tensor) -> [Tensor?] {
  let none = [Tensor?](repeating: nil, count: max(0, types.count - 1))
  switch operation {
  case let .broadcast(_, axes):
    var repeated = (0..<ct.rank).filter { !axes.contains($0) }
    for (i, axis) in axes.enumerated() where types[0].shape[i] == 1 && ct.shape[axis] != 1 { repeated.append(axis) }
    return [(repeated.isEmpty ? ct : ct.sum(alongAxes: repeated)).reshaped(to: types[0].shape)]
  case .reshape: return [ct.reshaped(to: types[0].shape)]
  case let .transpose(axes):
    var inverse = axes
    for (i, axis) in axes.enumerated() { inverse[axis] = i }
    return [ct.transposed(inverse)]
  case let .slice(start, _, stride):
    let shape = types[0].shape
    var high: [Int] = []
    for axis in 0..<shape.rank {
      let n = ct.shape[axis]
      let covered = n == 0 ? 0 : (n - 1) * stride[axis] + 1
      high.append(shape[axis] - start[axis] - covered)
    }
    return [ct.padded(low: start, high: high, interior: stride.map { $0 - 1 })]
  case .dynamicSlice:
    return [apply1(.dynamicUpdateSlice, [Tensor.zeros(like: types[0]), ct] + x.dropFirst().map { $0! })] + none
  case .dynamicUpdateSlice:
    let starts = x.dropFirst(2).map { $0! }
    let operand = apply1(.dynamicUpdateSlice, [ct, Tensor.zeros(like: types[1])] + starts)
    let update = apply1(.dynamicSlice(sizes: types[1].shape.dimensions), [ct] + starts)
    return [operand, update] + none.dropFirst()
  case let .pad(low, high, interior):
    // The operand's places, read back; the padding value gets all that landed elsewhere.
    let n = types[0].shape
    var start: [Int] = [], limit: [Int] = []
    // Cropped edges have no cotangent: they come back as zeros.
    let grown = ct.padded(low: low.map { max(0, -$0) }, high: high.map { max(0, -$0) })
    for axis in 0..<n.rank {
      start.append(max(0, low[axis]))
      limit.append(max(0, low[axis]) + (n[axis] == 0 ? 0 : (n[axis] - 1) * (interior[axis] + 1) + 1))
    }
    let inner = grown.sliced(start: start, limit: limit, stride: interior.map { $0 + 1 })
    return [x[0] == nil ? inner : nil, x[1] == nil ? ct.sum() - inner.sum() : nil]
  case let .concatenate(axis):
    var offset = 0
    return types.map { type in
      defer { offset += type.shape[axis] }
      return ct.sliced(offset..<offset + type.shape[axis], alongAxis: axis)
    }
  case let .reverse(axes): return [apply1(.reverse(axes: axes), ct)]
  case let .gather(batch):
    return [apply1(.scatter(.add, batch: batch), Tensor.zeros(like: types[0]), x[1]!, ct), nil]
  case let .scatter(mode, batch):
    let places = x[1]!
    func gathered(_ a: Tensor) -> Tensor { apply1(.gather(batch: batch), a, places) }
    if mode == .add { return [ct, nil, gathered(ct)] }
    // Of the updates that share a place the last one stands: the others, and the operand there, get nothing.
    let order = arange(types[2].shape.elementCount).reshaped(to: types[2].shape)
    let standing = apply1(
      .scatter(.set, batch: batch), Tensor.full(-1, types[0].shape, as: .int32), places, order)
    return [select(standing .< 0, ct, 0), nil, select(gathered(standing) .== order, gathered(ct), 0)]
  default: preconditionFailure("\(operation.name) is not linear")
  }
}
