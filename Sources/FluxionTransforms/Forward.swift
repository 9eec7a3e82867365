package import FluxionCore

/// Runs `graph` on values and tangents at once: forward mode.
///
/// A nil tangent is zero, and stays so without being computed. Recorded into the ambient trace. When that is a linear builder, what
/// does not depend on tangents lands in its parent by itself, which is the whole of linearisation: the same rules serve both modes.
///
/// - Parameter replacing: values to be taken from here instead of being computed; their tangents are found as ever.
package func pushforward(
  _ graph: Graph, _ primals: [Tensor], _ tangents: [Tensor?], replacing known: [ValueID: Tensor] = [:]
) -> (results: [Tensor], tangents: [Tensor?]) {
  var values = [Tensor?](repeating: nil, count: graph.types.count)
  var slopes = [Tensor?](repeating: nil, count: graph.types.count)
  for i in 0..<graph.inputCount {
    values[i] = primals[i]
    slopes[i] = tangents[i]
  }
  for node in graph.nodes {
    let operands = node.operands.map { values[$0.int]! }
    let operandTangents = node.operands.map { slopes[$0.int] }
    let (results, resultTangents) = tangentRule(node.operation, operands, operandTangents)
    for i in 0..<node.resultCount {
      let v = ValueID(node.firstResult.int + i)
      values[v.int] = known.isEmpty ? results[i] : known[v] ?? results[i]
      slopes[node.firstResult.int + i] = resultTangents[i]
    }
  }
  return (graph.outputs.map { values[$0.int]! }, graph.outputs.map { slopes[$0.int] })
}

/// Whether tangents are being recorded into a linear program, to be transposed afterwards.
package var isLinearizing: Bool { GraphBuilder.current?.isLinear ?? false }

/// One primitive's values and tangents.
func tangentRule(_ operation: Operation, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  guard t.contains(where: { $0 != nil }) else {
    let results = apply(operation, x)
    return (results, [Tensor?](repeating: nil, count: results.count))
  }
  switch operation {
  case let .scan(scan): return scanTangents(scan, x, t)
  case let .whileLoop(loop): return whileTangents(loop, x, t)
  case let .conditional(branches): return conditionalTangents(branches, x, t)
  case let .call(call):
    if let rule = call.rules.tangent { return rule(x, t) }
    return pushforward(call.body, x, t)
  case let .sort(axis, descending): return sortTangents(axis, descending, x, t)
  case let .linearAlgebra(f): return linearAlgebraTangents(f, x, t)
  case .barrier:
    let results = apply(.barrier, x)
    return (results, t)
  default:
    let results = apply(operation, x)
    switch operation {
    case let .unary(f): return (results, [unaryTangent(f, x[0], results[0], t[0]!)])
    case let .binary(f): return (results, [binaryTangent(f, x[0], x[1], results[0], t[0], t[1])])
    case .select, .clamp, .convert, .complex: return (results, [choiceTangent(operation, x, results[0], t)])
    case .compare, .bitcast, .argReduce: return (results, [nil])
    case .fourier: return (results, [apply1(operation, t[0]!)])
    case let .cumulate(reduction, axis, reverse): return (results, [cumulationTangent(reduction, axis, reverse, x[0], results[0], t[0]!)])
    case .reduce, .dot, .convolution: return (results, [contractionTangent(operation, x, results[0], t)])
    default: return (results, [movementTangent(operation, x, results[0], t)])
    }
  }
}

/// The sum of two tangents or cotangents of which either may be zero.
package func sum(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
  guard let a else { return b }
  guard let b else { return a }
  return a + b
}

package func zerosLike(_ x: Tensor) -> Tensor { Tensor.zeros(like: x.type) }
