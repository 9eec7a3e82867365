import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

@Suite("Taylor mode") struct TaylorTests {
  /// dᵏ/dtᵏ f(x + t v) by nested forward mode.
  private func nested(_ f: @escaping @Sendable (Tensor) -> Tensor, _ x: Tensor, _ v: Tensor, _ k: Int) -> Tensor {
    if k == 0 { return f(x) }
    return jvp({ nested(f, $0, v, k - 1) }, at: x, along: v).tangent
  }

  /// Every elementwise function with a series, at points of its domain, and some programs.
  private static let functions: [(String, Double, @Sendable (Tensor) -> Tensor)] = [
    ("exp", 0, { exp($0) }), ("expm1", 0, { expm1($0) }), ("log", 2, { log($0) }), ("log1p", 1, { log1p($0) }), ("sqrt", 2, { sqrt($0) }),
    ("rsqrt", 2, { rsqrt($0) }), ("cbrt", 2, { cbrt($0) }), ("reciprocal", 2, { reciprocal($0) }), ("square", 0, { $0.squared() }),
    ("sin", 0, { sin($0) }), ("cos", 0, { cos($0) }), ("tan", 0, { tan($0) }), ("asin", 0, { asin($0 * 0.5) }), ("acos", 0, { acos($0 * 0.5) }),
    ("atan", 0, { atan($0) }), ("sinh", 0, { sinh($0) }), ("cosh", 0, { cosh($0) }), ("tanh", 0, { tanh($0) }), ("asinh", 0, { asinh($0) }),
    ("acosh", 3, { acosh($0) }), ("atanh", 0, { atanh($0 * 0.5) }), ("logistic", 0, { sigmoid($0) }), ("erf", 0, { erf($0) }),
    ("erfc", 0, { erfc($0) }), ("erfInverse", 0, { erfInverse($0 * 0.5) }), ("logGamma", 2, { logGamma($0) }), ("power", 2, { pow($0, $0 * 0.3) }),
    ("cube", 0, { pow($0, 3) }), ("quotient", 0, { sin($0) / (2 + cos($0)) }), ("atan2", 2, { atan2($0, $0.squared()) }),
    ("product", 2, { ($0 * $0.reversed(alongAxis: 0)).product() }), ("dot", 0, { x in sin(x).dot(exp(x)) }),
    ("cumulativeProduct", 2, { $0.cumulativeProduct(alongAxis: 0) }), ("maximum", 0, { maximum($0, $0.squared()).max() }),
    ("sort", 0, { sin($0.sorted()) }), ("softmax", 0, { $0.softmax() }),
    ("scan", 0, { x in scan(count: 3, from: x) { c, i in sin(c) * (i.converted(to: .float64) + 0.5) } }),
    ("whileLoop", 0, { x in whileLoop(from: [x, Tensor(Int32(0))], while: { $0[1] .< 3 }, do: { [tanh($0[0]) + x, $0[1] + 1] })[0] }),
    ("cond", 0, { x in cond(x.sum() .> 0) { sin(x) } else: { exp(x) } }),
    ("determinant", 2, { x in determinant(outer(sin(x), x) + eye(3, as: .float64)) + cholesky(outer(x, x) * 0.1 + eye(3, as: .float64)).sum() }),
    ("checkpoint", 0, checkpoint { tanh(sin($0) * $0) }),
    ("customJVP", 0, customJVP({ exp($0) }, tangent: { x, t in (exp(x), exp(x) * t) })),
  ]

  @Test("series agree with nested forward mode", arguments: functions.indices) func nestedForward(index: Int) {
    let (name, shift, f) = Self.functions[index]
    let x = Tensor([0.3, -0.4, 0.7]) + Tensor(shift, as: .float64), v = Tensor([0.5, 1.2, -0.8])
    let derivatives = directionalDerivatives(of: f, at: x, along: v, order: 4)
    for k in 0...4 { expectClose(derivatives[k], nested(f, x, v, k), Tolerance(ulps: 64, epsilons: 4096), "\(name), order \(k)") }
  }

  @Test("coefficients of known series") func known() {
    // exp, 1/(1-t) and tan about 0; tan's are 1, 1/3, 2/15, 17/315.
    let zero = Tensor(0, as: .float64), one = Tensor(1, as: .float64)
    let exponential = taylor({ exp($0) }, at: zero, along: [one], order: 8).map { $0.item() }
    var factorial = 1.0
    for (k, c) in exponential.enumerated() {
      if k > 0 { factorial *= Double(k) }
      #expect(abs(c - 1 / factorial) < 1e-15)
    }
    #expect(taylor({ 1 / (1 - $0) }, at: zero, along: [one], order: 6).map { $0.item() } == [1, 1, 1, 1, 1, 1, 1])
    let tangent = taylor({ tan($0) }, at: zero, along: [one], order: 7).map { $0.item() }
    for (c, expected) in zip(tangent, [0, 1, 0, 1.0 / 3, 0, 2.0 / 15, 0, 17.0 / 315]) { #expect(abs(c - expected) < 1e-15) }
  }

  @Test("along a curve: the composition of series") func curve() {
    // x(t) = 1 + t² gives log x = t² - t⁴/2 + t⁶/3.
    let zero = Tensor(0, as: .float64), one = Tensor(1, as: .float64)
    let c = taylor({ log($0) }, at: one, along: [zero, one], order: 6).map { $0.item() }
    for (got, expected) in zip(c, [0, 0, 1, 0, -0.5, 0, 1.0 / 3]) { #expect(abs(got - expected) < 1e-15) }
  }

  @Test("differentiated, mapped, compiled") func composed() {
    let x = Tensor([0.3, -0.4, 0.7]), v = Tensor([1.0, 1.0, 1.0])
    // d/dx of the second derivative of sin is -cos.
    let slope = gradient { directionalDerivatives(of: { sin($0) }, at: $0, along: v, order: 2)[2].sum() }(x)
    expectClose(slope, -cos(x), .ulps(4), "gradient of a second derivative")
    let rows = vmap { (p: Tensor) -> Tensor in directionalDerivatives(of: { sin($0) }, at: p, along: Tensor(1.0), order: 3)[3] }(x)
    expectClose(rows, -cos(x), .ulps(4), "mapped")
    let program = compiled { (p: Tensor) -> Tensor in taylor({ exp($0) }, at: p, along: [p], order: 3)[3] }
    expectClose(program(x), exp(x) * x * x * x / 6, .ulps(8), "compiled")
  }
}

@Suite("Laplacian") struct LaplacianTests {
  private static let weights = Tensor((0..<20).map { Double($0 * 37 % 20) / 10 - 1 }, shape: [4, 5])
  private static let functions: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("network", { x in tanh(tanh(x.matmul(weights)).matmul(weights.transposed()) * 0.7).sum() }),
    ("vector", { x in sin(x.matmul(weights)) }),
    ("product", { x in x.product() + x[0] * x[1].squared() }),
    ("logSumExp", { x in x.logSumExp() }),
    ("norm", { x in x.norm() }),
    ("scan", { x in scan(count: 3, from: x) { c, _ in sin(c) * x }.sum() }),
    ("slices", { x in scan(over: outer(x, x), from: x) { c, row in tanh(c + row) }.sum() }),
    ("whileLoop", { x in whileLoop(from: [x, Tensor(Int32(0))], while: { $0[1] .< 3 }, do: { [tanh($0[0]) * x, $0[1] + 1] })[0].sum() }),
    ("cond", { x in cond(x.sum() .> 0) { sin(x).sum() } else: { exp(x).sum() } }),
    ("logDeterminant", { x in logDeterminant(outer(x, x) + eye(4, as: .float64)).logarithm }),
    ("sorted", { x in (x.sorted() * Tensor([1.0, 2, 3, 4])).squared().sum() }),
    ("checkpoint", checkpoint { tanh(sin($0) * $0).sum() }),
    ("customJVP", { x in customJVP({ (y: Tensor) -> Tensor in exp(y) }, tangent: { y, t in (exp(y), exp(y) * t) })(x * x).sum() }),
  ]

  @Test("the trace of the Hessian", arguments: functions.indices) func trace(index: Int) {
    let (name, f) = Self.functions[index]
    let x = Tensor([0.3, -0.4, 0.7, 0.9])
    let all = forwardLaplacian(of: f, at: x)
    expectClose(all.value, f(x), .ulps(4), name)
    let jacobian = jacobianForward(f)(x)
    let second = jacobianForward(jacobianForward(f))(x)
    let trace = (second * eye(4, as: .float64)).sum(alongAxes: [-2, -1])
    expectClose(all.jacobian, jacobian.movingAxis(-1, to: 0), Tolerance(ulps: 16, epsilons: 512), "\(name): derivatives")
    expectClose(all.laplacian, trace, Tolerance(ulps: 16, epsilons: 2048), "\(name): Laplacian")
  }

  @Test("a function that does not depend on its argument") func constant() {
    let all = forwardLaplacian(of: { _ in Tensor(2, as: .float64) }, at: Tensor([1.0, 2.0]))
    #expect(all.value.item() == 2 && all.laplacian.item() == 0)
    expectClose(all.jacobian, Tensor([0.0, 0.0]), .exact, "derivatives")
  }

  @Test("known Laplacians") func known() {
    // r² has 2n, 1/r in three dimensions 0, exp(a·x) |a|² exp(a·x).
    let x = Tensor([0.5, -1.0, 2.0])
    #expect(laplacian { $0.squared().sum() }(x).item() == 6)
    #expect(abs(laplacian { 1 / $0.norm() }(x).item()) < 1e-15)
    let a = Tensor([0.1, 0.2, 0.3])
    expectClose(laplacian { exp($0.dot(a)) }(x), a.squared().sum() * exp(x.dot(a)), .ulps(8), "exponential")
  }

  @Test("some directions, a matrix of coefficients, differentiated and mapped") func directions() {
    let x = Tensor([0.5, -1.0, 2.0])
    let f: @Sendable (Tensor) -> Tensor = { x in sin(x[0]) * x[1].squared() + exp(x[2]) * x[0] }
    let firstTwo = eye(3, as: .float64).sliced(0..<2, alongAxis: 0)
    expectClose(
      laplacian(of: f, at: x, along: firstTwo), -sin(x[0]) * x[1].squared() + 2 * sin(x[0]), .ulps(16), "two of three coordinates")
    let factor = Tensor([1.0, 0, 0, 0.5, 2, 0, -1, 0.3, 0.7], shape: [3, 3])
    let matrix = factor.matmul(factor.transposed())
    expectClose(
      laplacian(of: f, at: x, along: factor.transposed()), (hessian(f)(x) * matrix).sum(), Tolerance(ulps: 16, epsilons: 64), "Σ A ∂∂")
    // Δ sin(Σx) = -3 sin(Σx), its gradient -3 cos.
    let g: @Sendable (Tensor) -> Tensor = { sin($0.sum()) }
    expectClose(gradient(laplacian(g))(x), (-3 * cos(x.sum())).broadcast(to: [3]), .ulps(8), "gradient of a Laplacian")
    let rows = stacked([x, x * 2, -x], alongAxis: 0)
    expectClose(vmap(laplacian(g))(rows), -3 * sin(rows.sum(alongAxis: 1)), .ulps(8), "mapped")
  }

  @Test("divergence: exact and estimated") func divergences() {
    let matrix = Tensor((0..<9).map { Double($0 * 5 % 9) / 5 - 1 }, shape: [3, 3])
    let x = Tensor([0.5, -1.0, 2.0])
    let field: @Sendable (Tensor) -> Tensor = { matrix.matmul(sin($0)) }
    let exact = (0..<3).reduce(Tensor(0, as: .float64)) { $0 + matrix[$1, $1] * cos(x[$1]) }
    expectClose(divergence(of: field, at: x), exact, .ulps(8), "exact")
    let probes = Key(3).rademacher([40_000, 3], as: .float64)
    let estimate = divergence(of: field, at: x, probes: probes).item()
    // The variance of one estimate is the sum of squares of the symmetrised off-diagonal: below 4 here.
    #expect(abs(estimate - exact.item()) < 4 * 2 / 200)
    // Signs are exact for a diagonal Jacobian, with one probe.
    expectClose(divergence(of: { sin($0) }, at: x, probes: probes.sliced(0..<1, alongAxis: 0)), cos(x).sum(), .ulps(4), "diagonal")
    expectClose(
      laplacian(of: { sin($0).sum() }, at: x, probes: probes.sliced(0..<2, alongAxis: 0)), -sin(x).sum(), .ulps(8), "diagonal Hessian")
    let square = Tensor([1.0, 2, 3, 4], shape: [2, 2])
    expectClose(divergence(of: { $0 * $0 }, at: square), 2 * square.sum(), .ulps(2), "of a matrix")
  }
}
