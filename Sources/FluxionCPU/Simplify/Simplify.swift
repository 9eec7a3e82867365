import FluxionCore

extension Graph {
  /// All passes, in the order in which each serves the next.
  ///
  /// - Parameter searchesForNaN: leave every operation that could make a NaN where the user wrote it.
  func simplified(searchesForNaN: Bool = false) -> Graph {
    var graph = inliningCalls().removingDeadCode().computingInWideTypes().expandingComposites()
    if searchesForNaN { return graph.arrangingProducts().checked("expansion") }
    for round in 0..<2 {
      graph = graph.simplifyingAlgebra().checked("algebra")
      graph = graph.foldingConstants().checked("constant folding")
      graph = graph.mergingCommonSubexpressions().checked("common subexpressions")
      graph = graph.removingDeadCode()
      if round == 0 {
        graph = graph.simplifyingControlFlow().removingDeadCode().checked("control flow")
        graph = graph.sinkingBroadcasts().removingDeadCode().checked("sinking broadcasts")
        graph = graph.hoistingInvariants().checked("hoisting")
      }
    }
    let arranged = graph.arrangingProducts().checked("products")
    // Transposes that were put before products may meet others.
    if arranged.nodes.count == graph.nodes.count { graph = arranged }
    else { graph = arranged.simplifyingAlgebra().removingDeadCode().checked("products") }
    return graph.takingGreatestOfExponents().checked("greatest exponents")
  }

  /// The graph itself; in debug builds it is first proved legal, so that a fault is found at the pass that made it.
  private func checked(_ pass: String) -> Graph {
    assert(isLegal(after: pass))
    return self
  }

  private func isLegal(after pass: String) -> Bool {
    do {
      try verify()
      return true
    } catch {
      print("after \(pass): \(error)")
      return false
    }
  }
}
