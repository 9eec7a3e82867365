import FluxionCore

extension Graph {
  /// Equal operations on equal operands computed once. Barriers are left alone: what stands behind one is meant to be computed
  /// again, and since its operands are the barrier's results it is never equal to what stands before. So is room to be written to.
  func mergingCommonSubexpressions() -> Graph {
    struct Key: Hashable {
      let operation: Operation
      let operands: [ValueID]
    }
    var known: [Key: ValueID] = [:]
    known.reserveCapacity(nodes.count)
    return rewritten { editor, node, operands in
      switch node.operation {
      case .barrier, .empty: return nil
      default: break
      }
      let operation =
        node.operation.isControlFlow
        ? node.operation.mappingSubgraphs { $0.mergingCommonSubexpressions() } : node.operation
      let key = Key(operation: operation, operands: operands)
      let first: ValueID
      if let seen = known[key] {
        first = seen
      } else {
        let start = node.firstResult.int
        first = editor.append(operation, operands, types[start..<start + node.resultCount], node.callSite)
        known[key] = first
      }
      return (0..<node.resultCount).map { ValueID(first.int + $0) }
    }
  }
}
