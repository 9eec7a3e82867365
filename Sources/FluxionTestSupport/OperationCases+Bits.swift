internal import FluxionCore

private let single: [OperationCase.Sample] = [
  .init(.scalar, []), .init(.empty, [2, 0]), .init(.one, [1]), .init(.vector, [19]), .init(.matrix, [3, 5]), .init(.large, [31, 37]),
]
private let pairs: [OperationCase.Sample] = [
  .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [7], [7]), .init(.broadcast, [3, 1], [4]),
  .init(.large, [31, 37], [31, 37]),
]
extension OperationCase {
  /// What looks at or into the bits of numbers.
  static let bitCases: [OperationCase] = [
    OperationCase(
      "bitcast.f32", single, [.range(-9, 9)], elementTypes: [.float32], resultType: .int32,
      { x in x[0].bitcast(to: .int32) },
      expected: { x in PlainArray.elementwise(x) { Double(Int32(bitPattern: Float($0[0]).bitPattern)) } }),
    OperationCase(
      "bitcast.u32", single, [.integers(0, 1 << 30)], elementTypes: [.uint32], resultType: .fixed(.float32),
      { x in x[0].bitcast(to: .float32) },
      expected: { x in PlainArray.elementwise(x) { Double(Float(bitPattern: UInt32($0[0]))) } }),
    OperationCase(
      "nextAfter", pairs, [.range(-2, -0.1), .range(0.1, 2)], elementTypes: [.float64], { x in nextAfter(x[0], x[1]) },
      expected: { x in PlainArray.elementwise(x) { $0[0].nextUp } }),
    OperationCase(
      "shiftRightArithmetic", pairs, [.integers(-4095, 4095), .integers(0, 9)], elementTypes: integers,
      isDifferentiable: false, { x in arithmeticShiftRight(x[0], x[1]) }, expected: { x in PlainArray.elementwise(x) { Double(Int($0[0]) >> Int($0[1])) } }),
    OperationCase(
      "bitwiseNot", single, [.integers(-4095, 4095)], elementTypes: integers, isDifferentiable: false, { x in .!x[0] },
      expected: { x in PlainArray.elementwise(x) { Double(~Int($0[0])) } }),
  ]
}
