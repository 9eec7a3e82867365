import FluxionCore

// Derivatives of loops and branches. Forward mode runs values and tangents in one loop. When linearising, the loop is split: one loop
// computes values and stacks what the tangents need (the residuals), a second one, linear, carries the tangents and is transposed
// into a loop that walks back.

// MARK: - Scan

func scanTangents(_ scan: Scan, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let (k, c) = (scan.constantCount, scan.carryCount)
  // A carry has a tangent if it begins with one or gets one from a step: the least set closed under a step.
  var active = t.map { $0 != nil }
  while true {
    let outputs = activeOutputs(scan.body, active)
    var changed = false
    for i in 0..<c where outputs[i] && !active[k + i] {
      active[k + i] = true
      changed = true
    }
    if !changed { break }
  }
  let t = zip(t, zip(x, active)).map { tangent, rest in tangent ?? (rest.1 ? zerosLike(rest.0) : nil) }
  return isLinearizing ? linearizedScan(scan, x, t, active) : forwardScan(scan, x, t, active)
}

/// Which outputs of a body have tangents when the flagged inputs have.
private func activeOutputs(_ body: Graph, _ active: [Bool]) -> [Bool] {
  var flags: [Bool] = []
  _ = traceGraph(body.inputTypes) { inputs in
    let (results, tangents) = pushforward(body, inputs, zip(inputs, active).map { $1 ? zerosLike($0) : nil })
    flags = tangents.map { $0 != nil }
    return results
  }
  return flags
}

private func forwardScan(_ scan: Scan, _ x: [Tensor], _ t: [Tensor?], _ active: [Bool]) -> ([Tensor], [Tensor?]) {
  let (k, c) = (scan.constantCount, scan.carryCount)
  let body = scan.body
  let places = active.indices.filter { active[$0] }
  var outputActive: [Bool] = []
  // Body inputs: constants, their tangents | carries, theirs | slices, theirs.
  func group(_ range: Range<Int>) -> (own: [Int], tangents: [Int]) { (Array(range), places.filter { range.contains($0) }) }
  let groups = [group(0..<k), group(k..<k + c), group(k + c..<x.count)]
  let layout = groups.flatMap { $0.own.map { (place: $0, isTangent: false) } + $0.tangents.map { (place: $0, isTangent: true) } }
  let (graph, captures) = traceGraph(layout.map { body.types[$0.place] }) { inputs in
    var primals = [Tensor?](repeating: nil, count: x.count)
    var tangents = [Tensor?](repeating: nil, count: x.count)
    for (input, entry) in zip(inputs, layout) {
      if entry.isTangent { tangents[entry.place] = input } else { primals[entry.place] = input }
    }
    let (results, slopes) = pushforward(body, primals.map { $0! }, tangents)
    outputActive = slopes.map { $0 != nil }
    let carrySlopes = (0..<c).filter { active[k + $0] }.map { slopes[$0] ?? zerosLike(results[$0]) }
    return Array(results.prefix(c)) + carrySlopes + results.dropFirst(c) + slopes.dropFirst(c).compactMap { $0 }
  }
  func operands(_ g: (own: [Int], tangents: [Int])) -> [Tensor] { g.own.map { x[$0] } + g.tangents.map { t[$0]! } }
  let constants = operands(groups[0]), carries = operands(groups[1]), slices = operands(groups[2])
  let n = constants.count + carries.count + slices.count
  // Captures become further constants.
  let ordered = graph.permutingInputs { old in
    old < constants.count ? old : (old < n ? old + captures.count : old - n + constants.count)
  }
  let doubled = Scan(
    body: ordered, constantCount: constants.count + captures.count, carryCount: carries.count, length: scan.length,
    reverse: scan.reverse)
  let all = apply(.scan(doubled), constants + captures + carries + slices)
  var rest = all[...]
  func take(_ count: Int) -> [Tensor] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
  let outputCount = body.outputs.count - c
  let finalCarries = take(c)
  var carrySlopes = take(groups[1].tangents.count)[...]
  let stacked = take(outputCount)
  var stackedSlopes = rest
  let tangents =
    (0..<c).map { active[k + $0] ? carrySlopes.removeFirst() : nil }
    + (0..<outputCount).map { outputActive[c + $0] ? stackedSlopes.removeFirst() : nil }
  return (finalCarries + stacked, tangents)
}

private func linearizedScan(_ scan: Scan, _ x: [Tensor], _ t: [Tensor?], _ active: [Bool]) -> ([Tensor], [Tensor?]) {
  let (k, c) = (scan.constantCount, scan.carryCount)
  let body = scan.body
  let split = Split(body, active: active, keepingActive: k..<k + c, outputsLike: c)
  // The loop of values: constants and captured values, carries, slices; its further outputs are the residuals, stacked.
  let stepResiduals = split.residuals.indices.filter { split.residualInput[$0].map { $0 >= k } ?? true }
  let known = makeScan(
    split.knownGraph(residuals: stepResiduals).movingInputsLast(k), captures: split.knownCaptures + x.prefix(k),
    carries: Array(x[k..<k + c]), slices: Array(x[(k + c)...]), length: scan.length, reverse: scan.reverse)
  let outputCount = body.outputs.count
  // The loop of tangents.
  let places = active.indices.filter { active[$0] }
  let constants = places.filter { $0 < k }, carries = places.filter { (k..<k + c).contains($0) }, slices = places.filter { $0 >= k + c }
  // Its body takes active constants, carries, slices, then residuals, then what it captured from outside.
  let n = places.count
  var operandOfCapture: [(tensor: Tensor, isSlice: Bool)] = []
  for (i, residual) in split.linearCaptures.enumerated() {
    _ = residual
    if let r = split.residualIndex[i] {
      if let s = stepResiduals.firstIndex(of: r) {
        operandOfCapture.append((known[outputCount + s], true))
      } else {
        operandOfCapture.append((x[split.residualInput[r]!], false))
      }
    } else {
      operandOfCapture.append((split.linearCaptures[i], false))
    }
  }
  let fixed = operandOfCapture.indices.filter { !operandOfCapture[$0].isSlice }
  let stepped = operandOfCapture.indices.filter { operandOfCapture[$0].isSlice }
  // New order: active constants, fixed captures, carries, slices, stepped captures.
  var place = [Int](repeating: 0, count: n + operandOfCapture.count)
  var next = 0
  func put(_ old: Int) {
    place[old] = next
    next += 1
  }
  for i in constants.indices { put(i) }
  for i in fixed { put(n + i) }
  for i in carries.indices { put(constants.count + i) }
  for i in slices.indices { put(constants.count + carries.count + i) }
  for i in stepped { put(n + i) }
  let linear = Scan(
    body: split.linearGraph.permutingInputs { place[$0] }, constantCount: constants.count + fixed.count, carryCount: carries.count,
    length: scan.length, reverse: scan.reverse)
  let operands =
    constants.map { t[$0]! } + fixed.map { operandOfCapture[$0].tensor } + carries.map { t[$0]! } + slices.map { t[$0]! }
    + stepped.map { operandOfCapture[$0].tensor }
  var slopes = apply(.scan(linear), operands)[...]
  let tangents = (0..<outputCount).map { i -> Tensor? in split.outputActive[i] ? slopes.removeFirst() : nil }
  return (Array(known.prefix(outputCount)), tangents)
}

/// A body split into a program of values and a linear program of tangents that reads residuals of the first.
private struct Split {
  let linearGraph: Graph
  /// The tensors the linear program captured, in the order of its inputs after the active tangents.
  let linearCaptures: [Tensor]
  /// For each capture, its place among `residuals`, or nil when it comes from outside the body.
  let residualIndex: [Int?]
  let residuals: [Tensor]
  /// For each residual that is simply an input of the body, which.
  let residualInput: [Int?]
  let outputActive: [Bool]
  private let builder: GraphBuilder
  private let results: [Tensor]
  private(set) var knownCaptures: [Tensor] = []

  /// - Parameters:
  ///   - keepingActive: inputs (carries) whose outputs keep tangents even when a step makes them zero.
  ///   - outputsLike: how many outputs correspond to those inputs.
  init(_ body: Graph, active: [Bool], keepingActive carries: Range<Int>, outputsLike carryCount: Int, alwaysActive: [Bool] = []) {
    let values = GraphBuilder(parent: GraphBuilder.current)
    let linear = GraphBuilder(parent: values, isLinear: true)
    let inputs = body.inputTypes.map { values.input($0) }
    let tangents = zip(body.inputTypes, active).map { $1 ? linear.input($0) : nil }
    // Active tangents were made in the order of the inputs: constants, carries, slices.
    let (results, slopes, flags, graph, captures) = linear.recording {
      let (results, slopes) = pushforward(body, inputs, tangents)
      let outputs = results.indices.map { i -> Tensor? in
        if let slope = slopes[i] { return slope }
        let kept = i < carryCount ? active[carries.lowerBound + i] : (i < alwaysActive.count && alwaysActive[i])
        return kept ? zerosLike(results[i]) : nil
      }
      let (graph, captures) = linear.finish(outputs.compactMap { $0 })
      return (results, outputs, outputs.map { $0 != nil }, graph, captures)
    }
    _ = slopes
    var residuals: [Tensor] = []
    var indices: [Int?] = []
    var inputOf: [Int?] = []
    for capture in captures {
      guard values.owns(capture) else {
        indices.append(nil)
        continue
      }
      indices.append(residuals.count)
      residuals.append(capture)
      inputOf.append(inputs.firstIndex { $0.isSameValue(as: capture) })
    }
    linearGraph = graph
    linearCaptures = captures
    residualIndex = indices
    self.residuals = residuals
    residualInput = inputOf
    outputActive = flags
    builder = values
    self.results = results
    knownCaptures = builder.finish(results + residuals).captures
  }

  /// The program of values, with the chosen residuals as further outputs; inputs: the body's, then `knownCaptures`.
  func knownGraph(residuals chosen: [Int]) -> Graph {
    let (graph, captures) = builder.finish(results + chosen.map { residuals[$0] })
    // Fewer outputs may need fewer captures; give the graph the full list, so that operands are one list for all.
    if captures.count == knownCaptures.count { return graph }
    let n = graph.inputCount - captures.count
    let kept = captures.map { c in knownCaptures.firstIndex { $0.isSameValue(as: c) }! }
    return graph.embedding(inputCount: n + knownCaptures.count, types: Array(graph.inputTypes.prefix(n)) + knownCaptures.map(\.type)) {
      $0 < n ? $0 : n + kept[$0 - n]
    }
  }
}

extension Graph {
  /// Inputs [first `k`, rest, captures] reordered to [rest, captures, first `k`], as ``makeScan`` expects captures last.
  fileprivate func movingInputsLast(_ k: Int) -> Graph {
    let n = inputCount
    return permutingInputs { $0 < k ? n - k + $0 : $0 - k }
  }

  /// The same program among more inputs: input i becomes input `place(i)` of `types`.
  fileprivate func embedding(inputCount count: Int, types inputTypes: [TensorType], _ place: (Int) -> Int) -> Graph {
    let shift = count - inputCount
    func renumber(_ v: ValueID) -> ValueID { v.int < inputCount ? ValueID(place(v.int)) : ValueID(v.int + shift) }
    return Graph(
      inputCount: count,
      nodes: nodes.map {
        Node(
          operation: $0.operation, operands: $0.operands.map(renumber), firstResult: renumber($0.firstResult),
          resultCount: $0.resultCount, callSite: $0.callSite)
      }, outputs: outputs.map(renumber), types: inputTypes + types[inputCount...])
  }
}

func scanTranspose(_ scan: Scan, _ types: [TensorType], _ x: [Tensor?], _ cotangents: [Tensor?], _ masked: Bool) -> [Tensor?] {
  let (k, c) = (scan.constantCount, scan.carryCount)
  let body = scan.body
  // A linear loop carries only tangents; one that begins as a known zero is carried back like the others, and then dropped.
  let linear = x.indices.map { x[$0] == nil || (k..<k + c).contains($0) }
  let linearConstants = (0..<k).filter { linear[$0] }, knownConstants = (0..<k).filter { !linear[$0] }
  let linearSlices = (k + c..<x.count).filter { linear[$0] }, knownSlices = (k + c..<x.count).filter { !linear[$0] }
  let outputs = (c..<body.outputs.count).filter { cotangents[$0] != nil }
  // Carried back: cotangents of the carries, sums for the constants. Slices: residuals, cotangents of the outputs.
  let carried = (0..<c).map { cotangents[$0] ?? Tensor.zeros(like: types[k + $0]) } + linearConstants.map { Tensor.zeros(like: types[$0]) }
  let slices = knownSlices.map { x[$0]! } + outputs.map { cotangents[$0]! }
  let inputTypes =
    carried.map(\.type) + knownSlices.map { body.types[$0] } + outputs.map { body.type(of: body.outputs[$0]) }
    + knownConstants.map { types[$0] }
  let (graph, captures) = traceGraph(inputTypes) { inputs in
    var rest = inputs[...]
    func take(_ n: Int) -> [Tensor] {
      defer { rest = rest.dropFirst(n) }
      return Array(rest.prefix(n))
    }
    let carries = take(c), sums = take(linearConstants.count)
    var arguments = [Tensor?](repeating: nil, count: x.count)
    for (i, value) in zip(knownSlices, take(knownSlices.count)) { arguments[i] = value }
    var arriving: [Tensor?] = carries.map { $0 } + [Tensor?](repeating: nil, count: body.outputs.count - c)
    for (i, value) in zip(outputs, take(outputs.count)) { arriving[i] = value }
    for (i, value) in zip(knownConstants, rest) { arguments[i] = value }
    let results = transpose(body, arguments, arriving, masked: masked)
    let newCarries = (0..<c).map { results[k + $0] ?? Tensor.zeros(like: types[k + $0]) }
    let newSums = zip(sums, linearConstants).map { sum($0, results[$1])! }
    return newCarries + newSums + linearSlices.map { results[$0] ?? Tensor.zeros(like: body.types[$0]) }
  }
  let all = makeScan(
    graph, captures: knownConstants.map { x[$0]! } + captures, carries: carried, slices: slices, length: scan.length,
    reverse: !scan.reverse)
  var result = [Tensor?](repeating: nil, count: x.count)
  for i in 0..<c { result[k + i] = all[i] }
  for (i, place) in linearConstants.enumerated() { result[place] = all[c + i] }
  for (i, place) in linearSlices.enumerated() { result[place] = all[c + linearConstants.count + i] }
  return result
}

// MARK: - While

func whileTangents(_ loop: WhileLoop, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let (kc, kb) = (loop.conditionConstantCount, loop.bodyConstantCount)
  let first = kc + kb
  let carries = Array(x[first...])
  var active = t[first...].map { $0 != nil }
  let constantsActive = t[kc..<first].map { $0 != nil }
  while true {
    let outputs = activeOutputs(loop.body, constantsActive + active)
    let grown = zip(active, outputs).map { $0 || $1 }
    if grown == active { break }
    active = grown
  }
  guard active.contains(true) else {
    return (apply(.whileLoop(loop), x), [Tensor?](repeating: nil, count: carries.count))
  }
  if isLinearizing {
    trapAtCaller(
      ProgramError(
        "whileLoop",
        "a loop of unknown length cannot be differentiated backwards, as its steps would have to be kept. Use scan with a bound, forward mode, or an implicit derivative."))
  }
  let places = active.indices.filter { active[$0] }
  let starts = carries + places.map { t[first + $0] ?? zerosLike(carries[$0]) }
  let conditionConstants = Array(x[..<kc]), bodyConstants = Array(x[kc..<first])
  let (condition, conditionCaptures) = traceGraph(starts.map(\.type)) { inputs in
    loop.condition(conditionConstants + inputs.prefix(carries.count))
  }
  let (body, bodyCaptures) = traceGraph(starts.map(\.type)) { inputs in
    var slopes = [Tensor?](repeating: nil, count: carries.count)
    for (i, place) in places.enumerated() { slopes[place] = inputs[carries.count + i] }
    let (results, tangents) = pushforward(
      loop.body, bodyConstants + inputs.prefix(carries.count), Array(t[kc..<first]) + slopes)
    return results + places.map { tangents[$0] ?? zerosLike(results[$0]) }
  }
  var all = makeWhile(condition, conditionCaptures, body, bodyCaptures, starts)[...]
  let results = Array(all.prefix(carries.count))
  all = all.dropFirst(carries.count)
  return (results, active.map { $0 ? all.removeFirst() : nil })
}

// MARK: - Conditional

func conditionalTangents(_ branches: [Graph], _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let operands = Array(x.dropFirst()), tangents = Array(t.dropFirst())
  let active = tangents.map { $0 != nil }
  let outputActive = branches.map { activeOutputs($0, active) }.reduce([Bool](repeating: false, count: branches[0].outputs.count)) {
    zip($0, $1).map { $0 || $1 }
  }
  let outputCount = branches[0].outputs.count
  guard isLinearizing else {
    let doubled = branches.map { branch in
      traceGraph([]) { _ in
        let (results, slopes) = pushforward(branch, operands, tangents)
        return results + results.indices.filter { outputActive[$0] }.map { slopes[$0] ?? zerosLike(results[$0]) }
      }
    }
    let all = makeConditional(x[0], doubled)
    var slopes = all.dropFirst(outputCount)
    return (Array(all.prefix(outputCount)), outputActive.map { $0 ? slopes.removeFirst() : nil })
  }
  let splits = branches.map {
    Split($0, active: active, keepingActive: 0..<0, outputsLike: 0, alwaysActive: outputActive)
  }
  // Every branch gives all branches' residuals, zeros in the places of the others.
  let known = splits.enumerated().map { i, split -> (graph: Graph, captures: [Tensor]) in
    let own = split.knownGraph(residuals: Array(split.residuals.indices))
    return traceGraph([]) { _ in
      let results = own(operands + split.knownCaptures)
      var outputs = Array(results.prefix(outputCount))
      for (j, other) in splits.enumerated() {
        outputs += j == i ? Array(results.dropFirst(outputCount)) : other.residuals.map { zerosLike($0) }
      }
      return outputs
    }
  }
  let all = makeConditional(x[0], known)
  var offset = outputCount
  let activeTangents = tangents.compactMap { $0 }
  let linear = splits.map { split -> (graph: Graph, captures: [Tensor]) in
    let residuals = Array(all[offset..<offset + split.residuals.count])
    offset += split.residuals.count
    let captures = split.linearCaptures.indices.map { i in split.residualIndex[i].map { residuals[$0] } ?? split.linearCaptures[i] }
    return (split.linearGraph, activeTangents + captures)
  }
  var slopes = makeConditional(x[0], linear)[...]
  return (Array(all.prefix(outputCount)), outputActive.map { $0 ? slopes.removeFirst() : nil })
}

func conditionalTranspose(_ branches: [Graph], _ types: [TensorType], _ x: [Tensor?], _ cotangents: [Tensor?], _ masked: Bool) -> [Tensor?] {
  let linear = (1..<x.count).filter { x[$0] == nil }
  let transposed = branches.map { branch in
    traceGraph([]) { _ in
      let results = transpose(branch, Array(x.dropFirst()), cotangents, masked: masked)
      return linear.map { results[$0 - 1] ?? Tensor.zeros(like: types[$0]) }
    }
  }
  let all = makeConditional(x[0]!, transposed)
  var result = [Tensor?](repeating: nil, count: x.count)
  for (i, place) in linear.enumerated() { result[place] = all[i] }
  return result
}
