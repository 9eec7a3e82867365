import FluxionCore

// Batching rules that are more than a shift of axes.

func batchedDot(_ d: DotDimensions, _ a: Mapped, _ b: Mapped) -> Mapped {
  func shifted(_ axes: [Int], _ isMapped: Bool) -> [Int] { isMapped ? axes.map { $0 + 1 } : axes }
  var dims = DotDimensions(
    lhsBatch: shifted(d.lhsBatch, a.isMapped), rhsBatch: shifted(d.rhsBatch, b.isMapped),
    lhsContracting: shifted(d.lhsContracting, a.isMapped), rhsContracting: shifted(d.rhsContracting, b.isMapped))
  if a.isMapped && b.isMapped {
    dims.lhsBatch.insert(0, at: 0)
    dims.rhsBatch.insert(0, at: 0)
    return Mapped(a.tensor.dot(b.tensor, dims), isMapped: true)
  }
  // A mapped axis of one side only is one more free axis of that side; it comes out where free axes do.
  let product = a.tensor.dot(b.tensor, dims)
  let place = a.isMapped ? d.lhsBatch.count : d.lhsBatch.count + d.lhsFree(rank: a.tensor.rank).count
  return Mapped(product.movingAxis(place, to: 0), isMapped: true)
}

/// Images mapped under one kernel are a larger batch of images; otherwise a batch of convolutions is one convolution with as many
/// times the groups.
func batchedConvolution(_ g: ConvolutionGeometry, _ role: ConvolutionRole, _ x: Mapped, _ y: Mapped, _ size: Int) -> Tensor {
  if role != .kernel && !y.isMapped {
    var wide = g
    wide.input = Shape([size * g.input[0]] + g.input.dimensions.dropFirst())
    let images = x.tensor.reshaped(to: Shape([size * x.tensor.shape[1]] + x.tensor.shape.dimensions.dropFirst(2)))
    let result = apply1(.convolution(wide, role), images, y.tensor)
    return result.reshaped(to: Shape([size, g.input[0]] + result.shape.dimensions.dropFirst()))
  }
  let (a, b) = (x.brought(size), y.brought(size))
  /// [B, …, c] to […, B·c]: what the batch adds is a slower part of the channels, as groups are.
  func mergedIntoChannels(_ x: Tensor) -> Tensor {
    let moved = x.movingAxis(0, to: x.rank - 2)
    return moved.reshaped(to: Shape(Array(moved.shape.dimensions.dropLast(2)) + [size * x.shape[x.rank - 1]]))
  }
  func split(_ x: Tensor) -> Tensor {
    let channels = x.shape[x.rank - 1] / size
    return x.reshaped(to: Shape(Array(x.shape.dimensions.dropLast()) + [size, channels])).movingAxis(x.rank - 1, to: 0)
  }
  var wide = g
  wide.groups = g.groups * size
  func widened(_ shape: Shape) -> Shape { Shape(Array(shape.dimensions.dropLast()) + [shape.dimensions.last! * size]) }
  wide.input = widened(g.input)
  wide.kernel = widened(g.kernel)
  return split(apply1(.convolution(wide, role), mergedIntoChannels(a), mergedIntoChannels(b)))
}

func batchedPad(_ low: [Int], _ high: [Int], _ interior: [Int], _ x: Mapped, _ value: Mapped, _ size: Int) -> Tensor {
  let operand = x.brought(size)
  let wide = Operation.pad(low: [0] + low, high: [0] + high, interior: [0] + interior)
  guard value.isMapped else { return apply1(wide, operand, value.tensor) }
  // A padding value per row: pad with zeros, and choose by a mask padded likewise.
  let padded = apply1(wide, operand, Tensor(0, as: operand.elementType))
  let inside = apply1(wide, Tensor.ones(operand.shape, as: .bool), Tensor(false))
  return select(inside, padded, value.tensor.broadcast(to: padded.shape, axes: [0]))
}

/// Index vectors of the window of `sizes` that begins at each row's start: `[B, sizes…, rank]`.
private func windowIndices(_ starts: [Mapped], _ sizes: [Int], _ size: Int) -> Tensor {
  let shape = Shape([size] + sizes)
  let places = starts.enumerated().map { axis, start -> Tensor in
    let first = start.brought(size).converted(to: .int64).broadcast(to: shape, axes: [0])
    return first + iota(shape, alongAxis: axis + 1, as: .int64)
  }
  return stacked(places, alongAxis: shape.rank)
}

/// 0 in the type of the other starts.
private func firstRow(_ starts: [Mapped]) -> Tensor { Tensor(0, as: starts.first?.tensor.elementType ?? .int32) }

func batchedSlice(_ sizes: [Int], _ x: [Mapped], _ size: Int) -> Tensor {
  let starts = Array(x.dropFirst())
  guard starts.contains(where: \.isMapped) else {
    return apply1(.dynamicSlice(sizes: [size] + sizes), [x[0].tensor, firstRow(starts)] + starts.map(\.tensor))
  }
  // A scalar has no places to gather from; its only window is itself.
  return apply1(.gather(batch: 1), x[0].brought(size), windowIndices(starts, sizes, size))
}

func batchedUpdate(_ x: [Mapped], _ size: Int) -> Tensor {
  let starts = Array(x.dropFirst(2))
  let operand = x[0].brought(size), update = x[1].brought(size)
  guard starts.contains(where: \.isMapped) else {
    return apply1(.dynamicUpdateSlice, [operand, update, firstRow(starts)] + starts.map(\.tensor))
  }
  let indices = windowIndices(starts, Array(update.shape.dimensions.dropFirst()), size)
  return apply1(.scatter(.set, batch: 1), operand, indices, update)
}

// MARK: - Control flow

/// Whether each output of `body` is mapped when the flagged inputs are.
private func mappedOutputs(_ body: Graph, _ flags: [Bool], _ size: Int) -> [Bool] {
  var result: [Bool] = []
  _ = traceGraph(zip(body.inputTypes, flags).map { $1 ? TensorType([size] + $0.shape, $0.elementType) : $0 }) { inputs in
    let outputs = batch(body, zip(inputs, flags).map { Mapped($0, isMapped: $1) }, size)
    result = outputs.map(\.isMapped)
    return outputs.map(\.tensor)
  }
  return result
}

func batchedScan(_ scan: Scan, _ x: [Mapped], _ size: Int) -> [Mapped] {
  let (k, c) = (scan.constantCount, scan.carryCount)
  var flags = x.map(\.isMapped)
  var outputFlags: [Bool] = []
  while true {
    outputFlags = mappedOutputs(scan.body, flags, size)
    let grown = (0..<c).filter { outputFlags[$0] && !flags[k + $0] }
    if grown.isEmpty { break }
    for i in grown { flags[k + i] = true }
  }
  // Slices are taken along the second axis of mapped arrays: it is brought to the front.
  let operands = x.indices.map { i -> Tensor in
    if i < k + c { return flags[i] ? x[i].brought(size) : x[i].tensor }
    return flags[i] ? x[i].tensor.movingAxis(1, to: 0) : x[i].tensor
  }
  let types = x.indices.map { i -> TensorType in
    let type = scan.body.types[i]
    return flags[i] ? TensorType([size] + type.shape, type.elementType) : type
  }
  // Inputs of the new body: carries, slices, constants (as captures are).
  let order = Array(k..<x.count) + Array(0..<k)
  let (graph, captures) = traceGraph(order.map { types[$0] }) { inputs in
    var arguments = [Mapped?](repeating: nil, count: x.count)
    for (input, place) in zip(inputs, order) { arguments[place] = Mapped(input, isMapped: flags[place]) }
    let results = batch(scan.body, arguments.map { $0! }, size)
    return results.enumerated().map { i, r in i < c && flags[k + i] ? r.brought(size) : r.tensor }
  }
  let all = makeScan(
    graph, captures: Array(operands[..<k]) + captures, carries: Array(operands[k..<k + c]), slices: Array(operands[(k + c)...]),
    length: scan.length, reverse: scan.reverse)
  return all.enumerated().map { i, result in
    if i < c { return Mapped(result, isMapped: flags[k + i]) }
    return outputFlags[i] ? Mapped(result.movingAxis(1, to: 0), isMapped: true) : Mapped(result, isMapped: false)
  }
}

/// Rows stop one by one: the loop goes on while any row would, and rows that are done keep their values.
func batchedWhile(_ loop: WhileLoop, _ x: [Mapped], _ size: Int) -> [Mapped] {
  let (kc, kb) = (loop.conditionConstantCount, loop.bodyConstantCount)
  let first = kc + kb
  let conditionConstants = Array(x[..<kc]), bodyConstants = Array(x[kc..<first])
  var flags = x[first...].map(\.isMapped)
  var isConditionMapped = false
  while true {
    isConditionMapped = mappedOutputs(loop.condition, conditionConstants.map(\.isMapped) + flags, size)[0]
    let outputs = mappedOutputs(loop.body, bodyConstants.map(\.isMapped) + flags, size)
    let grown = zip(flags, outputs).map { $0 || $1 || isConditionMapped }
    if grown == flags { break }
    flags = grown
  }
  let carries = zip(x[first...], flags).map { $1 ? $0.brought(size) : $0.tensor }
  func condition(_ inputs: [Tensor]) -> Tensor {
    batch(loop.condition, conditionConstants + zip(inputs, flags).map { Mapped($0, isMapped: $1) }, size)[0].tensor
  }
  let conditionGraph = traceGraph(carries.map(\.type)) { inputs in
    let going = condition(inputs)
    return [isConditionMapped ? going.any() : going]
  }
  let bodyGraph = traceGraph(carries.map(\.type)) { inputs in
    let results = batch(loop.body, bodyConstants + zip(inputs, flags).map { Mapped($0, isMapped: $1) }, size)
    let next = zip(results, flags).map { $1 ? $0.brought(size) : $0.tensor }
    guard isConditionMapped else { return next }
    let going = condition(inputs)
    return zip(next, inputs).map { new, old in select(going.broadcast(to: new.shape, axes: [0]), new, old) }
  }
  let results = makeWhile(
    conditionGraph.graph, conditionGraph.captures, bodyGraph.graph, bodyGraph.captures, carries, bound: loop.bound)
  return zip(results, flags).map { Mapped($0, isMapped: $1) }
}

func batchedConditional(_ branches: [Graph], _ x: [Mapped], _ size: Int) -> [Mapped] {
  let operands = Array(x.dropFirst())
  let flags = operands.map(\.isMapped)
  let outputCount = branches[0].outputs.count
  if !x[0].isMapped {
    let outputFlags = branches.map { mappedOutputs($0, flags, size) }
      .reduce([Bool](repeating: false, count: outputCount)) { zip($0, $1).map { $0 || $1 } }
    let traced = branches.map { branch in
      traceGraph([]) { _ in
        zip(batch(branch, operands, size), outputFlags).map { $1 ? $0.brought(size) : $0.tensor }
      }
    }
    return zip(makeConditional(x[0].tensor, traced), outputFlags).map { Mapped($0, isMapped: $1) }
  }
  // Each row takes its own branch: all are computed, and each row's is selected. The look-up keeps a wrong index an error.
  let index = arange(branches.count).gatheredAt(x[0].tensor.expanded(at: 1))
  let all = branches.map { batch($0, operands, size).map { $0.brought(size) } }
  return (0..<outputCount).map { i in
    var result = all[0][i]
    for (b, outputs) in all.enumerated().dropFirst() {
      let chosen = (index .== Tensor(Int32(b))).broadcast(to: result.shape, axes: [0])
      result = select(chosen, outputs[i], result)
    }
    return Mapped(result, isMapped: true)
  }
}

func batchedCall(_ call: Call, _ x: [Mapped], _ size: Int) -> [Mapped] {
  let flags = x.map(\.isMapped)
  var outputFlags: [Bool] = []
  let types = zip(call.inputTypes, flags).map { $1 ? TensorType([size] + $0.shape, $0.elementType) : $0 }
  if call.isDeferred {
    let wide = Call(
      name: call.name, inputTypes: types, outputTypes: call.outputTypes.map { TensorType([size] + $0.shape, $0.elementType) },
      rules: call.rules.batched?(flags, size) ?? CallRules(), body: { call.body.mapped(flags, size) })
    return apply(.call(wide), x.map(\.tensor)).map { Mapped($0, isMapped: true) }
  }
  // The result of a call with rules of its own is mapped throughout: its rules then need no flags for results.
  let (graph, captures) = traceGraph(types) { inputs in
    let results = batch(call.body, zip(inputs, flags).map { Mapped($0, isMapped: $1) }, size)
    outputFlags = results.map { _ in true }
    return results.map { $0.brought(size) }
  }
  guard captures.isEmpty else { return batch(call.body, x, size) }
  let rules = call.rules.batched?(flags, size) ?? CallRules()
  let results = apply(.call(Call(name: call.name, body: graph, rules: rules)), x.map(\.tensor))
  return zip(results, outputFlags).map { Mapped($0, isMapped: $1) }
}
