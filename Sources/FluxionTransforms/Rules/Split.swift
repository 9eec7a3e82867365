package import FluxionCore

/// A body split into a program of values and a linear program of tangents that reads residuals of the first.
package struct Split {
  package let linearGraph: Graph
  /// The tensors the linear program captured, in the order of its inputs after the active tangents.
  package let linearCaptures: [Tensor]
  /// For each capture, its place among `residuals`, or nil when it comes from outside the body.
  package let residualIndex: [Int?]
  package let residuals: [Tensor]
  /// For each residual that is simply an input of the body, which.
  package let residualInput: [Int?]
  package let outputActive: [Bool]
  private let builder: GraphBuilder
  private let results: [Tensor]
  private(set) var knownCaptures: [Tensor] = []

  /// - Parameters:
  ///   - keepingActive: inputs (carries) whose outputs keep tangents even when a step makes them zero.
  ///   - outputsLike: how many outputs correspond to those inputs.
  package init(
    _ body: Graph, active: [Bool], keepingActive carries: Range<Int> = 0..<0, outputsLike carryCount: Int = 0, alwaysActive: [Bool] = []
  ) {
    let values = GraphBuilder(parent: GraphBuilder.current)
    let linear = GraphBuilder(parent: values, isLinear: true)
    let inputs = body.inputTypes.map { values.input($0) }
    let tangents = zip(body.inputTypes, active).map { $1 ? linear.input($0) : nil }
    // Active tangents were made in the order of the inputs: constants, carries, slices.
    let (results, flags, whole, all) = linear.recording {
      let (results, slopes) = pushforward(body, inputs, tangents)
      let outputs = results.indices.map { i -> Tensor? in
        if let slope = slopes[i] { return slope }
        let kept = i < carryCount ? active[carries.lowerBound + i] : (i < alwaysActive.count && alwaysActive[i])
        return kept ? zerosLike(results[i]) : nil
      }
      let (graph, captures) = linear.finish(outputs.compactMap { $0 })
      return (results, outputs.map { $0 != nil }, graph, captures)
    }
    let (graph, captures) = recomputingCheapCaptures(whole, all, madeIn: values)
    var residuals: [Tensor] = []
    var indices: [Int?] = []
    var inputOf: [Int?] = []
    for capture in captures {
      guard values.owns(capture) else {
        indices.append(nil)
        continue
      }
      indices.append(residuals.count)
      residuals.append(capture)
      inputOf.append(inputs.firstIndex { $0.isSameValue(as: capture) })
    }
    linearGraph = graph
    linearCaptures = captures
    residualIndex = indices
    self.residuals = residuals
    residualInput = inputOf
    outputActive = flags
    builder = values
    self.results = results
    knownCaptures = builder.finish(results + residuals).captures
  }

  /// The program of values, with the chosen residuals as further outputs; inputs: the body's, then `knownCaptures`.
  package func knownGraph(residuals chosen: [Int]) -> Graph {
    let (graph, captures) = builder.finish(results + chosen.map { residuals[$0] })
    // Fewer outputs may need fewer captures; give the graph the full list, so that operands are one list for all.
    if captures.count == knownCaptures.count { return graph }
    let n = graph.inputCount - captures.count
    let kept = captures.map { c in knownCaptures.firstIndex { $0.isSameValue(as: c) }! }
    return graph.placingInputs(among: Array(graph.inputTypes.prefix(n)) + knownCaptures.map(\.type)) {
      $0 < n ? $0 : n + kept[$0 - n]
    }
  }
}
