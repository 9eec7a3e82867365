import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// The derivatives stated for points where the mathematics gives none, or an infinite one: in both modes, and finite to second order.
@Suite("singular points", .device(.reference)) struct SingularPointTests {
  private func expectSlope(
    _ x: [Double], _ expected: [Double], _ f: @escaping @Sendable (Tensor) -> Tensor, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let at = Tensor(x)
    let total: @Sendable (Tensor) -> Tensor = { f($0).sum() }
    let backward = gradient(of: total, at: at)
    expectClose(backward, expected, .ulps(4), "backward", sourceLocation: sourceLocation)
    let forward = jacobianForward(total)(at)
    expectClose(forward, expected, .ulps(4), "forward", sourceLocation: sourceLocation)
    let second = hessian(total)(at)
    #expect(second.doubles().allSatisfy { $0.isFinite }, "second derivatives are \(second)", sourceLocation: sourceLocation)
    let reverse = jacobianReverse { gradient(of: total, at: $0) }(at)
    #expect(reverse.doubles().allSatisfy { $0.isFinite }, "second derivatives backward are \(reverse)", sourceLocation: sourceLocation)
    let mapped = vmap { gradient(of: total, at: $0) }(stacked([at, at]))
    expectClose(mapped, expected + expected, .ulps(4), "mapped", sourceLocation: sourceLocation)
  }

  @Test func roots() {
    expectSlope([0, 4], [0, 0.25]) { sqrt($0) }
    expectSlope([0, 4], [0, -0.0625]) { select($0 .== 0, 0, rsqrt($0)) }
    expectSlope([0, 8], [0, 1.0 / 12]) { cbrt($0) }
    #expect(gradient(of: { rsqrt($0) }, at: Tensor(0.0)).item() == 0)
  }
  @Test func norms() {
    expectSlope([0, 0, 0], [0, 0, 0]) { $0.norm() }
    expectSlope([3, 4], [0.6, 0.8]) { $0.norm() }
    expectSlope([0, 0, 3, 4], [0, 0, 0.6, 0.8]) { $0.reshaped(to: [2, 2]).norm(alongAxis: 1) }
    expectSlope([1, 1, 1], [0, 0, 0]) { $0.standardDeviation() }
  }
  /// No row of the table can have it: differences of infinite values are not numbers.
  @Test("the logarithm of an empty sum is -∞, with derivative 0", arguments: [Shape([0, 3]), [3, 0], [0]]) func emptySums(shape: Shape) {
    let x = Tensor.zeros(shape, as: .float64)
    let along = shape.rank - 1
    let whole: @Sendable (Tensor) -> Tensor = { $0.logSumExp() }
    #expect(whole(x).doubles() == [-.infinity])
    let (value, tangent) = jvp(whole, at: x, along: x)
    #expect(value.doubles() == [-.infinity] && tangent.doubles() == [0])
    #expect(gradient(of: whole, at: x).shape == shape)
    let lines = x.logSumExp(alongAxis: along)
    #expect(lines.shape == shape.removing(axes: [along]) && lines.doubles().allSatisfy { $0 == -.infinity })
    #expect(x.logSumExp(alongAxis: 0, keepingAxes: true).shape == Shape([1] + shape.dimensions.dropFirst()))
    let mapped = vmap { (row: Tensor) -> Tensor in gradient(of: whole, at: row) }(stacked([x, x]))
    #expect(mapped.shape == [2] + shape)
  }
  @Test func kinks() {
    expectSlope([0, -2, 3], [0, -1, 1]) { abs($0) }
    expectSlope([0, -2, 3], [0, 0, 1]) { relu($0) }
    expectSlope([0, -2, 3], [0, 0, 0]) { sign($0) + floor($0) + round($0) }
    expectSlope([-1, 0, 1, 2, -2], [1, 1, 1, 0, 0]) { $0.clamped(to: -1...1) }
  }
  @Test func powers() {
    expectSlope([0], [0]) { pow($0, 2) }
    expectSlope([0], [0]) { pow($0, 3.0) }
    expectSlope([0], [1]) { pow($0, Tensor(1.0) * stopGradient(Tensor(1.0))) }
    expectSlope([0], [0]) { pow($0, Tensor(0.3)) }
    expectSlope([0], [0]) { pow($0, Tensor(0.0)) }
    #expect(gradient(of: { pow($0, Tensor(-1.0)) }, at: Tensor(0.0)).item() == 0)
    // By the exponent.
    #expect(gradient(of: { pow(Tensor(0.0), $0) }, at: Tensor(2.0)).item() == 0)
    #expect(gradient(of: { pow(Tensor(0.0), $0) }, at: Tensor(0.0)).item() == 0)
    // Of a negative number.
    expectSlope([-2], [12]) { pow($0, Tensor(3.0)) }
  }
  @Test func angles() {
    let both = gradient(of: { p in atan2(p[0], p[1]) }, at: Tensor([0.0, 0]))
    #expect(both.doubles() == [0, 0])
    expectSlope([0, -2], [-0.5, 0]) { p in atan2(p[0], p[1]) }
  }
  @Test func sums() {
    let nothing = -Double.infinity
    let slope = gradient(of: { $0.logSumExp() }, at: Tensor([nothing, nothing]))
    #expect(slope.doubles() == [0, 0])
    expectClose(gradient(of: { $0.logSumExp() }, at: Tensor([nothing, 0, 0])), [0, 0.5, 0.5], .ulps(2))
    expectClose(jvp({ $0.logSumExp() }, at: Tensor([nothing, nothing]), along: Tensor([1.0, 1])).tangent, [0], .exact)
    expectClose(gradient(of: { $0.logSumExp() }, at: Tensor([2000.0, 2000])), [0.5, 0.5], .ulps(2))
  }
  @Test func ties() {
    expectSlope([1, 1, 0], [0.5, 0.5, 0]) { $0.max() }
    expectSlope([1, 1, 1, 0], [0, 0, 0, 1]) { $0.min() }
    expectSlope([2, 1], [0.5 + 1, 0]) { x in maximum(x, 2)[0] + maximum(x[0], x[1]) }
    expectSlope([2], [0.5]) { minimum($0, 2) }
    expectSlope([3, 3, 1], [0.5, 0.5, 0]) { x in Tensor([0.0]).scattered(x, at: Tensor([Int32(0), 0, 0]), mode: .maximum) }
  }
  @Test func products() {
    expectSlope([0, 3, 4], [12, 0, 0]) { $0.product() }
    expectSlope([0, 0, 4], [0, 0, 0]) { $0.product() }
    expectSlope([2, 3, 4], [12, 8, 6]) { $0.product() }
    expectSlope([0, 5], [5, 0]) { x in Tensor([1.0]).scattered(x, at: Tensor([Int32(0), 0]), mode: .multiply) }
  }
  @Test("branches not taken hold NaN or infinity") func untakenBranches() {
    expectSlope([-1, 0, 2], [0, 0, 0.5]) { select($0 .> 0, log($0), 0) }
    expectSlope([-1, 0, 4], [0, 0, 0.25]) { select($0 .> 0, sqrt($0), 0) }
    expectSlope([0, 2], [0, -0.25]) { select($0 .== 0, 0, 1 / $0) }
    expectSlope([0, 2], [1, 0.5]) { x in select(x .== 0, x, log(x)) }
    expectSlope([0, 2], [0, 0]) { x in select(x .== 0, 1, sin(x) / x) * 0 }
    expectSlope([1000, 1], [1, exp(1)]) { x in select(x .> 100, x, exp(x)) }
    expectSlope([-1, 2], [0, 0.5]) { x in scan(count: 1, from: x) { c, _ in select(c .> 0, log(c), 0) } }
    expectSlope([-1, 2], [0, 0.5]) { x in vmap { (e: Tensor) in cond(e .> 0, then: { log(e) }, else: { e * 0 }) }(x) }
  }

  private func exp(_ x: Double) -> Double { FluxionCore.exp(Tensor(x)).item() }
  private func exp(_ x: Tensor) -> Tensor { FluxionCore.exp(x) }
}

/// Gradients of real functions of complex numbers: ∂f/∂x + i ∂f/∂y.
@Suite("complex gradients", .device(.reference)) struct ComplexGradientTests {
  private func expectUphill(_ f: @escaping @Sendable (Tensor) -> Tensor, sourceLocation: SourceLocation = #_sourceLocation) {
    let (re, im) = (Tensor([0.4, -1.1]), Tensor([0.9, 0.3]))
    let slope = gradient(of: f, at: complex(re, im))
    let parts = gradient(of: { p in f(complex(p[0], p[1])) }, at: [re, im])
    expectClose(slope, complex(parts[0], parts[1]), Tolerance(ulps: 8, epsilons: 8), sourceLocation: sourceLocation)
    let byX = finiteDifference(of: { f(complex($0[0], im)) }, at: [re], along: [Tensor([1.0, 0])])
    expectClose(slope.real[0], byX, Tolerance(relative: 1e-8, absolute: 1e-8), "by the first real part", sourceLocation: sourceLocation)
    let byY = finiteDifference(of: { f(complex(re, $0[0])) }, at: [im], along: [Tensor([0.0, 1])])
    expectClose(slope.imaginary[1], byY, Tolerance(relative: 1e-8, absolute: 1e-8), "by the second imaginary part", sourceLocation: sourceLocation)
  }
  @Test func functions() {
    expectUphill { abs($0).squared().sum() }
    expectUphill { ($0 * $0).imaginary.sum() }
    expectUphill { exp($0).real.sum() }
    expectUphill { ($0.conjugate() * sin($0)).imaginary.sum() }
    expectUphill { z in (complex(1, 2) / z).real.sum() }
    expectUphill { z in z.dot(z * complex(0.5, 1)).imaginary }
    expectUphill { z in sqrt(z).imaginary.sum() + log(z).imaginary.sum() + tanh(z).real.sum() }
    expectUphill { z in z.product().imaginary }
    expectUphill { z in scan(over: z, from: z[0]) { c, e in c * e + exp(c * 0.2) }.imaginary }
    #expect(gradient(of: { abs($0) }, at: complex(Tensor(0.0), Tensor(0.0))).real.item() == 0)
  }
  @Test func descentFindsTheMinimum() {
    let target = complex(Tensor([2.0]), Tensor([-1.0]))
    var z = complex(Tensor([0.0]), Tensor([0.0]))
    for _ in 0..<60 { z = z - gradient(of: { abs($0 - target).squared().sum() }, at: z) * 0.2 }
    expectClose(z.real, [2], Tolerance(absolute: 1e-9))
    expectClose(z.imaginary, [-1], Tolerance(absolute: 1e-9))
  }
}
