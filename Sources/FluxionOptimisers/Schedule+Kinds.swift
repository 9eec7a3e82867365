import FluxionCore

// The schedules, under the protocol so that they can be named wherever one is taken:
// `Adam(learningRate: .cosine(from: 1e-3, steps: 1000))`.

private func requirePositive(_ steps: Int) {
  requireOfCaller(steps > 0, "Schedule", "the number of steps, \(steps), must be positive.")
}

extension ScheduleConvertible where Self == Schedule {
  public static func constant(_ value: Double) -> Schedule { value.schedule }

  /// From `a` to `b` in T steps, counted from `begin` on; `b` afterwards.
  public static func linear(from a: Double, to b: Double, steps: Int, begin: Int = 0) -> Schedule {
    .polynomial(from: a, to: b, power: 1, steps: steps, begin: begin)
  }

  /// (a - b)(1 - clip(t - begin, 0, T) / T)ᵖ + b.
  public static func polynomial(from a: Double, to b: Double, power: Double, steps: Int, begin: Int = 0) -> Schedule {
    requirePositive(steps)
    return Schedule(kind: .polynomial(from: a, to: b, power: power, steps: steps, begin: begin))
  }

  /// a r^((t - begin) / T) from t = begin on, a before.
  ///
  /// - Parameters:
  ///   - a: the value at t = begin.
  ///   - rate: r > 0.
  ///   - steps: T.
  ///   - staircase: whether the exponent is rounded down.
  ///   - begin: the first step that counts.
  ///   - end: a value that is not passed; none unless told.
  public static func exponential(
    from a: Double, rate: Double, steps: Int, staircase: Bool = false, begin: Int = 0, end: Double? = nil
  ) -> Schedule {
    requirePositive(steps)
    requireOfCaller(rate > 0, "Schedule", "the rate \(rate) must be positive.")
    return Schedule(kind: .exponential(from: a, rate: rate, steps: steps, staircase: staircase, begin: begin, end: end))
  }

  /// a [(1 - α) (½ (1 + cos πt/T))ᵖ + α]; α a from t = T on.
  ///
  /// - Parameters:
  ///   - a: the value at t = 0.
  ///   - steps: T.
  ///   - floor: α, the fraction of `a` that remains; 0 unless told.
  ///   - power: p; 1 unless told.
  /// - Note: Source: I. Loshchilov, F. Hutter. "SGDR: stochastic gradient descent with warm restarts." *ICLR* 2017.
  public static func cosine(from a: Double, steps: Int, floor: Double = 0, power: Double = 1) -> Schedule {
    requirePositive(steps)
    return Schedule(kind: .cosine(from: a, steps: steps, floor: floor, power: power))
  }

  /// Linearly from `initial` to `peak` in `warmup` steps, then by half a cosine to `end` at t = `steps`.
  public static func warmupCosine(
    from initial: Double = 0, peak: Double, warmup: Int, steps: Int, to end: Double = 0
  ) -> Schedule {
    requireOfCaller(
      warmup >= 0 && steps > warmup, "Schedule", "a warm-up of \(warmup) steps does not fit into \(steps) steps.")
    let cosine: Schedule = .cosine(from: peak, steps: steps - warmup, floor: peak == 0 ? 0 : end / peak)
    return warmup == 0 ? cosine : .joined(.linear(from: initial, to: peak, steps: warmup), steps: warmup, cosine)
  }

  /// Linearly from `initial` to `peak` in `warmup` steps, then constant.
  public static func warmupConstant(from initial: Double = 0, peak: Double, warmup: Int) -> Schedule {
    .linear(from: initial, to: peak, steps: warmup)
  }

  /// `a`, multiplied at each boundary by its factor, from t = boundary on.
  public static func piecewise(from a: Double, factors: [Int: Double]) -> Schedule {
    let sorted = factors.sorted { $0.key < $1.key }
    return Schedule(kind: .piecewise(from: a, boundaries: sorted.map(\.key), factors: sorted.map(\.value)))
  }

  /// `first` for a number of steps, then `second` begun anew.
  public static func joined(_ first: Schedule, steps: Int, _ second: Schedule) -> Schedule {
    requirePositive(steps)
    return Schedule(kind: .joined(first, steps: steps, second))
  }
}
