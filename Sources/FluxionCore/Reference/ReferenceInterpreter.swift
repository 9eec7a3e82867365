/// Runs graphs node by node.
struct ReferenceInterpreter {
  /// Whether to stop at the first node that makes a NaN.
  let findsNaN: Bool
  /// The steps of the loops being run, outermost first, such as "step 3 of scan".
  var steps: [String] = []

  func run(_ graph: Graph, _ inputs: [ReferenceArray]) throws(ExecutionError) -> [ReferenceArray] {
    var values = [ReferenceArray?](repeating: nil, count: graph.types.count)
    for (i, input) in inputs.enumerated() { values[i] = input }
    for node in graph.nodes {
      let operands = node.operands.map { values[$0.int]! }
      let types = node.results.map { graph.type(of: $0) }
      let results = try checked(node.operation, operands, types, at: node.callSite)
      for (id, result) in zip(node.results, results) { values[id.int] = result }
    }
    return graph.outputs.map { values[$0.int]! }
  }

  /// One node, with the search for NaNs.
  func checked(_ operation: Operation, _ x: [ReferenceArray], _ types: [TensorType], at site: CallSite?)
    throws(ExecutionError) -> [ReferenceArray]
  {
    let results = try evaluate(operation, x, types, at: site)
    guard findsNaN, operation.canMakeNaN, x.allSatisfy({ $0.nanCount == 0 }) else { return results }
    for result in results where result.nanCount > 0 {
      throw .madeNaN(
        operation: operation.name, count: result.nanCount, elements: result.shape.elementCount,
        detail: (x.compactMap(\.extent).joined(separator: "; ") + inLoops), callSite: site)
    }
    return results
  }

  private var inLoops: String { steps.isEmpty ? "" : ", at " + steps.reversed().joined(separator: " in ") }

  /// What each primitive does.
  private func evaluate(_ operation: Operation, _ x: [ReferenceArray], _ types: [TensorType], at site: CallSite?)
    throws(ExecutionError) -> [ReferenceArray]
  {
    switch operation {
    case let .constant(constant): [ReferenceArray(constant.type, reading: constant.buffer)]
    case let .iota(type, axis): [referenceIota(type, axis)]
    case let .empty(type): [referenceIota(type, nil)]
    case .threefry: referenceThreefry(key: x[0], first: x[1], types)

    case let .unary(f): [referenceUnary(f, x[0], types[0])]
    case let .binary(f): [referenceBinary(f, x[0], x[1], types[0])]
    case let .compare(c): [referenceCompare(c, x[0], x[1], types[0])]
    case .select: [referenceSelect(x[0], x[1], x[2])]
    case .clamp: [referenceBinary(.minimum, referenceBinary(.maximum, x[1], x[0], types[0]), x[2], types[0])]
    case .convert: [x[0].converted(types[0])]
    case .bitcast: [ReferenceArray(types[0], reading: x[0].written())]
    case .complex:
      [ReferenceArray(types[0], .complex(zip(x[0].reals, x[1].reals).map { ComplexNumber($0, $1) }))]

    case let .broadcast(shape, axes): [referenceBroadcast(x[0], shape, axes)]
    case .reshape: [x[0].reshaped(types[0])]
    case let .transpose(axes): [referenceTranspose(x[0], axes, types[0])]
    case let .slice(start, _, stride): [referenceSlice(x[0], start, stride, types[0])]
    case let .pad(low, _, interior): [referencePad(x[0], x[1], low, interior, types[0])]
    case let .concatenate(axis): [referenceConcatenate(x, axis, types[0])]
    case let .reverse(axes): [referenceReverse(x[0], axes)]

    case .dynamicSlice: [try referenceDynamicSlice(operation, x, types[0], site)]
    case .dynamicUpdateSlice: [try referenceDynamicUpdateSlice(operation, x, site)]
    case let .gather(batch): [try referenceGather(operation, x[0], x[1], batch, types[0], site)]
    case let .scatter(mode, batch): [try referenceScatter(operation, mode, x[0], x[1], x[2], batch, site)]

    case let .reduce(reduction, axes): [referenceReduce(reduction, x[0], axes, types[0])]
    case let .argReduce(reduction, axis): [referenceArgReduce(reduction, x[0], axis, types[0])]
    case let .cumulate(reduction, axis, reverse): [referenceCumulate(reduction, x[0], axis, reverse)]
    case let .dot(dimensions): [referenceDot(x[0], x[1], dimensions, types[0])]
    case let .convolution(geometry, role): [referenceConvolution(x[0], x[1], geometry, role, types[0])]
    case let .fourier(transform): [referenceFourier(x[0], transform, types[0])]
    case let .linearAlgebra(f): referenceLinearAlgebra(f, x, types)
    case let .sort(axis, descending): referenceSort(x, axis, descending)

    case let .scan(scan): try runScan(scan, x, types)
    case let .whileLoop(loop): try runWhile(loop, x)
    case let .conditional(branches): try runConditional(branches, x, site)
    case let .call(call): try run(call.body, x)
    case .barrier: x
    }
  }
}

extension Operation {
  /// Whether a NaN among the results is this node's own doing: constants may be meant so, and sub-programs are searched themselves.
  fileprivate var canMakeNaN: Bool {
    switch self {
    case .constant, .bitcast, .scan, .whileLoop, .conditional, .call: false
    default: true
    }
  }
}

extension ReferenceArray {
  /// The least and greatest element in words, for the message about a NaN; nil for elements that are not numbers.
  fileprivate var extent: String? {
    func text(_ x: Double) -> String { shortestText(x, digits: 6) }
    switch elements {
    case let .real(v):
      guard let low = v.min(), let high = v.max() else { return nil }
      return low == high ? "input \(text(low))" : "input min \(text(low)), max \(text(high))"
    case .integer:
      let v = orderedIntegers
      guard elementType != .bool, let low = v.min(), let high = v.max() else { return nil }
      func number(_ x: Int64) -> String { elementType == .uint64 ? "\(UInt64(bitPattern: x ^ .min))" : "\(x)" }
      return low == high ? "input \(number(low))" : "input min \(number(low)), max \(number(high))"
    case let .complex(v):
      guard let least = v.map(\.magnitude).min(), let most = v.map(\.magnitude).max() else { return nil }
      return "input magnitude min \(text(least)), max \(text(most))"
    }
  }
}
