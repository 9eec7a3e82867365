import FluxionCore
import Testing

/// Every kind of damage is found and named.
@Suite struct VerifierTests {
  private let vector = TensorType([3], .float32)
  private let scalar = TensorType([], .float32)

  private func violations(_ graph: Graph) -> [String] {
    do {
      try graph.verify()
      return []
    } catch {
      return error.violations
    }
  }

  private func node(_ operation: FluxionCore.Operation, _ operands: [Int], _ first: Int, _ count: Int = 1) -> Node {
    Node(operation: operation, operands: operands.map { ValueID($0) }, firstResult: ValueID(first), resultCount: count)
  }

  private func graph(_ inputs: Int, _ nodes: [Node], _ outputs: [Int], _ types: [TensorType]) -> Graph {
    Graph(inputCount: inputs, nodes: nodes, outputs: outputs.map { ValueID($0) }, types: types)
  }

  @Test func soundGraphsPass() {
    let sound = graph(1, [node(.unary(.exp), [0], 1), node(.binary(.add), [0, 1], 2)], [2], [vector, vector, vector])
    #expect(violations(sound) == [])
  }

  @Test func useBeforeDefinition() {
    let damaged = graph(1, [node(.binary(.add), [0, 2], 1), node(.unary(.exp), [0], 2)], [2], [vector, vector, vector])
    #expect(violations(damaged) == ["node 0 (add) takes %2, which is not defined before it"])
  }

  @Test func wrongResultType() {
    let damaged = graph(1, [node(.reduce(.sum, axes: [0]), [0], 1)], [1], [vector, vector])
    #expect(violations(damaged) == ["node 0 (reduce.sum) gives (f32[]), but its results have types (f32[3])"])
  }

  @Test func wrongOperands() {
    let damaged = graph(2, [node(.binary(.add), [0, 1], 2)], [2], [vector, scalar, vector])
    #expect(violations(damaged) == ["node 0 (add): operands (f32[3], f32[]) must have one shape and element type."])
    let few = graph(1, [node(.select, [0], 1)], [1], [vector, vector])
    #expect(violations(few) == ["node 0 (select) takes 3 operands, not 1"])
  }

  @Test func missingOutput() {
    #expect(violations(graph(1, [], [4], [vector])) == ["output %4 is not defined"])
  }

  @Test func misnumberedResults() {
    let damaged = graph(1, [node(.unary(.exp), [0], 2)], [1], [vector, vector, vector])
    #expect(violations(damaged) == ["node 0 (exp) gives its results from %2, but %1 is the next value"])
    let untyped = graph(1, [node(.unary(.exp), [0], 1)], [1], [vector])
    #expect(violations(untyped) == ["node 0 (exp) gives 1 results, for which there are no types"])
    #expect(violations(graph(1, [], [0], [vector, vector])) == ["2 values have types, but only 1 are defined"])
  }

  @Test func subprograms() {
    let body = graph(2, [node(.binary(.add), [0, 1], 2)], [2], [scalar, scalar, scalar])
    func scanned(_ scan: Scan, _ types: [TensorType]) -> Graph { graph(2, [node(.scan(scan), [0, 1], 2)], [2], types) }
    let sound = Scan(body: body, constantCount: 0, carryCount: 1, length: 3, reverse: false)
    #expect(violations(scanned(sound, [scalar, vector, scalar])) == [])
    var short = sound
    short.length = 4
    #expect(violations(scanned(short, [scalar, vector, scalar])).count == 1)
    var greedy = sound
    greedy.carryCount = 3
    #expect(violations(scanned(greedy, [scalar, vector, scalar])) == ["node 0 (scan) has 3 carries, but its body gives 1 values"])
    let broken = graph(2, [node(.binary(.add), [0, 7], 2)], [2], [scalar, scalar, scalar])
    var inner = sound
    inner.body = broken
    #expect(
      violations(scanned(inner, [scalar, vector, scalar])) == [
        "node 0 (scan), sub-program 0: node 0 (add) takes %7, which is not defined before it"
      ])
    let none = graph(1, [node(.conditional(branches: []), [0], 1, 0)], [0], [TensorType([], .int32)])
    #expect(violations(none) == ["node 0 (conditional) has no branches"])
  }

  @Test func loops() {
    let holds = graph(1, [node(.constant(Constant(TensorType([], .bool), HostBuffer(copying: [true]))), [], 1)], [1], [scalar, TensorType([], .bool)])
    let body = graph(1, [node(.unary(.exp), [0], 1)], [1], [scalar, scalar])
    let loop = WhileLoop(condition: holds, body: body, conditionConstantCount: 0, bodyConstantCount: 0)
    #expect(violations(graph(1, [node(.whileLoop(loop), [0], 1)], [1], [scalar, scalar])) == [])
    #expect(
      violations(graph(1, [node(.whileLoop(loop), [0], 1)], [1], [vector, vector])) == [
        "node 0 (while): the condition takes (f32[]), but (f32[3]) is given."
      ])
    var counted = loop
    counted.bodyConstantCount = 2
    #expect(violations(graph(1, [node(.whileLoop(counted), [0], 1)], [1], [scalar, scalar])) == ["node 0 (while) takes at least 2 operands, not 1"])
  }

  @Test func everythingIsListed() {
    let damaged = graph(
      1, [node(.unary(.floor), [0], 1), node(.binary(.add), [0, 9], 2)], [2, 8], [TensorType([], .bool), scalar, scalar])
    #expect(violations(damaged).count == 3)
    do {
      try damaged.verify()
    } catch {
      #expect(error.description.hasPrefix("the graph is not well formed:\n  node 0 (floor)"))
    }
  }
}
