import FluxionCore
public import FluxionExperiment

extension RectifiedFlowExperiment {
  public var claims: [Claim] {
    [
      Claim("exact_S_gauss", "S of N(0,1) → N(0,1), exact velocity", .within(fraction: 0.01, of: 0.4292036732051034), published: "2 - π/2"),
      Claim("exact_V_gauss", "V of N(0,1) → N(0,1), exact velocity", .within(fraction: 0.01, of: 1.5707963267948966), published: "π/2"),
      Claim("energy_identity_rel", "|cost before - cost after - S - V| / cost before, exact, eight Gaussians", .below(0.02), published: "0"),
      Claim("exact_map_err", "max |Z₁ - (m₁ + (s₁/s₀)(Z₀ - m₀))|, RK45 at 10⁻⁸", .below(1e-6), published: "0"),
      Claim("one_step_collapse", "max ‖x + v(x, 0) - E X₁‖, exact", .below(1e-5), published: "0"),
      Claim("marginal_sw2_exact", "sliced W₂ of the exact flow to the data, less the floor", .below(0.10), published: "0"),
      Claim("reverse_roundtrip", "rms of decode(encode(x)) - x, exact, RK45 at 10⁻⁸", .below(1e-5), published: "0"),
      Claim("div_logp_err", "max |log p by divergence - log density|, 200 points", .below(1e-3), published: "0"),
      Claim("cost_ratio_p1", "E‖Z₁ - Z₀‖ after / before the first round", .below(0.75), published: "≤ 1"),
      Claim("cost_ratio_p2", "E‖Z₁ - Z₀‖² after / before the first round", .below(0.55), published: "≤ 1"),
      Claim("cost_ratio_p4", "E‖Z₁ - Z₀‖⁴ after / before the first round", .below(0.35), published: "≤ 1"),
      Claim("cost_monotone_max", "largest cost of round 2 / round 1", .below(1.06), published: "≤ 1"),
      Claim("S_ratio_21", "S of round 2 / round 1", .below(0.02), published: "prototype 0.0016"),
      Claim("sw2_n1_1", "sliced W₂ of round 1 after one step", .above(1.5), published: "FID 378; prototype 2.63"),
      Claim("sw2_n1_2", "sliced W₂ of round 2 after one step", .below(0.40), published: "FID 12.21; prototype 0.235"),
      Claim("gain_n1", "sw2_n1_1 / sw2_n1_2", .above(5), published: "FID 31; prototype 11"),
      Claim("sw2_n100_1", "sliced W₂ of round 1 after 100 steps", .below(0.32), published: "FID 2.58; prototype 0.200"),
      Claim("distill_gain", "sliced W₂ distilled from round 1 / from round 2", .above(1.25), published: "FID 6.18 / 4.85; prototype 2.3"),
      Claim("nfe_drop", "evaluations of RK45 at 10⁻⁴, round 1 / round 2", .above(1.0), published: "127 / 110"),
      Claim("vp_S_over_straight_S", "S of the exact vp flow / of the straight flow", .between(2.2, 3.5), published: "2.82"),
      Claim("grad_fd_rel", "loss gradient against central differences, 20 parameters, f64", .below(1e-6), published: "0"),
    ]
  }

  public func verify(_ check: VerificationContext) throws -> Measurements {
    var measured = Measurements()
    let exact = ExactClaims(key: Key(check.seeds.first ?? 0).fold(77))
    for (name, measure) in exact.all {
      try check.progress(name)
      measured.record(name, measure())
    }
    for seed in check.seeds { try learned(seed, check, &measured) }
    if let seed = check.seeds.first {
      for kind in [Interpolation.Kind.vp, .spherical] { try curved(kind, seed, check, &measured) }
    }
    return measured
  }

  /// The learned rows of one seed: rounds 1 and 2 with their distillations, on the configuration's defaults.
  private func learned(_ seed: Int, _ check: VerificationContext, _ measured: inout Measurements) throws {
    let key = Key(seed)
    let sets = Self.builtInSets(key: key.fold(0))
    let flow = try RectifiedFlow(Configuration(rounds: 2)).fit(
      sets.training, standardises: false, key: key.fold(1), session: check.session("seed \(seed)"))
    try check.progress("seed \(seed) measures")
    let evaluations = [1, 2].map { flow.evaluate(round: $0, against: sets.test, steps: [1, 2, 100], key: key.fold(3)) }
    let (first, second) = (evaluations[0], evaluations[1])
    let independent = Self.independentCosts(flow, sets.test, key: key.fold(3))
    for (i, p) in [1, 2, 4].enumerated() { measured.record("cost_ratio_p\(p)", first.costs[i] / independent[i]) }
    measured.record("cost_monotone_max", zip(second.costs, first.costs).map { $0 / $1 }.max() ?? .nan)
    measured.record("S_ratio_21", second.straightness / first.straightness)
    let (one1, one2) = (first.distances[0], second.distances[0])
    measured.record("sw2_n1_1", one1)
    measured.record("sw2_n1_2", one2)
    measured.record("gain_n1", one1 / one2)
    measured.record("sw2_n100_1", first.distances[2])
    measured.record("distill_gain", (first.distilledDistance ?? .nan) / (second.distilledDistance ?? .nan))
    measured.record("nfe_drop", Double(first.adaptiveEvaluations) / Double(second.adaptiveEvaluations))
    // Baselines: the independent coupling, the first round and what is distilled from it.
    for (p, cost) in zip([1, 2, 4], independent) { measured.record("cost_p\(p)_independent", cost) }
    recordBaseline("straight", first, independent: independent, &measured)
    if let distilled = first.distilledDistance { measured.record("straight_distill_sw2", distilled) }
    let floor = slicedDistance(sets.secondTest, sets.test, key: key.fold(2))
    measured.record("sw2_floor", floor)
  }

  /// One round along a curved interpolation, on the data, steps and random numbers of the straight one: straightening and falling
  /// costs are not promised there.
  private func curved(_ kind: Interpolation.Kind, _ seed: Int, _ check: VerificationContext, _ measured: inout Measurements) throws {
    let key = Key(seed)
    let sets = Self.builtInSets(key: key.fold(0))
    var configuration = Configuration(rounds: 1, distils: false)
    configuration.interpolation = kind
    let flow = try RectifiedFlow(configuration).fit(
      sets.training, standardises: false, key: key.fold(1), session: check.session("seed \(seed) \(kind.rawValue)"))
    try check.progress("seed \(seed) \(kind.rawValue) measures")
    let result = flow.evaluate(round: 1, against: sets.test, steps: [1, 100], key: key.fold(3))
    recordBaseline(kind.rawValue, result, independent: Self.independentCosts(flow, sets.test, key: key.fold(3)), &measured)
  }

  private func recordBaseline(_ name: String, _ result: FlowEvaluation, independent: [Double], _ measured: inout Measurements) {
    measured.record("\(name)_straightness", result.straightness)
    for (i, p) in [1, 2, 4].enumerated() { measured.record("\(name)_cost_ratio_p\(p)", result.costs[i] / independent[i]) }
    for n in [1, 100] { if let distance = result.distance(steps: n) { measured.record("\(name)_sw2_n\(n)", distance) } }
    measured.record("\(name)_nfe_rk45", Double(result.adaptiveEvaluations))
  }
}
