import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Gradients outside any program, whose derivatives are kept from call to call.
@Suite("Gradients at once") struct EagerGradientTests {
  @Test("the function counts, not what it was in an earlier call") func functionChanges() {
    let x = Tensor((0..<4).map { Double($0) - 1.5 })
    // What is captured: small and written into the program, or large and handed to it.
    for count in [4, 400] {
      let x = x.broadcast(to: [count / 4, 4])
      for factor in [2.0, -3, 0.5] {
        let weights = Tensor((0..<count).map { factor * Double($0) }, shape: [count / 4, 4])
        expectClose(gradient(of: { ($0 * weights).sum() }, at: x), weights, .exact, "\(count) numbers, times \(factor)")
      }
    }
    for isSquared in [true, false, true] {
      let slope = gradient(of: { (isSquared ? $0.squared() : $0 * $0 * $0).sum() }, at: x)
      expectClose(slope, isSquared ? 2 * x : 3 * x.squared(), .ulps(2), isSquared ? "square" : "cube")
    }
  }

  @Test("types, structures and what is given besides are those of the call") func structures() {
    func loss(_ parts: [Tensor]) -> (Tensor, [Tensor]) { (parts.map { $0.converted(to: .float64).squared().sum() }.reduce(0, +), [parts[0] + 1]) }
    let (a, b) = (Tensor([1.0, 2.0]), Tensor([Int32(3)]))
    for arguments in [[a, b], [b, a], [a], [a, b]] {
      let found = valueAuxiliaryAndGradient(of: loss, at: arguments)
      expectClose(found.value, Tensor(arguments.reduce(0) { $0 + $1.doubles().reduce(0) { $0 + $1 * $1 } }), .exact, "value")
      expectClose(found.auxiliary[0], arguments[0] + 1, .exact, "besides")
      #expect(found.gradient.count == arguments.count)
      for (slope, x) in zip(found.gradient, arguments) {
        expectClose(slope, x.elementType == .int32 ? Tensor([Int32(0)]) : 2 * x, .exact, "\(x.type) of \(arguments.count)")
      }
    }
  }

  @Test("rules of one's own are asked each time") func rules() {
    let rate = Locked(0.0)
    let f: @Sendable (Tensor) -> Tensor = customVJP(
      { $0 * 3 }, forward: { x in (x * 3, x) }, pullback: { _, cotangent in cotangent * rate.withLock { $0 } })
    let x = Tensor([0.5, 2.0])
    for wanted in [1.0, 5, -2] {
      rate.withLock { $0 = wanted }
      expectClose(gradient { f($0).sum() }(x), Tensor([wanted, wanted]), .exact, "rate \(wanted)")
      let looped = gradient { y in scan(count: 1, from: y) { c, _ in f(c) }.sum() }(x)
      expectClose(looped, Tensor([wanted, wanted]), .exact, "rate \(wanted), in a loop")
    }
  }
}
