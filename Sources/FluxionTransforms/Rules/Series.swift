import FluxionCore

// Taylor mode: power series pushed through a program. A series is its value and, beside it, the coefficients of t, t², …; nil is zero.

/// Runs `graph` on values and on the coefficients of their power series up to t^order.
func pushSeries(
  _ graph: Graph, _ primals: [Tensor], _ coefficients: [[Tensor?]], _ order: Int
) -> (results: [Tensor], companions: [[Tensor?]]) {
  var values = [Tensor?](repeating: nil, count: graph.types.count)
  var series = [[Tensor?]](repeating: [], count: graph.types.count)
  for i in 0..<graph.inputCount { (values[i], series[i]) = (primals[i], coefficients[i]) }
  for node in graph.nodes {
    let (results, out) = seriesRule(node.operation, node.operands.map { values[$0.int]! }, node.operands.map { series[$0.int] }, order)
    for i in 0..<node.resultCount { (values[node.firstResult.int + i], series[node.firstResult.int + i]) = (results[i], out[i]) }
  }
  return (graph.outputs.map { values[$0.int]! }, graph.outputs.map { series[$0.int] })
}

/// How one primitive treats power series in its operands.
private enum SeriesKind {
  /// Linear in the operands that have series, piece by piece: its tangent rule takes each coefficient by itself.
  case piecewiseLinear
  /// Linear in either of two operands: the product of series.
  case bilinear
  case quotient
  case function(Unary)
  /// Anything else: y′ = f′(x) x′.
  case byDerivative
}

private func kind(_ operation: Operation) -> SeriesKind {
  switch operation {
  case let .unary(f):
    switch f {
    case .exp, .expm1, .log, .log1p, .sqrt, .reciprocal, .square, .sin, .cos, .tan, .sinh, .cosh, .tanh, .atan, .atanh, .logistic, .erf,
      .erfc:
      return .function(f)
    case .abs, .rsqrt, .cbrt, .asin, .acos, .asinh, .acosh, .erfInverse, .logGamma, .digamma, .trigamma: return .byDerivative
    case .negate, .sign, .floor, .ceil, .round, .truncate, .not, .isFinite, .isNaN, .populationCount, .countLeadingZeros, .real, .imaginary,
      .conjugate, .stopGradient:
      return .piecewiseLinear
    }
  case let .binary(f):
    switch f {
    case .multiply, .multiplyNoNaN: return .bilinear
    case .divide: return .quotient
    case .power, .atan2: return .byDerivative
    case .add, .subtract, .remainder, .minimum, .maximum, .nextAfter, .and, .or, .xor, .shiftLeft, .shiftRightLogical,
      .shiftRightArithmetic:
      return .piecewiseLinear
    }
  case .dot, .convolution: return .bilinear
  case let .reduce(reduction, _): return reduction == .product ? .byDerivative : .piecewiseLinear
  case let .cumulate(reduction, _, _): return reduction == .product ? .byDerivative : .piecewiseLinear
  case let .scatter(mode, _): return mode == .multiply ? .byDerivative : .piecewiseLinear
  case .constant, .iota, .empty, .threefry, .compare, .select, .clamp, .convert, .bitcast, .complex, .broadcast, .reshape, .transpose,
    .slice, .dynamicSlice, .dynamicUpdateSlice, .pad, .concatenate, .reverse, .gather, .argReduce, .fourier, .sort, .barrier:
    return .piecewiseLinear
  case .linearAlgebra, .call, .scan, .whileLoop, .conditional: return .byDerivative
  }
}

extension Augmentation {
  /// Coefficients of power series up to t^order.
  static func series(_ order: Int) -> Augmentation {
    Augmentation(leading: [Int?](repeating: nil, count: order)) { pushSeries($0, $1, $2, order) }
  }
}

private func seriesRule(_ operation: Operation, _ x: [Tensor], _ s: [[Tensor?]], _ order: Int) -> ([Tensor], [[Tensor?]]) {
  guard s.contains(where: \.isActive) else {
    let results = apply(operation, x)
    return (results, results.map { _ in [Tensor?](repeating: nil, count: order) })
  }
  switch operation {
  case let .scan(scan): return augmentedScan(scan, x, s, .series(order))
  case let .whileLoop(loop): return augmentedWhile(loop, x, s, .series(order))
  case let .conditional(branches): return augmentedConditional(branches, x, s, .series(order))
  case let .call(call) where call.rules.tangent == nil || call.rules.isTransparent: return pushSeries(call.body, x, s, order)
  default: break
  }
  switch kind(operation) {
  case .piecewiseLinear: return piecewiseLinear(operation, x, s, order)
  case .bilinear:
    let y = product([x[0]] + s[0], [x[1]] + s[1]) { apply1(operation, $0, $1) }
    return ([y[0]!], [Array(y.dropFirst())])
  case .quotient:
    let y = quotient([x[0]] + s[0], [x[1]] + s[1])
    return ([y[0]!], [Array(y.dropFirst())])
  case let .function(f):
    let y = functionSeries(f, [x[0]] + s[0], apply1(operation, x[0]))
    return ([y[0]!], [Array(y.dropFirst())])
  case .byDerivative: return byDerivative(operation, x, s, order)
  }
}

private func piecewiseLinear(_ operation: Operation, _ x: [Tensor], _ s: [[Tensor?]], _ order: Int) -> ([Tensor], [[Tensor?]]) {
  let results = apply(operation, x)
  var out = results.map { _ in [Tensor?](repeating: nil, count: order) }
  for k in 0..<order {
    let coefficients = s.map { $0[k] }
    guard coefficients.isActive else { continue }
    for (i, c) in tangentRule(operation, x, coefficients).1.enumerated() { out[i][k] = c }
  }
  return (results, out)
}

/// y′ = f′(x) x′: the series of the tangent rule, one order lower, integrated.
private func byDerivative(_ operation: Operation, _ x: [Tensor], _ s: [[Tensor?]], _ order: Int) -> ([Tensor], [[Tensor?]]) {
  let active = s.indices.filter { s[$0].isActive }
  guard order > 1 else {
    let (results, slopes) = tangentRule(operation, x, s.map { $0[0] })
    return (results, slopes.map { [$0] })
  }
  var pattern: [Bool] = []
  let (graph, captures) = traceGraph(x.map(\.type) + active.map { x[$0].type }) { inputs in
    var tangents = [Tensor?](repeating: nil, count: x.count)
    for (i, place) in active.enumerated() { tangents[place] = inputs[x.count + i] }
    let (results, slopes) = tangentRule(operation, Array(inputs.prefix(x.count)), tangents)
    pattern = slopes.map { $0 != nil }
    return results + slopes.compactMap { $0 }
  }
  // x′ has the coefficients x₁, 2x₂, 3x₃, …
  let rates = active.map { i in s[i].enumerated().map { k, c in c.map { scaled($0, Double(k + 1)) } } }
  let none = [Tensor?](repeating: nil, count: order - 1)
  let (values, series) = pushSeries(
    graph, x + zip(active, rates).map { $1[0] ?? zerosLike(x[$0]) } + captures,
    s.map { Array($0.dropLast()) } + rates.map { Array($0.dropFirst()) } + captures.map { _ in none }, order - 1)
  var rest = Array(zip(values, series))[pattern.count...]
  let out = pattern.map { isActive -> [Tensor?] in
    guard isActive, let (first, others) = rest.popFirst() else { return [Tensor?](repeating: nil, count: order) }
    return [first] + others.enumerated().map { k, c in c.map { scaled($0, 1 / Double(k + 2)) } }
  }
  return (Array(values.prefix(pattern.count)), out)
}

// MARK: - Arithmetic of series: [value, coefficient of t, …]

private typealias Series = [Tensor?]

private func scaled(_ x: Tensor, _ factor: Double) -> Tensor { factor == 1 ? x : x * Tensor(factor, as: x.elementType) }
private func times(_ a: Tensor?, _ b: Tensor?) -> Tensor? { if let a, let b { a * b } else { nil } }
private func difference(_ a: Tensor?, _ b: Tensor?) -> Tensor? { sum(a, b.map { -$0 }) }

/// Σ aⱼ bₖ₋ⱼ for one k, over j in `range`, weighted.
private func convolved(_ a: Series, _ b: Series, _ k: Int, _ range: ClosedRange<Int>, weight: (Int) -> Double = { _ in 1 }) -> Tensor? {
  var total: Tensor?
  for j in range { total = sum(total, times(a[j], b[k - j]).map { scaled($0, weight(j)) }) }
  return total
}

private func product(_ a: Series, _ b: Series, by multiply: (Tensor, Tensor) -> Tensor) -> Series {
  a.indices.map { k in
    var total: Tensor?
    for j in 0...k { if let x = a[j], let y = b[k - j] { total = sum(total, multiply(x, y)) } }
    return total
  }
}

private func product(_ a: Series, _ b: Series) -> Series { product(a, b) { $0 * $1 } }

/// y b = a, solved for one coefficient after the other.
private func quotient(_ a: Series, _ b: Series) -> Series {
  var y: Series = [a[0]! / b[0]!]
  for k in a.indices.dropFirst() {
    y.append(difference(a[k], k == 0 ? nil : convolved(b, y + [nil], k, 1...k)).map { $0 / b[0]! })
  }
  return y
}

/// The series with y′ = g x′ that begins with `value`; `g` gives its coefficient k from y₀ … yₖ.
private func integrated(_ x: Series, _ value: Tensor, _ g: (Int, Series) -> Tensor?) -> Series {
  var y: Series = [value]
  var slopes: Series = []
  for k in x.indices.dropFirst() {
    slopes.append(g(k - 1, y))
    var total: Tensor?
    for j in 1...k { total = sum(total, times(x[j], slopes[k - j]).map { scaled($0, Double(j) / Double(k)) }) }
    y.append(total)
  }
  return y
}

/// The series with d y′ = x′ that begins with `value`; `d` gives the coefficient k of the divisor from y₀ … yₖ, its first must not vanish.
private func integratedQuotient(_ x: Series, _ value: Tensor, _ d: (Int, Series) -> Tensor?) -> Series {
  var y: Series = [value]
  var divisors: Series = [d(0, y)]
  for k in x.indices.dropFirst() {
    var total = x[k]
    for j in 1..<max(k, 1) {
      total = difference(total, times(y[j], divisors[k - j]).map { scaled($0, Double(j) / Double(k)) })
    }
    y.append(total.map { $0 / divisors[0]! })
    if k + 1 < x.count { divisors.append(d(k, y)) }
  }
  return y
}

/// f of a series whose value is y₀: the functions that satisfy a simple differential equation.
private func functionSeries(_ f: Unary, _ x: Series, _ y0: Tensor) -> Series {
  let x0 = x[0]!
  func constant(_ value: Double) -> Tensor { Tensor(value, as: x0.elementType).broadcast(to: x0.shape) }
  /// ±(a²)ₖ, with 1 added where k = 0.
  func onePlusSquare(_ a: Series, _ k: Int, sign: Double) -> Tensor? {
    let square = convolved(a, a, k, 0...k).map { scaled($0, sign) }
    return k == 0 ? sum(square, constant(1)) : square
  }
  switch f {
  case .square: return product(x, x)
  case .reciprocal: return quotient([constant(1)] + x.dropFirst().map { _ in nil }, x)
  case .exp: return integrated(x, y0) { k, y in y[k] }
  case .expm1: return integrated(x, y0) { k, y in k == 0 ? y[0]! + 1 : y[k] }
  case .log: return integratedQuotient(x, y0) { k, _ in x[k] }
  case .log1p: return integratedQuotient(x, y0) { k, _ in k == 0 ? x0 + 1 : x[k] }
  case .sqrt:
    // As for the first derivative, what would be infinite at 0 is 0.
    let isZero = y0 .== 0
    let y = integratedQuotient(x, y0) { k, y in k == 0 ? select(isZero, 1, y0 * 2) : y[k].map { $0 * 2 } }
    return [y0] + y.dropFirst().map { $0.map { select(isZero, 0, $0) } }
  case .sin: return sineAndCosine(x, y0, cos(x0), sign: -1).sine
  case .cos: return sineAndCosine(x, sin(x0), y0, sign: -1).cosine
  case .sinh: return sineAndCosine(x, y0, cosh(x0), sign: 1).sine
  case .cosh: return sineAndCosine(x, sinh(x0), y0, sign: 1).cosine
  case .tan: return integrated(x, y0) { k, y in onePlusSquare(y, k, sign: 1) }
  case .tanh: return integrated(x, y0) { k, y in onePlusSquare(y, k, sign: -1) }
  case .logistic: return integrated(x, y0) { k, y in difference(y[k], convolved(y, y, k, 0...k)) }
  case .atan: return integratedQuotient(x, y0) { k, _ in onePlusSquare(x, k, sign: 1) }
  case .atanh: return integratedQuotient(x, y0) { k, _ in onePlusSquare(x, k, sign: -1) }
  case .erf, .erfc:
    let exponent = product(x, x).map { $0.map { -$0 } }
    let bell = functionSeries(.exp, exponent, exp(exponent[0]!))
    let factor = f == .erf ? 1.1283791670955126 : -1.1283791670955126  // 2/√π
    return integrated(x, y0) { k, _ in bell[k].map { scaled($0, factor) } }
  default: preconditionFailure("\(f) has no recurrence")
  }
}

/// s′ = c x′ and c′ = ±s x′ together.
private func sineAndCosine(_ x: Series, _ s0: Tensor, _ c0: Tensor, sign: Double) -> (sine: Series, cosine: Series) {
  var (sine, cosine): (Series, Series) = ([s0], [c0])
  for k in x.indices.dropFirst() {
    var (s, c): (Tensor?, Tensor?)
    for j in 1...k {
      s = sum(s, times(x[j], cosine[k - j]).map { scaled($0, Double(j) / Double(k)) })
      c = sum(c, times(x[j], sine[k - j]).map { scaled($0, sign * Double(j) / Double(k)) })
    }
    sine.append(s)
    cosine.append(c)
  }
  return (sine, cosine)
}
