import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Every operation mapped over a new axis, each choice of mapped operands, against a loop over the examples.
@Suite(.device(.reference)) struct BatchingTests {
  private let size = 3

  /// Which operands are mapped: every non-empty choice.
  private func choices(_ n: Int) -> [[Bool]] {
    (1..<(1 << n)).map { bits in (0..<n).map { bits >> $0 & 1 == 1 } }
  }

  /// Calls `body` with the stacked operands, the mapped ones apart from the others, and what a loop gives.
  private func compare(
    _ operation: OperationCase, _ type: ElementType, _ function: @escaping @Sendable ([Tensor]) -> [Tensor], _ tolerance: Tolerance,
    _ label: String, skipsEmpty: Bool = false
  ) {
    for sample in operation.samples where !(skipsEmpty && sample.shapeClass == .empty) {
      let rows = (0..<size).map { operation.operands(sample, type, seed: UInt64($0 + 1)) }
      for choice in choices(sample.shapes.count) {
        let mappedOperands = choice.indices.filter { choice[$0] }.map { place in stacked(rows.map { $0[place] }) }
        let sharedOperands = choice.indices.filter { !choice[$0] }.map { rows[0][$0] }
        let joined: @Sendable ([Tensor], [Tensor]) -> [Tensor] = { mapped, shared in
          var (m, s) = (mapped[...], shared[...])
          return function(choice.map { $0 ? m.removeFirst() : s.removeFirst() })
        }
        let batched = vmap(joined, over: (0, nil))(mappedOperands, sharedOperands)
        let loop = (0..<size).map { row in function(choice.indices.map { choice[$0] ? rows[row][$0] : rows[0][$0] }) }
        for (i, result) in batched.enumerated() {
          let expected = stacked(loop.map { $0[i] })
          expectClose(result, expected, tolerance, "\(operation.name) \(label) \(type) \(sample.shapes) mapped \(choice) result \(i)")
        }
      }
    }
  }

  @Test("mapped operation", arguments: OperationCase.all)
  func operation(operation: OperationCase) {
    for type in operation.elementTypes where type != .float32 {
      compare(operation, type, { [operation.function($0)] }, Tolerance(relative: 1e-13, absolute: 1e-13), "")
    }
  }

  @Test("mapped gradient", arguments: OperationCase.differentiable)
  func gradients(operation: OperationCase) {
    compare(
      operation, .float64, { x in gradient(of: { v in operation.function(v).squared().sum() }, at: x) },
      Tolerance(relative: 1e-11, absolute: 1e-11), "gradient", skipsEmpty: true)
  }

  @Test("gradient of mapped", arguments: OperationCase.differentiable)
  func gradientOfMapped(operation: OperationCase) {
    for sample in operation.samples where sample.shapeClass != .empty {
      let rows = (0..<size).map { operation.operands(sample, .float64, seed: UInt64($0 + 1)) }
      let x = sample.shapes.indices.map { place in stacked(rows.map { $0[place] }) }
      let all = gradient(of: { v in vmap({ (row: [Tensor]) in operation.function(row) })(v).squared().sum() }, at: x)
      let single = rows.map { row in gradient(of: { v in operation.function(v).squared().sum() }, at: row) }
      for place in x.indices {
        expectClose(
          all[place], stacked(single.map { $0[place] }), Tolerance(relative: 1e-11, absolute: 1e-11),
          "\(operation.name) \(sample.shapes) operand \(place)")
      }
    }
  }
}
