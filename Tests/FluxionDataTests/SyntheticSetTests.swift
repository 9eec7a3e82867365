import Foundation
import FluxionCore
import FluxionData
import Testing

/// Sample statistics are held to four standard errors of the stated number of points; seeds are fixed.
@Suite("Synthetic point sets") struct SyntheticSetTests {
  private let count = 20_000

  private func columns(_ x: Tensor) -> [[Double]] {
    let d = x.shape[1]
    let all = x.doubles()
    return (0..<d).map { j in stride(from: j, to: all.count, by: d).map { all[$0] } }
  }

  private func moments(_ x: [Double]) -> (mean: Double, error: Double) {
    let n = Double(x.count)
    let mean = x.reduce(0, +) / n
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    return (mean, (variance / n).squareRoot())
  }

  private func expectMean(_ x: [Double], _ expected: Double, _ what: String) {
    let (mean, error) = moments(x)
    #expect(abs(mean - expected) <= 4 * error, "\(what): mean \(mean), expected \(expected) ± 4·\(error)")
  }

  @Test("same key, same bytes; another key, others; labels are balanced", arguments: SyntheticSets.names)
  func determinism(of name: String) throws {
    let set = try #require(SyntheticSets.named(name))
    let a = set.labelledSample(2000, key: Key(7))
    let b = set.labelledSample(2000, key: Key(7))
    let c = set.sample(2000, key: Key(8))
    #expect(a.points.shape == [2000, set.dimension])
    #expect(a.points.elementType == .float32)
    #expect(a.points.doubles() == b.points.doubles())
    #expect(a.labels.doubles() == b.labels.doubles())
    #expect(a.points.doubles() != c.doubles())
    #expect(a.points.doubles().allSatisfy { $0.isFinite })
    let labels = a.labels.doubles().map { Int($0) }
    let classes = (labels.max() ?? 0) + 1
    let p = 1 / Double(classes)
    for k in 0..<classes {
      let share = Double(labels.count { $0 == k }) / 2000
      #expect(abs(share - p) <= 4 * (p * (1 - p) / 2000).squareRoot() + 1e-12, "class \(k) has a share of \(share)")
    }
  }

  @Test("two moons: mean (½, ¼), on unit half circles without noise")
  func twoMoons() {
    let x = columns(TwoMoons().sample(count, key: Key(1)))
    expectMean(x[0], 0.5, "x")
    expectMean(x[1], 0.25, "y")
    let bare = TwoMoons(noise: 0).labelledSample(500, key: Key(2))
    let (p, labels) = (columns(bare.points), bare.labels.doubles())
    for i in 0..<500 {
      let lower = labels[i] == 1
      let (u, v) = lower ? (p[0][i] - 1, p[1][i] - 0.5) : (p[0][i], p[1][i])
      #expect(abs(u * u + v * v - 1) < 1e-6)
      #expect(lower ? v <= 1e-6 : v >= -1e-6)
    }
    let centred = columns(TwoMoons(isCentred: true, scale: 3).sample(count, key: Key(3)))
    expectMean(centred[0], 0, "centred x")
    expectMean(centred[1], 0, "centred y")
  }

  @Test("eight Gaussians: second moment R²/2 + σ² per axis", arguments: [EightGaussians.wide, .small, .large])
  func eightGaussians(_ set: EightGaussians) {
    let expected = set.radius * set.radius / 2 + set.deviation * set.deviation
    for axis in columns(set.sample(count, key: Key(4))) {
      expectMean(axis, 0, "axis")
      expectMean(axis.map { $0 * $0 }, expected, "second moment")
    }
  }

  @Test("checkerboard: exactly eight squares of side 2")
  func checkerboard() {
    let sample = Checkerboard().labelledSample(count, key: Key(5))
    let x = columns(sample.points)
    let squares = Set(zip(x[0], x[1]).map { [Int(floor($0 / 2)), Int(floor($1 / 2))] })
    #expect(squares.count == 8)
    #expect(squares.allSatisfy { ($0[0] + $0[1]) % 2 == 0 && (-2...1).contains($0[0]) && (-2...1).contains($0[1]) })
    #expect(Set(sample.labels.doubles()).count == 8)
    #expect(Checkerboard().logDensity(sample.points).doubles().allSatisfy { abs($0 + log(32)) < 1e-5 })
    #expect(Checkerboard().logDensity(Tensor([Float(-1), 1, 5, 1], shape: [2, 2])).doubles().allSatisfy { $0 == -.infinity })
  }

  @Test("swiss roll: radius t / 10 in the plane, t in [1.5π, 4.5π]; height in [0, 21] in space")
  func swissRoll() {
    let (flat, t) = SwissRoll(noise: 0).rolledSample(1000, key: Key(6))
    let x = columns(flat)
    let times = t.doubles()
    #expect(times.allSatisfy { $0 >= 1.5 * .pi - 1e-5 && $0 <= 4.5 * .pi + 1e-5 })
    #expect((0..<1000).allSatisfy { abs((x[0][$0] * x[0][$0] + x[1][$0] * x[1][$0]).squareRoot() - times[$0] / 10) < 1e-5 })
    let space = columns(SwissRoll(isSpatial: true).sample(count, key: Key(7)))
    #expect(space.count == 3)
    #expect(space[1].allSatisfy { $0 >= 0 && $0 <= 21 })
    expectMean(space[1], 10.5, "height")
  }

  @Test("rings: without noise every point lies on a ring", arguments: [Rings(noise: 0), Rings(radii: [1, 0.5], noise: 0)])
  func rings(_ set: Rings) {
    let sample = set.labelledSample(1000, key: Key(8))
    let x = columns(sample.points)
    let labels = sample.labels.doubles()
    #expect((0..<1000).allSatisfy { abs((x[0][$0] * x[0][$0] + x[1][$0] * x[1][$0]).squareRoot() - set.radii[Int(labels[$0])]) < 1e-5 })
  }

  @Test("pinwheel: E‖x‖² = 4 (1 + 0.3² + 0.1²), turning leaves norms")
  func pinwheel() {
    let x = columns(Pinwheel().sample(count, key: Key(9)))
    expectMean(zip(x[0], x[1]).map { $0 * $0 + $1 * $1 }, 4 * (1 + 0.09 + 0.01), "‖x‖²")
  }

  @Test("spirals: radius n/3 with n² uniform, arms are reflections")
  func spirals() {
    let x = columns(Spirals(noise: 0).sample(count, key: Key(10)))
    expectMean(x[0], 0, "x")
    expectMean(x[1], 0, "y")
    // n² = 9π² u, so ‖x‖² = π² u.
    expectMean(zip(x[0], x[1]).map { $0 * $0 + $1 * $1 }, Double.pi * Double.pi / 2, "‖x‖²")
  }

  @Test("banana and funnel: moments of their parts")
  func bananaAndFunnel() {
    let b = columns(Banana().sample(count, key: Key(11)))
    expectMean(b[1], 1, "E x₂ = E x₁²")
    expectMean(zip(b[0], b[1]).map { ($1 - $0 * $0) * ($1 - $0 * $0) }, 0.25, "bend")
    let f = columns(Funnel().sample(count, key: Key(12)))
    expectMean(f[0].map { $0 * $0 }, 9, "v²")
    expectMean(zip(f[0], f[1]).map { $1 * $1 * exp(-$0) }, 1, "x² e⁻ᵛ")
  }

  /// The midpoint rule on a fine grid; exponentially accurate for Gaussians, exact for the checkerboard.
  private func integral(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>, _ n: Int, _ logDensity: (Tensor) -> Tensor) -> Double {
    let (hx, hy) = ((x.upperBound - x.lowerBound) / Double(n), (y.upperBound - y.lowerBound) / Double(n))
    var points: [Double] = []
    for i in 0..<n { for j in 0..<n { points += [x.lowerBound + (Double(i) + 0.5) * hx, y.lowerBound + (Double(j) + 0.5) * hy] } }
    return logDensity(Tensor(points, shape: [n * n, 2])).doubles().reduce(0) { $0 + exp($1) } * hx * hy
  }

  @Test("known log densities integrate to 1")
  func densities() {
    let tolerance = 1e-6
    #expect(abs(integral(-4...4, -4...4, 160, EightGaussians.small.logDensity) - 1) < tolerance)
    #expect(abs(integral(-8...8, -8...8, 160, GaussianMixture.simplex(dimension: 2).logDensity) - 1) < tolerance)
    #expect(abs(integral(-4...4, -4...4, 64, Checkerboard().logDensity) - 1) < tolerance)
    #expect(abs(integral(-6...6, -4...40, 300, Banana().logDensity) - 1) < tolerance)
    // The funnel in the coordinates (v, z = x e^{-v/2}), where it is a Gaussian; dx = e^{v/2} dz.
    let funnel = integral(-20...20, -7...7, 160) { p in
      let v = p[.all, 0]
      let x = p[.all, 1] * exp(v / 2)
      return Funnel().logDensity(stacked([v, x], alongAxis: 1)) + v / 2
    }
    #expect(abs(funnel - 1) < tolerance)
    let skewed = GaussianMixture(
      weights: [1, 3], means: [[0, 1], [-1, 0]], covariances: [[[1, 0.6], [0.6, 0.8]], [[0.3, -0.1], [-0.1, 0.2]]])
    #expect(abs(integral(-8...8, -8...8, 240, skewed.logDensity) - 1) < tolerance)
  }

  @Test("mixture: sample moments, score = slope of the log density, simplex distances")
  func mixture() {
    let set = GaussianMixture(
      weights: [1, 3], means: [[0, 1], [-1, 0]], covariances: [[[1, 0.6], [0.6, 0.8]], [[0.3, -0.1], [-0.1, 0.2]]])
    let x = columns(set.sample(count, key: Key(13)))
    expectMean(x[0], -0.75, "mean 0")
    expectMean(x[1], 0.25, "mean 1")
    // E x₀x₁ = Σ w (cov + m₀m₁) = ¼·0.6 + ¾·(-0.1).
    expectMean(zip(x[0], x[1]).map { $0 * $1 }, 0.25 * 0.6 - 0.75 * 0.1, "cross moment")
    let points: [Double] = [0.3, -0.2, 1.5, 1, -2, 0.4]
    let score = set.score(Tensor(points, shape: [3, 2])).doubles()
    for i in points.indices {
      let h = 1e-5
      var (up, down) = (points, points)
      up[i] += h
      down[i] -= h
      let slope = (set.logDensity(Tensor(up, shape: [3, 2])).sum().item() - set.logDensity(Tensor(down, shape: [3, 2])).sum().item()) / (2 * h)
      #expect(abs(slope - score[i]) < 1e-7)
    }
    let corners = GaussianMixture.simplex(dimension: 3, scale: 2).means.doubles()
    for i in 0..<4 {
      let p = corners[3 * i..<3 * i + 3]
      #expect(abs(p.reduce(0) { $0 + $1 * $1 }.squareRoot() - 2) < 1e-12)
      for j in 0..<i {
        let q = corners[3 * j..<3 * j + 3]
        let distance = zip(p, q).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        #expect(abs(distance - 2 * (8.0 / 3).squareRoot()) < 1e-12)
      }
    }
  }

  @Test("moons to eight Gaussians: two sides of one shape")
  func transportPair() {
    let pair = MoonsToEightGaussians().sample(100, key: Key(14))
    #expect(pair.source.shape == [100, 2] && pair.target.shape == [100, 2])
    #expect(pair.source.doubles() != pair.target.doubles())
  }
}
