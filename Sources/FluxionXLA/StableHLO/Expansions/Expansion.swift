package import FluxionCore

extension Operation {
  /// A program of other primitives that means the same, for a primitive that StableHLO lacks. May hold primitives that are expanded in
  /// turn. Any engine can run it, which is how expansions are tested.
  package func expansion(_ operands: [TensorType]) -> Graph {
    GraphBuilder.$current.withValue(nil) {
      let (graph, captures) = traceGraph(operands) { expanded($0) }
      precondition(captures.isEmpty, "the expansion of \(name) captures \(captures.map(\.type))")
      return graph
    }
  }

  private func expanded(_ x: [Tensor]) -> [Tensor] {
    switch self {
    case let .threefry(shape): expandedThreefry(key: x[0], first: x[1], shape)
    case let .unary(f): [x[0].elementType.isComplex ? expandedComplexFunction(f, x[0]) : expandedRealFunction(f, x[0])]
    case let .binary(f): [f.expanded(x[0], x[1])]
    case let .cumulate(reduction, axis, reverse): [expandedCumulate(reduction, x[0], axis, reverse)]
    case let .linearAlgebra(f): f.expanded(x)
    default: preconditionFailure("\(name) has no expansion")
    }
  }
}

/// Each element with all before it, in a number of passes that grows as the logarithm of the length.
private func expandedCumulate(_ reduction: Reduction, _ x: Tensor, _ axis: Int, _ reverse: Bool) -> Tensor {
  let f: Binary =
    switch reduction {
    case .sum: .add
    case .product: .multiply
    case .minimum: .minimum
    case .maximum: .maximum
    case .all: .and
    case .any: .or
    }
  return associativeScan(over: x, alongAxis: axis, reverse: reverse) { binary(f, $0, $1) }
}

/// Threefry-2x32 with 20 rounds of the counters `first + place`.
///
/// > J. Salmon, M. Moraes, R. Dror, D. Shaw. "Parallel random numbers: as easy as 1, 2, 3." *SC* 2011, section 3.
private func expandedThreefry(key: Tensor, first: Tensor, _ shape: Shape) -> [Tensor] {
  let (batch, count) = (first.shape, shape.elementCount)
  let full = batch + [count]
  func spread(_ x: Tensor) -> Tensor { x.expanded(at: batch.rank).broadcast(to: full) }
  func word(_ i: Int) -> Tensor { spread(key.sliced(i..<i + 1, alongAxis: batch.rank).reshaped(to: batch)) }
  let counter = spread(first.converted(to: .uint64)) + iota(full, alongAxis: batch.rank, as: .uint64)
  let keys = [word(0), word(1), word(0) .^ word(1) .^ Tensor(UInt32(0x1BD1_1BDA))]
  var high = (counter &>> Tensor(UInt64(32))).converted(to: .uint32) + keys[0]
  var low = counter.converted(to: .uint32) + keys[1]
  let rotations: [[UInt32]] = [[13, 15, 26, 6], [17, 29, 16, 24]]
  for injection in 1...5 {
    for r in rotations[(injection - 1) % 2] {
      high = high + low
      low = ((low &<< Tensor(r)) .| (low &>> Tensor(32 - r))) .^ high
    }
    high = high + keys[injection % 3]
    low = low + keys[(injection + 1) % 3] + Tensor(UInt32(injection))
  }
  return [high, low].map { $0.reshaped(to: batch + shape) }
}
