import FluxionCore

// What goes into loops and branches: constants move into the bodies, where they can be folded and fused; what nobody reads does not
// enter; what a loop carries without changing it becomes one of its constants.

extension Graph {
  /// The same program with fewer operands and results of its loops and branches.
  func simplifyingControlFlow() -> Graph {
    guard nodes.contains(where: { $0.operation.isControlFlow }) else { return self }
    let live = liveValues(from: outputs)
    return rewritten { editor, node, operands in
      let used = (0..<node.resultCount).map { live[node.firstResult.int + $0] }
      switch node.operation {
      case let .scan(scan): return simplifiedScan(scan, operands, used, &editor, node.callSite)
      case let .whileLoop(loop): return simplifiedLoop(loop, operands, used, &editor, node.callSite)
      case let .conditional(branches): return simplifiedBranches(branches, operands, node, &editor)
      default: return nil
      }
    }
  }
}

/// What an input of a body becomes.
private enum Binding {
  /// An input of the new body, at this place.
  case input(Int)
  /// A small source written into the body: the nodes that make it, from the operand inwards.
  case source([Node], TensorType)
  /// Not read by what remains.
  case none
}

extension Graph {
  /// The body with its inputs rebound and only some of its outputs.
  fileprivate func rebuilt(_ bindings: [Binding], inputTypes: [TensorType], outputs kept: [ValueID]) -> Graph {
    var editor = GraphEditor(inputTypes: inputTypes)
    var renamed = [ValueID](repeating: ValueID(-1), count: types.count)
    for (i, binding) in bindings.enumerated() {
      switch binding {
      case let .input(place): renamed[i] = ValueID(place)
      case let .source(chain, _):
        var value: ValueID?
        for node in chain.reversed() {
          value = editor.make(node.operation, value.map { [$0] } ?? [], node.callSite)
        }
        renamed[i] = value!
      case .none: break
      }
    }
    let live = liveValues(from: kept)
    for node in nodes where node.isLive(live) {
      let first = node.firstResult.int
      let made = editor.append(
        node.operation, node.operands.map { renamed[$0.int] }, types[first..<first + node.resultCount], node.callSite)
      for i in 0..<node.resultCount { renamed[first + i] = ValueID(made.int + i) }
    }
    return editor.finish(outputs: kept.map { renamed[$0.int] })
  }
}

extension GraphEditor {
  /// The nodes that make `value` out of nothing, if they are few and make it from a constant of at most 256 bytes or a ramp.
  fileprivate func smallSource(_ value: ValueID) -> [Node]? {
    var chain: [Node] = []
    var at = value
    while let node = node(at) {
      chain.append(node)
      switch node.operation {
      case let .constant(constant): return constant.type.byteCount <= 256 ? chain : nil
      case .iota: return chain
      case .broadcast, .reshape: at = node.operands[0]
      default: return nil
      }
    }
    return nil
  }
}

/// Collects the operands that stay, each once.
private struct OperandList {
  var values: [ValueID] = []
  private var places: [ValueID: Int] = [:]

  mutating func place(_ value: ValueID) -> Int {
    if let known = places[value] { return known }
    places[value] = values.count
    values.append(value)
    return values.count - 1
  }
}

// MARK: - Scan

private func simplifiedScan(
  _ scan: Scan, _ operands: [ValueID], _ used: [Bool], _ editor: inout GraphEditor, _ site: CallSite?
) -> [ValueID]? {
  let body = scan.body.simplifyingControlFlow()
  let (k, c) = (scan.constantCount, scan.carryCount)
  let carryOutputs = Array(body.outputs[0..<c])
  let stacked = Array(body.outputs[c...])

  // Carries that every step passes on unchanged are constants.
  let invariant = (0..<c).map { carryOutputs[$0] == ValueID(k + $0) }
  // Carries that matter: those used afterwards, and those that these or the stacked outputs read.
  var needed = (0..<c).map { used[$0] && !invariant[$0] }
  var live: [Bool] = []
  while true {
    live = body.liveValues(
      from: (0..<c).filter { needed[$0] }.map { carryOutputs[$0] } + stacked.indices.filter { used[c + $0] }.map { stacked[$0] })
    let more = (0..<c).filter { !needed[$0] && !invariant[$0] && live[k + $0] }
    if more.isEmpty { break }
    for i in more { needed[i] = true }
  }

  // A loop of one step is that step.
  if scan.length == 1 {
    var arguments = Array(operands[0..<k + c])
    for v in operands[(k + c)...] {
      arguments.append(editor.make(.reshape(Shape(Array(editor.type(v).shape.dimensions.dropFirst()))), [v], site))
    }
    let results = body.inlined(into: &editor, arguments, site: site)
    return results.enumerated().map { i, v in
      i < c ? v : editor.make(.reshape([1] + editor.type(v).shape), [v], site)
    }
  }

  var constants = OperandList()
  var bindings = [Binding](repeating: .none, count: body.inputCount)
  for i in 0..<k + c where live[i] && (i < k || invariant[i - k]) {
    if let chain = editor.smallSource(operands[i]) {
      bindings[i] = .source(chain, body.types[i])
    } else {
      bindings[i] = .input(constants.place(operands[i]))
    }
  }
  var newOperands = constants.values
  let keptCarries = (0..<c).filter { needed[$0] }
  for i in keptCarries {
    bindings[k + i] = .input(newOperands.count)
    newOperands.append(operands[k + i])
  }
  for i in k + c..<operands.count where live[i] {
    bindings[i] = .input(newOperands.count)
    newOperands.append(operands[i])
  }
  let keptStacks = stacked.indices.filter { used[c + $0] }
  let sliceStart = constants.values.count + keptCarries.count
  let inputTypes = newOperands.enumerated().map { i, v -> TensorType in
    let type = editor.type(v)
    return i < sliceStart ? type : TensorType(Shape(Array(type.shape.dimensions.dropFirst())), type.elementType)
  }
  let newBody = body.rebuilt(
    bindings, inputTypes: inputTypes, outputs: keptCarries.map { carryOutputs[$0] } + keptStacks.map { stacked[$0] })

  var results = [ValueID](repeating: ValueID(-1), count: c + stacked.count)
  for i in 0..<c where invariant[i] || !needed[i] { results[i] = operands[k + i] }
  let resultTypes =
    keptCarries.map { body.types[carryOutputs[$0].int] }
    + keptStacks.map { j -> TensorType in
      let type = body.types[stacked[j].int]
      return TensorType([scan.length] + type.shape, type.elementType)
    }
  if !resultTypes.isEmpty {
    let new = Scan(
      body: newBody, constantCount: constants.values.count, carryCount: keptCarries.count, length: scan.length,
      reverse: scan.reverse)
    let first = editor.append(.scan(new), newOperands, resultTypes, site)
    for (place, i) in keptCarries.enumerated() { results[i] = ValueID(first.int + place) }
    for (place, j) in keptStacks.enumerated() { results[c + j] = ValueID(first.int + keptCarries.count + place) }
  }
  // Stacked outputs that nobody reads still need a value of their type, which dead-code removal takes away again.
  for j in stacked.indices where !used[c + j] {
    let type = body.types[stacked[j].int]
    results[c + j] = editor.constant(0, TensorType([scan.length] + type.shape, type.elementType), site)
  }
  return results
}

// MARK: - While

private func simplifiedLoop(
  _ loop: WhileLoop, _ operands: [ValueID], _ used: [Bool], _ editor: inout GraphEditor, _ site: CallSite?
) -> [ValueID]? {
  let condition = loop.condition.simplifyingControlFlow()
  let body = loop.body.simplifyingControlFlow()
  let (kc, kb) = (loop.conditionConstantCount, loop.bodyConstantCount)
  let c = operands.count - kc - kb
  let invariant = (0..<c).map { body.outputs[$0] == ValueID(kb + $0) }
  let liveInCondition = condition.liveValues(from: condition.outputs)
  var needed = (0..<c).map { (used[$0] || liveInCondition[kc + $0]) && !invariant[$0] }
  var live: [Bool] = []
  while true {
    live = body.liveValues(from: (0..<c).filter { needed[$0] }.map { body.outputs[$0] })
    let more = (0..<c).filter { !needed[$0] && !invariant[$0] && live[kb + $0] }
    if more.isEmpty { break }
    for i in more { needed[i] = true }
  }
  let kept = (0..<c).filter { needed[$0] }

  func bind(_ graph: Graph, _ constantCount: Int, _ offset: Int, _ live: [Bool], _ outputs: [ValueID]) -> (Graph, [ValueID]) {
    var constants = OperandList()
    var bindings = [Binding](repeating: .none, count: graph.inputCount)
    for i in 0..<graph.inputCount where live[i] && (i < constantCount || invariant[i - constantCount]) {
      let operand = i < constantCount ? operands[offset + i] : operands[kc + kb + i - constantCount]
      if let chain = editor.smallSource(operand) {
        bindings[i] = .source(chain, graph.types[i])
      } else {
        bindings[i] = .input(constants.place(operand))
      }
    }
    for (place, i) in kept.enumerated() { bindings[constantCount + i] = .input(constants.values.count + place) }
    let inputTypes = (constants.values + kept.map { operands[kc + kb + $0] }).map { editor.type($0) }
    return (graph.rebuilt(bindings, inputTypes: inputTypes, outputs: outputs), constants.values)
  }
  let (newCondition, conditionConstants) = bind(condition, kc, 0, liveInCondition, condition.outputs)
  let (newBody, bodyConstants) = bind(body, kb, kc, live, kept.map { body.outputs[$0] })
  let carries = kept.map { operands[kc + kb + $0] }
  let new = WhileLoop(
    condition: newCondition, body: newBody, conditionConstantCount: conditionConstants.count,
    bodyConstantCount: bodyConstants.count)
  var results = (0..<c).map { operands[kc + kb + $0] }
  // A loop that changes nothing is not run, whether it would end or not.
  if kept.isEmpty { return results }
  let first = editor.append(
    .whileLoop(new), conditionConstants + bodyConstants + carries, carries.map { editor.type($0) }, site)
  for (place, i) in kept.enumerated() { results[i] = ValueID(first.int + place) }
  return results
}

// MARK: - Conditional

private func simplifiedBranches(
  _ branches: [Graph], _ operands: [ValueID], _ node: Node, _ editor: inout GraphEditor
) -> [ValueID]? {
  let inner = branches.map { $0.simplifyingControlFlow() }
  if let index = editor.uniform(operands[0]), index >= 0, Int(index) < inner.count {
    return inner[Int(index)].inlined(into: &editor, Array(operands.dropFirst()), site: node.callSite)
  }
  let live = inner.map { $0.liveValues(from: $0.outputs) }
  var list = OperandList()
  var bindings = [Binding](repeating: .none, count: operands.count - 1)
  for i in bindings.indices where live.contains(where: { $0[i] }) {
    if let chain = editor.smallSource(operands[i + 1]) {
      bindings[i] = .source(chain, inner[0].types[i])
    } else {
      bindings[i] = .input(list.place(operands[i + 1]))
    }
  }
  let inputTypes = list.values.map { editor.type($0) }
  let rebuilt = inner.map { $0.rebuilt(bindings, inputTypes: inputTypes, outputs: $0.outputs) }
  let first = editor.append(
    .conditional(branches: rebuilt), [operands[0]] + list.values, rebuilt[0].outputTypes, node.callSite)
  return (0..<node.resultCount).map { ValueID(first.int + $0) }
}
