import FluxionCore

// Derivatives of loops and branches. Forward mode runs values and tangents in one loop. When linearising, the loop is split: one loop
// computes values and stacks what the tangents need (the residuals), a second one, linear, carries the tangents and is transposed
// into a loop that walks back.

func scanTangents(_ scan: Scan, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  guard isLinearizing else {
    let (results, slopes) = augmentedScan(scan, x, t.map { [$0] }, .tangents)
    return (results, slopes.map { $0[0] })
  }
  let (k, c) = (scan.constantCount, scan.carryCount)
  let active = closedActivity(t.map { $0 != nil }, carries: k..<k + c) { activeOutputs(scan.body, $0) }
  let t = zip(t, zip(x, active)).map { tangent, rest in tangent ?? (rest.1 ? zerosLike(rest.0) : nil) }
  return linearizedScan(scan, x, t, active)
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
  for i in split.linearCaptures.indices {
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

extension Graph {
  /// Inputs [first `k`, rest, captures] reordered to [rest, captures, first `k`], as ``makeScan`` expects captures last.
  fileprivate func movingInputsLast(_ k: Int) -> Graph {
    let n = inputCount
    return permutingInputs { $0 < k ? n - k + $0 : $0 - k }
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
