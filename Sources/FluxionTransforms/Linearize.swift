package import FluxionCore

/// A program split at a point: its value there, and the linear map that its derivative is.
package struct Linearization: Sendable {
  /// The results at the point.
  package let results: [Tensor]
  /// Takes tangents of the inputs, then residuals.
  package let map: Graph
  /// What the linear map needs of the values computed on the way.
  package let residuals: [Tensor]
  /// Types of the inputs that were linear.
  package let inputTypes: [TensorType]

  /// Tangents of the results for tangents of the inputs.
  package func pushforward(_ tangents: [Tensor]) -> [Tensor] { map(tangents + residuals) }

  /// Cotangents of the inputs for cotangents of the results.
  package func pullback(_ cotangents: [Tensor]) -> [Tensor] {
    staged(cotangents + residuals) { values in
      let n = inputTypes.count
      let arguments = [Tensor?](repeating: nil, count: n) + values.dropFirst(cotangents.count).map { Optional($0) }
      let back = transpose(map, arguments, Array(values.prefix(cotangents.count)))
      return zip(back, inputTypes).map { $0 ?? Tensor.zeros(like: $1) }
    }
  }
}

/// Runs `graph` and records its derivative with respect to the flagged inputs as a linear program.
///
/// - Parameter replacing: values to be taken from here instead of being computed.
package func linearize(
  _ graph: Graph, _ primals: [Tensor], with respectTo: [Bool], replacing known: [ValueID: Tensor] = [:]
) -> Linearization {
  let inputTypes = zip(graph.inputTypes, respectTo).filter(\.1).map(\.0)
  guard GraphBuilder.current == nil else {
    let (results, map, residuals) = recordLinearization(graph, primals, respectTo, known)
    return Linearization(results: results, map: map, residuals: residuals, inputTypes: inputTypes)
  }
  // Nothing is being traced: compile a program that gives results and residuals, and keep the linear map for later.
  var map: Graph?
  let outputs = staged(primals) { primals in
    let (results, linear, residuals) = recordLinearization(graph, primals, respectTo, known)
    map = linear
    return results + residuals
  }
  let count = graph.outputs.count
  return Linearization(
    results: Array(outputs.prefix(count)), map: map!, residuals: Array(outputs.dropFirst(count)), inputTypes: inputTypes)
}

private func recordLinearization(
  _ graph: Graph, _ primals: [Tensor], _ respectTo: [Bool], _ known: [ValueID: Tensor]
) -> ([Tensor], Graph, [Tensor]) {
  let linear = GraphBuilder(parent: GraphBuilder.current, isLinear: true)
  let tangents = zip(graph.inputTypes, respectTo).map { $1 ? linear.input($0) : nil }
  return linear.recording {
    let (results, slopes) = pushforward(graph, primals, tangents, replacing: known)
    let (map, captures) = linear.finish(zip(results, slopes).map { $1 ?? zerosLike($0) })
    return (results, map, captures)
  }
}
