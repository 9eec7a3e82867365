import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

@Suite("Rules of one's own") struct CustomRuleTests {
  @Test("a pullback may hold what cannot be transposed, as long as only reverse mode is asked for") func loopInPullback() {
    // The cotangent is halved until it is below 1: a loop of unknown length.
    let f: @Sendable (Tensor) -> Tensor = customVJP(
      { $0 * 3 }, forward: { x in (x * 3, x) }, pullback: { _, cotangent in whileLoop(from: cotangent, while: { $0.max() .> 1 }, do: { $0 / 2 }) })
    expectClose(gradient { (f($0) * 5).sum() }(Tensor([1.0, 2.0])), Tensor([0.625, 0.625]), .exact, "halved thrice")
    let rows = vmap(gradient { (x: Tensor) -> Tensor in (f(x) * x.squared()).sum() })(Tensor([[1.0], [3.0]].flatMap { $0 }, shape: [2, 1]))
    // x² is 1 and 9: halved to 1 and 0.5625 each by itself; the other factor gives 3x · 2x.
    expectClose(rows, Tensor([1 + 6, 0.5625 + 54], shape: [2, 1]), .exact, "each row by itself")
  }

  @Test("the rule decides, wrong as it may be, in every mode") func ruleDecides() {
    let twice: @Sendable (Tensor) -> Tensor = customJVP({ sin($0) }, tangent: { x, t in (sin(x), 2 * t * x) })
    let x = Tensor([0.5, -1.0])
    expectClose(gradient { twice($0).sum() }(x), 2 * x, .exact, "reverse")
    expectClose(jvp(twice, at: x, along: Tensor([1.0, 1.0])).tangent, 2 * x, .exact, "forward")
    expectClose(vmap(gradient { (y: Tensor) -> Tensor in twice(y) })(x), 2 * x, .exact, "mapped")
    expectClose(hessian { twice($0).sum() }(x), eye(2, as: .float64) * 2, .exact, "second order")
    expectClose(
      gradient { y in scan(count: 2, from: y) { c, _ in twice(c) }.sum() }(x), 4 * x * sin(x), .ulps(4), "in a loop")
    let shifted: @Sendable (Tensor) -> Tensor = customVJP({ sin($0) }, forward: { (sin($0), $0) }, pullback: { x, ct in ct * (x + 7) })
    expectClose(jvp(shifted, at: x, along: Tensor([1.0, 2.0])).tangent, (x + 7) * Tensor([1.0, 2.0]), .ulps(2), "pullback transposed")
    expectClose(hessian { shifted($0).sum() }(x), eye(2, as: .float64), .exact, "pullback differentiated")
  }
}

@Suite("Checkpoints") struct CheckpointTests {
  private static let weights = Tensor((0..<16).map { Double($0 * 7 % 16) / 16 - 0.5 }, shape: [4, 4])
  /// Three layers; per layer the product, its sine and its square would be kept.
  private static let layers: @Sendable (Tensor) -> Tensor = { x in
    var y = x
    for i in 0..<3 { y = named("layer \(i)", sin(y.matmul(weights))).squared() }
    return y.sum()
  }
  private static let x = Tensor((0..<20).map { Double($0) / 10 - 1 }, shape: [5, 4])

  @Test("policies change what is kept, never the derivative") func policies() {
    func bytes(_ policy: CheckpointPolicy) -> Int { residualByteCount(of: checkpoint(policy: policy, Self.layers), at: Self.x) }
    let one = 5 * 4 * 8
    #expect(bytes(.nothing) == 0)
    #expect(bytes(.dots) == 3 * one)
    #expect(bytes(.names(["layer 1"])) == one)
    #expect(bytes(.names(["layer 0", "layer 1"]).or(.dots)) == 5 * one)
    #expect(bytes(.names(["no such layer"])) == 0)
    #expect(bytes(.everything) == residualByteCount(of: Self.layers, at: Self.x))
    #expect(bytes(.everything) >= 6 * one)
    let expected = gradient(Self.layers)(Self.x)
    for policy in [CheckpointPolicy.nothing, .dots, .everything, .names(["layer 1"]), .names(["layer 0"]).or(.dots)] {
      let f = checkpoint(policy: policy, Self.layers)
      expectClose(gradient(f)(Self.x), expected, .ulps(8), "\(policy)")
      expectClose(
        hessianVectorProduct(of: f, at: Self.x, along: expected), hessianVectorProduct(of: Self.layers, at: Self.x, along: expected),
        Tolerance(ulps: 16, epsilons: 64), "\(policy), second order")
      let rows = stacked([Self.x, Self.x * 2], alongAxis: 0)
      expectClose(vmap(gradient(f))(rows), vmap(gradient(Self.layers))(rows), .ulps(8), "\(policy), mapped")
    }
  }
}

@Suite("Bounded loops") struct BoundedLoopTests {
  /// Heron's square root until it stands still; the number of steps depends on x.
  private static func root(_ x: Tensor, savingMemory: Bool) -> Tensor {
    let isMoving: ([Tensor]) -> Tensor = { state in abs(state[0] - state[1]) .> 1e-10 }
    let step: ([Tensor]) -> [Tensor] = { state in
      let next: Tensor = (state[0] + x / state[0]) / 2
      return [next, state[0]]
    }
    return whileLoop(from: [x, x + 1], atMost: 60, savingMemory: savingMemory, while: isMoving, do: step)[0]
  }

  @Test("reverse mode through a loop that stops by itself", arguments: [false, true]) func reverse(savingMemory: Bool) {
    let f: @Sendable (Tensor) -> Tensor = { Self.root($0, savingMemory: savingMemory) }
    let points = Tensor([0.01, 2.0, 300.0])
    let slopes = vmap(gradient(f))(points)
    expectClose(slopes, 0.5 / sqrt(points), Tolerance(ulps: 64, epsilons: 1024), "each row with its own number of steps")
    expectClose(
      vmap(gradient(gradient(f)))(points), -0.25 / (points * sqrt(points)), Tolerance(ulps: 64, epsilons: 65536), "second order")
    expectClose(
      vmap { (p: Tensor) -> Tensor in jvp(f, at: p, along: Tensor(1, as: .float64)).tangent }(points), 0.5 / sqrt(points),
      Tolerance(ulps: 64, epsilons: 1024), "forward, mapped")
  }

  @Test("the bound holds, and steps not taken do nothing") func bound() {
    let grow: @Sendable (Tensor, Int) -> Tensor = { x, count in whileLoop(from: x, atMost: count, while: { $0 .< 100 }, do: { $0 * 2 }) }
    let x = Tensor(3, as: .float64)
    #expect(grow(x, 4).item() == 48)
    #expect(grow(x, 40).item() == 192)
    #expect(gradient { grow($0, 4) }(x).item() == 16)
    #expect(gradient { grow($0, 40) }(x).item() == 64)
    #expect(gradient { grow($0, 0) }(x).item() == 1)
    // A step that would divide by zero after the end does no harm.
    let safe: @Sendable (Tensor) -> Tensor = { x in
      whileLoop(from: [x, Tensor(3, as: .float64)], atMost: 10, while: { $0[1] .> 0 }, do: { [$0[0] / $0[1], $0[1] - 1] })[0]
    }
    #expect(abs(gradient(safe)(x).item() - 1.0 / 6) < 1e-16)
  }

  @Test("saving memory keeps about the square root of the steps") func memory() {
    func bytes(_ savingMemory: Bool) -> Int {
      residualByteCount(of: { x in
        whileLoop(from: x, atMost: 100, savingMemory: savingMemory, while: { $0.sum() .< 1000 }, do: { sin($0) }).sum()
      }, at: Tensor.zeros([50], as: .float64))
    }
    let one = 50 * 8
    #expect(bytes(false) >= 100 * one)
    #expect(bytes(true) <= 14 * one)
  }
}
