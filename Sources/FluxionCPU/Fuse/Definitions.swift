import FluxionCore

/// Which node makes each value of a graph and how often it is read: what looks for patterns asks.
struct Definitions {
  let graph: Graph
  private let makers: [Int]
  private let uses: [Int]

  init(_ graph: Graph) {
    self.graph = graph
    var makers = [Int](repeating: -1, count: graph.types.count)
    for (n, node) in graph.nodes.enumerated() {
      for i in 0..<node.resultCount { makers[node.firstResult.int + i] = n }
    }
    self.makers = makers
    uses = graph.useCounts
  }

  /// The number of the node that makes a value; nil of inputs.
  func position(of v: ValueID) -> Int? { makers[v.int] < 0 ? nil : makers[v.int] }
  func maker(_ v: ValueID) -> Node? { position(of: v).map { graph.nodes[$0] } }
  /// How often a value is read, results of the graph included.
  func uses(of v: ValueID) -> Int { uses[v.int] }
  func shape(_ v: ValueID) -> Shape { graph.types[v.int].shape }

  /// The number that all elements are, if that is known.
  func number(_ v: ValueID) -> Double? {
    guard let node = maker(v) else { return nil }
    switch node.operation {
    case let .constant(constant): return constant.uniformScalar
    case .broadcast, .reshape: return number(node.operands[0])
    default: return nil
    }
  }

  /// The value that `v` repeats along `axes` and along no other.
  func source(of v: ValueID, repeatedAlong axes: [Int]) -> ValueID? {
    var views: [Node] = []
    var at = v
    while let node = maker(at), node.operation.repeatsElements {
      views.append(node)
      at = node.operands[0]
    }
    var form: MemoryForm? = MemoryForm(base: at.int, strides: shape(at).rowMajorStrides, offset: 0)
    for node in views.reversed() {
      form = form?.viewed(by: node.operation, operand: shape(node.operands[0]), result: shape(node.firstResult))
    }
    let shape = shape(v)
    guard let form, form.offset == 0 else { return nil }
    var step = 1
    for axis in stride(from: shape.rank - 1, through: 0, by: -1) where shape[axis] != 1 {
      guard form.strides[axis] == (axes.contains(axis) ? 0 : step) else { return nil }
      if !axes.contains(axis) { step *= shape[axis] }
    }
    return at
  }
}

extension Operation {
  fileprivate var repeatsElements: Bool {
    switch self {
    case .broadcast, .reshape: true
    default: false
    }
  }
}
