/// A value of a graph: its inputs come first, then the results of its nodes in order.
public struct ValueID: Hashable, Sendable, Comparable {
  public let index: Int32
  public init(_ index: Int) { self.index = Int32(index) }
  public var int: Int { Int(index) }
  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// One application of a primitive.
public struct Node: Sendable {
  public let operation: Operation
  public let operands: [ValueID]
  /// The first of its results; the others follow.
  public let firstResult: ValueID
  public let resultCount: Int
  /// Where the user's program asked for it, when that was recorded (see ``withCallSites(_:)``).
  public let callSite: CallSite?

  public init(operation: Operation, operands: [ValueID], firstResult: ValueID, resultCount: Int, callSite: CallSite? = nil) {
    self.operation = operation
    self.operands = operands
    self.firstResult = firstResult
    self.resultCount = resultCount
    self.callSite = callSite
  }

  public var results: [ValueID] { (0..<resultCount).map { ValueID(firstResult.int + $0) } }
}

/// A closed program in single-assignment form: every value is an input or the result of an earlier node.
///
/// Immutable, compared by structure, with the hash computed once: it is the key under which compiled programs are kept.
public final class Graph: Sendable {
  public let inputCount: Int
  public let nodes: [Node]
  public let outputs: [ValueID]
  /// The type of every value: inputs, then node results in order.
  public let types: [TensorType]
  private let structuralHash: Int

  public init(inputCount: Int, nodes: [Node], outputs: [ValueID], types: [TensorType]) {
    self.inputCount = inputCount
    self.nodes = nodes
    self.outputs = outputs
    self.types = types
    var hasher = Hasher()
    hasher.combine(inputCount)
    for i in 0..<inputCount { hasher.combine(types[i]) }
    for node in nodes {
      hasher.combine(node.operation)
      for v in node.operands { hasher.combine(v.index) }
    }
    for v in outputs { hasher.combine(v.index) }
    structuralHash = hasher.finalize()
  }

  public var inputs: [ValueID] { (0..<inputCount).map { ValueID($0) } }
  public var inputTypes: [TensorType] { Array(types[0..<inputCount]) }
  public var outputTypes: [TensorType] { outputs.map { types[$0.int] } }
  public func type(of value: ValueID) -> TensorType { types[value.int] }
  /// The number of nodes, those of sub-programs included.
  public var totalNodeCount: Int {
    nodes.reduce(0) { $0 + 1 + $1.operation.subgraphs.reduce(0) { $0 + $1.totalNodeCount } }
  }
}

extension Graph: Hashable {
  public static func == (a: Graph, b: Graph) -> Bool {
    if a === b { return true }
    guard a.structuralHash == b.structuralHash, a.inputCount == b.inputCount, a.outputs == b.outputs,
      a.nodes.count == b.nodes.count, a.types == b.types
    else { return false }
    return zip(a.nodes, b.nodes).allSatisfy { $0.operation == $1.operation && $0.operands == $1.operands }
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(structuralHash) }
}
