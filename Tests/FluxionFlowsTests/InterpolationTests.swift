import Foundation
import FluxionCore
import FluxionData
import FluxionFlows
import Testing

/// A scalar in `f64`: a bare literal would be `f32`.
private func f64(_ x: Double) -> Tensor { Tensor(x, as: .float64) }

@Suite("Interpolations") struct InterpolationTests {
  static let kinds = Interpolation.Kind.allCases.filter { $0 != .custom }

  @Test("rates are the slopes of the coefficients; b b′ agrees with b′", arguments: kinds)
  func rates(_ kind: Interpolation.Kind) {
    let way = Interpolation.named(kind, sigmaMin: 0.1, sigmaMax: 5)!
    for t in [0.1, 0.35, 0.7, 0.95] {
      let h = 1e-6
      func slope(_ f: Interpolation.Coefficient) -> Double { (f(f64(t + h)).item() - f(f64(t - h)).item()) / (2 * h) }
      #expect(abs(slope(way.signal) - way.signalRate(f64(t)).item()) < 1e-7, "a′ at \(t)")
      let db = way.noiseRate(f64(t)).item()
      #expect(abs(slope(way.noise) - db) < 1e-6 * max(1, abs(db)), "b′ at \(t)")
      #expect(abs(way.noise(f64(t)).item() * db - way.noiseProduct(f64(t)).item()) < 1e-9 * max(1, abs(db)), "b b′ at \(t)")
    }
  }

  @Test("ends: a₁ = 1, b₁ = 0, a₀ ≈ 0 and b₀ ≈ 1 where promised", arguments: kinds)
  func ends(_ kind: Interpolation.Kind) {
    let way = Interpolation.named(kind)!
    #expect(abs(way.signal(f64(1.0)).item() - 1) < 1e-12)
    #expect(abs(way.noise(f64(1.0)).item()) < 1e-12)
    let (a0, b0) = (way.signal(f64(0.0)).item(), way.noise(f64(0.0)).item())
    switch kind {
    case .ve:
      #expect(a0 == 1)
      #expect(abs(b0 - (2500 - 1e-4).squareRoot()) < 1e-9)
    case .vp, .subvp:
      #expect(abs(a0 - exp(-5.025)) < 1e-12)
      #expect(abs(b0 - 1) < 1e-4)
    default:
      #expect(abs(a0) < 1e-12)
      #expect(abs(b0 - 1) < 1e-12)
    }
    #expect(way.noiseRate(f64(1.0)).item().isFinite)
  }

  @Test("the constants of the named ways, by hand")
  func byHand() {
    let t = f64(0.5)
    #expect(Interpolation.straight.position(f64(2), f64(6), t).item() == 4)
    #expect(Interpolation.straight.velocity(f64(2), f64(6), t).item() == 4)
    let a = exp(-0.25 * 19.9 * 0.25 - 0.5 * 0.1 * 0.5)
    #expect(abs(Interpolation.vp().signal(t).item() - a) < 1e-14)
    #expect(abs(Interpolation.vp().noise(t).item() - (1 - a * a).squareRoot()) < 1e-14)
    #expect(abs(Interpolation.subvp().noise(t).item() - (1 - a * a)) < 1e-14)
    #expect(abs(Interpolation.vpConstant.noise(t).item() - 0.75.squareRoot()) < 1e-14)
    #expect(abs(Interpolation.ve(sigmaMin: 0.1, sigmaMax: 10).noise(t).item() - 0.1 * 99.0.squareRoot()) < 1e-12)
  }

  @Test("a custom way without derivatives gets them by jvp")
  func custom() {
    let made = Interpolation.custom(signal: { $0 * $0 }, noise: { cos($0 * (Double.pi / 2)) })
    let t = Tensor([0.2, 0.6] as [Double])
    for (v, s) in zip(made.signalRate(t).doubles(), [0.4, 1.2]) { #expect(abs(v - s) < 1e-14) }
    for (v, s) in zip(made.noiseRate(t).doubles(), [0.2, 0.6]) { #expect(abs(v + Double.pi / 2 * sin(Double.pi / 2 * s)) < 1e-14) }
    for (v, s) in zip(made.noiseProduct(t).doubles(), [0.2, 0.6]) {
      #expect(abs(v + Double.pi / 2 * sin(Double.pi / 2 * s) * cos(Double.pi / 2 * s)) < 1e-14)
    }
  }

  @Test("velocity and score convert into each other, and the score is the slope of log pₜ", arguments: kinds)
  func scores(_ kind: Interpolation.Kind) {
    let way = Interpolation.named(kind, sigmaMin: 0.1, sigmaMax: 5)!
    let flow = MixtureFlow(from: .standard(dimension: 2, deviation: 0.8), to: GaussianMixture.simplex(dimension: 2, scale: 2), along: way)
    let points = [0.4, -0.3, 1.2, 0.8]
    let x = Tensor(points, shape: [2, 2])
    let t = f64(0.6)
    let v = flow.velocity(at: x, time: t)
    let score = way.score(fromVelocity: v, at: x, time: t, sourceDeviation: 0.8)
    let back = way.velocity(fromScore: score, at: x, time: t, sourceDeviation: 0.8)
    #expect(abs(back - v).max().item() < 1e-10)
    for i in 0..<4 {
      let h = 1e-5
      var (up, down) = (points, points)
      up[i] += h
      down[i] -= h
      let slope =
        (flow.logDensity(Tensor(up, shape: [2, 2]), time: t).sum().item()
          - flow.logDensity(Tensor(down, shape: [2, 2]), time: t).sum().item()) / (2 * h)
      #expect(abs(slope - score.doubles()[i]) < 1e-6, "coordinate \(i)")
    }
  }
}
