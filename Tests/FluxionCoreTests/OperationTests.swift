import FluxionCore
import FluxionTestSupport
import Testing

/// The engines every operation is tested on: the interpreter, and the one linked into the tests.
let devices: [Device] = [.reference, .default]

/// What an engine is known not to do, by the engine's name.
private let exceptions: [String: Set<String>] = [
  // Complex numbers are left to XLA and the interpreter.
  "cpu": ["complexModulus", "complexProduct"]
]

/// Every operation, on every engine, for every element type and shape, against plain formulas.
@Suite struct OperationTests {
  @Test("at once", arguments: devices.indices, OperationCase.all)
  func eager(device: Int, operation: OperationCase) { check(devices[device], operation) { operation.function($0) } }

  @Test("compiled", arguments: devices.indices, OperationCase.all)
  func compiled(device: Int, operation: OperationCase) throws {
    check(devices[device], operation) { operands in
      let (graph, captures) = traceGraph(operands.map(\.type)) { [operation.function($0)] }
      #expect(throws: Never.self) { try graph.verify() }
      return graph(operands + captures)[0]
    }
  }

  private func check(_ device: Device, _ operation: OperationCase, _ run: ([Tensor]) -> Tensor) {
    if exceptions[device.engine.name]?.contains(operation.name) ?? false { return }
    for type in operation.elementTypes {
      for sample in operation.samples {
        let operands = operation.operands(sample, type)
        let expected = operation.expected(operands.map { PlainArray($0) })
        let actual = device.active { run(operands) }
        #expect(actual.elementType == operation.resultType(type), "\(operation.name) \(sample)")
        expectClose(actual, expected, operation.tolerance, "\(operation.name) of \(type) \(sample.shapeClass) \(sample.shapes)")
      }
    }
  }
}
