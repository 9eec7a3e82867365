import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// A case's function on one sample, with a direction to go and weights that make its result one number.
struct Problem: Sendable {
  let operation: OperationCase
  let x: [Tensor]
  /// Directions in the operands' structure; zeros for operands that are not real.
  let u: [Tensor]
  let v: [Tensor]
  /// Weights of the result's elements.
  let weights: Tensor

  init(_ operation: OperationCase, _ sample: OperationCase.Sample, seed: UInt64 = 1) {
    self.operation = operation
    let operands = operation.operands(sample, .float64, seed: seed)
    var arrays = TestArrays(seed: 99)
    func direction() -> [Tensor] {
      operands.map { $0.elementType.isFloatingPoint ? arrays.tensor($0.shape, .range(-1, 1)) : Tensor.zeros($0.shape, as: $0.elementType) }
    }
    x = operands
    u = direction()
    v = direction()
    weights = arrays.tensor(operation.function(operands).shape, .range(0.5, 1.5))
  }

  func f(_ x: [Tensor]) -> Tensor { operation.function(x) }
  /// The weighted sum of the result.
  func φ(_ x: [Tensor]) -> Tensor { (operation.function(x) * weights).sum() }
}

/// Σ a·b over the real operands.
func inner(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
  zip(a, b).filter { $0.0.elementType.isFloatingPoint }.reduce(Tensor(0.0)) { $0 + ($1.0 * $1.1).sum() }
}

/// Every operation's derivatives, first and second, in every composition of the two modes, against central differences in `f64`.
@Suite(.device(.reference)) struct DerivativeTests {
  // The differences' own error: about 1e-12 / step from rounding, and the fifth derivative times step⁴.
  private let tolerance = Tolerance(relative: 1e-7, absolute: 2e-8)

  @Test("first order", arguments: OperationCase.differentiable)
  func firstOrder(operation: OperationCase) {
    for sample in operation.samples {
      let p = Problem(operation, sample)
      let label = "\(operation.name) \(sample.shapes)"
      let slope = finiteDifference(of: p.f, at: p.x, along: p.u)
      let (value, forward) = jvp({ p.f($0) }, at: p.x, along: p.u)
      expectClose(value, p.f(p.x), .exact, label + " value")
      expectClose(forward, slope, tolerance, label + " jvp")
      // Backward: ⟨w, J u⟩ = ⟨Jᵀw, u⟩.
      let (again, pullback) = vjp({ p.f($0) }, at: p.x)
      expectClose(again, value, .exact, label + " value in reverse")
      expectClose(inner(pullback(p.weights), p.u), (slope * p.weights).sum(), tolerance, label + " vjp")
      // Both modes exactly, without differences.
      expectClose(
        inner(pullback(p.weights), p.u), (forward * p.weights).sum(), Tolerance(relative: 1e-12, absolute: 1e-12), label + " jvp and vjp")
    }
  }

  @Test("second order", arguments: OperationCase.differentiable)
  func secondOrder(operation: OperationCase) {
    for sample in operation.samples where sample.shapeClass != .empty {
      let p = Problem(operation, sample)
      let label = "\(operation.name) \(sample.shapes)"
      let forward: @Sendable ([Tensor]) -> Tensor = { x in jvp({ p.φ($0) }, at: x, along: p.u).tangent }
      let expected = finiteDifference(of: forward, at: p.x, along: p.v)
      let tolerance = Tolerance(relative: 1e-6, absolute: 1e-7)
      expectClose(jvp(forward, at: p.x, along: p.v).tangent, expected, tolerance, label + " jvp of jvp")
      let gradientOf: @Sendable ([Tensor]) -> [Tensor] = { x in gradient(of: { p.φ($0) }, at: x) }
      expectClose(inner(jvp(gradientOf, at: p.x, along: p.v).tangent, p.u), expected, tolerance, label + " jvp of vjp")
      expectClose(inner(gradient(of: forward, at: p.x), p.v), expected, tolerance, label + " vjp of jvp")
      let twice = gradient(of: { x in inner(gradientOf(x), p.u) }, at: p.x)
      expectClose(inner(twice, p.v), expected, tolerance, label + " vjp of vjp")
    }
  }
}
