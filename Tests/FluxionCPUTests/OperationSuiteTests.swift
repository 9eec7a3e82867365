import FluxionCPU
import FluxionCore
import FluxionTestSupport
import Testing

let cpu = Device(engine: CPUEngine())

/// Every operation of the table on this engine, at once and compiled, against plain formulas and against the reference.
@Suite struct OperationSuiteTests {
  @Test("at once", arguments: OperationCase.all)
  func eager(operation: OperationCase) { check(operation) { operation.function($0) } }

  @Test("compiled", arguments: OperationCase.all)
  func compiled(operation: OperationCase) {
    check(operation) { operands in
      let (graph, captures) = traceGraph(operands.map(\.type)) { [operation.function($0)] }
      return graph(operands + captures)[0]
    }
  }

  private func check(_ operation: OperationCase, _ run: ([Tensor]) -> Tensor) {
    for type in operation.elementTypes {
      for sample in operation.samples {
        let operands = operation.operands(sample, type)
        let place = "\(operation.name) of \(type) \(sample.shapeClass) \(sample.shapes)"
        let actual = cpu.active { run(operands) }
        expectClose(actual, operation.expected(operands.map { PlainArray($0) }), operation.tolerance, place)
        let reference = Device.reference.active { operation.function(operands) }
        expectClose(actual, reference, Tolerance(ulps: operation.tolerance.ulps + 4, epsilons: operation.tolerance.epsilons + 4), place)
      }
    }
  }
}
