import FluxionCore

extension Graph {
  /// Calls replaced by their bodies, to any depth. Their rules have served by the time a program reaches an engine.
  func inliningCalls() -> Graph {
    guard containsCall else { return self }
    return rewritten { editor, node, operands in
      if case let .call(call) = node.operation {
        return call.body.inliningCalls().inlined(into: &editor, operands, site: node.callSite)
      }
      guard node.operation.isControlFlow else { return nil }
      let first = node.firstResult.int
      let made = editor.append(
        node.operation.mappingSubgraphs { $0.inliningCalls() }, operands, types[first..<first + node.resultCount], node.callSite)
      return (0..<node.resultCount).map { ValueID(made.int + $0) }
    }
  }

  private var containsCall: Bool {
    nodes.contains { node in
      if case .call = node.operation { return true }
      return node.operation.isControlFlow && node.operation.subgraphs.contains(where: \.containsCall)
    }
  }
}
