import Foundation
import FluxionCore
import FluxionSolvers
import FluxionTransforms
import Testing

private let decay = ODE { (t: Tensor, y: Tensor, k: Tensor) -> Tensor in -k * y }
private let prey = ODE { (t: Tensor, y: Tensor, p: Tensor) -> Tensor in
  let product = y[0] * y[1]
  return stacked([p[0] * y[0] - p[1] * product, p[3] * product - p[2] * y[1]])
}
private func scalar(_ x: Double) -> Tensor { Tensor(x, as: .float64) }
private let allModes: [ODEGradient] = [.discrete, .taped, .backsolve]

@Suite("Derivatives of solutions") struct ODEGradientTests {
  private let adaptive = DormandPrince5(relativeTolerance: 1e-9, absoluteTolerance: 1e-9, maximumSteps: 100)

  @Test("by parameter, state and times", arguments: allModes) func closedForm(_ mode: ODEGradient) {
    // y(T) = y₀ exp(-k (T - S)).
    let k = 0.7, y0 = 1.5, s = 0.25, T = 1.5
    let method = adaptive
    let slopes = gradient(
      of: { (x: [Tensor]) in
        solve(decay, from: x[1], over: TimeSpan(from: x[2], to: x[3]), parameters: x[0], using: method, gradient: mode).value
      }, at: [scalar(k), scalar(y0), scalar(s), scalar(T)])
    let y = y0 * exp(-k * (T - s))
    let expected = [-(T - s) * y, y / y0, k * y, -k * y]
    for (slope, value) in zip(slopes, expected) { #expect(abs(slope.item() - value) < 1e-6, "\(slope.item()) against \(value)") }
  }

  @Test("the shortest program") func shortest() {
    let decay = ODE { t, y, k in -k * y }
    let end = solve(decay, from: [1.0], over: 0...2, parameters: 0.7, using: DormandPrince5(tolerance: 1e-8), gradient: .backsolve)
    #expect(end.status == .converged)
    #expect(abs(end.value.item() - exp(-1.4)) < 1e-6)
    let slope = gradient { k in solve(decay, from: [1.0], over: 0...2, parameters: k).value.sum() }(0.7)
    #expect(abs(slope.item() + 2 * exp(-1.4)) < 1e-5)
    let grow = ODE { t, y in y * t }
    #expect(abs(solve(grow, from: [1.0], over: 0...1).value.item() - exp(0.5)) < 1e-5)
  }

  @Test("with equal steps", arguments: allModes) func equalSteps(_ mode: ODEGradient) {
    let slope = gradient(
      of: { (k: Tensor) in
        solve(decay, from: Tensor([1.0]), over: 0...2, parameters: k, using: RungeKutta4(steps: 40), gradient: mode).value.sum()
      }, at: scalar(0.7))
    #expect(abs(slope.item() + 2 * exp(-1.4)) < 1e-6)
  }

  /// Lotka and Volterra's equations, (1.5, 1, 3, 1) from (1, 1) to t = 10; values by SciPy at tight tolerances.
  @Test("a known sensitivity", arguments: allModes) func sensitivity(_ mode: ODEGradient) {
    let method = DormandPrince5(relativeTolerance: 1e-8, absoluteTolerance: 1e-8, maximumSteps: mode == .backsolve ? 1000 : 250)
    let (value, slope) = valueAndGradient(
      of: { (p: Tensor) in solve(prey, from: Tensor([1.0, 1]), over: 0...10, parameters: p, using: method, gradient: mode).value[0] },
      at: Tensor([1.5, 1, 3, 1]))
    #expect(abs(value.item() - 1.0263447675751) < 1e-6)
    let expected = [2.1605575235631, 0.1885687770779, 0.5631827941682, 0.9396512871533]
    for (x, y) in zip(slope.doubles(), expected) { #expect(abs(x - y) < 1e-5 * max(1, abs(y)), "\(x) against \(y)") }
  }

  @Test("the discrete adjoint is exact for the steps taken") func exactness() {
    // At a loose tolerance the solution is poor, but its derivatives in both modes and by tape must agree to rounding.
    let method = BogackiShampine3(relativeTolerance: 1e-2, absoluteTolerance: 1e-2, maximumSteps: 40)
    let times = Tensor([0.0, 0.7, 1.1, 2])
    func f(_ p: [Tensor], _ mode: ODEGradient) -> Tensor {
      let path = solve(prey, from: p[1], at: times * p[2], parameters: p[0], using: method, gradient: mode).value
      return (path * Tensor([1.0, -2, 0.5, 3, 2, -1, 1, 1], shape: [4, 2])).sum()
    }
    let point = [Tensor([1.5, 1, 3, 1]), Tensor([1.0, 1.2]), scalar(1)]
    let discrete = gradient(of: { f($0, .discrete) }, at: point)
    let taped = gradient(of: { f($0, .taped) }, at: point)
    for (x, y) in zip(discrete.flatMap { $0.doubles() }, taped.flatMap { $0.doubles() }) { #expect(abs(x - y) < 1e-10, "\(x) against \(y)") }
    let direction = [Tensor([0.3, -1, 0.2, 0.5]), Tensor([0.7, -0.4]), scalar(0.9)]
    let forward = jvp({ f($0, .discrete) }, at: point, along: direction).tangent.item()
    let inner = zip(discrete, direction).reduce(0) { $0 + ($1.0 * $1.1).sum().item() }
    #expect(abs(forward - inner) < 1e-10, "\(forward) against \(inner)")
  }

  /// What derivatives of a step need is kept of all steps, of the first few, or of none, by its size.
  @Test("steps that are kept and steps that are repeated", arguments: [3, 12_000, 400_000]) func kept(_ n: Int) {
    let method = BogackiShampine3(relativeTolerance: 1e-3, absoluteTolerance: 1e-3, maximumSteps: 60)
    let weights = Tensor.ones([n], as: .float64) - 0.5 * (arange(n, as: .float64) / Double(n))
    func f(_ p: [Tensor], _ mode: ODEGradient) -> Tensor {
      let path = solve(
        ODE { (t: Tensor, y: Tensor, k: Tensor) in tanh(k * y + t) - sin(4 * y * t) }, from: p[1], at: Tensor([0.0, 1.3, 2]) * p[2],
        parameters: p[0], using: method, gradient: mode)
      return (path.value * weights * Tensor([0.5, -1, 2], shape: [3, 1])).mean()
    }
    let point = [scalar(-1.2), sin(arange(n, as: .float64)), scalar(1)]
    let slopes = gradient(of: { f($0, .discrete) }, at: point)
    // Forward mode follows the steps by itself.
    let direction = [scalar(0.3), cos(arange(n, as: .float64)), scalar(-0.4)]
    let forward = jvp({ f($0, .discrete) }, at: point, along: direction).tangent.item()
    let inner = zip(slopes, direction).reduce(0) { $0 + ($1.0 * $1.1).sum().item() }
    #expect(abs(forward - inner) < 1e-9 * abs(inner), "\(forward) against \(inner)")
    let steps = solve(
      ODE { (t: Tensor, y: Tensor, k: Tensor) in tanh(k * y + t) - sin(4 * y * t) }, from: point[1], over: 0...2, parameters: point[0],
      using: method
    ).statistics.accepted.item()
    #expect(steps > 8 && steps < 50, "\(steps) steps are too few or too many to tell")
  }

  @Test("mapped, with fewer steps kept of each") func keptMapped() {
    let n = 3000
    let method = DormandPrince5(relativeTolerance: 1e-4, absoluteTolerance: 1e-4, maximumSteps: 80)
    @Sendable func end(_ k: Tensor) -> Tensor {
      let start = sin(arange(n, as: .float64))
      let field = ODE { (t: Tensor, y: Tensor, k: Tensor) in tanh(k * y) - sin(3 * y) }
      return solve(field, from: start, over: 0...2, parameters: k, using: method).value.squared().mean()
    }
    let rates = [0.4, -2, 7, 1, 0.1]
    let alone = rates.map { gradient(of: end, at: scalar($0)).item() }
    let inside = vmap { gradient(of: end, at: $0) }(Tensor(rates)).doubles()
    let outside = gradient(of: { vmap(end)($0).sum() }, at: Tensor(rates)).doubles()
    for (i, slope) in alone.enumerated() {
      #expect(abs(inside[i] - slope) < 1e-10 * max(1, abs(slope)), "\(inside[i]) against \(slope)")
      #expect(abs(outside[i] - slope) < 1e-10 * max(1, abs(slope)), "\(outside[i]) against \(slope)")
    }
  }

  @Test("what the field uses from outside counts as a parameter", arguments: allModes) func captured(_ mode: ODEGradient) {
    let method = adaptive
    let slope = gradient(
      of: { (k: Tensor) in
        let equation = ODE { (t: Tensor, y: Tensor) -> Tensor in -k * y }
        return solve(equation, from: scalar(1), over: 0...2, using: method, gradient: mode).value
      }, at: scalar(0.7))
    #expect(abs(slope.item() + 2 * exp(-1.4)) < 1e-6)
  }

  @Test("mapped over problems, each with its own steps", arguments: [ODEGradient.discrete, .backsolve]) func mapped(_ mode: ODEGradient) {
    let method = adaptive
    @Sendable func end(_ k: Tensor) -> Tensor {
      solve(decay, from: scalar(1), over: 0...1, parameters: k, using: method, gradient: mode).value
    }
    let rates = [0.1, 1, 5]
    let values = vmap(end)(Tensor(rates)).doubles()
    let slopesInside = vmap { gradient(of: end, at: $0) }(Tensor(rates)).doubles()
    let slopesOutside = gradient(of: { vmap(end)($0).sum() }, at: Tensor(rates)).doubles()
    for (i, k) in rates.enumerated() {
      #expect(abs(values[i] - end(Tensor(k)).item()) < 1e-14)
      #expect(abs(slopesInside[i] + exp(-k)) < 1e-6)
      #expect(abs(slopesOutside[i] - slopesInside[i]) < 1e-12)
    }
    // A parameter that all share receives from all.
    let shared = gradient(
      of: { (k: Tensor) in
        vmap { (y: Tensor) in solve(decay, from: y, over: 0...1, parameters: k, using: method, gradient: mode).value }(Tensor([1.0, 2, 3])).sum()
      }, at: scalar(1))
    #expect(abs(shared.item() + 6 * exp(-1)) < 1e-6)
  }

  @Test("a backward solution that fails gives NaN, not a wrong derivative") func failure() {
    let slope = gradient(
      of: { (k: Tensor) in
        // Stiff backwards: the state's own equation grows as exp(60 t) there.
        let method = DormandPrince5(relativeTolerance: 1e-6, absoluteTolerance: 1e-6, maximumSteps: 25)
        return solve(decay, from: Tensor([1.0]), over: 0...1, parameters: k, using: method, gradient: .backsolve).value.sum()
      }, at: scalar(60))
    #expect(slope.item().isNaN)
  }

  @Test("second derivatives, forward over backward") func second() {
    let method = adaptive
    @Sendable func end(_ k: Tensor) -> Tensor {
      solve(decay, from: Tensor([1.0]), over: 0...2, parameters: k, using: method).value.sum()
    }
    let slope = jvp({ gradient(of: end, at: $0) }, at: scalar(0.7), along: scalar(1)).tangent
    #expect(abs(slope.item() - 4 * exp(-1.4)) < 1e-6)
  }
}
