import Foundation
import FluxionCore
import FluxionData
import FluxionFlows
import Testing

/// The facts of the theory on velocities that are known exactly, in `f64`.
@Suite("Closed-form flows") struct ClosedFormTests {
  /// N(0, I) → eight Gaussians of radius 4 and deviation 0.3.
  private func bed(_ interpolation: Interpolation = .straight) -> MixtureFlow {
    MixtureFlow(from: .standard(dimension: 2), to: EightGaussians.wide.mixture, along: interpolation)
  }

  @Test("hand values of the Gaussian velocity")
  func gaussianByHand() {
    let flow = GaussianFlow(sourceMean: [1], sourceDeviation: [0.5], targetMean: [-2], targetDeviation: [2])
    // t = ½: D = ¼·¼ + ¼·4 = 1.0625, slope (½·4 - ½·¼)/D = 1.875/1.0625, centre ½·1 + ½·(-2) = -½.
    let v = flow.velocity(at: Tensor([1.0], shape: [1, 1]), time: Tensor(0.5, as: .float64)).item()
    #expect(abs(v - (-3 + 1.875 / 1.0625 * 1.5)) < 1e-14)
  }

  @Test("a mixture of one component is the Gaussian flow, also with correlated coordinates against a rotated frame")
  func mixtureOfOne() {
    let gaussian = GaussianFlow(sourceMean: [1, 0], sourceDeviation: [0.5, 1], targetMean: [-2, 1], targetDeviation: [2, 0.3])
    let mixture = MixtureFlow(
      from: GaussianMixture(means: [[1, 0]], covariances: [[[0.25, 0], [0, 1]]]),
      to: GaussianMixture(means: [[-2, 1]], covariances: [[[4, 0], [0, 0.09]]]))
    let x = Tensor([0.3, -0.7, 1.1, 2, -3, 0.2], shape: [3, 2])
    let t = Tensor([0.0, 0.4, 1], shape: [3, 1])
    let (a, b) = (gaussian.velocity(at: x, time: t).doubles(), mixture.velocity(at: x, time: t).doubles())
    for (p, q) in zip(a, b) { #expect(abs(p - q) < 1e-12) }
    // The same in coordinates turned by R: v′(Rx) = R v(x). Full covariances R diag Rᵀ.
    let (c, s) = (cos(0.7), sin(0.7))
    func turned(_ d: [Double]) -> [[Double]] {
      [[c * c * d[0] + s * s * d[1], c * s * (d[0] - d[1])], [c * s * (d[0] - d[1]), s * s * d[0] + c * c * d[1]]]
    }
    func turned(_ m: [Double]) -> [Double] { [c * m[0] - s * m[1], s * m[0] + c * m[1]] }
    let rotated = MixtureFlow(
      from: GaussianMixture(means: [turned([1, 0])], covariances: [turned([0.25, 1])]),
      to: GaussianMixture(means: [turned([-2, 1])], covariances: [turned([4, 0.09])]))
    let r = Tensor([c, s, -s, c], shape: [2, 2])  // row vectors times Rᵀ
    let v = rotated.velocity(at: x.dot(r), time: t).doubles()
    let expected = mixture.velocity(at: x, time: t).dot(r).doubles()
    for (p, q) in zip(v, expected) { #expect(abs(p - q) < 1e-12) }
  }

  @Test("the velocity is the conditional mean: against importance sampling over the data")
  func conditionalMean() {
    // E[a′X₁ + b′X₀ | Xₜ = x] by weighting components' draws: X₀ = (x - aX₁)/b has density N(0, I).
    let x1 = EightGaussians.wide.sample(200_000, key: Key(1)).converted(to: .float64)
    for kind in [Interpolation.Kind.straight, .vp, .spherical, .vpConstant, .subvp] {
      let way = Interpolation.named(kind)!
      let t = Tensor(0.45, as: .float64)
      let x = Tensor([1.2, -0.4], shape: [1, 2])
      let x0 = (x - way.signal(t) * x1) / way.noise(t)
      let weights = (x0.squared().sum(alongAxis: 1) * -0.5).softmax(alongAxis: 0).expanded(at: 1)
      let rate = way.signalRate(t) * x1 + way.noiseRate(t) * x0
      let mean = (weights * rate).sum(alongAxis: 0).doubles()
      let effective = 1 / weights.squared().sum().item()
      let spread = (weights * (rate - (weights * rate).sum(alongAxis: 0)).squared()).sum(alongAxis: 0).doubles()
      let v = bed(way).velocity(at: x, time: t).doubles()
      for i in 0..<2 {
        #expect(abs(v[i] - mean[i]) < 5 * (spread[i] / effective).squareRoot(), "\(kind) coordinate \(i): \(v[i]) against \(mean[i])")
      }
    }
  }

  @Test("S = (2 - π/2) s₀s₁ and V = (π/2) s₀s₁; the energy identity without sampling error")
  func gaussianEnergies() {
    let flow = GaussianFlow(sourceMean: [0], sourceDeviation: [1], targetMean: [0], targetDeviation: [1])
    let measured = GaussianClaims.energies(of: flow, steps: 400)
    #expect(abs(measured.straightness / 0.4292036732051034 - 1) < 0.01)
    #expect(abs(measured.irreducibleVariance / 1.5707963267948966 - 1) < 0.01)
    // The quadratures are far better than the claim's margin.
    #expect(abs(measured.straightness - flow.straightness) < 1e-6)
    #expect(abs(measured.irreducibleVariance - flow.irreducibleVariance) < 1e-5)
    let costs = flow.transportCosts
    #expect(abs(costs.independent - costs.rectified - flow.straightness - flow.irreducibleVariance) < 1e-12)
  }

  @Test("the exact map is affine: Z₁ = m₁ + (s₁/s₀)(Z₀ - m₀)")
  func affineMap() {
    let flow = GaussianFlow(sourceMean: [1], sourceDeviation: [0.5], targetMean: [-2], targetDeviation: [2])
    let z0 = Key(3).normal([200, 1], as: .float64) * 0.5 + 1
    let z1 = flow.transport(z0, using: .rk45(tolerance: 1e-8)).value
    #expect(abs(z1 - flow.destination(of: z0)).max().item() < 1e-6)
  }

  @Test("one Euler step of the exact 1-rectified flow sends every point to E[X₁]")
  func oneStepCollapse() {
    let flow = bed()
    let x = Key(4).normal([500, 2], as: .float64) * 2
    let end = flow.transport(x, using: .euler(steps: 1)).value
    #expect((end - flow.targetMean).norm(alongAxis: 1).max().item() < 1e-5)
  }

  @Test("energy identity on the eight Gaussians, 20 000 pairs")
  func energyIdentity() {
    let (k0, k1) = Key(5).split()
    let x0 = k0.normal([20_000, 2])
    let x1 = EightGaussians.wide.sample(20_000, key: k1)
    let identity = bed().energyIdentity(x0, x1, using: .rk4(steps: 50), key: Key(6))
    // The claim allows 2 % at 100 000 pairs; a fifth of them gives √5 of that noise.
    #expect(identity.relativeGap < 0.02 * 5.0.squareRoot(), "\(identity)")
    #expect(identity.straightness > 2 && identity.straightness < 4)
  }

  @Test("decoding undoes encoding")
  func roundTrip() {
    let flow = bed()
    let x = EightGaussians.wide.sample(200, key: Key(7)).converted(to: .float64)
    let z = flow.transport(x, from: 1, to: 0, using: .rk45(tolerance: 1e-8)).value
    let back = flow.transport(z, using: .rk45(tolerance: 1e-8)).value
    #expect((back - x).squared().mean().item().squareRoot() < 1e-5)
  }

  @Test("log density by the divergence integral equals the mixture's")
  func logDensity() {
    let flow = bed()
    let x = EightGaussians.wide.sample(16, key: Key(8)).converted(to: .float64)
    let measured = flow.logDensity(x, using: .rk45(tolerance: 1e-8)) { standardNormalLogDensity($0) }
    #expect(abs(measured - flow.target.logDensity(x)).max().item() < 1e-3)
  }

  @Test("vp bends its paths much more than the straight way, spherical about as much; the couplings cost the same")
  func curvedPaths() {
    let z = Key(9).normal([1000, 2])
    let straight = bed().paths(from: z, using: .rk4(steps: 100))
    for (kind, range) in [(Interpolation.Kind.vp, 2.2...3.5), (.spherical, 0.9...1.1)] {
      let curved = bed(Interpolation.named(kind)!).paths(from: z, using: .rk4(steps: 100))
      let ratio = curved.straightness.mean().item() / straight.straightness.mean().item()
      #expect(range.contains(ratio), "\(kind): \(ratio)")
      let cost = TransportCost.power(2, z, curved.end) / TransportCost.power(2, z, straight.end)
      #expect(abs(cost - 1) < 0.02, "\(kind): \(cost)")
    }
  }

  @Test("in one dimension the first rectification is monotone")
  func monotone() {
    let flow = MixtureFlow(
      from: GaussianMixture(weights: [1, 2], means: [[-2], [1]], deviation: 0.7),
      to: GaussianMixture(weights: [2, 1, 1], means: [[-3], [0], [4]], deviation: 0.5))
    let z0 = linspace(-5, 4, 400, as: .float64).expanded(at: 1)
    let z1 = flow.transport(z0, using: .rk4(steps: 200)).value.doubles()
    #expect(zip(z1, z1.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test("marginals are preserved: quantiles of Zₜ are those of Xₜ at t = ½")
  func marginal() {
    let flow = MixtureFlow(
      from: .standard(dimension: 1), to: GaussianMixture(weights: [2, 1], means: [[-3], [2]], deviation: 0.5))
    // Monotone map: Z_{1/2} of the p-quantile of N(0, 1) has P(X_{1/2} < z) = p, by integrating the mixture's density.
    let z = flow.transport(Tensor([-1.0, 0, 1], shape: [3, 1]), from: 0, to: 0.5, using: .rk4(steps: 200)).value.doubles()
    for (start, end) in zip([-1.0, 0, 1], z) {
      let p = 0.5 * erfc(-start / 2.0.squareRoot())
      let s = (0.25 + 0.25 * 0.25).squareRoot()
      func below(_ m: Double) -> Double { 0.5 * erfc(-(end - m / 2) / (s * 2.0.squareRoot())) }
      #expect(abs((2 * below(-3) + below(2)) / 3 - p) < 1e-7)
    }
  }
}
