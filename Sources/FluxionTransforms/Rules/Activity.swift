import FluxionCore

// Which values can have tangents, found without computing any: loops need to know it before their bodies are differentiated. It may
// say yes where the tangent turns out to be zero, never no where it is not.

/// Which outputs of a body can have tangents when the flagged inputs have.
func activeOutputs(_ body: Graph, _ active: [Bool]) -> [Bool] {
  var flags = active + [Bool](repeating: false, count: body.types.count - body.inputCount)
  for node in body.nodes {
    let operands = node.operands.map { flags[$0.int] }
    guard operands.contains(true) else { continue }
    let isComplex = body.type(of: node.operands[0]).elementType.isComplex
    let results = activeResults(node.operation, operands, node.resultCount, isComplex)
    for (r, isActive) in zip(node.results, results) {
      flags[r.int] = isActive && body.type(of: r).elementType.isDifferentiable
    }
  }
  return body.outputs.map { flags[$0.int] }
}

private func activeResults(_ operation: Operation, _ operands: [Bool], _ count: Int, _ isComplex: Bool) -> [Bool] {
  switch operation {
  case .unary(.sign) where isComplex: return [true]
  case .unary(.sign), .unary(.floor), .unary(.ceil), .unary(.round), .unary(.truncate), .unary(.stopGradient), .bitcast:
    return [false]
  case .sort, .barrier: return operands
  case .linearAlgebra(.lu): return [true, false]
  case let .scan(scan):
    let active = closedActivity(operands, carries: scan.constantCount..<scan.constantCount + scan.carryCount) {
      activeOutputs(scan.body, $0)
    }
    return activeOutputs(scan.body, active)
  case let .whileLoop(loop):
    let bodyOperands = Array(operands.dropFirst(loop.conditionConstantCount))
    let first = loop.bodyConstantCount
    let active = closedActivity(bodyOperands, carries: first..<bodyOperands.count) { activeOutputs(loop.body, $0) }
    return Array(active[first...])
  case let .conditional(branches):
    return branches.map { activeOutputs($0, Array(operands.dropFirst())) }
      .reduce([Bool](repeating: false, count: count)) { zip($0, $1).map { $0 || $1 } }
  // A body that is not made yet is not made for this.
  case let .call(call) where (call.rules.tangent == nil || call.rules.isTransparent) && !call.isDeferred:
    return activeOutputs(call.body, operands)
  default: return [Bool](repeating: true, count: count)
  }
}

/// A carry has a tangent if it begins with one or gets one from a step: the least set closed under a step.
///
/// - Parameter outputs: what a step makes of the flagged inputs; its first outputs are the carries.
func closedActivity(_ initial: [Bool], carries: Range<Int>, _ outputs: ([Bool]) -> [Bool]) -> [Bool] {
  var active = initial
  while true {
    let after = outputs(active)
    var grown = active
    for (i, place) in carries.enumerated() where after[i] { grown[place] = true }
    if grown == active { return active }
    active = grown
  }
}
