import FluxionCore
import FluxionData
import FluxionTransforms

/// The claims that hold for exact velocities, on the bed N(0, I) → eight Gaussians of radius 4 and deviation 0.3 and on Gaussians.
struct ExactClaims {
  let key: Key

  var all: [(name: String, measure: () -> Double)] {
    [
      ("exact_S_gauss", { energies.straightness }), ("exact_V_gauss", { energies.irreducibleVariance }),
      ("energy_identity_rel", energyGap), ("exact_map_err", mapError), ("one_step_collapse", collapse),
      ("marginal_sw2_exact", marginalDistance), ("reverse_roundtrip", roundTrip), ("div_logp_err", densityError),
      ("vp_S_over_straight_S", { straightnessRatio(of: .vp()) }), ("grad_fd_rel", gradientError),
    ]
  }

  private var energies: EnergyIdentity {
    GaussianClaims.energies(
      of: GaussianFlow(sourceMean: [0], sourceDeviation: [1], targetMean: [0], targetDeviation: [1]), steps: 400)
  }

  private func bed(_ interpolation: Interpolation = .straight) -> MixtureFlow {
    MixtureFlow(from: .standard(dimension: 2), to: EightGaussians.wide.mixture, along: interpolation)
  }

  /// 100 000 pairs of the independent coupling, four thousand at a time.
  private func energyGap() -> Double {
    let flow = bed()
    var (before, after, straightness, variance) = (0.0, 0.0, 0.0, 0.0)
    let parts = 25
    for part in 0..<parts {
      let keys = key.fold(part).split(3)
      let identity = flow.energyIdentity(
        keys[0].normal([4000, 2]), EightGaussians.wide.sample(4000, key: keys[1]), using: .rk4(steps: 50), key: keys[2])
      before += identity.costBefore / Double(parts)
      after += identity.costAfter / Double(parts)
      straightness += identity.straightness / Double(parts)
      variance += identity.irreducibleVariance / Double(parts)
    }
    return EnergyIdentity(costBefore: before, costAfter: after, straightness: straightness, irreducibleVariance: variance).relativeGap
  }

  /// N(1, 0.5²) → N(-2, 2²) in f64.
  private func mapError() -> Double {
    let flow = GaussianFlow(sourceMean: [1], sourceDeviation: [0.5], targetMean: [-2], targetDeviation: [2])
    let z0 = key.fold(20).normal([1000, 1], as: .float64) * 0.5 + 1
    let z1 = flow.transport(z0, using: .rk45(tolerance: 1e-8)).value
    return abs(z1 - flow.destination(of: z0)).max().item()
  }

  private func collapse() -> Double {
    let flow = bed()
    let x = key.fold(21).normal([4000, 2], as: .float64) * 2
    let arrival = x + flow.velocity(at: x, time: Tensor(0, as: .float64))
    return (arrival - flow.targetMean).norm(alongAxis: 1).max().item()
  }

  private func marginalDistance() -> Double {
    let keys = key.fold(22).split(4)
    let set = EightGaussians.wide
    let (test, second) = (set.sample(4000, key: keys[0]), set.sample(4000, key: keys[1]))
    let end = bed().transport(keys[2].normal([4000, 2]), using: .rk4(steps: 200)).value
    return slicedDistance(end, test, key: keys[3]) - slicedDistance(second, test, key: keys[3])
  }

  private func roundTrip() -> Double {
    let flow = bed()
    let x = EightGaussians.wide.sample(500, key: key.fold(23)).converted(to: .float64)
    let z = flow.transport(x, from: 1, to: 0, using: .rk45(tolerance: 1e-8)).value
    let back = flow.transport(z, using: .rk45(tolerance: 1e-8)).value
    return (back - x).squared().sumOverPoint().mean().item().squareRoot()
  }

  /// 200 points uniformly within 3 standard deviations of the modes.
  private func densityError() -> Double {
    let flow = bed()
    let keys = key.fold(24).split(3)
    let set = EightGaussians.wide
    let centres = flow.target.means.gathered(keys[0].integers([200], in: 0..<8))
    let direction = keys[1].normal([200, 2], as: .float64)
    let unit = direction / direction.norm(alongAxis: 1, keepingAxes: true)
    let radius = sqrt(keys[2].uniform([200, 1], as: .float64)) * (3 * set.deviation)
    let x = centres + unit * radius
    let measured = flow.logDensity(x, using: .rk45(tolerance: 1e-8)) { standardNormalLogDensity($0) }
    return abs(measured - flow.target.logDensity(x)).max().item()
  }

  /// S of the exact flow along another way over S of the straight one, from the same source points.
  func straightnessRatio(of interpolation: Interpolation, count: Int = 4000, steps: Int = 400) -> Double {
    let z = key.fold(25).normal([count, 2])
    let straight = bed().straightness(from: z, using: .rk4(steps: steps))
    return bed(interpolation).straightness(from: z, using: .rk4(steps: steps)) / straight
  }

  /// ‖gradient - central differences‖ / ‖central differences‖ over 20 random parameters of a perceptron in f64.
  private func gradientError() -> Double {
    let keys = key.fold(26).split(5)
    let network = VelocityNetwork(points: PointVelocity(dimension: 2, width: 32, depth: 3, as: .float64, key: keys[0]))
    let x0 = keys[1].normal([64, 2], as: .float64)
    let x1 = EightGaussians.wide.sample(64, key: keys[2]).converted(to: .float64)
    let t = keys[3].uniform([64], as: .float64)
    let system = RectifiedFlow()
    let loss = compiled { @Sendable (network: VelocityNetwork) -> Tensor in system.regressionLoss(network, x0, x1, times: t) }
    let slopes = flatten(gradient(of: { system.regressionLoss($0, x0, x1, times: t) }, at: network)).leaves.map { $0.doubles() }
    let (leaves, structure) = flatten(network)
    let sizes = leaves.map(\.elementCount)
    let places = keys[4].integers([20], in: 0..<sizes.reduce(0, +)).doubles().map { Int($0) }
    var (error, size) = (0.0, 0.0)
    for place in places {
      var (leaf, offset) = (0, place)
      while offset >= sizes[leaf] { (leaf, offset) = (leaf + 1, offset - sizes[leaf]) }
      func moved(by h: Double) -> Double {
        var changed = leaves
        var values = leaves[leaf].doubles()
        values[offset] += h
        changed[leaf] = Tensor(values, shape: leaves[leaf].shape)
        return loss(unflatten(VelocityNetwork.self, structure, changed)).item()
      }
      let h = 1e-5
      let difference = (moved(by: h) - moved(by: -h)) / (2 * h)
      let gap = slopes[leaf][offset] - difference
      error += gap * gap
      size += difference * difference
    }
    return (error / size).squareRoot()
  }
}
