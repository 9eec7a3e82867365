internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Shapes for functions of one operand.
private let unarySamples: [OperationCase.Sample] = [
  .init(.scalar, []), .init(.empty, [2, 0]), .init(.one, [1]), .init(.vector, [19]), .init(.matrix, [3, 5]),
  .init(.large, [31, 67]),
]

/// Shapes for functions of two operands.
private let binarySamples: [OperationCase.Sample] = [
  .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [17], [17]), .init(.matrix, [3, 5], [3, 5]),
  .init(.broadcast, [3, 1], [4]), .init(.broadcast, [], [2, 3]), .init(.large, [31, 67], [31, 67]), .init(.broadcast, [29, 1], [53]),
]

private func unary(
  _ name: String, _ domain: Domain, _ f: @escaping @Sendable (Tensor) -> Tensor, _ formula: @escaping @Sendable (Double) -> Double,
  complex: (@Sendable (PlainComplex) -> PlainComplex)? = nil, types: [ElementType] = OperationCase.reals, tolerance: Tolerance = .ulps(4),
  isDifferentiable: Bool = true, result: OperationCase.ResultType = .same, exceptions: [OperationCase.Exception] = []
) -> OperationCase {
  OperationCase(
    name, unarySamples, [domain], complex: complex.map { .each($0) }, elementTypes: types, resultType: result, tolerance: tolerance, isDifferentiable: isDifferentiable,
    exceptions: exceptions,
    { x in f(x[0]) }, expected: { x in PlainArray.elementwise(x) { formula($0[0]) } })
}

private func binary(
  _ name: String, _ a: Domain, _ b: Domain, _ f: @escaping @Sendable (Tensor, Tensor) -> Tensor,
  _ formula: @escaping @Sendable (Double, Double) -> Double, complex: (@Sendable (PlainComplex, PlainComplex) -> PlainComplex)? = nil,
  types: [ElementType] = OperationCase.reals, tolerance: Tolerance = .ulps(4), isDifferentiable: Bool = true,
  result: OperationCase.ResultType = .same
) -> OperationCase {
  OperationCase(
    name, binarySamples, [a, b], complex: complex.map { f in .elementwise { f($0[0], $0[1]) } }, elementTypes: types, resultType: result, tolerance: tolerance, isDifferentiable: isDifferentiable,
    { x in f(x[0], x[1]) }, expected: { x in PlainArray.elementwise(x) { formula($0[0], $0[1]) } })
}

// Formulas by other routes than the C library's function of the same name, where there is one.
private func psi(_ x: Double) -> Double {
  // By the difference quotient of log Γ, extrapolated: good to about 1e-10.
  func logGammaOf(_ x: Double) -> Double { lgamma(x).0 }
  func slope(_ h: Double) -> Double { (logGammaOf(x + h) - logGammaOf(x - h)) / (2 * h) }
  let (a, b, c) = (slope(8e-3), slope(4e-3), slope(2e-3))
  let (ab, bc) = ((4 * b - a) / 3, (4 * c - b) / 3)
  return (16 * bc - ab) / 15
}
private func psi1(_ x: Double) -> Double {
  // Σ 1/(x + k)², the tail by Euler and Maclaurin.
  let n = 200
  var total = 0.0
  for k in 0..<n { total += 1 / ((x + Double(k)) * (x + Double(k))) }
  let z = x + Double(n)
  let cube: Double = z * z * z
  return total + 1 / z + 1 / (2 * z * z) + 1 / (6 * cube)
}
private func erfInverseByBisection(_ x: Double) -> Double {
  var (low, high) = (-6.0, 6.0)
  for _ in 0..<100 {
    let middle = (low + high) / 2
    if erf(middle) < x { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
private func roundHalfEven(_ x: Double) -> Double {
  let below = floor(x)
  if x - below != 0.5 { return floor(x + 0.5) }
  return below / 2 == floor(below / 2) ? below : below + 1
}

extension OperationCase {
  static let unaryCases: [OperationCase] = [
    unary("negate", .awayFromZero(0.1, 3), { -$0 }, { -$0 }, complex: { -$0 }, types: numbers, tolerance: .exact),
    unary("abs", .awayFromZero(0.1, 3), { abs($0) }, { $0 < 0 ? -$0 : $0 }, complex: { PlainComplex($0.size) }, types: numbers, tolerance: .exact, result: .realPart),
    unary("sign", .awayFromZero(0.1, 3), { sign($0) }, { $0 < 0 ? -1 : 1 }, complex: { $0 * (1 / $0.size) }, tolerance: .exact),
    unary("exp", .range(-3, 3), { exp($0) }, { exp($0) }, complex: { $0.exp }),
    unary("expm1", .range(-1, 1), { expm1($0) }, { expm1($0) }, complex: { $0.exp + -1 }),
    unary("log", .range(0.2, 5), { log($0) }, { log($0) }, complex: { $0.log }, tolerance: Tolerance(ulps: 4, epsilons: 1)),
    unary("log1p", .range(-0.6, 2), { log1p($0) }, { log1p($0) }, complex: { ($0 + 1).log }),
    unary("sqrt", .range(0.1, 9), { sqrt($0) }, { $0.squareRoot() }, complex: { $0.squareRoot }, tolerance: .ulps(1)),
    unary("rsqrt", .range(0.1, 9), { rsqrt($0) }, { 1 / $0.squareRoot() }, complex: { 1 / $0.squareRoot }),
    unary("cbrt", .awayFromZero(0.2, 5), { cbrt($0) }, { $0 < 0 ? -exp(log(-$0) / 3) : exp(log($0) / 3) }, complex: { ($0.log * (1 / 3.0)).exp }),
    unary("reciprocal", .awayFromZero(0.3, 4), { reciprocal($0) }, { 1 / $0 }, complex: { 1 / $0 }, tolerance: .ulps(1)),
    unary("square", .range(-3, 3), { $0.squared() }, { $0 * $0 }, complex: { $0 * $0 }, types: numbers, tolerance: .ulps(1)),
    unary("sin", .parts(.range(-6, 6), .range(-2, 2)), { sin($0) }, { sin($0) }, complex: { $0.sine }, tolerance: Tolerance(ulps: 4, epsilons: 1)),
    unary("cos", .parts(.range(-6, 6), .range(-2, 2)), { cos($0) }, { cos($0) }, complex: { $0.cosine }, tolerance: Tolerance(ulps: 4, epsilons: 1)),
    unary("tan", .range(-1.2, 1.2), { tan($0) }, { sin($0) / cos($0) }, complex: { $0.sine / $0.cosine }, tolerance: Tolerance(ulps: 8)),
    unary("asin", .range(-0.8, 0.8), { asin($0) }, { atan2($0, (1 - $0 * $0).squareRoot()) }, complex: { $0.inverseSine }, tolerance: .ulps(8)),
    unary("acos", .range(-0.8, 0.8), { acos($0) }, { atan2((1 - $0 * $0).squareRoot(), $0) }, complex: { PlainComplex(Double.pi / 2) - $0.inverseSine }, tolerance: .ulps(8)),
    unary("atan", .parts(.range(-4, 4), .range(-0.8, 0.8)), { atan($0) }, { atan2($0, 1) }, complex: { -(PlainComplex.i * (PlainComplex.i * $0).inverseHyperbolicTangent) }),
    unary("sinh", .range(-2, 2), { sinh($0) }, { (expm1($0) - expm1(-$0)) / 2 }, complex: { $0.hyperbolicSine }, tolerance: .ulps(6)),
    unary("cosh", .range(-2, 2), { cosh($0) }, { (exp($0) + exp(-$0)) / 2 }, complex: { $0.hyperbolicCosine }),
    unary("tanh", .parts(.range(-2, 2), .range(-1, 1)), { tanh($0) }, { expm1(2 * $0) / (expm1(2 * $0) + 2) }, complex: { $0.hyperbolicTangent }, tolerance: .ulps(8)),
    unary("asinh", .parts(.range(-3, 3), .range(-0.8, 0.8)), { asinh($0) }, { asinh($0) }, complex: { $0.inverseHyperbolicSine }),
    unary("acosh", .range(1.3, 5), { acosh($0) }, { log($0 + ($0 * $0 - 1).squareRoot()) }, complex: { ($0 + ($0 + -1).squareRoot * ($0 + 1).squareRoot).log }, tolerance: .ulps(8)),
    unary("atanh", .range(-0.8, 0.8), { atanh($0) }, { log1p(2 * $0 / (1 - $0)) / 2 }, complex: { $0.inverseHyperbolicTangent }, tolerance: .ulps(8)),
    unary("sigmoid", .parts(.range(-5, 5), .range(-2, 2)), { sigmoid($0) }, { 1 / (1 + exp(-$0)) }, complex: { 1 / ((-$0).exp + 1) }, tolerance: .ulps(6)),
    unary("erf", .range(-2, 2), { erf($0) }, { 1 - erfc($0) }, tolerance: Tolerance(ulps: 4, epsilons: 2)),
    unary("erfc", .range(-2, 2), { erfc($0) }, { 1 - erf($0) }, tolerance: Tolerance(ulps: 8, epsilons: 2)),
    unary("erfInverse", .range(-0.9, 0.9), { erfInverse($0) }, { erfInverseByBisection($0) }, tolerance: Tolerance(ulps: 6, epsilons: 2)),
    unary("logGamma", .range(0.3, 6), { logGamma($0) }, { log(tgamma($0)) }, tolerance: Tolerance(ulps: 8, epsilons: 8)),
    unary("digamma", .range(0.8, 6), { digamma($0) }, { psi($0) }, tolerance: Tolerance(ulps: 4, epsilons: 4, absolute: 1e-9)),
    unary("trigamma", .range(0.8, 6), { trigamma($0) }, { psi1($0) }, tolerance: Tolerance(ulps: 8, absolute: 1e-12)),
    // Constant between jumps: the domain keeps clear of those, and every derivative is zero.
    unary("floor", .awayFromZero(0.1, 0.9), { floor($0) * 3 }, { $0.rounded(.down) * 3 }, tolerance: .exact),
    unary("ceil", .awayFromZero(1.1, 1.9), { ceil($0) }, { -floor(-$0) }, tolerance: .exact),
    unary("round", .awayFromZero(1.6, 2.4), { round($0) }, { roundHalfEven($0) }, tolerance: .exact),
    unary(
      "roundHalves", .integers(-9, 9), { round($0 / 2) }, { roundHalfEven($0 / 2) }, tolerance: .exact,
      exceptions: [.init("its row is about the jumps themselves", transforms: Transform.derivatives)]),
    unary("trunc", .awayFromZero(1.1, 1.9), { trunc($0) }, { $0 < 0 ? ceil($0) : floor($0) }, tolerance: .exact),
    unary("isFinite", .range(-4, 4), { isFinite($0) }, { _ in 1 }, complex: { _ in PlainComplex(1) }, tolerance: .exact, isDifferentiable: false, result: .bool),
    unary("isNaN", .range(-4, 4), { isNaN($0) }, { _ in 0 }, complex: { _ in PlainComplex(0) }, tolerance: .exact, isDifferentiable: false, result: .bool),
    unary(
      "stopGradient", .range(-4, 4), { stopGradient($0) }, { $0 }, complex: { $0 }, tolerance: .exact,
      exceptions: [.init("it is what stops derivatives, so that differences cannot judge it", transforms: Transform.derivatives)]),
    unary("relu", .awayFromZero(0.1, 3), { relu($0) }, { $0 > 0 ? $0 : 0 }, tolerance: .exact),
    unary("silu", .parts(.range(-4, 4), .range(-2, 2)), { silu($0) }, { $0 / (1 + exp(-$0)) }, complex: { $0 / ((-$0).exp + 1) }, tolerance: Tolerance(ulps: 8)),
    unary("gelu", .range(-3, 3), { gelu($0) }, { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 }, tolerance: Tolerance(ulps: 8, epsilons: 8)),
    unary("softplus", .awayFromZero(0.1, 4), { softplus($0) }, { log1p(exp($0)) }, tolerance: Tolerance(ulps: 8)),
    unary("clamped", .integers(-4, 4), { $0.clamped(to: -1.5...2.5) }, { Swift.min(2.5, Swift.max(-1.5, $0)) }, tolerance: .exact),
    unary("convertToInt", .range(-9, 9), { $0.converted(to: .int32) }, { trunc($0) }, tolerance: .exact, isDifferentiable: false, result: .int32),
    unary("integerNegate", .integers(-9, 9), { -$0 }, { -$0 }, types: integers, tolerance: .exact, isDifferentiable: false),
    unary(
      "populationCount", .integers(0, 999), { populationCount($0) }, { Double(Int($0).nonzeroBitCount) }, types: integers + [.uint32],
      tolerance: .exact, isDifferentiable: false),
    unary(
      "constants", .range(-2, 2), { ($0 + 1) * 0.5 - 3 }, { ($0 + 1) * 0.5 - 3 }, complex: { ($0 + 1) * 0.5 + -3 }, tolerance: Tolerance(ulps: 2, epsilons: 2)),
  ]

  /// Functions that only complex numbers have, or that only they make interesting.
  private static func parts(
    _ name: String, result: ResultType = .realPart, _ f: @escaping @Sendable (Tensor) -> Tensor,
    _ formula: @escaping @Sendable (PlainComplex) -> PlainComplex
  ) -> OperationCase {
    OperationCase(
      name, unarySamples, [.parts(.range(0.3, 2), .awayFromZero(0.3, 2))], complex: .each(formula), elementTypes: [], resultType: result, tolerance: .ulps(4),
      { x in f(x[0]) }, expected: { x in x[0] })
  }

  static let binaryCases: [OperationCase] = [
    binary("add", .range(-2, 2), .range(-2, 2), { $0 + $1 }, { $0 + $1 }, complex: { $0 + $1 }, tolerance: .ulps(1)),
    binary("subtract", .range(-2, 2), .range(-2, 2), { $0 - $1 }, { $0 - $1 }, complex: { $0 - $1 }, tolerance: .ulps(1)),
    binary("multiply", .range(-2, 2), .range(-2, 2), { $0 * $1 }, { $0 * $1 }, complex: { $0 * $1 }, tolerance: .ulps(1)),
    binary("divide", .range(-2, 2), .awayFromZero(0.5, 2), { $0 / $1 }, { $0 / $1 }, complex: { $0 / $1 }, tolerance: .ulps(1)),
    binary("remainder", .range(1.05, 1.15), .range(0.6, 0.95), { $0 % $1 }, { $0 - $1 * trunc($0 / $1) }, tolerance: Tolerance(ulps: 4, epsilons: 2)),
    binary("power", .range(0.4, 2.5), .range(-2, 2), { pow($0, $1) }, { exp($1 * log($0)) }, complex: { ($1 * $0.log).exp }, tolerance: .ulps(8)),
    binary("atan2", .awayFromZero(0.3, 2), .awayFromZero(0.3, 2), { atan2($0, $1) }, { y, x in
      // The half-angle formula.
      let r = (x * x + y * y).squareRoot()
      return x > 0 ? 2 * atan(y / (r + x)) : 2 * atan((r - x) / y)
    }, tolerance: .ulps(8)),
    binary("minimum", .range(-2, 0.4), .range(0.5, 2), { minimum($0, $1) }, { $0 < $1 ? $0 : $1 }, tolerance: .exact),
    binary("maximum", .range(-2, 0.4), .range(0.5, 2), { maximum($0, $1) }, { $0 > $1 ? $0 : $1 }, tolerance: .exact),
    binary("hypot", .awayFromZero(0.3, 2), .awayFromZero(0.3, 2), { a, b in sqrt(a.squared() + b.squared()) }, { hypot($0, $1) }),
    binary("integerAdd", .integers(-9, 9), .integers(-9, 9), { $0 + $1 }, { $0 + $1 }, types: integers, tolerance: .exact, isDifferentiable: false),
    binary("integerMultiply", .integers(-9, 9), .integers(-9, 9), { $0 * $1 }, { $0 * $1 }, types: integers, tolerance: .exact, isDifferentiable: false),
    binary("integerDivide", .integers(-99, 99), .integers(1, 9), { $0 / $1 }, { trunc($0 / $1) }, types: integers, tolerance: .exact, isDifferentiable: false),
    binary("integerRemainder", .integers(-99, 99), .integers(1, 9), { $0 % $1 }, { $0 - $1 * trunc($0 / $1) }, types: integers, tolerance: .exact, isDifferentiable: false),
    binary("integerPower", .integers(-3, 3), .integers(0, 5), { pow($0, $1) }, { pow($0, $1) }, types: integers, tolerance: .exact, isDifferentiable: false),
    binary("integerMaximum", .integers(-9, 9), .integers(-9, 9), { maximum($0, $1) }, { $0 > $1 ? $0 : $1 }, types: integers, tolerance: .exact, isDifferentiable: false),
    binary("and", .integers(0, 255), .integers(0, 255), { $0 .& $1 }, { Double(Int($0) & Int($1)) }, types: integers + [.uint32], tolerance: .exact, isDifferentiable: false),
    binary("or", .integers(0, 255), .integers(0, 255), { $0 .| $1 }, { Double(Int($0) | Int($1)) }, types: integers + [.uint32], tolerance: .exact, isDifferentiable: false),
    binary("xor", .integers(0, 255), .integers(0, 255), { $0 .^ $1 }, { Double(Int($0) ^ Int($1)) }, types: integers + [.uint32], tolerance: .exact, isDifferentiable: false),
    binary("shiftLeft", .integers(0, 255), .integers(0, 9), { $0 &<< $1 }, { Double(Int($0) << Int($1)) }, types: integers + [.uint32], tolerance: .exact, isDifferentiable: false),
    binary("shiftRight", .integers(0, 4095), .integers(0, 9), { $0 &>> $1 }, { Double(Int($0) >> Int($1)) }, types: integers + [.uint32], tolerance: .exact, isDifferentiable: false),
    binary("equal", .integers(0, 2), .integers(0, 2), { $0 .== $1 }, { $0 == $1 ? 1 : 0 }, complex: { PlainComplex($0 == $1 ? 1 : 0) }, types: numbers, tolerance: .exact, isDifferentiable: false, result: .bool),
    binary("notEqual", .integers(0, 2), .integers(0, 2), { $0 .!= $1 }, { $0 != $1 ? 1 : 0 }, complex: { PlainComplex($0 != $1 ? 1 : 0) }, types: numbers, tolerance: .exact, isDifferentiable: false, result: .bool),
    binary("less", .integers(0, 2), .integers(0, 2), { $0 .< $1 }, { $0 < $1 ? 1 : 0 }, types: numbers, tolerance: .exact, isDifferentiable: false, result: .bool),
    binary("lessOrEqual", .integers(0, 2), .integers(0, 2), { $0 .<= $1 }, { $0 <= $1 ? 1 : 0 }, types: numbers, tolerance: .exact, isDifferentiable: false, result: .bool),
    binary("greater", .integers(0, 2), .integers(0, 2), { $0 .> $1 }, { $0 > $1 ? 1 : 0 }, types: numbers, tolerance: .exact, isDifferentiable: false, result: .bool),
    binary("greaterOrEqual", .integers(0, 2), .integers(0, 2), { $0 .>= $1 }, { $0 >= $1 ? 1 : 0 }, types: numbers, tolerance: .exact, isDifferentiable: false, result: .bool),
  ]

  static let choiceCases: [OperationCase] = [
    parts("real", { $0.real }) { PlainComplex($0.re) },
    parts("imaginary", { $0.imaginary }) { PlainComplex($0.im) },
    parts("conjugate", result: .same, { $0.conjugate() }) { $0.conjugate },
    parts("argument", { atan2($0.imaginary, $0.real) }) { PlainComplex($0.log.im) },
    parts("squaredSize", { ($0 * $0.conjugate()).real }) { PlainComplex($0.re * $0.re + $0.im * $0.im) },
    parts("complexOfParts", result: .same, { z in complex(z.imaginary * z.real, exp(z.real)) }) { z in PlainComplex(z.im * z.re, PlainComplex(z.re).exp.re) },
    parts("convertToReal", result: .realPart, { z in sin(z).converted(to: z.elementType.realPart) }) { PlainComplex($0.sine.re) },
    parts("notHolomorphic", result: .same, { z in z.conjugate() * sqrt(z) + abs(z) }) { z in z.conjugate * z.squareRoot + z.size },
    OperationCase(
      "convertToComplex", unarySamples, [.range(-2, 2)], resultType: .complex, tolerance: .ulps(8),
      { x in exp(x[0].converted(to: x[0].elementType == .float32 ? .complex64 : .complex128)) },
      expected: { x in PlainArray.elementwise(x) { exp($0[0]) } }),
    OperationCase(
      "select",
      [
        .init(.scalar, [], [], []), .init(.empty, [0], [0], [0]), .init(.one, [1], [1], [1]), .init(.vector, [9], [9], [9]),
        .init(.broadcast, [3, 1], [4], []), .init(.large, [31, 37], [31, 37], [31, 37]),
      ],
      [.truth, .range(-2, 2), .range(-2, 2)], complex: .linear, { x in select(x[0], x[1], x[2]) },
      expected: { x in PlainArray.elementwise(x) { $0[0] != 0 ? $0[1] : $0[2] } }),
    OperationCase(
      "clamp",
      [
        .init(.scalar, [], [], []), .init(.empty, [0], [0], [0]), .init(.one, [1], [1], [1]), .init(.vector, [9], [9], [9]),
        .init(.broadcast, [3, 4], [4], []), .init(.large, [31, 37], [31, 37], [31, 37]),
      ],
      [.awayFromZero(1.2, 2), .range(-1, -0.5), .range(0.5, 1)], { x in clamp(x[0], x[1], x[2]) },
      expected: { x in PlainArray.elementwise(x) { Swift.min($0[2], Swift.max($0[1], $0[0])) } }),
    OperationCase(
      "complexModulus", [
        .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [7], [7]), .init(.broadcast, [2, 1], [3]),
        .init(.large, [31, 37], [31, 37]),
      ],
      [.awayFromZero(0.3, 2), .awayFromZero(0.3, 2)], tolerance: .ulps(4), { x in abs(complex(x[0], x[1])) },
      expected: { x in PlainArray.elementwise(x) { ($0[0] * $0[0] + $0[1] * $0[1]).squareRoot() } }),
    OperationCase(
      "conjugateProduct", [.init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.broadcast, [2, 1], [3]), .init(.large, [31, 37], [31, 37])],
      [.range(-2, 2), .range(-2, 2)], tolerance: Tolerance(ulps: 4, epsilons: 8),
      { x in
        let z = complex(x[0], x[1])
        return (z.conjugate() * exp(z)).real
      },
      expected: { x in PlainArray.elementwise(x) { v in exp(v[0]) * (v[0] * cos(v[1]) + v[1] * sin(v[1])) } }),
    OperationCase(
      "complexProduct", [
        .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [7], [7]), .init(.broadcast, [2, 1], [3]),
        .init(.large, [31, 37], [31, 37]),
      ],
      [.range(-2, 2), .range(-2, 2)], tolerance: Tolerance(ulps: 8, epsilons: 32),
      { x in
        // Im((a + ib)² · e^{i·a}) with all the functions complex.
        let z = complex(x[0], x[1])
        let w = exp(complex(x[0] * 0, x[0]))
        return (z * z * w).imaginary
      },
      expected: { x in
        PlainArray.elementwise(x) { v in
          let (a, b) = (v[0], v[1])
          return 2 * a * b * cos(a) + (a * a - b * b) * sin(a)
        }
      }),
    OperationCase(
      "logicalAnd", [
        .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [8], [8]), .init(.broadcast, [2, 1], [3]),
        .init(.large, [31, 37], [31, 37]),
      ], [.truth, .truth], elementTypes: [.bool],
      isDifferentiable: false, { x in (x[0] .& x[1]) .| (.!x[0] .^ x[1]) },
      expected: { x in PlainArray.elementwise(x) { v in (v[0] != 0 && v[1] != 0) || ((v[0] == 0) != (v[1] != 0)) ? 1 : 0 } }),
  ]
}
