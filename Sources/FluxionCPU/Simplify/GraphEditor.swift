import FluxionCore

/// A graph being written while another one is read: what all passes are made with.
struct GraphEditor {
  private(set) var types: [TensorType]
  private(set) var nodes: [Node] = []
  let inputCount: Int
  /// The node that makes each value, -1 for inputs.
  private var producers: [Int32]

  init(inputTypes: [TensorType]) {
    types = inputTypes
    inputCount = inputTypes.count
    producers = [Int32](repeating: -1, count: inputTypes.count)
  }

  func type(_ value: ValueID) -> TensorType { types[value.int] }

  /// The node that makes `value`; nil for inputs.
  func node(_ value: ValueID) -> Node? {
    let p = producers[value.int]
    return p < 0 ? nil : nodes[Int(p)]
  }

  /// Appends a node whose result types are known; returns its first result.
  @discardableResult
  mutating func append(
    _ operation: Operation, _ operands: [ValueID], _ resultTypes: some Collection<TensorType>, _ site: CallSite?
  ) -> ValueID {
    let first = ValueID(types.count)
    for type in resultTypes {
      types.append(type)
      producers.append(Int32(nodes.count))
    }
    nodes.append(
      Node(operation: operation, operands: operands, firstResult: first, resultCount: resultTypes.count, callSite: site))
    return first
  }

  /// Appends a node of one result, inferring its type. The passes only write legal programs, so a failure is a bug of a pass.
  mutating func make(_ operation: Operation, _ operands: [ValueID], _ site: CallSite?) -> ValueID {
    do {
      let inferred = try operation.resultTypes(operands.map { types[$0.int] })
      return append(operation, operands, inferred, site)
    } catch {
      preconditionFailure("a pass wrote an illegal program: \(error)")
    }
  }

  func finish(outputs: [ValueID]) -> Graph {
    Graph(inputCount: inputCount, nodes: nodes, outputs: outputs, types: types)
  }

  // MARK: Constants

  /// The constant of one element that all elements of `value` equal, if there is one.
  func uniformSource(_ value: ValueID) -> ValueID? {
    guard let node = node(value) else { return nil }
    switch node.operation {
    case let .constant(constant): return constant.type.shape.elementCount == 1 ? value : nil
    case .broadcast, .reshape: return uniformSource(node.operands[0])
    default: return nil
    }
  }

  /// The number that all elements of `value` are, if that is known.
  func uniform(_ value: ValueID) -> Double? {
    guard let source = uniformSource(value), case let .constant(constant) = node(source)!.operation else { return nil }
    return constant.uniformScalar
  }

  /// A value of shape `shape` all of whose elements are the one of `source`.
  mutating func spread(_ source: ValueID, to shape: Shape, _ site: CallSite?) -> ValueID {
    if type(source).shape == shape { return source }
    let scalar = type(source).shape.rank == 0 ? source : make(.reshape([]), [source], site)
    return shape.rank == 0 ? scalar : make(.broadcast(shape, axes: []), [scalar], site)
  }

  /// A value all of whose elements are `number`.
  mutating func constant(_ number: Double, _ type: TensorType, _ site: CallSite?) -> ValueID {
    let scalar = Tensor(number, as: type.elementType)
    let made = append(
      .constant(Constant(scalar.type, scalar.hostBuffer("constant"))), [], CollectionOfOne(scalar.type), site)
    return spread(made, to: type.shape, site)
  }
}

extension Graph {
  /// The graph with each node replaced by what `body` makes of it, given its operands in the new graph; nil keeps it as it is.
  func rewritten(_ body: (inout GraphEditor, Node, [ValueID]) -> [ValueID]?) -> Graph {
    var editor = GraphEditor(inputTypes: inputTypes)
    var renamed = [ValueID](repeating: ValueID(-1), count: types.count)
    for i in 0..<inputCount { renamed[i] = ValueID(i) }
    for node in nodes {
      let operands = node.operands.map { renamed[$0.int] }
      let first = node.firstResult.int
      if let made = body(&editor, node, operands) {
        for (i, value) in made.enumerated() { renamed[first + i] = value }
      } else {
        let kept = editor.append(node.operation, operands, types[first..<first + node.resultCount], node.callSite)
        for i in 0..<node.resultCount { renamed[first + i] = ValueID(kept.int + i) }
      }
    }
    return editor.finish(outputs: outputs.map { renamed[$0.int] })
  }

  /// The same, with the sub-programs of loops, branches and calls replaced by what `inner` makes of them; `body` is not asked for those.
  func rewritten(
    subgraphs inner: (Graph) -> Graph, _ body: (inout GraphEditor, Node, [ValueID]) -> [ValueID]?
  ) -> Graph {
    rewritten { editor, node, operands in
      guard node.operation.isControlFlow else { return body(&editor, node, operands) }
      let first = node.firstResult.int
      let made = editor.append(
        node.operation.mappingSubgraphs(inner), operands, types[first..<first + node.resultCount], node.callSite)
      return (0..<node.resultCount).map { ValueID(made.int + $0) }
    }
  }

  /// The graph written into another one, its inputs standing for `arguments`; returns its outputs there.
  func inlined(into editor: inout GraphEditor, _ arguments: [ValueID], site: CallSite?) -> [ValueID] {
    var renamed = arguments
    renamed.reserveCapacity(types.count)
    for node in nodes {
      let first = node.firstResult.int
      let kept = editor.append(
        node.operation, node.operands.map { renamed[$0.int] }, types[first..<first + node.resultCount],
        node.callSite ?? site)
      for i in 0..<node.resultCount { renamed.append(ValueID(kept.int + i)) }
    }
    return outputs.map { renamed[$0.int] }
  }

  /// How often each value is used, by nodes and as an output.
  var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: types.count)
    for node in nodes { for v in node.operands { counts[v.int] += 1 } }
    for v in outputs { counts[v.int] += 1 }
    return counts
  }
}

extension Operation {
  /// The operation with its sub-programs replaced by programs of the same inputs and outputs.
  func mappingSubgraphs(_ transform: (Graph) -> Graph) -> Operation {
    switch self {
    case var .scan(scan):
      scan.body = transform(scan.body)
      return .scan(scan)
    case var .whileLoop(loop):
      loop.condition = transform(loop.condition)
      loop.body = transform(loop.body)
      return .whileLoop(loop)
    case let .conditional(branches): return .conditional(branches: branches.map(transform))
    case var .call(call):
      call.body = transform(call.body)
      return .call(call)
    default: return self
    }
  }

  var isControlFlow: Bool {
    switch self {
    case .scan, .whileLoop, .conditional, .call: true
    default: false
    }
  }
}
