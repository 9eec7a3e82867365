/// The plain interpreter by which all engines are judged: one primitive after another, element by element, in double precision.
///
/// Goals, in this order: that a reader can see each primitive's meaning; that its numbers can be trusted to the last bit of the
/// element type; that errors are found and placed. Speed is not among them.
final class ReferenceEngine: Engine {
  var name: String { "reference" }

  func compile(_ graph: Graph, options: CompilationOptions) throws(EngineError) -> any Executable {
    ReferenceProgram(graph: graph, options: options)
  }

  func evaluate(_ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultTypes: [TensorType])
    throws(ExecutionError) -> [HostBuffer]
  {
    let values = zip(operandTypes, operands).map { ReferenceArray($0, reading: $1) }
    // Without a call site: what runs at once is placed by whoever catches the error.
    return try ReferenceInterpreter(findsNaN: false).checked(operation, values, resultTypes, at: nil).map { $0.written() }
  }
}

/// A graph that is interpreted anew in every run.
struct ReferenceProgram: Executable {
  let graph: Graph
  let options: CompilationOptions

  func run(_ arguments: consuming [HostBuffer], donated: [Bool]) throws(ExecutionError) -> [HostBuffer] {
    let inputs = zip(graph.inputTypes, arguments).map { ReferenceArray($0, reading: $1) }
    return try ReferenceInterpreter(findsNaN: options.findsNaN).run(graph, inputs).map { $0.written() }
  }

  var cost: CostReport {
    var report = CostReport()
    graph.addReferenceCost(to: &report, times: 1)
    report.peakMemory = graph.types.dropFirst(graph.inputCount).reduce(0) { $0 + $1.byteCount }
    return report
  }
}

extension Graph {
  /// Every node counted as one kernel that reads its operands and writes its results.
  fileprivate func addReferenceCost(to report: inout CostReport, times: Int) {
    for node in nodes {
      switch node.operation {
      case let .scan(scan): scan.body.addReferenceCost(to: &report, times: times * scan.length)
      case .whileLoop, .call:
        for part in node.operation.subgraphs { part.addReferenceCost(to: &report, times: times) }
      case let .conditional(branches): branches.first?.addReferenceCost(to: &report, times: times)
      default:
        let results = node.results.map { type(of: $0) }
        let operands = node.operands.map { type(of: $0) }
        let bytes = (results + operands).reduce(0) { $0 + $1.byteCount }
        report.bytesMoved += Double(times * bytes)
        report.kernels += times
        report.floatingPointOperations += Double(times) * node.operation.floatingPointOperations(operands, results)
      }
    }
  }
}

extension Operation {
  fileprivate func floatingPointOperations(_ operands: [TensorType], _ results: [TensorType]) -> Double {
    guard let result = results.first else { return 0 }
    switch self {
    case let .dot(d):
      let depth = d.lhsContracting.reduce(1) { $0 * operands[0].shape[$1] }
      return 2 * Double(result.shape.elementCount) * Double(depth)
    case let .convolution(g, _):
      let taps = g.kernel.dropLast().reduce(1, *)
      return 2 * Double(g.output.elementCount) * Double(taps)
    case let .fourier(f): return f.floatingPointOperations(elements: Double(operands[0].shape.elementCount))
    case .reduce, .cumulate: return Double(operands[0].shape.elementCount)
    case .unary, .binary: return result.elementType.isDifferentiable ? Double(result.shape.elementCount) : 0
    default: return 0
    }
  }
}
