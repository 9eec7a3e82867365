internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A thousand numbers of order one may be added in any order.
private let sumTolerance = Tolerance(ulps: 4, epsilons: 256)

private func mean(_ v: [Double]) -> Double { v.reduce(0, +) / Double(v.count) }
private func variance(_ v: [Double], _ correction: Double) -> Double {
  let m = mean(v)
  return v.reduce(0) { $0 + ($1 - m) * ($1 - m) } / (Double(v.count) - correction)
}
private func softmax(_ v: [Double]) -> [Double] {
  let e = v.map { exp($0) }
  let total = e.reduce(0, +)
  return e.map { $0 / total }
}

/// All axes, and the middle axis of three.
private func reduction(
  _ name: String, _ domain: Domain, _ f: @escaping @Sendable (Tensor, [Int]?) -> Tensor, _ formula: @escaping @Sendable ([Double]) -> Double,
  complex: (@Sendable ([PlainComplex]) -> PlainComplex)? = nil, types: [ElementType] = OperationCase.reals, tolerance: Tolerance = sumTolerance, allowsEmpty: Bool = true, isDifferentiable: Bool = true,
  result: OperationCase.ResultType = .same, differenceStep: Double = 1e-3
) -> [OperationCase] {
  typealias Sample = OperationCase.Sample
  func expectation(_ axes: @escaping @Sendable (PlainArray) -> [Int]) -> ComplexExpectation? {
    complex.map { formula in .formula { x in [x[0].complexReduced(axes(x[0]), formula)] } }
  }
  let some: [Sample] = [Sample(.one, [1, 1, 1]), Sample(.tensor, [2, 5, 3]), Sample(.empty, [2, 5, 0]), Sample(.large, [7, 23, 11])]
  let middle = OperationCase(
    name + ".middle", some + (allowsEmpty ? [Sample(.empty, [2, 0, 3])] : []), [domain], complex: expectation { _ in [1] }, elementTypes: types, resultType: result,
    tolerance: tolerance, isDifferentiable: isDifferentiable, differenceStep: differenceStep, { x in f(x[0], [1]) }, expected: { x in x[0].reduced([1], formula) })
  let outer = OperationCase(
    name + ".outer", [Sample(.tensor, [2, 5, 3]), Sample(.one, [1, 1, 1]), Sample(.empty, [2, 0, 3]), Sample(.large, [11, 7, 17])], [domain], complex: expectation { _ in [0, 2] }, elementTypes: types, resultType: result, tolerance: tolerance,
    isDifferentiable: isDifferentiable, differenceStep: differenceStep, { x in f(x[0], [0, -1]) }, expected: { x in x[0].reduced([0, 2], formula) })
  let whole = OperationCase(
    name + ".all", [Sample(.scalar, []), Sample(.one, [1]), Sample(.vector, [13]), Sample(.matrix, [3, 4]), Sample(.large, [23, 47])] + (allowsEmpty ? [Sample(.empty, [0, 3])] : []),
    [domain], complex: expectation { Array($0.shape.indices) }, elementTypes: types, resultType: result, tolerance: tolerance, isDifferentiable: isDifferentiable, differenceStep: differenceStep, { x in f(x[0], nil) },
    expected: { x in x[0].reduced(Array(x[0].shape.indices), formula) })
  return [middle, outer, whole]
}

extension OperationCase {
  static let reductionCases: [OperationCase] = [
    reduction("sum", .range(-2, 2), { $0.sum(alongAxes: $1) }, { $0.reduce(0, +) }, complex: { $0.sum }),
    reduction("integerSum", .integers(-9, 9), { $0.sum(alongAxes: $1) }, { $0.reduce(0, +) }, types: integers, tolerance: .exact, isDifferentiable: false),
    reduction("product", .parts(.awayFromZero(0.5, 1.5), .range(-0.3, 0.3)), { $0.product(alongAxes: $1) }, { $0.reduce(1, *) }, complex: { $0.product }, tolerance: .ulps(16), differenceStep: 2e-4),
    reduction("min", .distinct, { $0.min(alongAxes: $1) }, { $0.min()! }, tolerance: .exact, allowsEmpty: false),
    reduction("max", .distinct, { $0.max(alongAxes: $1) }, { $0.max()! }, tolerance: .exact, allowsEmpty: false),
    reduction("mean", .range(-2, 2), { $0.mean(alongAxes: $1) }, { mean($0) }, complex: { $0.mean }, allowsEmpty: false),
    reduction("variance", .range(-2, 2), { $0.variance(alongAxes: $1) }, { variance($0, 0) }, complex: { PlainComplex($0.squaredDeviation / Double($0.count)) }, allowsEmpty: false, result: .realPart),
    reduction("norm", .awayFromZero(0.3, 2), { $0.norm(alongAxes: $1) }, { v in v.reduce(0) { $0 + $1 * $1 }.squareRoot() }, complex: { v in PlainComplex(v.reduce(0) { $0 + $1.size * $1.size }.squareRoot()) }, result: .realPart),
    reduction("logSumExp", .distinct, { $0.logSumExp(alongAxes: $1) }, { v in log(v.reduce(0) { $0 + exp($1) }) }, allowsEmpty: false),
    reduction("all", .truth, { $0.all(alongAxes: $1) }, { v in v.allSatisfy { $0 != 0 } ? 1 : 0 }, types: [.bool], tolerance: .exact, isDifferentiable: false, result: .bool),
    reduction("any", .truth, { $0.any(alongAxes: $1) }, { v in v.contains { $0 != 0 } ? 1 : 0 }, types: [.bool], tolerance: .exact, isDifferentiable: false, result: .bool),
    [
      OperationCase(
        "standardDeviation", [.init(.matrix, [4, 3]), .init(.empty, [4, 0]), .init(.large, [43, 27])], [.distinct],
        complex: .formula { x in
          let reduced = x[0].complexReduced([0]) { PlainComplex(($0.squaredDeviation / Double($0.count - 1)).squareRoot()) }
          return [PlainArray([1] + reduced.shape, reduced.values)]
        }, resultType: .realPart, tolerance: sumTolerance,
        exceptions: [.init("one number has no corrected deviation", shapeClasses: [.one])],
        { x in x[0].standardDeviation(alongAxes: [0], correction: 1, keepingAxes: true) },
        expected: { x in
          let reduced = x[0].reduced([0]) { variance($0, 1).squareRoot() }
          return PlainArray([1] + reduced.shape, reduced.values)
        }),
      OperationCase(
        "softmax", [.init(.vector, [5]), .init(.matrix, [3, 4]), .init(.one, [1]), .init(.empty, [0, 4]), .init(.empty, [4, 0]), .init(.large, [31, 37])], [.range(-3, 3)], tolerance: Tolerance(ulps: 16),
        { x in x[0].softmax() }, expected: { x in x[0].mappingLines(x[0].shape.count - 1, softmax) }),
      OperationCase(
        "logSoftmax", [.init(.matrix, [3, 4]), .init(.one, [1]), .init(.empty, [3, 0]), .init(.empty, [0, 3]), .init(.large, [31, 37])], [.range(-3, 3)], tolerance: sumTolerance, { x in x[0].logSoftmax(alongAxis: 0) },
        expected: { x in x[0].mappingLines(0) { softmax($0).map { log($0) } } }),
      OperationCase(
        "argmax", [.init(.vector, [9]), .init(.matrix, [3, 5]), .init(.one, [1]), .init(.empty, [0, 5]), .init(.large, [31, 37])], [.integers(0, 3)], elementTypes: numbers, resultType: .int32,
        isDifferentiable: false, { x in x[0].argmax() },
        expected: { x in x[0].reduced([x[0].shape.count - 1]) { v in Double(v.firstIndex(of: v.max()!)!) } }),
      OperationCase(
        "argmin", [.init(.matrix, [3, 5]), .init(.one, [1]), .init(.empty, [5, 0]), .init(.large, [31, 37])], [.integers(0, 3)], elementTypes: numbers, resultType: .int32, isDifferentiable: false,
        { x in x[0].argmin(alongAxis: 0) },
        expected: { x in x[0].reduced([0]) { v in Double(v.firstIndex(of: v.min()!)!) } }),
    ],
  ].flatMap { $0 }

  static let sortingCases: [OperationCase] = [
    OperationCase(
      "sorted", [.init(.vector, [9]), .init(.matrix, [3, 5]), .init(.empty, [3, 0]), .init(.one, [1]), .init(.large, [7, 151])], [.distinct],
      { x in x[0].sorted() }, expected: { x in x[0].mappingLines(x[0].shape.count - 1) { $0.sorted() } }),
    OperationCase(
      "sortedDescending", [.init(.matrix, [4, 3]), .init(.empty, [0, 3]), .init(.one, [1]), .init(.large, [151, 7])], [.distinct], { x in x[0].sorted(alongAxis: 0, descending: true) },
      expected: { x in x[0].mappingLines(0) { $0.sorted(by: >) } }),
    OperationCase(
      "argsort", [.init(.vector, [12]), .init(.matrix, [3, 8]), .init(.empty, [3, 0]), .init(.one, [1]), .init(.large, [7, 151])], [.integers(0, 3)], elementTypes: numbers, resultType: .int32,
      isDifferentiable: false, { x in x[0].argsort() },
      expected: { x in
        x[0].mappingLines(x[0].shape.count - 1) { line in
          line.indices.sorted { line[$0] == line[$1] ? $0 < $1 : line[$0] < line[$1] }.map { Double($0) }
        }
      }),
    OperationCase(
      "topK", [.init(.matrix, [3, 6]), .init(.empty, [0, 6]), .init(.large, [5, 211])], [.distinct], { x in x[0].topK(2).values },
      expected: { x in PlainArray([x[0].shape[0], 2]) { i in (0..<x[0].shape[1]).map { x[0][i[0], $0] }.sorted(by: >)[i[1]] } }),
  ]
}
