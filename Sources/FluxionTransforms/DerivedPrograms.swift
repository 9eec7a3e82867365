import FluxionCore

/// What a transform made of programs, kept by them: a function that is differentiated over and over outside any program is traced each
/// time, as it may have become another one, but the derivative of an equal trace is there already.
///
/// Programs with calls are not kept: the rules of a call are functions of the user, who may expect them to be asked each time.
enum DerivedPrograms {
  private struct Key: Hashable {
    let graph: Graph
    let count: Int
  }
  private struct Program {
    let graph: Graph
    let captures: [Tensor]
  }
  /// Held for a look-up only.
  private static let gradients = Locked<[Key: Program]>([:])

  /// The results of `graph` at `arguments` and the first one's gradient, with respect to the first `count` arguments.
  ///
  /// - Parameter derive: records that program into the trace in force.
  static func gradient(
    of graph: Graph, at arguments: [Tensor], count: Int, _ derive: (Graph, [Tensor], Int) -> [Tensor]
  ) -> [Tensor] {
    if GraphBuilder.current != nil { return derive(graph, arguments, count) }
    // Places in the user's program are no part of a graph's structure.
    let isKept = !CallSite.isRecording && !graph.hasCalls
    let key = Key(graph: graph, count: count)
    if isKept, let known = gradients.withLock({ $0[key] }) { return known.graph(arguments + known.captures) }
    let (derived, captures) = traceGraph(graph.inputTypes) { derive(graph, $0, count) }
    if isKept {
      gradients.withLock { table in
        // As many as a device keeps compiled.
        if table.count >= 4096 { table.removeAll() }
        table[key] = Program(graph: derived, captures: captures)
      }
    }
    return derived(arguments + captures)
  }
}

extension Graph {
  fileprivate var hasCalls: Bool {
    nodes.contains { node in
      if case .call = node.operation { return true }
      return node.operation.subgraphs.contains(where: \.hasCalls)
    }
  }
}
