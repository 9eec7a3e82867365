import FluxionCore

// Loops and branches that carry more than values: tangents, coefficients of power series, Jacobians. All run in one loop.

/// What travels beside every value of a program, and how it passes through one. A value's companions are all nil where they are zero
/// throughout.
struct Augmentation {
  /// For each companion, the length of a leading axis it has besides the value's, or nil.
  let leading: [Int?]
  let push: (_ graph: Graph, _ values: [Tensor], _ companions: [[Tensor?]]) -> (results: [Tensor], companions: [[Tensor?]])

  /// Tangents: forward mode.
  static var tangents: Augmentation {
    Augmentation(leading: [nil]) { graph, values, companions in
      let (results, slopes) = pushforward(graph, values, companions.map { $0[0] })
      return (results, slopes.map { [$0] })
    }
  }

  var count: Int { leading.count }
  var none: [Tensor?] { [Tensor?](repeating: nil, count: count) }

  func type(_ type: TensorType, _ companion: Int) -> TensorType {
    leading[companion].map { TensorType([$0] + type.shape, type.elementType) } ?? type
  }

  /// All companions, zeros where they are nil.
  func filled(_ companions: [Tensor?], like x: Tensor) -> [Tensor] {
    companions.enumerated().map { $1 ?? Tensor.zeros(like: type(x.type, $0)) }
  }
}

extension [Tensor?] {
  var isActive: Bool { contains { $0 != nil } }
}

func augmentedScan(_ scan: Scan, _ x: [Tensor], _ companions: [[Tensor?]], _ a: Augmentation) -> ([Tensor], [[Tensor?]]) {
  let (k, c) = (scan.constantCount, scan.carryCount)
  let body = scan.body
  let active = closedActivity(companions.map(\.isActive), carries: k..<k + c) { activeOutputs(body, $0) }
  /// A companion's leading axis stays behind the axis that is scanned over.
  func swapped(_ companion: Int, _ x: Tensor) -> Tensor { a.leading[companion] == nil ? x : x.swappingAxes(0, 1) }
  // Body inputs: constants, their companions | carries, theirs | slices, theirs.
  typealias Entry = (place: Int, companion: Int?)
  let groups = [0..<k, k..<k + c, k + c..<x.count].map { range -> [Entry] in
    range.map { ($0, nil) } + range.filter { active[$0] }.flatMap { place in (0..<a.count).map { (place, $0) } }
  }
  let operands = groups.enumerated().map { g, group in
    group.map { place, companion -> Tensor in
      guard let i = companion else { return x[place] }
      let own = a.filled(companions[place], like: x[place])[i]
      return g == 2 ? swapped(i, own) : own
    }
  }
  let layout = groups.flatMap { $0 }
  var outputActive: [Bool] = []
  let (graph, captures) = traceGraph(layout.map { e in e.companion.map { a.type(body.types[e.place], $0) } ?? body.types[e.place] }) {
    inputs in
    var values = [Tensor?](repeating: nil, count: x.count)
    var beside = [[Tensor?]](repeating: a.none, count: x.count)
    for (input, entry) in zip(inputs, layout) {
      if let i = entry.companion { beside[entry.place][i] = input } else { values[entry.place] = input }
    }
    let (results, out) = a.push(body, values.map { $0! }, beside)
    outputActive = out.map(\.isActive)
    let carried = (0..<c).filter { active[k + $0] }.flatMap { a.filled(out[$0], like: results[$0]) }
    let stacked = (c..<results.count).filter { outputActive[$0] }.flatMap { a.filled(out[$0], like: results[$0]) }
    return Array(results.prefix(c)) + carried + results.dropFirst(c) + stacked
  }
  // `makeScan` takes carries, slices, then what was captured; constants count as that.
  let (m, n) = (operands[0].count, layout.count)
  var rest = makeScan(
    graph.permutingInputs { $0 < m ? n - m + $0 : ($0 < n ? $0 - m : $0) }, captures: operands[0] + captures, carries: operands[1],
    slices: operands[2], length: scan.length, reverse: scan.reverse)[...]
  func take(_ count: Int) -> [Tensor] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
  let lastCarries = take(c)
  var carried = (0..<c).map { active[k + $0] ? take(a.count) : a.none }
  let stacked = take(body.outputs.count - c)
  for i in stacked.indices {
    carried.append(outputActive[c + i] ? take(a.count).enumerated().map { swapped($0, $1) } : a.none)
  }
  return (lastCarries + stacked, carried)
}

func augmentedWhile(_ loop: WhileLoop, _ x: [Tensor], _ companions: [[Tensor?]], _ a: Augmentation) -> ([Tensor], [[Tensor?]]) {
  let (kc, kb) = (loop.conditionConstantCount, loop.bodyConstantCount)
  let first = kc + kb
  let carries = Array(x[first...])
  let active = loop.activeCarries(companions.map(\.isActive))
  let places = active.indices.filter { active[$0] }
  let starts = carries + places.flatMap { a.filled(companions[first + $0], like: carries[$0]) }
  let (condition, conditionCaptures) = traceGraph(starts.map(\.type)) { inputs in
    loop.condition(Array(x[..<kc]) + inputs.prefix(carries.count))
  }
  let (body, bodyCaptures) = traceGraph(starts.map(\.type)) { inputs in
    var beside = [[Tensor?]](repeating: a.none, count: carries.count)
    for (i, place) in places.enumerated() {
      for j in 0..<a.count { beside[place][j] = inputs[carries.count + i * a.count + j] }
    }
    let (results, out) = a.push(loop.body, Array(x[kc..<first]) + inputs.prefix(carries.count), Array(companions[kc..<first]) + beside)
    return results + places.flatMap { a.filled(out[$0], like: results[$0]) }
  }
  var all = makeWhile(condition, conditionCaptures, body, bodyCaptures, starts, bound: loop.bound)[...]
  let results = Array(all.prefix(carries.count))
  all = all.dropFirst(carries.count)
  let beside = active.map { isActive -> [Tensor?] in
    guard isActive else { return a.none }
    defer { all = all.dropFirst(a.count) }
    return Array(all.prefix(a.count))
  }
  return (results, beside)
}

extension WhileLoop {
  /// Which carries have tangents when the flagged operands have.
  func activeCarries(_ operands: [Bool]) -> [Bool] {
    let bodyOperands = Array(operands[conditionConstantCount...])
    return Array(
      closedActivity(bodyOperands, carries: bodyConstantCount..<bodyOperands.count) { activeOutputs(body, $0) }[bodyConstantCount...])
  }
}

func augmentedConditional(_ branches: [Graph], _ x: [Tensor], _ companions: [[Tensor?]], _ a: Augmentation) -> ([Tensor], [[Tensor?]]) {
  let operands = Array(x.dropFirst()), beside = Array(companions.dropFirst())
  let active = activeInSome(branches, beside.map(\.isActive))
  let widened = branches.map { branch in
    traceGraph([]) { _ in
      let (results, out) = a.push(branch, operands, beside)
      return results + results.indices.filter { active[$0] }.flatMap { a.filled(out[$0], like: results[$0]) }
    }
  }
  let all = makeConditional(x[0], widened)
  var rest = all.dropFirst(active.count)
  let out = active.map { isActive -> [Tensor?] in
    guard isActive else { return a.none }
    defer { rest = rest.dropFirst(a.count) }
    return Array(rest.prefix(a.count))
  }
  return (Array(all.prefix(active.count)), out)
}

/// Which results have tangents in at least one branch.
func activeInSome(_ branches: [Graph], _ active: [Bool]) -> [Bool] {
  branches.map { activeOutputs($0, active) }
    .reduce([Bool](repeating: false, count: branches[0].outputs.count)) { zip($0, $1).map { $0 || $1 } }
}
