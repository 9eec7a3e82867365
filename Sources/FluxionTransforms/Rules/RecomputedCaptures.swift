import FluxionCore

/// A linear program that makes for itself what a few cheap operations make of its other captures, so that this need not be kept: 1 - t²,
/// the slope of a tanh, where t is kept for the layer behind it.
///
/// - Parameters:
///   - linear: takes tangents, then the captures.
///   - values: the trace in which captures may have been made.
/// - Returns: the program for the captures that are left.
func recomputingCheapCaptures(_ linear: Graph, _ captures: [Tensor], madeIn values: GraphBuilder) -> (graph: Graph, captures: [Tensor]) {
  let own = captures.indices.filter { values.owns(captures[$0]) }
  let (program, outside) = values.finish(own.map { captures[$0] })
  var makers = [Int: Node]()
  for node in program.nodes { for r in node.results { makers[r.int] = node } }
  /// The captures by their values in `program`.
  var captureOf: [Int: Int] = [:]
  for (i, v) in zip(own, program.outputs) { captureOf[v.int] = i }
  for (i, tensor) in outside.enumerated() {
    if let same = captures.firstIndex(where: { $0.isSameValue(as: tensor) }) { captureOf[program.inputCount - outside.count + i] = same }
  }
  /// How many operations make the value of captures; nil if it is too many, or something else is needed.
  func cost(_ v: ValueID, isCapture: Bool = true, within limit: Int) -> Int? {
    if isCapture && captureOf[v.int] != nil { return 0 }
    guard let node = makers[v.int], limit > 0, node.operation.isCheapToRepeat else { return nil }
    var total = 1
    for x in node.operands {
      guard let more = cost(x, within: limit - total) else { return nil }
      total += more
    }
    return total
  }
  let mostOperations = 4
  let isRemade = captures.indices.map { i in
    own.firstIndex(of: i).map { cost(program.outputs[$0], isCapture: false, within: mostOperations) ?? 0 > 0 } ?? false
  }
  guard isRemade.contains(true) else { return (linear, captures) }

  let kept = captures.indices.filter { !isRemade[$0] }
  let tangentCount = linear.inputCount - captures.count
  let (graph, further) = traceGraph(Array(linear.inputTypes.prefix(tangentCount)) + kept.map { captures[$0].type }) { inputs in
    var known: [Int: Tensor] = [:]
    for (i, tensor) in zip(kept, inputs.dropFirst(tangentCount)) { known[i] = tensor }
    func value(_ v: ValueID) -> Tensor {
      if let i = captureOf[v.int], let tensor = known[i] { return tensor }
      let node = makers[v.int]!
      let made = apply1(node.operation, node.operands.map(value))
      if let i = captureOf[v.int] { known[i] = made }
      return made
    }
    for (i, v) in zip(own, program.outputs) where isRemade[i] { known[i] = value(v) }
    return linear(Array(inputs.prefix(tangentCount)) + captures.indices.map { known[$0]! })
  }
  precondition(further.isEmpty, "a linear program refers to its operands only")
  return (graph, kept.map { captures[$0] })
}

extension Operation {
  /// Whether it costs less than to write its result to memory and read it again.
  fileprivate var isCheapToRepeat: Bool {
    switch self {
    case .constant, .compare, .select, .convert, .broadcast, .reshape, .unary(.negate), .unary(.square), .unary(.abs), .unary(.sign),
      .binary(.add), .binary(.subtract), .binary(.multiply), .binary(.multiplyNoNaN), .binary(.maximum), .binary(.minimum):
      true
    default: false
    }
  }
}
