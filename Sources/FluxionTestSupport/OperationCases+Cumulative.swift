internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A few dozen numbers of order one may be added in any order.
private let sumTolerance = Tolerance(ulps: 8, epsilons: 256)

/// What `f` makes of all elements up to each, along the axis; with `reverse` from each on.
private func running(_ x: PlainArray, _ axis: Int, reverse: Bool = false, _ f: @escaping ([Double]) -> Double) -> PlainArray {
  x.mappingLines(axis) { line in line.indices.map { f(Array(reverse ? line[$0...] : line[...$0])) } }
}

private func running(_ x: PlainArray, _ axis: Int, reverse: Bool, _ f: @escaping ([PlainComplex]) -> PlainComplex) -> PlainArray {
  x.complexMappingLines(axis) { line in line.indices.map { f(Array(reverse ? line[$0...] : line[...$0])) } }
}

/// Along the first axis, and from behind along the second.
private func cumulation(
  _ name: String, _ domain: Domain, types: [ElementType] = OperationCase.numbers, tolerance: Tolerance = .exact,
  _ f: @escaping @Sendable (Tensor, Int, Bool) -> Tensor, _ formula: @escaping @Sendable ([Double]) -> Double,
  complex: (@Sendable ([PlainComplex]) -> PlainComplex)? = nil
) -> [OperationCase] {
  func expectation(_ axis: Int, reverse: Bool) -> ComplexExpectation? {
    complex.map { formula in .formula { x in [running(x[0], axis, reverse: reverse, formula)] } }
  }
  return [
    OperationCase(
      name, [.init(.vector, [7]), .init(.matrix, [4, 3]), .init(.one, [1]), .init(.empty, [0, 3]), .init(.tensor, [5, 2, 3]), .init(.large, [37, 29])],
      [domain], complex: expectation(0, reverse: false), elementTypes: types, tolerance: tolerance, { x in f(x[0], 0, false) }, expected: { x in running(x[0], 0, formula) }),
    OperationCase(
      name + ".reversed", [.init(.matrix, [4, 3]), .init(.nonSquare, [2, 9]), .init(.one, [1, 1]), .init(.empty, [3, 0]), .init(.large, [29, 37])],
      [domain], complex: expectation(1, reverse: true), elementTypes: types, tolerance: tolerance, { x in f(x[0], 1, true) },
      expected: { x in running(x[0], 1, reverse: true, formula) }),
  ]
}

extension OperationCase {
  static let cumulativeCases: [OperationCase] = sums + factors + wholeFactors + records + logarithms + scans

  private static let sums = cumulation("cumulativeSum", .range(-2, 2), tolerance: sumTolerance) {
    $0.cumulativeSum(alongAxis: $1, reverse: $2)
  } _: {
    $0.reduce(0, +)
  } complex: {
    $0.sum
  }

  private static let factors = cumulation(
    "cumulativeProduct", .parts(.awayFromZero(0.8, 1.2), .range(-0.3, 0.3)), types: reals, tolerance: Tolerance(ulps: 128)
  ) {
    $0.cumulativeProduct(alongAxis: $1, reverse: $2)
  } _: {
    $0.reduce(1, *)
  } complex: {
    $0.product
  }

  private static let wholeFactors = cumulation("cumulativeProduct.zeros", .integers(-1, 1), types: integers) {
    $0.cumulativeProduct(alongAxis: $1, reverse: $2)
  } _: {
    $0.reduce(1, *)
  }

  private static let records =
    cumulation("cumulativeMaximum", .distinct) { $0.cumulativeMaximum(alongAxis: $1, reverse: $2) } _: { $0.max()! }
    + cumulation("cumulativeMinimum", .distinct) { $0.cumulativeMinimum(alongAxis: $1, reverse: $2) } _: { $0.min()! }

  private static let logarithms = cumulation("cumulativeLogSumExp", .range(-3, 3), types: reals, tolerance: sumTolerance) {
    $0.cumulativeLogSumExp(alongAxis: $1, reverse: $2)
  } _: {
    log($0.reduce(0) { $0 + exp($1) })
  }

  private static let scans = [
    // A linear recurrence hᵢ = aᵢ hᵢ₋₁ + bᵢ, as a loop computes it.
    OperationCase(
      "associativeScan",
      [.init(.vector, [7], [7]), .init(.matrix, [6, 3], [6, 3]), .init(.one, [1], [1]), .init(.empty, [0, 2], [0, 2]), .init(.large, [101, 11], [101, 11])],
      [.range(-1, 1), .range(-1, 1)], complex: .formula { x in [complexRecurrence(x[0], x[1])] }, tolerance: sumTolerance,
      { x in associativeScan(over: x) { p, q in [p[0] * q[0], p[1] * q[0] + q[1]] }[1] },
      expected: { x in recurrence(x[0], x[1]) }),
    OperationCase(
      "associativeScan.matrices",
      [.init(.tensor, [5, 2, 2]), .init(.one, [1, 1, 1]), .init(.empty, [0, 2, 2]), .init(.large, [127, 3, 3])],
      [.parts(.range(-0.8, 0.8), .range(-0.2, 0.2))], complex: .formula { x in [complexProducts(x[0])] }, tolerance: sumTolerance,
      { x in associativeScan(over: x[0]) { $0.matmul($1) } }, expected: { x in products(x[0]) }),
  ]
}

private func recurrence(_ a: PlainArray, _ b: PlainArray) -> PlainArray {
  let width = a.shape.dropFirst().reduce(1, *)
  var h = b.values
  for i in h.indices.dropFirst(width) { h[i] = a.values[i] * h[i - width] + b.values[i] }
  return PlainArray(a.shape, h)
}

/// A₀ A₁ … Aᵢ for every i.
private func products(_ a: PlainArray) -> PlainArray {
  let n = a.shape[1]
  var all = a.values
  for i in 0..<a.shape[0] where i > 0 {
    for row in 0..<n {
      for column in 0..<n {
        all[(i * n + row) * n + column] = (0..<n).reduce(0.0) { $0 + all[((i - 1) * n + row) * n + $1] * a[i, $1, column] }
      }
    }
  }
  return PlainArray(a.shape, all)
}

private func complexRecurrence(_ a: PlainArray, _ b: PlainArray) -> PlainArray {
  let width = a.shape.dropFirst().reduce(1, *)
  let factors = a.complexNumbers
  var h = b.complexNumbers
  for i in h.indices.dropFirst(width) { h[i] = factors[i] * h[i - width] + h[i] }
  return PlainArray(a.shape, h)
}

private func complexProducts(_ a: PlainArray) -> PlainArray {
  var product: PlainComplexMatrix?
  let all = zip(a.real.matrices, a.imaginaryPart.matrices).flatMap { re, im -> [PlainComplex] in
    let factor = PlainComplexMatrix(re, im)
    product = product.map { $0 * factor } ?? factor
    return product!.rows.flatMap { $0 }
  }
  return PlainArray(a.shape, all)
}
