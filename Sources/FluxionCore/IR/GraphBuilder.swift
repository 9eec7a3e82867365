
/// A graph being traced.
///
/// Builders form a chain: each trace begun inside another has it as parent. Which one records is a task-local, so tracing on one
/// task knows nothing of another; a builder's own lock is there because a traced tensor may be sent to another task, and is
/// uncontended otherwise.
package final class GraphBuilder: Sendable {
  /// What stands for a tensor of an enclosing trace, or for a concrete one, inside this trace.
  private enum CaptureKey: Hashable {
    case traced(ObjectIdentifier, ValueID)
    case buffer(ObjectIdentifier, TensorType)
  }
  private struct NodeKey: Hashable {
    let operation: Operation
    let operands: [ValueID]
  }
  private enum Origin { case input, capture, result(node: Int, position: Int) }

  private struct State {
    var types: [TensorType] = []
    var origins: [Origin] = []
    var inputs: [ValueID] = []
    var captures: [Tensor] = []
    var captureValues: [ValueID] = []
    var captured: [CaptureKey: ValueID] = [:]
    var nodes: [Node] = []
    var interned: [NodeKey: ValueID] = [:]
    /// Whether each value is made of constants alone.
    var isConstant: [Bool] = []
  }

  package let parent: GraphBuilder?
  /// Records only what depends on its inputs, the rest in the parent: a builder of linear programs, whose captures are then
  /// the residuals of a linearisation.
  package let isLinear: Bool
  /// Where errors of the program go in a throwing trace; nil: they trap.
  package let errors: ErrorCollector?
  private let state = Locked(State())

  package init(parent: GraphBuilder?, isLinear: Bool = false, errors: ErrorCollector? = nil) {
    self.parent = parent
    self.isLinear = isLinear
    self.errors = errors ?? parent?.errors
  }

  /// The innermost trace of this task.
  @TaskLocal package static var current: GraphBuilder?

  /// Runs `body` with this builder recording.
  package func recording<Result>(_ body: () throws -> Result) rethrows -> Result {
    try GraphBuilder.$current.withValue(self, operation: body)
  }

  package func input(_ type: TensorType) -> Tensor {
    let id = state.withLock { s in
      let id = ValueID(s.types.count)
      s.types.append(type)
      s.origins.append(.input)
      s.isConstant.append(false)
      s.inputs.append(id)
      return id
    }
    return Tensor(type, .traced(self, id))
  }

  /// Whether `tensor` is recorded here, not captured from outside.
  package func owns(_ tensor: Tensor) -> Bool {
    if case let .traced(builder, _) = tensor.payload { builder === self } else { false }
  }

  // MARK: Recording

  package func record(_ operation: Operation, _ operands: [Tensor], _ resultTypes: [TensorType]) -> [Tensor] {
    if isLinear, !operands.contains(where: owns) {
      return parent!.record(operation, operands, resultTypes)
    }
    return append(operation, operands.map { lift($0, for: operation) }, resultTypes)
  }

  private func append(_ operation: Operation, _ ids: [ValueID], _ resultTypes: [TensorType]) -> [Tensor] {
    let site = CallSite.current()
    let first = state.withLock { s -> ValueID in
      let next = ValueID(s.types.count)
      let isShared = if case .empty = operation { false } else { true }
      let first = isShared ? s.interned.value(of: NodeKey(operation: operation, operands: ids), orNew: next) : next
      if first != next { return first }
      let isConstant = isShared && ids.allSatisfy { s.isConstant[$0.int] }
      for (position, type) in resultTypes.enumerated() {
        s.types.append(type)
        s.origins.append(.result(node: s.nodes.count, position: position))
        s.isConstant.append(isConstant)
      }
      s.nodes.append(
        Node(operation: operation, operands: ids, firstResult: first, resultCount: resultTypes.count, callSite: site))
      return first
    }
    return resultTypes.indices.map { Tensor(resultTypes[$0], .traced(self, ValueID(first.int + $0))) }
  }

  /// The value that stands for `tensor` here.
  package func lift(_ tensor: Tensor, for operation: Operation? = nil) -> ValueID {
    switch tensor.payload {
    case let .traced(builder, id):
      if builder === self { return id }
      if isLinear, let copy = copyConstant(id, from: builder) { return copy }
      guard isDescendant(of: builder) else {
        trapAtCaller(
          ProgramError(
            operation?.name ?? "trace",
            "a tensor of another trace, which is over or runs beside this one, cannot be used here. Return it from that function instead."))
      }
      return capture(tensor, .traced(ObjectIdentifier(builder), id))
    case let .host(buffer):
      if tensor.type.byteCount <= Constant.contentLimit || tensor.elementCount == 1 {
        return constant(tensor.type, buffer)
      }
      return capture(tensor, .buffer(ObjectIdentifier(buffer), tensor.type))
    case .literal:
      return lift(tensor.resolved(meeting: nil), for: operation)
    }
  }

  /// What is made of constants alone is made again in a linear program rather than kept as a residual: inside a loop it would
  /// otherwise be stored at every step.
  private func copyConstant(_ id: ValueID, from builder: GraphBuilder) -> ValueID? {
    let origin = builder.state.withLock { s -> (node: Node, types: [TensorType])? in
      guard s.isConstant[id.int], case let .result(i, _) = s.origins[id.int] else { return nil }
      let node = s.nodes[i]
      return (node, node.results.map { s.types[$0.int] })
    }
    guard let (node, types) = origin else { return nil }
    let operands = node.operands.map { copyConstant($0, from: builder)! }
    let results = append(node.operation, operands, types)
    guard case let .traced(_, first) = results[0].payload else { return nil }
    return ValueID(first.int + id.int - node.firstResult.int)
  }

  private func isDescendant(of other: GraphBuilder) -> Bool {
    var ancestor = parent
    while let a = ancestor {
      if a === other { return true }
      ancestor = a.parent
    }
    return false
  }

  private func capture(_ tensor: Tensor, _ key: CaptureKey) -> ValueID {
    state.withLock { s in
      if let known = s.captured[key] { return known }
      let id = ValueID(s.types.count)
      s.types.append(tensor.type)
      s.origins.append(.capture)
      s.isConstant.append(false)
      s.captures.append(tensor)
      s.captureValues.append(id)
      s.captured[key] = id
      return id
    }
  }

  private func constant(_ type: TensorType, _ buffer: HostBuffer) -> ValueID {
    let operation = Operation.constant(Constant(type, buffer))
    return state.withLock { s in
      let next = ValueID(s.types.count)
      let id = s.interned.value(of: NodeKey(operation: operation, operands: []), orNew: next)
      if id != next { return id }
      s.types.append(type)
      s.origins.append(.result(node: s.nodes.count, position: 0))
      s.isConstant.append(true)
      s.nodes.append(Node(operation: operation, operands: [], firstResult: id, resultCount: 1))
      return id
    }
  }

  // MARK: Finishing

  /// The recorded program for `outputs`, without what they do not need. The graph's inputs are this trace's inputs, then one per
  /// tensor captured from outside, which are returned with it.
  package func finish(_ outputs: [Tensor]) -> (graph: Graph, captures: [Tensor]) {
    let outputIDs = outputs.map { lift($0) }
    return state.withLock { s in
      var needed = [Bool](repeating: false, count: s.nodes.count)
      var usedValues = [Bool](repeating: false, count: s.types.count)
      var pending = outputIDs
      while let id = pending.popLast() {
        usedValues[id.int] = true
        if case let .result(node, _) = s.origins[id.int], !needed[node] {
          needed[node] = true
          pending.append(contentsOf: s.nodes[node].operands)
        }
      }
      var types: [TensorType] = []
      var renumbered = [ValueID](repeating: ValueID(-1), count: s.types.count)
      func place(_ id: ValueID) {
        renumbered[id.int] = ValueID(types.count)
        types.append(s.types[id.int])
      }
      for id in s.inputs { place(id) }
      var captures: [Tensor] = []
      for (tensor, id) in zip(s.captures, s.captureValues) where usedValues[id.int] {
        place(id)
        captures.append(tensor)
      }
      let inputCount = types.count
      var nodes: [Node] = []
      for (i, node) in s.nodes.enumerated() where needed[i] {
        let first = ValueID(types.count)
        for r in node.results { place(r) }
        nodes.append(
          Node(
            operation: node.operation, operands: node.operands.map { renumbered[$0.int] }, firstResult: first,
            resultCount: node.resultCount, callSite: node.callSite))
      }
      let graph = Graph(inputCount: inputCount, nodes: nodes, outputs: outputIDs.map { renumbered[$0.int] }, types: types)
      return (graph, captures)
    }
  }
}

extension Dictionary {
  /// The value of `key`, which is `new` from now on if it had none: looked up once.
  fileprivate mutating func value(of key: Key, orNew new: Value) -> Value {
    func read(_ value: inout Value) -> Value { value }
    return read(&self[key, default: new])
  }
}

/// Keeps the first error of a throwing trace.
package final class ErrorCollector: Sendable {
  private let first = Locked<ProgramError?>(nil)
  package init() {}
  package func report(_ error: ProgramError) { first.withLock { if $0 == nil { $0 = error } } }
  package var error: ProgramError? { first.withLock { $0 } }
}

/// Traces `body` on inputs of the given types inside the current trace, if any.
package func traceGraph(_ inputTypes: [TensorType], _ body: ([Tensor]) -> [Tensor]) -> (graph: Graph, captures: [Tensor]) {
  let builder = GraphBuilder(parent: GraphBuilder.current)
  let inputs = inputTypes.map { builder.input($0) }
  return builder.recording { builder.finish(body(inputs)) }
}

/// Runs `body` as one compiled program when nothing is being traced, or records it into the current trace.
package func staged(_ inputs: [Tensor], _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
  if GraphBuilder.current != nil { return body(inputs) }
  let concrete = inputs.map { $0.resolved(meeting: nil) }
  let (graph, captures) = traceGraph(concrete.map(\.type), body)
  return graph(concrete + captures)
}

extension Graph {
  /// The graph applied to tensors: recorded node by node while tracing, else compiled (once per structure) and run.
  package func callAsFunction(_ arguments: [Tensor]) -> [Tensor] {
    precondition(arguments.count == inputCount, "a graph of \(inputCount) inputs was given \(arguments.count)")
    guard GraphBuilder.current != nil else { return Device.current.run(self, arguments) }
    var values = [Tensor?](repeating: nil, count: types.count)
    for (i, argument) in arguments.enumerated() { values[i] = argument }
    for node in nodes {
      let results = apply(node.operation, node.operands.map { values[$0.int]! })
      for (i, result) in results.enumerated() { values[node.firstResult.int + i] = result }
    }
    return outputs.map { values[$0.int]! }
  }
}

/// Applies a primitive: checks it, then records or runs it.
package func apply(_ operation: Operation, _ operands: [Tensor]) -> [Tensor] {
  let builder = GraphBuilder.current
  do {
    let types = try operation.resultTypes(operands.map(\.type))
    if let builder { return builder.record(operation, operands, types) }
    return Device.current.evaluate(operation, operands, types)
  } catch {
    return reject(error, likes: operands.map(\.type))
  }
}

package func apply1(_ operation: Operation, _ operands: Tensor...) -> Tensor { apply(operation, operands)[0] }

/// Ends the program at the caller's line, or, in a throwing trace, keeps the error and returns a value to go on with.
package func reject(_ error: ProgramError, likes: [TensorType] = []) -> [Tensor] {
  guard let errors = GraphBuilder.current?.errors else { trapAtCaller(error) }
  var located = error
  located.callSite = CallSite()
  errors.report(located)
  return [Tensor.zeros(like: likes.first ?? TensorType([], .float32))]
}

package func reject1(_ operation: String, _ message: String, like: TensorType? = nil) -> Tensor {
  reject(ProgramError(operation, message), likes: like.map { [$0] } ?? [])[0]
}
