/// A graph that is not a program: every rule it breaks.
///
/// Users cannot make one; a transform or a pass with a bug can, and this is found here rather than as a wrong number.
public struct GraphError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence each, naming the node.
  public let violations: [String]
  public var description: String { "the graph is not well formed:\n  " + violations.joined(separator: "\n  ") }
}

extension Graph {
  /// Checks that the graph is a program: every value is defined once and before its use, every node has the operands and result
  /// types of its primitive, and so have all sub-programs.
  ///
  /// - Throws: ``GraphError`` with all violations.
  public func verify() throws(GraphError) {
    var verifier = Verifier()
    verifier.check(self)
    if !verifier.violations.isEmpty { throw GraphError(violations: verifier.violations) }
  }
}

private struct Verifier {
  private(set) var violations: [String] = []
  private var path = ""

  mutating func check(_ graph: Graph) {
    var defined = graph.inputCount
    for (i, node) in graph.nodes.enumerated() {
      let place = "node \(i) (\(node.operation.name))"
      if node.firstResult.int != defined {
        report("\(place) gives its results from %\(node.firstResult.index), but %\(defined) is the next value")
        return
      }
      guard node.resultCount >= 0 && defined + node.resultCount <= graph.types.count else {
        report("\(place) gives \(node.resultCount) results, for which there are no types")
        return
      }
      let undefined = node.operands.filter { $0.int < 0 || $0.int >= defined }
      for operand in undefined { report("\(place) takes %\(operand.index), which is not defined before it") }
      checkSubgraphs(of: node, place)
      if undefined.isEmpty { checkTypes(of: node, in: graph, place) }
      defined += node.resultCount
    }
    if defined != graph.types.count { report("\(graph.types.count) values have types, but only \(defined) are defined") }
    for output in graph.outputs where output.int < 0 || output.int >= defined {
      report("output %\(output.index) is not defined")
    }
  }

  private mutating func checkTypes(of node: Node, in graph: Graph, _ place: String) {
    if let problem = node.operation.arityProblem(operandCount: node.operands.count) {
      report("\(place) \(problem)")
      return
    }
    do {
      let expected = try node.operation.resultTypes(node.operands.map { graph.type(of: $0) })
      let given = node.results.map { graph.type(of: $0) }
      if expected != given {
        report("\(place) gives \(list(expected)), but its results have types \(list(given))")
      }
    } catch {
      report("\(place): \(error.message)")
    }
  }

  private mutating func checkSubgraphs(of node: Node, _ place: String) {
    for (i, part) in node.operation.subgraphs.enumerated() {
      let outer = path
      path += "\(place), sub-program \(i): "
      check(part)
      path = outer
    }
  }

  private mutating func report(_ violation: String) { violations.append(path + violation) }
  private func list(_ types: [TensorType]) -> String { "(" + types.map(\.description).joined(separator: ", ") + ")" }
}

extension Operation {
  /// What is wrong with the number of operands, or with the counts that divide them into groups; nil when nothing is.
  fileprivate func arityProblem(operandCount n: Int) -> String? {
    func exactly(_ expected: Int) -> String? { n == expected ? nil : "takes \(expected) operands, not \(n)" }
    func atLeast(_ expected: Int) -> String? { n >= expected ? nil : "takes at least \(expected) operands, not \(n)" }
    switch self {
    case .constant, .iota, .empty: return exactly(0)
    case .unary, .convert, .bitcast, .broadcast, .reshape, .transpose, .slice, .reverse, .reduce, .argReduce, .cumulate, .fourier:
      return exactly(1)
    case .threefry, .binary, .compare, .complex, .pad, .gather, .dot, .convolution: return exactly(2)
    case .select, .clamp, .scatter: return exactly(3)
    case .dynamicSlice, .concatenate, .sort: return atLeast(1)
    case .dynamicUpdateSlice: return atLeast(2)
    case let .linearAlgebra(f): if case .triangularSolve = f { return exactly(2) } else { return exactly(1) }
    case .barrier: return nil
    case let .scan(scan):
      if scan.constantCount < 0 || scan.carryCount < 0 || scan.body.outputs.count < scan.carryCount {
        return "has \(scan.carryCount) carries, but its body gives \(scan.body.outputs.count) values"
      }
      return atLeast(scan.constantCount + scan.carryCount)
    case let .whileLoop(loop):
      let constants = loop.conditionConstantCount + loop.bodyConstantCount
      if loop.conditionConstantCount < 0 || loop.bodyConstantCount < 0 { return "has a negative number of constants" }
      return atLeast(constants)
    case let .conditional(branches): return branches.isEmpty ? "has no branches" : atLeast(1)
    case let .call(call): return exactly(call.inputTypes.count)
    }
  }
}
