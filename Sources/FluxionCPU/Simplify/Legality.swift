import FluxionCore

extension Graph {
  /// Whether operands precede their nodes and every node has the types that its operation gives. Prints what is wrong.
  func isLegal(after pass: String) -> Bool {
    var defined = inputCount
    for node in nodes {
      guard node.operands.allSatisfy({ $0.int >= 0 && $0.int < defined }), node.firstResult.int == defined else {
        print("after \(pass): \(node.operation.name) reads a value that is not made yet")
        return false
      }
      defined += node.resultCount
      do {
        let inferred = try node.operation.resultTypes(node.operands.map { types[$0.int] })
        guard inferred.elementsEqual(types[node.firstResult.int..<defined]) else {
          print("after \(pass): \(node.operation.name) gives \(inferred), not \(types[node.firstResult.int..<defined])")
          return false
        }
      } catch {
        print("after \(pass): \(error)")
        return false
      }
      guard node.operation.subgraphs.allSatisfy({ $0.isLegal(after: pass) }) else { return false }
    }
    return outputs.allSatisfy { $0.int >= 0 && $0.int < defined }
  }
}
