import FluxionCore

// What calls with rules of a user's own are made of. Everything such a rule uses from outside becomes an operand of the call, so that the
// rule can be applied wherever the call ends up: in another trace, inside a loop, mapped.

/// A program of some arguments and of what it used from outside, which stands among the operands of a call.
struct ClosedProgram: Sendable {
  let graph: Graph
  /// Places, among the call's operands, of what was captured.
  private(set) var places: Range<Int>

  func callAsFunction(_ arguments: [Tensor], _ operands: [Tensor]) -> [Tensor] { graph(arguments + operands[places]) }

  /// The program without captures.
  init(_ graph: Graph) { (self.graph, places) = (graph, 0..<0) }

  fileprivate init(_ graph: Graph, _ places: Range<Int>) { (self.graph, self.places) = (graph, places) }
}

/// The operands of a call being recorded: its arguments, then what its programs capture.
struct CallOperands {
  private(set) var tensors: [Tensor]

  init(_ arguments: [Tensor]) { tensors = arguments }

  /// Traces a program; what it captures becomes further operands.
  mutating func trace(_ types: [TensorType], _ body: ([Tensor]) -> [Tensor]) -> ClosedProgram {
    let (graph, captures) = traceGraph(types, body)
    tensors += captures
    return ClosedProgram(graph, tensors.count - captures.count..<tensors.count)
  }

  /// Applies the call that computes `program` of the first `count` operands.
  func call(_ name: String, _ program: ClosedProgram, _ count: Int, _ rules: CallRules) -> [Tensor] {
    let types = tensors.map(\.type)
    let body = program.graph.placingInputs(among: types) { $0 < count ? $0 : program.places.lowerBound + $0 - count }
    return apply(.call(Call(name: name, body: body, rules: rules)), tensors)
  }
}

/// Applies `function` to a structured argument. While something is being traced, `record` is given the argument's tensors and the
/// function of tensors, and records a call; otherwise nobody will ever ask for a derivative, and the function is just run.
func recordingCall<A: Structured, B: Structured>(
  _ function: @escaping (A) -> B, _ argument: A,
  record: (_ arguments: [Tensor], _ argument: TreeStructure, _ result: () -> TreeStructure, _ body: ([Tensor]) -> [Tensor]) -> [Tensor]
) -> B {
  let (leaves, structure) = flatten(argument)
  var resultStructure: TreeStructure?
  func body(_ inputs: [Tensor]) -> [Tensor] {
    let (outputs, s) = flatten(function(unflatten(A.self, structure, inputs)))
    resultStructure = s
    return outputs.map(\.resolvedLiteral)
  }
  let arguments = leaves.map(\.resolvedLiteral)
  let results =
    GraphBuilder.current == nil
    ? staged(arguments, body) : record(arguments, structure, { resultStructure! }, body)
  return unflatten(B.self, resultStructure!, results)
}

extension CallRules {
  /// Rules that pass through `vmap` by being mapped themselves: traced for one row, then run for all.
  ///
  /// The rules must be closed: they use nothing but what they are given.
  static func mappable(tangent: TangentRule? = nil, transpose: TransposeRule? = nil, isTransparent: Bool = false) -> CallRules {
    CallRules(
      tangent: tangent, transpose: transpose,
      batched: { flags, size in
        .mappable(
          tangent: tangent.map { mapped($0, flags, size) }, transpose: transpose.map { mapped($0, flags, size) },
          isTransparent: isTransparent)
      }, isTransparent: isTransparent)
  }

  private static func narrow(_ x: Tensor, _ isMapped: Bool) -> TensorType {
    isMapped ? TensorType(Shape(Array(x.shape.dropFirst())), x.elementType) : x.type
  }

  private static func run(
    _ operands: [Tensor], _ flags: [Bool], _ size: Int, _ rule: ([Tensor]) -> [Tensor]
  ) -> [Tensor] {
    let (graph, captures) = traceGraph(zip(operands, flags).map(narrow), rule)
    return batch(
      graph, zip(operands, flags).map { Mapped($0, isMapped: $1) } + captures.map { Mapped($0, isMapped: false) }, size
    ).map { $0.brought(size) }
  }

  private static func mapped(_ rule: @escaping TangentRule, _ flags: [Bool], _ size: Int) -> TangentRule {
    { primals, tangents in
      let n = primals.count
      let active = tangents.indices.filter { tangents[$0] != nil }
      var pattern: [Bool] = []
      let all = run(primals + active.map { tangents[$0]! }, flags + active.map { flags[$0] }, size) { inputs in
        var slopes = [Tensor?](repeating: nil, count: n)
        for (i, place) in active.enumerated() { slopes[place] = inputs[n + i] }
        let (results, out) = rule(Array(inputs.prefix(n)), slopes)
        pattern = out.map { $0 != nil }
        return results + out.compactMap { $0 }
      }
      var slopes = all.dropFirst(pattern.count)
      return (Array(all.prefix(pattern.count)), pattern.map { $0 ? slopes.removeFirst() : nil })
    }
  }

  private static func mapped(_ rule: @escaping TransposeRule, _ flags: [Bool], _ size: Int) -> TransposeRule {
    { operands, cotangents in
      let known = operands.indices.filter { operands[$0] != nil }, arriving = cotangents.indices.filter { cotangents[$0] != nil }
      var pattern: [Bool] = []
      let all = run(
        known.map { operands[$0]! } + arriving.map { cotangents[$0]! }, known.map { flags[$0] } + arriving.map { _ in true }, size
      ) { inputs in
        var given = [Tensor?](repeating: nil, count: operands.count), back = [Tensor?](repeating: nil, count: cotangents.count)
        for (i, place) in known.enumerated() { given[place] = inputs[i] }
        for (i, place) in arriving.enumerated() { back[place] = inputs[known.count + i] }
        let results = rule(given, back)
        pattern = results.map { $0 != nil }
        return results.compactMap { $0 }
      }
      // What was the same for all rows gets the sum of their cotangents.
      var rest = all[...]
      return pattern.enumerated().map { i, isThere in
        guard isThere else { return nil }
        let row = rest.removeFirst()
        return flags[i] ? row : row.sum(alongAxis: 0)
      }
    }
  }
}
