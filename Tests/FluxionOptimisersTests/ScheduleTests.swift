import FluxionCore
import FluxionOptimisers
import FluxionTransforms
import Testing

@Suite("Schedules") struct ScheduleTests {
  private static let counts = [0, 5, 10, 30, 50, 80, 99, 100, 150]

  /// Values of Optax 0.2.8 at the counts above, to eight digits.
  private static let table: [(String, Schedule, [Double])] = [
    ("polynomial", .polynomial(from: 1, to: 0.1, power: 2, steps: 100, begin: 10), [1, 1, 1, 0.676, 0.424, 0.181, 0.11089, 0.109, 0.1]),
    (
      "exponential", .exponential(from: 0.5, rate: 0.9, steps: 20),
      [0.5, 0.48700187, 0.47434165, 0.42690748, 0.38421674, 0.32805, 0.29680446, 0.295245, 0.22687614]
    ),
    (
      "staircase", .exponential(from: 0.5, rate: 0.9, steps: 20, staircase: true),
      [0.5, 0.5, 0.5, 0.45, 0.405, 0.32805, 0.32805, 0.295245, 0.23914845]
    ),
    (
      "cosine", .cosine(from: 1, steps: 100, floor: 0.1),
      [1, 0.99445975, 0.97797543, 0.81450336, 0.55, 0.18594235, 0.10022205, 0.1, 0.1]
    ),
    (
      "warm-up and cosine", .warmupCosine(peak: 1, warmup: 10, steps: 100, to: 0.05),
      [0, 0.5, 1, 0.88887111, 0.60748288, 0.16112889, 0.05028936, 0.05, 0.05]
    ),
    ("piecewise", .piecewise(from: 1, factors: [80: 0.5, 30: 0.1]), [1, 1, 1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]),
    ("linear", .linear(from: 0, to: 2, steps: 100), [0, 0.1, 0.2, 0.6, 1, 1.6, 1.98, 2, 2]),
    ("constant", .constant(0.3), [Double](repeating: 0.3, count: 9)),
    ("bounded", .exponential(from: 0.5, rate: 0.9, steps: 20, end: 0.4), [0.5, 0.48700187, 0.47434165, 0.42690748, 0.4, 0.4, 0.4, 0.4, 0.4]),
  ]

  @Test("values", arguments: table.indices) func values(_ i: Int) {
    let (name, schedule, expected) = Self.table[i]
    for (t, value) in zip(Self.counts, expected) {
      let double: Double = schedule(Tensor(Int32(t)), as: .float64).item()
      #expect(abs(double - value) < 6e-9, "\(name) at \(t): \(double) against \(value)")
      let single: Double = schedule(Tensor(Int32(t))).item()
      #expect(abs(single - value) < 1e-6, "\(name) at \(t) in f32: \(single) against \(value)")
    }
  }

  @Test("a schedule is part of a compiled program") func insidePrograms() {
    let schedule: Schedule = .cosine(from: 1, steps: 10)
    let (_, values) = scan(over: arange(11), from: Tensor(0.0, as: .float64)) { (carry: Tensor, t: Tensor) in
      (carry, schedule(t, as: .float64))
    }
    let direct = (0...10).map { schedule(Tensor(Int32($0)), as: .float64).item() }
    for (x, y) in zip(values.doubles(), direct) { #expect(abs(x - y) < 1e-15) }
  }

  @Test("a rate held as a tensor is differentiable") func tensorRate() {
    // One step of gradient descent: d/dη of f(θ - η g) is -⟨∇f(θ - η g), g⟩; here f = θ², θ = 3, g = 6, η = 0.1.
    let slope = gradient(
      of: { (η: Tensor) in
        let optimiser = GradientDescent(learningRate: η)
        var (θ, state) = (Tensor(3.0, as: .float64), optimiser.initialState(for: Tensor(3.0, as: .float64)))
        optimiser.step(2 * θ, parameters: &θ, state: &state)
        return θ.squared()
      }, at: Tensor(0.1, as: .float64))
    #expect(abs(slope.item() + 2 * 2.4 * 6) < 1e-12)
  }
}
