import Foundation
import FluxionCore
import Testing

/// The largest distance between the empirical distribution function of `sample` and `distribution`.
private func kolmogorovSmirnov(_ sample: [Double], _ distribution: (Double) -> Double) -> Double {
  let n = Double(sample.count)
  var largest = 0.0
  for (i, x) in sample.sorted().enumerated() {
    let f = distribution(x)
    largest = max(largest, f - Double(i) / n, Double(i + 1) / n - f)
  }
  return largest
}

/// The regularised lower incomplete gamma function by its series.
private func gammaDistribution(_ a: Double, _ x: Double) -> Double {
  guard x > 0 else { return 0 }
  var term = 1 / a
  var sum = term
  var k = a
  while term > sum * 1e-16 {
    k += 1
    term *= x / k
    sum += term
  }
  return min(1, sum * exp(-x + a * log(x) - lgamma(a)))
}

/// The regularised incomplete beta function by Simpson's rule, for parameters of at least 1.
private func betaDistribution(_ a: Double, _ b: Double, _ x: Double) -> Double {
  let scale = lgamma(a + b) - lgamma(a) - lgamma(b)
  func density(_ t: Double) -> Double { exp(scale) * pow(t, a - 1) * pow(1 - t, b - 1) }
  let n = 200
  let h = x / Double(n)
  var sum = density(0) + density(x)
  for i in 1..<n { sum += density(Double(i) * h) * (i % 2 == 1 ? 4 : 2) }
  return sum * h / 3
}

/// 1.63/√n is exceeded with probability 0.01 for one sample; the seeds are fixed, so the tests do not flicker.
private func expectDistributed(
  _ sample: Tensor, _ name: String, sourceLocation: SourceLocation = #_sourceLocation, _ distribution: (Double) -> Double
) {
  let values = sample.flattened().doubles()
  let distance = kolmogorovSmirnov(values, distribution)
  let bound = 1.63 / Double(values.count).squareRoot()
  #expect(distance < bound, "\(name): Kolmogorov–Smirnov distance \(distance), bound \(bound)", sourceLocation: sourceLocation)
}

private func normalDistribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

@Suite("Distributions of random numbers") struct RandomStatisticsTests {
  private let n = 4000
  private let key = Key(11)

  @Test("distribution functions", arguments: [ElementType.float32, .float64]) func distributions(_ type: ElementType) {
    expectDistributed(key.uniform([n], as: type), "uniform") { $0 }
    expectDistributed(key.uniform([n], in: -3..<5, as: type), "uniform in a range") { ($0 + 3) / 8 }
    expectDistributed(key.normal([n], as: type), "normal", normalDistribution)
    let (low, high) = (normalDistribution(-1), normalDistribution(2))
    expectDistributed(key.truncatedNormal([n], in: -1...2, as: type), "truncated normal") {
      (normalDistribution($0) - low) / (high - low)
    }
    expectDistributed(key.exponential([n], as: type), "exponential") { 1 - exp(-$0) }
    expectDistributed(key.laplace([n], as: type), "laplace") { $0 < 0 ? exp($0) / 2 : 1 - exp(-$0) / 2 }
    expectDistributed(key.gumbel([n], as: type), "gumbel") { exp(-exp(-$0)) }
    let root = key.ball([n, 3], as: type).norm(alongAxis: 1)
    expectDistributed(root, "radius in the ball") { $0 * $0 * $0 }
    // Archimedes: a coordinate of a point of the sphere in three dimensions is uniform.
    expectDistributed(key.sphere([n, 3], as: type)[TensorIndex.all, 1], "height on the sphere") { ($0 + 1) / 2 }
  }

  @Test("gamma numbers", arguments: [0.3, 1, 2.5, 40]) func gamma(_ α: Double) {
    let x = key.gamma([n], concentration: Tensor(α, as: .float64))
    #expect(x.elementType == .float64)
    expectDistributed(x, "gamma(\(α))") { gammaDistribution(α, $0) }
    expectDistributed(key.gamma([n], concentration: Tensor(α, as: .float32)), "gamma(\(α)) f32") { gammaDistribution(α, $0) }
  }

  @Test("beta numbers") func beta() {
    expectDistributed(key.beta([n], Tensor(2.0, as: .float64), Tensor(3.5, as: .float64)), "beta(2, 3.5)") { betaDistribution(2, 3.5, $0) }
    let small = key.beta([n], Tensor(Float(0.01)), Tensor(Float(0.01)))
    #expect(small.doubles().allSatisfy { $0 >= 0 && $0 <= 1 })
    let mean: Double = small.mean().item()
    #expect(abs(mean - 0.5) < 0.03)
  }

  @Test("moments") func moments() {
    let x = Key(5).normal([40_000], as: .float64)
    // Four standard errors: 4/√n, 4·√2/√n, 4·√15/√n, 4·√96/√n.
    let powers = [x, x.squared(), x * x.squared(), x.squared().squared()]
    for (power, (expected, bound)) in zip(powers, [(0.0, 0.02), (1.0, 0.03), (0.0, 0.08), (3.0, 0.2)]) {
      let mean: Double = power.mean().item()
      #expect(abs(mean - expected) < bound)
    }
  }

  @Test("numbers of different keys are independent") func independence() {
    let (k1, k2) = key.split()
    let streams = [key.normal([n]), k1.normal([n]), k2.normal([n]), key.fold(2).normal([n]), key.fold(3).normal([n]), Key(12).normal([n])]
    let bound = 4 / Double(n).squareRoot()
    for i in streams.indices {
      for j in 0..<i {
        let correlation: Double = (streams[i] * streams[j]).mean().item()
        #expect(abs(correlation) < bound, "streams \(j) and \(i)")
      }
    }
    // Neighbours within a stream.
    let x = streams[0]
    let neighbours: Double = (x[1...] * x[..<(n - 1)]).mean().item()
    #expect(abs(neighbours) < bound)
  }

  @Test("discrete frequencies") func discrete() {
    func frequencies(_ x: Tensor, _ classes: Int) -> [Double] {
      var counts = [Double](repeating: 0, count: classes)
      for v in x.doubles() { counts[Int(v)] += 1 / Double(x.elementCount) }
      return counts
    }
    func expect(_ x: Tensor, _ probabilities: [Double], _ name: String) {
      for (f, p) in zip(frequencies(x, probabilities.count), probabilities) {
        let deviation: Double = (p * (1 - p) / Double(n)).squareRoot()
        #expect(abs(f - p) <= 4 * deviation, "\(name): \(f) against \(p)")
      }
    }
    expect(key.integers([n], in: 0..<5), [0.2, 0.2, 0.2, 0.2, 0.2], "integers")
    expect(key.bernoulli([n], probability: 0.3).converted(to: .int32), [0.7, 0.3], "bernoulli")
    let logits = log(Tensor([0.1, 0.0, 0.6, 0.3]))
    expect(key.categorical(logits: logits, repeats: [n]), [0.1, 0, 0.6, 0.3], "categorical")
    expect(key.choice(n, of: 4, weights: Tensor([1.0, 0, 6, 3])), [0.1, 0, 0.6, 0.3], "weighted choice")
    expect(key.choice(n, of: 3), [1.0 / 3, 1.0 / 3, 1.0 / 3], "choice")
    // A batch of two distributions: one class each.
    let sure = key.categorical(logits: Tensor([0, -Float.infinity, -Float.infinity, 0], shape: [2, 2]))
    #expect(sure.doubles() == [0, 1])
  }

  @Test("choice without replacement") func withoutReplacement() {
    let places = key.choice(20, of: 30, replacing: false).elements(as: Int32.self)
    #expect(Set(places).count == 20 && places.allSatisfy { (0..<30).contains($0) })
    let weighted = key.choice(3, of: 4, replacing: false, weights: Tensor([1.0, 0, 1, 1])).elements(as: Int32.self)
    #expect(Set(weighted) == [0, 2, 3])
    // The first place drawn follows the weights.
    let first = (0..<500).filter { key.fold($0).choice(2, of: 3, replacing: false, weights: Tensor([2.0, 1, 1])).doubles()[0] == 0 }
    let share = Double(first.count) / 500
    #expect(abs(share - 0.5) < 0.09, "four standard deviations")
    // Weights spread over many places, the last ones 0.
    let sparse = Tensor((0..<3000).map { $0 % 1000 == 7 ? 1.0 : 0.0 })
    #expect(Set(key.choice(200, of: 3000, weights: sparse).doubles()) == [7, 1007, 2007])
  }

  @Test("orthogonal matrices") func orthogonal() {
    for (rows, columns) in [(5, 5), (7, 3), (1, 1)] {
      let q = key.orthogonal(rows, columns: columns, as: .float64)
      #expect(q.shape == [rows, columns])
      let gap: Double = abs(q.T.matmul(q) - eye(columns, as: .float64)).max().item()
      #expect(gap < 1e-14)
    }
    // Haar's measure on rotations of the plane: the first column's angle is uniform.
    let angles = (0..<400).map { i -> Double in
      let q = key.fold(i).orthogonal(2, as: .float64).doubles()
      return atan2(q[2], q[0])
    }
    expectDistributed(Tensor(angles), "angle") { ($0 + .pi) / (2 * .pi) }
  }

  @Test("a key passes through loops") func insideLoops() {
    let key = Key(9)
    let looped: Tensor = scan(over: arange(4), from: Tensor.zeros([3])) { (sum: Tensor, i: Tensor) -> Tensor in
      sum + key.fold(i).normal([3])
    }
    var plain = Tensor.zeros([3])
    for i in 0..<4 { plain += key.fold(i).normal([3]) }
    let gap: Double = abs(looped - plain).max().item()
    #expect(gap < 1e-6)
  }
}
