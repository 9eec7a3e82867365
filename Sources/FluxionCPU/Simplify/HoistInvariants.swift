import FluxionCore

extension Graph {
  /// Work inside scans that is the same in every step, done once before the loop. Only what cannot fail is moved: a loop of no steps
  /// must not report an index. Views and constants stay, because a body makes them for nothing.
  func hoistingInvariants() -> Graph {
    guard nodes.contains(where: { $0.operation.isControlFlow }) else { return self }
    return rewritten { editor, node, operands in
      guard node.operation.isControlFlow else { return nil }
      var operation = node.operation.mappingSubgraphs { $0.hoistingInvariants() }
      var arguments = operands
      if case let .scan(scan) = operation, scan.length > 1 {
        (operation, arguments) = hoisted(scan, operands, &editor)
      }
      let first = editor.append(
        operation, arguments, types[node.firstResult.int..<node.firstResult.int + node.resultCount], node.callSite)
      return (0..<node.resultCount).map { ValueID(first.int + $0) }
    }
  }
}

private func hoisted(_ scan: Scan, _ operands: [ValueID], _ editor: inout GraphEditor) -> (Operation, [ValueID]) {
  let body = scan.body
  let k = scan.constantCount
  var isInvariant = [Bool](repeating: false, count: body.types.count)
  for i in 0..<k { isInvariant[i] = true }
  var moves = [Bool](repeating: false, count: body.nodes.count)
  for (n, node) in body.nodes.enumerated() {
    guard node.operation.canMove, node.operands.allSatisfy({ isInvariant[$0.int] }) else { continue }
    for i in 0..<node.resultCount { isInvariant[node.firstResult.int + i] = true }
    moves[n] = node.operation.isWorthMoving && !node.operands.isEmpty
  }
  guard moves.contains(true) else { return (.scan(scan), operands) }

  // What moved nodes need moves with them; what stays and reads a moved value gets it as a further constant.
  var made: [ValueID: ValueID] = [:]   // value of the body → value outside
  func outside(_ value: ValueID) -> ValueID {
    if value.int < k { return operands[value.int] }
    if let known = made[value] { return known }
    let node = body.node(making: value)
    let first = editor.append(
      node.operation, node.operands.map(outside),
      body.types[node.firstResult.int..<node.firstResult.int + node.resultCount], node.callSite)
    for i in 0..<node.resultCount { made[ValueID(node.firstResult.int + i)] = ValueID(first.int + i) }
    return made[value]!
  }
  var boundary: [ValueID] = []
  var isMoved = [Bool](repeating: false, count: body.types.count)
  for (n, node) in body.nodes.enumerated() where moves[n] {
    for i in 0..<node.resultCount { isMoved[node.firstResult.int + i] = true }
  }
  var seen = Set<ValueID>()
  func note(_ v: ValueID) { if isMoved[v.int], seen.insert(v).inserted { boundary.append(v) } }
  for (n, node) in body.nodes.enumerated() where !moves[n] { node.operands.forEach(note) }
  body.outputs.forEach(note)

  let extra = boundary.map(outside)
  var inner = GraphEditor(
    inputTypes: Array(body.types[0..<k]) + boundary.map { body.types[$0.int] } + Array(body.types[k..<body.inputCount]))
  var renamed = [ValueID](repeating: ValueID(-1), count: body.types.count)
  for i in 0..<body.inputCount { renamed[i] = ValueID(i < k ? i : i + boundary.count) }
  for (i, v) in boundary.enumerated() { renamed[v.int] = ValueID(k + i) }
  for (n, node) in body.nodes.enumerated() where !moves[n] {
    let first = node.firstResult.int
    let kept = inner.append(
      node.operation, node.operands.map { renamed[$0.int] }, body.types[first..<first + node.resultCount], node.callSite)
    for i in 0..<node.resultCount { renamed[first + i] = ValueID(kept.int + i) }
  }
  var new = scan
  new.body = inner.finish(outputs: body.outputs.map { renamed[$0.int] })
  new.constantCount = k + boundary.count
  return (.scan(new), Array(operands[0..<k]) + extra + Array(operands[k...]))
}

extension Graph {
  fileprivate func node(making value: ValueID) -> Node {
    // Nodes are in order of their results.
    var (low, high) = (0, nodes.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if nodes[middle].firstResult <= value { low = middle } else { high = middle }
    }
    return nodes[low]
  }
}

extension Operation {
  /// Whether it may run although the loop around it makes no step.
  fileprivate var canMove: Bool {
    switch self {
    case .gather, .scatter, .dynamicSlice, .dynamicUpdateSlice, .scan, .whileLoop, .conditional, .call, .barrier: false
    default: true
    }
  }
  fileprivate var isWorthMoving: Bool {
    switch self {
    case .constant, .iota, .empty, .broadcast, .reshape, .transpose, .slice, .reverse, .bitcast: false
    default: true
    }
  }
}
