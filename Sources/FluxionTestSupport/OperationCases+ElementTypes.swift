internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

// Rows name the element types that tell an operation's implementations apart. What the runtime stores but computes in wider types is
// added here, by sorts of operations: adding a type to all that move elements is one word.

private let halves: [ElementType] = [.float16, .bfloat16]
private let signed: [ElementType] = [.int8, .int16]
private let unsigned: [ElementType] = [.uint8, .uint16, .uint64]
private let stored = halves + [.float8e4m3, .float8e5m2] + signed + unsigned

/// Types of at most 16 bits, and `u64`, by the rows they are added to.
private let additions: [(types: [ElementType], rows: [String])] = [
  // Moves: every bit pattern is as good as another.
  (
    stored,
    [
      "broadcast", "reshape", "transposed", "flattened", "swappingAxes", "movingAxis", "matrixTranspose", "slice", "subscript", "concatenated",
      "stacked", "reversed", "tiled", "repeated", "rolled", "expandedAndSqueezed", "diagonal", "diagonalMatrix", "lowerTriangle", "dynamicSlice",
      "replacingWindow", "gathered", "gatheredAxis", "gatheredAlong", "gatheredAt", "select",
    ]
  ),
  // Comparisons of small whole numbers.
  (stored, ["equal", "notEqual", "less", "lessOrEqual", "greater", "greaterOrEqual", "argmax", "argmin", "argsort"]),
  // Arithmetic and functions, with derivatives.
  (
    halves,
    [
      "negate", "abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "cbrt", "reciprocal", "square", "sin", "cos", "tan", "asin", "acos",
      "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "erf", "erfc", "erfInverse", "logGamma", "digamma", "trigamma", "floor",
      "ceil", "round", "trunc", "isFinite", "isNaN", "relu", "silu", "softplus", "clamped", "add", "subtract", "multiply", "divide", "remainder",
      "power", "atan2", "minimum", "maximum", "hypot", "clamp", "sum.middle", "sum.outer", "sum.all", "mean.middle", "mean.all", "max.middle",
      "min.middle", "product.middle", "softmax", "logSoftmax", "cumulativeSum", "dot", "matmul", "matmulBatched", "sorted", "sortedDescending",
      "segmentSum", "segmentMax",
    ]
  ),
  // Integers, as far as they hold what the rows' numbers become.
  (
    signed + unsigned,
    ["integerAdd", "integerMultiply", "integerDivide", "integerRemainder", "integerMaximum", "and", "or", "xor", "shiftRight", "populationCount"]
  ),
  (signed, ["integerNegate", "shiftRightArithmetic", "bitwiseNot"]),
  ([.int16, .uint16, .uint64], ["integerPower", "integerSum.middle", "integerSum.outer", "integerSum.all", "matmulInteger"]),
  ([.uint64], ["shiftLeft"]),
]

extension OperationCase {
  /// The row in the further element types as well.
  var inFurtherTypes: OperationCase {
    let further = additions.filter { $0.rows.contains(name) }.flatMap(\.types).filter { !elementTypes.contains($0) }
    return further.isEmpty ? self : taking(elementTypes + further)
  }

  /// Names among the additions that no row has.
  package static var additionsWithoutRow: [String] {
    let names = Set(all.map(\.name))
    return additions.flatMap(\.rows).filter { !names.contains($0) }
  }

  private static let single: [Sample] = [
    .init(.scalar, []), .init(.empty, [2, 0]), .init(.one, [1]), .init(.vector, [19]), .init(.matrix, [3, 5]), .init(.large, [31, 37]),
  ]
  private static let steps = Exception("it goes up in steps, which differences would see", transforms: Transform.derivatives)

  /// `x` rounded to numbers of `digits` significant bits, where those are normal.
  private static func rounded(_ x: Double, toBits digits: Int) -> Double {
    if x == 0 { return x }
    let unit = pow(2, (log2(Swift.abs(x))).rounded(.down) - Double(digits - 1))
    return (x / unit).rounded(.toNearestOrEven) * unit
  }

  /// Conversions and what looks at the bits of the small types.
  static let elementTypeCases: [OperationCase] = [
    OperationCase(
      "convertToHalf", single, [.awayFromZero(0.01, 9)], elementTypes: reals, resultType: .fixed(.float16), exceptions: [steps],
      { x in x[0].converted(to: .float16) }, expected: { x in PlainArray.elementwise(x) { rounded($0[0], toBits: 11) } }),
    OperationCase(
      "convertToBrainFloat", single, [.awayFromZero(0.01, 9)], elementTypes: reals + integers + halves, resultType: .fixed(.bfloat16),
      exceptions: [steps], { x in x[0].converted(to: .bfloat16) }, expected: { x in PlainArray.elementwise(x) { rounded($0[0], toBits: 8) } }),
    OperationCase(
      "convertToEightBits", single, [.awayFromZero(0.02, 9)], elementTypes: reals + halves, resultTypes: [.fixed(.float8e4m3), .fixed(.float8e5m2)],
      exceptions: [steps], results: { x in [x[0].converted(to: .float8e4m3), x[0].converted(to: .float8e5m2)] },
      expected: { x in [4, 3].map { digits in PlainArray.elementwise(x) { rounded($0[0], toBits: digits) } } }),
    OperationCase(
      "convertToByte", single, [.range(-300, 300)], elementTypes: reals + halves, resultTypes: [.fixed(.int8), .fixed(.uint8)],
      isDifferentiable: false, results: { x in [x[0].converted(to: .int8), x[0].converted(to: .uint8)] },
      expected: { x in
        [(-128.0, 127.0), (0, 255)].map { low, high in
          PlainArray.elementwise(x) { $0[0] < low ? low : $0[0] > high ? high : $0[0] < 0 ? ceil($0[0]) : floor($0[0]) }
        }
      }),
    OperationCase(
      "wrapToByte", single, [.integers(-999, 999)], elementTypes: [.int16, .int32, .int64], resultTypes: [.fixed(.int8), .fixed(.uint8)],
      isDifferentiable: false, results: { x in [x[0].converted(to: .int8), x[0].converted(to: .uint8)] },
      expected: { x in
        [-128, 0].map { low in PlainArray.elementwise(x) { Double((Int($0[0]) - low + 1024) % 256 + low) } }
      }),
    OperationCase(
      "bitcast.f16", single, [.range(-9, 9)], elementTypes: [.float16], resultType: .fixed(.int16), { x in x[0].bitcast(to: .int16) },
      expected: { x in PlainArray.elementwise(x) { Double(Int16(bitPattern: Float16($0[0]).bitPattern)) } }),
    // Of zero less those of x: the number of digits, which is the same in every width.
    OperationCase(
      "countLeadingZeros", single, [.integers(0, 120)], elementTypes: integers + [.uint32] + signed + unsigned, isDifferentiable: false,
      { x in countLeadingZeros(x[0] * 0) - countLeadingZeros(x[0]) },
      expected: { x in
        PlainArray.elementwise(x) { v in
          var (digits, rest) = (0.0, Int(v[0]))
          while rest > 0 { (digits, rest) = (digits + 1, rest / 2) }
          return digits
        }
      }),
    OperationCase(
      "nextAfter.small", [.init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [7], [7]), .init(.large, [31, 37], [31, 37])],
      [.range(-0.9, -0.6), .range(0.1, 2)], elementTypes: [.float16],
      exceptions: [.init("its steps are those of the type, not of the numbers", transforms: Transform.derivatives)],
      { x in nextAfter(x[0], x[1]) }, expected: { x in PlainArray.elementwise(x) { $0[0] + 0x1p-11 } }),
  ]
}
