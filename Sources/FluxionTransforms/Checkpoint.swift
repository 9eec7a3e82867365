public import FluxionCore

/// What a checkpointed function keeps for the backward pass, besides its arguments; everything else is computed again there.
///
/// It speaks of the operations of the function itself. Loops inside are computed again as a whole; checkpoint their bodies to keep values
/// of each step.
public struct CheckpointPolicy: Sendable, Hashable {
  private var keepsEverything = false
  private var keepsDots = false
  private var names: Set<String> = []

  /// The least memory: keeps nothing.
  public static let nothing = CheckpointPolicy()
  /// No recomputation: as without a checkpoint.
  public static let everything = CheckpointPolicy(keepsEverything: true)
  /// Keeps results of matrix products and convolutions, which are costly to compute, and recomputes the rest, which is not.
  public static let dots = CheckpointPolicy(keepsDots: true)
  /// Keeps what was marked by ``named(_:_:)`` with one of the names.
  public static func names(_ names: Set<String>) -> CheckpointPolicy { CheckpointPolicy(names: names) }
  /// Keeps what either policy keeps.
  public func or(_ other: CheckpointPolicy) -> CheckpointPolicy {
    CheckpointPolicy(
      keepsEverything: keepsEverything || other.keepsEverything, keepsDots: keepsDots || other.keepsDots,
      names: names.union(other.names))
  }

  /// The values of a program that are kept; nil for all.
  func values(in graph: Graph) -> [ValueID]? {
    if keepsEverything { return nil }
    return graph.nodes.filter { node in
      switch node.operation {
      case .dot, .convolution: keepsDots
      case let .call(call) where call.rules === namedRules: names.contains(call.name)
      default: false
      }
    }.flatMap(\.results)
  }
}

/// Marks a value with a name, by which ``CheckpointPolicy/names(_:)`` can tell that it is to be kept. The value is unchanged.
public func named<Value: Structured>(_ name: String, _ value: Value) -> Value {
  guard GraphBuilder.current != nil else { return value }
  return mapTensors(value) { marked(name, $0.resolvedLiteral) }
}

private func marked(_ name: String, _ x: Tensor) -> Tensor {
  apply1(.call(Call(name: name, body: traceGraph([x.type]) { $0 }.graph, rules: namedRules)), x)
}

/// One object for all marks: equal ones are merged, and they are known by it.
private let namedRules: CallRules = CallRules(batched: { _, _ in namedRules }, isTransparent: true)

/// Does not keep `function`'s intermediate values for the backward pass, but computes them again there: memory for time.
///
/// - Parameters:
///   - policy: what to keep nevertheless; nothing unless told.
///   - function: any function of structures. What it uses from outside counts among its arguments, derivatives included.
public func checkpoint<A: Structured, B: Structured>(
  policy: CheckpointPolicy = .nothing, _ function: @escaping @Sendable (A) -> B
) -> @Sendable (A) -> B {
  { argument in
    recordingCall(function, argument) { arguments, _, _, body in
      var operands = CallOperands(arguments)
      let program = operands.trace(arguments.map(\.type), body)
      return operands.call("checkpoint", program, arguments.count, checkpointRules(program.graph, policy))
    }
  }
}

func checkpointRules(_ body: Graph, _ policy: CheckpointPolicy) -> CallRules {
  CallRules(
    tangent: { primals, tangents in
      guard isLinearizing, let kept = policy.values(in: body) else { return pushforward(body, primals, tangents) }
      return Checkpointed(body: body, active: tangents.map { $0 != nil }, kept: kept)(primals, tangents)
    },
    batched: { flags, size in checkpointRules(body.mapped(flags, size), policy) }, isTransparent: true)
}

/// A program whose tangents are one linear call on its arguments and on the values that are kept.
private struct Checkpointed {
  private let body: Graph
  private let active: [Bool]
  private let kept: [ValueID]
  private let linear: Graph
  private let outputActive: [Bool]

  init(body: Graph, active: [Bool], kept: [ValueID]) {
    (self.body, self.active) = (body, active)
    let trial = Checkpointed.linearProgram(body, active, kept)
    // Not all of what may be kept is needed.
    let n = body.inputCount
    let used = trial.graph.usedInputs
    let needed = kept.indices.filter { used[n + $0] }.map { kept[$0] }
    self.kept = needed
    (linear, outputActive) = needed.count == kept.count ? trial : Checkpointed.linearProgram(body, active, needed)
  }

  /// From arguments, kept values and tangents to tangents. It computes the intermediate values itself.
  private static func linearProgram(_ body: Graph, _ active: [Bool], _ kept: [ValueID]) -> (graph: Graph, outputActive: [Bool]) {
    let n = body.inputCount
    let tangentTypes = zip(body.inputTypes, active).filter(\.1).map(\.0)
    var outputActive: [Bool] = []
    let (graph, captures) = traceGraph(body.inputTypes + kept.map { body.type(of: $0) } + tangentTypes) { inputs in
      var slopes = inputs.dropFirst(n + kept.count)
      let tangents = active.map { $0 ? slopes.removeFirst() : nil }
      let known = Dictionary(uniqueKeysWithValues: zip(kept, inputs.dropFirst(n)))
      let (_, out) = pushforward(body, Array(inputs.prefix(n)), tangents, replacing: known)
      outputActive = out.map { $0 != nil }
      return out.compactMap { $0 }
    }
    precondition(captures.isEmpty, "a closed program captures nothing")
    return (graph, outputActive)
  }

  func callAsFunction(_ primals: [Tensor], _ tangents: [Tensor?]) -> ([Tensor], [Tensor?]) {
    let (m, n) = (body.outputs.count, primals.count)
    let all = body.giving(body.outputs + kept)(primals)
    let fixed = primals + all.dropFirst(m)
    let rules = CallRules(transpose: { operands, cotangents in
      // The barrier makes the recomputation wait for the cotangents, and keeps it apart from the first computation.
      let held = apply(.barrier, operands.prefix(fixed.count).map { $0! } + cotangents.compactMap { $0 })
      var arriving = held.dropFirst(fixed.count)
      var given = cotangents.map { $0 == nil ? nil : arriving.removeFirst() }[...]
      let back = zip(outputActive, body.outputTypes).map { isActive, type in
        (isActive ? given.removeFirst() : nil) ?? Tensor.zeros(like: type)
      }
      let known = Dictionary(uniqueKeysWithValues: zip(kept, held.dropFirst(n)))
      let slopes: [Tensor?] = linearize(body, Array(held.prefix(n)), with: active, replacing: known).pullback(back)
      return fixed.map { _ in nil } + slopes
    })
    var slopes = apply(.call(Call(name: "recompute", body: linear, rules: rules)), fixed + tangents.compactMap { $0 })[...]
    return (Array(all.prefix(m)), outputActive.map { $0 ? slopes.removeFirst() : nil })
  }
}

extension Graph {
  /// The program with other outputs.
  func giving(_ outputs: [ValueID]) -> Graph { Graph(inputCount: inputCount, nodes: nodes, outputs: outputs, types: types) }

  /// Whether some node or output uses each input.
  fileprivate var usedInputs: [Bool] {
    var used = [Bool](repeating: false, count: inputCount)
    for v in nodes.flatMap(\.operands) + outputs where v.int < inputCount { used[v.int] = true }
    return used
  }
}

/// How many bytes of intermediate values reverse mode keeps between the forward and the backward pass of `function`.
///
/// Counted in the program as the transforms make it: arguments and constants, which are there anyway, are left out; an engine may keep less
/// by computing cheap values twice.
public func residualByteCount<A: Structured, B: Structured>(of function: (A) -> B, at argument: A) -> Int {
  let (leaves, structure) = flatten(argument)
  var count = 0
  _ = traceGraph(leaves.map(\.resolvedLiteral.type)) { inputs in
    let (graph, captures) = traceGraph(inputs.map(\.type)) { xs in
      flatten(function(unflatten(A.self, structure, xs))).leaves.map(\.resolvedLiteral)
    }
    let given = inputs + captures
    let linearized = linearize(
      graph, given, with: inputs.map(\.elementType.isDifferentiable) + captures.map { _ in false })
    let kept = linearized.residuals.filter { residual in !given.contains { $0.isSameValue(as: residual) } }
    count = kept.reduce(0) { $0 + $1.type.byteCount }
    return []
  }
  return count
}
