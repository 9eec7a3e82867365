internal import FluxionCore

extension OperationCase {
  /// The primitives of the operation's programs, those within loops, branches and calls included: by the names printed graphs use,
  /// and by their kinds (`unary`, `scan`).
  ///
  /// - Parameter transforms: of which transforms; the first element type and sample stand for all.
  public func primitives(under transforms: [Transform] = [.value, .jvp, .vjp, .vmap]) -> Set<String> {
    var found: Set<String> = []
    guard let sample = samples.firstIndex(where: { $0.shapes.allSatisfy { $0.elementCount > 1 } }) ?? samples.indices.first else { return [] }
    // Complex numbers are expanded into what real ones have.
    let type = elementTypes.last { !$0.isComplex } ?? elementTypes.last!
    Device.reference.active {
      let problem = Problem(self, samples[sample], type)
      for transform in transforms {
        let cell = Cell(operation: name, elementType: type, sample: sample, transform: transform, engine: "reference")
        if refusal(cell) != nil { continue }
        let all = [Bool](repeating: true, count: problem.x.count)
        let x = transform.mapped == nil ? problem.x : problem.x.map { stacked([$0, $0]) }
        let graph = traceGraph(x.map(\.type)) { x in
          transform.mapped.map { problem.mapped($0, all, x) } ?? problem.transformed(transform, x)
        }.graph
        graph.collectPrimitives(into: &found)
      }
    }
    return found
  }
}

extension Graph {
  fileprivate func collectPrimitives(into found: inout Set<String>) {
    for node in nodes {
      found.insert(node.operation.name)
      found.insert(node.operation.kind)
      for part in node.operation.subgraphs { part.collectPrimitives(into: &found) }
    }
  }
}

extension Operation {
  /// The name of the enumeration's case.
  fileprivate var kind: String { Mirror(reflecting: self).children.first?.label ?? "\(self)" }
}
