package import FluxionCore

/// A value under `vmap`: with a mapped axis in front, or the same for all.
package struct Mapped: Sendable {
  package var tensor: Tensor
  package var isMapped: Bool

  package init(_ tensor: Tensor, isMapped: Bool) {
    self.tensor = tensor
    self.isMapped = isMapped
  }

  /// With the mapped axis, repeated if need be.
  func brought(_ size: Int) -> Tensor {
    isMapped ? tensor : tensor.resolvedLiteral.broadcast(to: [size] + tensor.shape, axes: Array(1..<tensor.rank + 1))
  }
}

extension Tensor {
  var resolvedLiteral: Tensor { if case .literal = payload { broadcast(to: shape) } else { self } }
}

/// How many copies of what is being traced are going to be in memory at once.
package enum MappedCopies {
  @TaskLocal package static var count = 1

  /// Traces what is going to be mapped over an axis of `size`.
  package static func tracing<Result>(_ size: Int, _ body: () throws -> Result) rethrows -> Result {
    try $count.withValue(count * Swift.max(1, size), operation: body)
  }
}

/// Runs `graph` on many values at once: every operation by its batching rule, the mapped axis kept in front.
package func batch(_ graph: Graph, _ arguments: [Mapped], _ size: Int) -> [Mapped] {
  var values = [Mapped?](repeating: nil, count: graph.types.count)
  for i in 0..<graph.inputCount { values[i] = arguments[i] }
  for node in graph.nodes {
    let results = batchingRule(node.operation, node.operands.map { values[$0.int]! }, size)
    for (i, result) in results.enumerated() { values[node.firstResult.int + i] = result }
  }
  return graph.outputs.map { values[$0.int]! }
}

extension Graph {
  /// The program that runs this one for each place along a leading axis of the flagged inputs; all its outputs have that axis.
  package func mapped(_ flags: [Bool], _ size: Int) -> Graph {
    let types = zip(inputTypes, flags).map { $1 ? TensorType([size] + $0.shape, $0.elementType) : $0 }
    let (graph, captures) = traceGraph(types) { inputs in
      batch(self, zip(inputs, flags).map { Mapped($0, isMapped: $1) }, size).map { $0.brought(size) }
    }
    precondition(captures.isEmpty, "a closed program captures nothing")
    return graph
  }
}

private func batchingRule(_ operation: Operation, _ x: [Mapped], _ size: Int) -> [Mapped] {
  if case let .empty(type) = operation {
    return [Mapped(apply1(.empty(TensorType([size] + type.shape, type.elementType))), isMapped: true)]
  }
  guard x.contains(where: \.isMapped) else {
    return apply(operation, x.map(\.tensor)).map { Mapped($0, isMapped: false) }
  }
  func mapped(_ results: [Tensor]) -> [Mapped] { results.map { Mapped($0, isMapped: true) } }
  /// All operands brought to the mapped axis, then one operation.
  func all(_ operation: Operation) -> [Mapped] { mapped(apply(operation, x.map { $0.brought(size) })) }
  switch operation {
  case .unary, .binary, .compare, .select, .clamp, .convert, .bitcast, .complex, .threefry, .fourier: return all(operation)
  case let .concatenate(axis): return all(.concatenate(axis: axis + 1))
  case let .sort(axis, descending): return all(.sort(axis: axis + 1, descending: descending))
  case let .broadcast(shape, axes): return all(.broadcast([size] + shape, axes: [0] + axes.map { $0 + 1 }))
  case let .reshape(shape): return all(.reshape([size] + shape))
  case let .transpose(axes): return all(.transpose([0] + axes.map { $0 + 1 }))
  case let .slice(start, limit, stride): return all(.slice(start: [0] + start, limit: [size] + limit, stride: [1] + stride))
  case let .reverse(axes): return all(.reverse(axes: axes.map { $0 + 1 }))
  case let .reduce(reduction, axes): return all(.reduce(reduction, axes: axes.map { $0 + 1 }))
  case let .argReduce(reduction, axis): return all(.argReduce(reduction, axis: axis + 1))
  case let .cumulate(reduction, axis, reverse): return all(.cumulate(reduction, axis: axis + 1, reverse: reverse))
  case .linearAlgebra: return all(operation)
  case let .gather(batch):
    if batch == 0 && !x[0].isMapped { return mapped(apply(operation, x.map(\.tensor))) }
    return all(.gather(batch: batch + 1))
  case let .scatter(mode, batch): return all(.scatter(mode, batch: batch + 1))
  case let .dot(dimensions): return [batchedDot(dimensions, x[0], x[1])]
  case let .convolution(geometry, role): return mapped([batchedConvolution(geometry, role, x[0], x[1], size)])
  case let .pad(low, high, interior): return mapped([batchedPad(low, high, interior, x[0], x[1], size)])
  case let .dynamicSlice(sizes): return mapped([batchedSlice(sizes, x, size)])
  case .dynamicUpdateSlice: return mapped([batchedUpdate(x, size)])
  case let .scan(scan): return batchedScan(scan, x, size)
  case let .whileLoop(loop): return batchedWhile(loop, x, size)
  case let .conditional(branches): return batchedConditional(branches, x, size)
  case let .call(call): return batchedCall(call, x, size)
  case .barrier: return zip(apply(.barrier, x.map(\.tensor)), x).map { Mapped($0, isMapped: $1.isMapped) }
  case .constant, .iota, .empty: preconditionFailure("a source has no operands to map over")
  }
}
