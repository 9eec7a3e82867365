import Foundation
import FluxionCore
import FluxionSolvers
import FluxionTransforms
import Testing

private let methods: [any ExplicitRungeKutta.Type] = [
  Euler.self, Midpoint.self, Heun2.self, BogackiShampine3.self, RungeKutta4.self, DormandPrince5.self, Tsitouras5.self,
]
private let embedded = methods.filter { $0.tableau.bError != nil }

private func double(_ values: Double...) -> Tensor { Tensor(values) }

private let lorenz = ODE { (t: Tensor, y: Tensor) -> Tensor in
  let (a, b, c) = (y[0], y[1], y[2])
  return stacked([10 * (b - a), a * (28 - c) - b, a * b - 8.0 / 3 * c])
}
/// y′ = y cos t, so y = exp(sin t) from 1.
private let swing = ODE { (t: Tensor, y: Tensor) -> Tensor in y * cos(t) }
private let oscillator = ODE { (t: Tensor, y: Tensor) -> Tensor in stacked([y[1], (1 - y[0].squared()) * y[1] - y[0]]) }

@Suite("Runge–Kutta methods") struct RungeKuttaTests {
  @Test("coefficients are consistent", arguments: methods) func consistent(_ method: any ExplicitRungeKutta.Type) {
    let tableau = method.tableau
    for (row, c) in zip(tableau.a, tableau.c) { #expect(abs(row.reduce(0, +) - c) < 1e-14) }
    #expect(abs(tableau.b.reduce(0, +) - 1) < 1e-14)
    if let e = tableau.bError { #expect(abs(e.reduce(0, +)) < 1e-14) }
    #expect(tableau.reusesLastStage == (method is BogackiShampine3.Type || method is DormandPrince5.Type || method is Tsitouras5.Type))
  }

  /// One step of 0.01 of Lorenz's system from (1, 1, 1), computed independently in double precision.
  @Test("one step", arguments: [
    (Euler.self as any ExplicitRungeKutta.Type, [1, 1.26, 0.983333333333333]),
    (Heun2.self, [1.013, 1.258783333333333, 0.984855555555556]), (Midpoint.self, [1.013, 1.258783333333333, 0.984855555555556]),
    (BogackiShampine3.self, [1.012526111111111, 1.259952807009259, 0.984889712927469]),
    (Tsitouras5.self, [1.012565736847825, 1.259920021485909, 0.984891045536058]),
    (DormandPrince5.self, [1.012565747555137, 1.259920009224498, 0.984891045965782]),
  ]) func oneStep(_ method: any ExplicitRungeKutta.Type, _ expected: [Double]) {
    func run<M: ExplicitRungeKutta>(_ method: M.Type) -> [Double] {
      solve(lorenz, from: double(1, 1, 1), over: 0...0.01, using: M(steps: 1)).value.doubles()
    }
    for (x, y) in zip(run(method), expected) { #expect(abs(x - y) < 2e-15, "\(x) against \(y)") }
  }

  @Test("the observed order is the declared one", arguments: methods) func order(_ method: any ExplicitRungeKutta.Type) {
    func error<M: ExplicitRungeKutta>(_ method: M.Type, _ steps: Int) -> Double {
      abs(solve(swing, from: double(1), over: 0...2, using: M(steps: steps)).value.item() - exp(sin(2.0)))
    }
    let errors = [32, 64, 128].map { error(method, $0) }
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      let slope = log2(coarse / fine)
      // Tsitouras' leading error term is so small that the next one shows at these steps.
      #expect(slope > Double(method.order) - 0.25 && slope < Double(method.order) + 0.5, "\(method): \(slope)")
    }
  }

  @Test("the error stays near the tolerance", arguments: embedded) func tolerance(_ method: any ExplicitRungeKutta.Type) {
    func run<M: ExplicitRungeKutta>(_ method: M.Type, _ tolerance: Double) -> Solution<Tensor> {
      solve(swing, from: double(1), over: 0...2, using: M(relativeTolerance: tolerance, absoluteTolerance: tolerance, maximumSteps: 5000))
    }
    for tolerance in [1e-4, 1e-6] {
      let solution = run(method, tolerance)
      let error = abs(solution.value.item() - exp(sin(2.0)))
      #expect(solution.status == .converged)
      #expect(error < 10 * tolerance, "\(method) at \(tolerance): \(error)")
      #expect(error > 1e-5 * tolerance, "\(method) at \(tolerance) works too hard: \(error)")
      let attempts = solution.statistics.accepted.item() + solution.statistics.rejected.item()
      let tableau = method.tableau
      let perStep = Double(tableau.reusesLastStage ? tableau.stages - 1 : tableau.stages)
      #expect(solution.statistics.evaluations.item() == 2 + attempts * perStep)
    }
  }

  /// Van der Pol's oscillator from (2, 0) to t = 10; SciPy 1.17 `solve_ivp` takes the evaluations given with RK45 and RK23.
  @Test("as many evaluations as SciPy's", arguments: [
    (DormandPrince5.self as any ExplicitRungeKutta.Type, 1e-4, 284), (DormandPrince5.self, 1e-6, 572),
    (BogackiShampine3.self, 1e-4, 371),
  ]) func evaluations(_ method: any ExplicitRungeKutta.Type, _ tolerance: Double, _ scipy: Int) {
    func run<M: ExplicitRungeKutta>(_ method: M.Type) -> Solution<Tensor> {
      solve(oscillator, from: double(2, 0), over: 0...10, using: M(tolerance: tolerance))
    }
    let solution = run(method)
    let count = solution.statistics.evaluations.item()
    #expect(Double(scipy) * 0.7 < count && count < Double(scipy) * 1.3, "\(count) against \(scipy)")
    let reference = [-2.0083407825797, 0.0329070658633]
    for (x, y) in zip(solution.value.doubles(), reference) { #expect(abs(x - y) < 100 * tolerance) }
  }

  /// A cubic is integrated without an error, so the second step is ten times the first, by the error of that alone; then the controller,
  /// here one that takes 0.9 of each step, has the say.
  @Test("the step after the first follows its error alone") func firstStep() {
    var control = StepControl(relativeTolerance: 1e-6, absoluteTolerance: 1e-6, maximumSteps: 20, firstStep: 0.1)
    (control.proportional, control.integral) = (0, 0)
    let cubic = ODE { (t: Tensor, y: Tensor) -> Tensor in 0 * y + t.squared() }
    let solution = solve(cubic, from: double(0), over: 0...2, using: DormandPrince5(.adaptive(control)))
    #expect(abs(solution.value.item() - 8.0 / 3) < 1e-12)
    #expect(solution.statistics.accepted.item() == 3)
  }

  @Test("there and back again") func backwards() {
    let method = DormandPrince5(tolerance: 1e-9)
    let there = solve(oscillator, from: double(2, 0), over: 0...3, using: method).value
    let back = solve(oscillator, from: there, over: TimeSpan(from: 3, to: 0), using: method)
    #expect(back.status == .converged)
    for (x, y) in zip(back.value.doubles(), [2.0, 0]) { #expect(abs(x - y) < 1e-6) }
    let fixed = solve(swing, from: double(exp(sin(2))), over: TimeSpan(from: 2, to: 0), using: RungeKutta4(steps: 64))
    #expect(abs(fixed.value.item() - 1) < 1e-6)
  }

  @Test("states at given times", arguments: [DormandPrince5(tolerance: 1e-8), DormandPrince5(steps: 8)])
  func path(_ method: DormandPrince5) {
    let times = [0.0, 0.5, 0.5, 1.75, 2]
    let solution = solve(swing, from: double(1), at: Tensor(times), using: method)
    #expect(solution.value.shape == [5, 1])
    for (x, t) in zip(solution.value.doubles(), times) { #expect(abs(x - exp(sin(t))) < 1e-6) }
    #expect(solve(swing, from: double(3), at: double(1), using: method).value.doubles() == [3])
    #expect(solve(swing, from: double(3), over: 1...1, using: method).value.doubles() == [3])
  }

  @Test("failures are told") func failures() {
    // y = 1 / (1 - t) has no value at t = 1.
    let burst = ODE { (t: Tensor, y: Tensor) -> Tensor in y.squared() }
    let solution = solve(burst, from: double(1), over: 0...2, using: DormandPrince5(tolerance: 1e-6))
    #expect(solution.status != .converged)
    #expect(throws: SolverFailure.self) { try solution.converged() }
    let few = DormandPrince5(relativeTolerance: 1e-8, absoluteTolerance: 1e-8, maximumSteps: 5)
    let short = solve(oscillator, from: double(2, 0), over: 0...10, using: few)
    #expect(short.status == .stepLimitReached)
    #expect(short.statistics.accepted.item() + short.statistics.rejected.item() == 5)
    let invalid = ODE { (t: Tensor, y: Tensor) -> Tensor in log(y - 2) }
    #expect(solve(invalid, from: double(1), over: 0...1, using: Tsitouras5(tolerance: 1e-4)).status == .nonFinite)
    #expect(solve(invalid, from: double(1), over: 0...1, using: RungeKutta4(steps: 3)).status == .nonFinite)
  }

  @Test("a structured state in single precision") func structured() {
    struct Body: Structured { var position: Tensor, velocity: Tensor }
    let spring = ODE { (t: Tensor, y: Body, k: Tensor) -> Body in Body(position: y.velocity, velocity: -k * y.position) }
    let start = Body(position: Tensor([Float(1), 2], shape: [2, 1]), velocity: Tensor([Float(0), 0], shape: [2, 1]))
    let end = solve(spring, from: start, over: 0...1, parameters: Tensor(Float(4)), using: DormandPrince5(tolerance: 1e-6))
    #expect(end.value.position.elementType == .float32)
    for (x, y) in zip(end.value.position.doubles(), [cos(2.0), 2 * cos(2.0)]) { #expect(abs(x - y) < 1e-4) }
    for (x, y) in zip(end.value.velocity.doubles(), [-2 * sin(2.0), -4 * sin(2.0)]) { #expect(abs(x - y) < 1e-4) }
  }
}
