internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

private let one: [OperationCase.Sample] = [
  .init(.scalar, []), .init(.empty, [2, 0]), .init(.one, [1]), .init(.vector, [7]), .init(.matrix, [3, 5]), .init(.large, [33, 31]),
]
private let two: [OperationCase.Sample] = [
  .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.vector, [5], [5]), .init(.broadcast, [3, 1], [4]),
  .init(.broadcast, [], [2, 3]), .init(.large, [33, 31], [33, 31]),
]
private let three: [OperationCase.Sample] = [
  .init(.scalar, [], [], []), .init(.empty, [0], [0], [0]), .init(.one, [1], [1], [1]), .init(.broadcast, [3, 1], [4], []),
  .init(.large, [33, 31], [33, 31], [33, 31]),
]

// For functions made of integrals, on which the reference interpreter spends minutes for a thousand elements: no large shape.
private let twoIntegrals = two.filter { $0.shapeClass != .large }
private let threeIntegrals = three.filter { $0.shapeClass != .large }

/// What the functions promise is an ulp of `f32`; in `f64` the plain formulas err by more than the functions.
private let promise = Tolerance(ulps: 1, relative: 4e-12, absolute: 1e-13)

private func row(
  _ name: String, _ samples: [OperationCase.Sample], _ domains: [Domain], differenceStep: Double = 1e-3,
  _ f: @escaping @Sendable ([Tensor]) -> Tensor, _ formula: @escaping @Sendable ([Double]) -> Double
) -> OperationCase {
  OperationCase(
    name, samples, domains, tolerance: promise, differenceStep: differenceStep, { f($0) },
    expected: { x in PlainArray.elementwise(x) { formula($0) } })
}

// MARK: Plain formulas, by power series, continued fractions, Simpson's rule and bisection

private func bisected(_ low: Double, _ high: Double, _ isBelow: (Double) -> Bool) -> Double {
  var (a, b) = (low, high)
  for _ in 0..<200 {
    let middle = (a + b) / 2
    if isBelow(middle) { a = middle } else { b = middle }
  }
  return (a + b) / 2
}

private func logGammaOf(_ x: Double) -> Double { lgamma(x).0 }

/// xᵃ e⁻ˣ Σ xⁿ / Γ(a + n + 1).
private func gammaSeries(_ a: Double, _ x: Double) -> Double {
  var (term, sum) = (exp(a * log(x) - x - logGammaOf(a + 1)), 0.0)
  for n in 1...400 {
    sum += term
    term *= x / (a + Double(n))
  }
  return sum
}

/// xᵃ (1 - x)ᵇ / (a B) Σ (a + b)ₙ / (a + 1)ₙ xⁿ.
private func betaSeries(_ a: Double, _ b: Double, _ x: Double) -> Double {
  var term = exp(a * log(x) + b * log(1 - x) - logGammaOf(a) - logGammaOf(b) + logGammaOf(a + b)) / a
  var sum = 0.0
  for n in 0..<600 {
    sum += term
    term *= x * (a + b + Double(n)) / (a + 1 + Double(n))
  }
  return sum
}

private func studentSimpson(_ t: Double, _ ν: Double) -> Double {
  let scale = exp(logGammaOf((ν + 1) / 2) - logGammaOf(ν / 2)) / (ν * Double.pi).squareRoot()
  func density(_ s: Double) -> Double { scale * exp(-(ν + 1) / 2 * log(1 + s * s / ν)) }
  let n = 2000
  let h = t / Double(n)
  var sum = density(0) + density(t)
  for i in 1..<n { sum += (i % 2 == 1 ? 4 : 2) * density(h * Double(i)) }
  return 0.5 + sum * h / 3
}

/// Σ ± (x/2)²ᵏ⁺ⁿ / (k! (k + n)!).
private func besselSeries(_ n: Int, _ x: Double, _ sign: Double) -> Double {
  var term = 1.0
  for k in 0..<n { term *= x / 2 / Double(k + 1) }
  var sum = 0.0
  for k in 1...80 {
    sum += term
    term *= sign * x * x / 4 / (Double(k) * Double(k + n))
  }
  return sum
}

/// K₀ = -(log(x/2) + γ) I₀ + Σ (x²/4)ᵏ / k!² · (1 + ½ … 1/k).
private func besselK0Series(_ x: Double) -> Double {
  var (term, harmonic, sum) = (1.0, 0.0, 0.0)
  for k in 1...60 {
    term *= x * x / 4 / (Double(k) * Double(k))
    harmonic += 1 / Double(k)
    sum += term * harmonic
  }
  return -(log(x / 2) + 0.5772156649015329) * besselSeries(0, x, 1) + sum
}

/// π/2 Y₀ = (log(x/2) + γ) J₀ - Σ (-x²/4)ᵏ / k!² · (1 + ½ … 1/k).
private func besselY0Series(_ x: Double) -> Double {
  var (term, harmonic, sum) = (1.0, 0.0, 0.0)
  for k in 1...60 {
    term *= -x * x / 4 / (Double(k) * Double(k))
    harmonic += 1 / Double(k)
    sum += term * harmonic
  }
  return ((log(x / 2) + 0.5772156649015329) * besselSeries(0, x, -1) - sum) * 2 / Double.pi
}

/// By Wronski's J₁ Y₀ - J₀ Y₁ = 2/πx.
private func besselY1Series(_ x: Double) -> Double {
  (besselSeries(1, x, -1) * besselY0Series(x) - 2 / (Double.pi * x)) / besselSeries(0, x, -1)
}

/// γ + log |x| + ∫₀ˣ (eᵗ - 1)/t dt, by Simpson's rule.
private func exponentialIntegralSimpson(_ x: Double) -> Double {
  func f(_ t: Double) -> Double { t == 0 ? 1 : expm1(t) / t }
  let n = 2000
  let h = x / Double(n)
  var sum = f(0) + f(x)
  for i in 1..<n { sum += (i % 2 == 1 ? 4 : 2) * f(h * Double(i)) }
  return 0.5772156649015329 + log(abs(x)) + sum * h / 3
}

/// Σ (q + k)⁻ˢ, the tail by Euler and Maclaurin after many terms.
private func hurwitzSum(_ s: Double, _ q: Double) -> Double {
  var sum = 0.0
  for k in 0..<400 { sum += pow(q + Double(k), -s) }
  let n = q + 400
  return sum + pow(n, 1 - s) / (s - 1) + pow(n, -s) / 2 + s * pow(n, -s - 1) / 12 - s * (s + 1) * (s + 2) * pow(n, -s - 3) / 720
}

/// e⁻ˣ / (x + 1 / (1 + 1 / (x + 2 / (1 + 2 / (x + …))))), from the end.
private func exponentialIntegralFraction(_ x: Double) -> Double {
  var rest = x
  for k in stride(from: 400.0, to: 0, by: -1) { rest = x + k / (1 + k / rest) }
  return exp(-x) / rest
}

extension OperationCase {
  static let specialCases: [OperationCase] = [
    row("erfcx", one, [.range(-2, 6)], { erfcx($0[0]) }, { exp($0[0] * $0[0]) * erfc($0[0]) }),
    // Near 0 the function is so curved that differences of a larger step are themselves off by 10⁻⁶.
    row("erfcInverse", one, [.range(0.02, 1.9)], differenceStep: 2e-4, { erfcInverse($0[0]) }, { x in bisected(-7, 7) { erfc($0) > x[0] } }),
    row("ndtr", one, [.range(-5, 3)], { ndtr($0[0]) }, { erfc(-$0[0] / 2.0.squareRoot()) / 2 }),
    row("logNdtr", one, [.range(-8, 3)], { logNdtr($0[0]) }, { log(erfc(-$0[0] / 2.0.squareRoot()) / 2) }),
    row("ndtri", one, [.range(0.05, 0.9)], { ndtri($0[0]) }, { x in bisected(-9, 9) { erfc(-$0 / 2.0.squareRoot()) / 2 < x[0] } }),
    row("xlogy", two, [.range(-2, 2), .range(0.3, 3)], { xlogy($0[0], $0[1]) }, { $0[0] * log($0[1]) }),
    row("entr", one, [.range(0.1, 3)], { entr($0[0]) }, { -$0[0] * log($0[0]) }),
    row("logit", one, [.range(0.1, 0.9)], { logit($0[0]) }, { log($0[0] / (1 - $0[0])) }),
    row("gammaP", twoIntegrals, [.range(0.4, 6), .range(0.3, 8)], { gammaP($0[0], $0[1]) }, { gammaSeries($0[0], $0[1]) }),
    row("gammaQ", twoIntegrals, [.range(0.4, 6), .range(0.3, 8)], { gammaQ($0[0], $0[1]) }, { 1 - gammaSeries($0[0], $0[1]) }),
    row("gammaPInverse", twoIntegrals, [.range(0.6, 4), .range(0.15, 0.85)], { gammaPInverse($0[0], $0[1]) }, { x in
      bisected(0, 60) { gammaSeries(x[0], $0) < x[1] }
    }),
    row("gammaQInverse", twoIntegrals, [.range(0.6, 4), .range(0.15, 0.85)], { gammaQInverse($0[0], $0[1]) }, { x in
      bisected(0, 60) { 1 - gammaSeries(x[0], $0) > x[1] }
    }),
    row("logBeta", two, [.range(0.3, 14), .range(0.3, 14)], { logBeta($0[0], $0[1]) }, {
      logGammaOf($0[0]) + logGammaOf($0[1]) - logGammaOf($0[0] + $0[1])
    }),
    row("beta", two, [.range(0.5, 4), .range(0.5, 4)], { beta($0[0], $0[1]) }, { tgamma($0[0]) * tgamma($0[1]) / tgamma($0[0] + $0[1]) }),
    row("betaI", threeIntegrals, [.range(0.5, 4), .range(0.5, 4), .range(0.15, 0.85)], { betaI($0[0], $0[1], $0[2]) }, {
      betaSeries($0[0], $0[1], $0[2])
    }),
    row("logBeta.negative", two, [.range(-1.8, -1.2), .range(2.5, 3.5)], { logBeta($0[0], $0[1]) }, {
      log(abs(tgamma($0[0]) * tgamma($0[1]) / tgamma($0[0] + $0[1])))
    }),
    row("beta.negative", two, [.range(-1.8, -1.2), .range(1.5, 3.5)], { beta($0[0], $0[1]) }, { tgamma($0[0]) * tgamma($0[1]) / tgamma($0[0] + $0[1]) }),
    row("betaI.smallB", threeIntegrals, [.range(0.5, 4), .range(0.02, 0.09), .range(0.6, 0.9)], { betaI($0[0], $0[1], $0[2]) }, {
      betaSeries($0[0], $0[1], $0[2])
    }),
    row("betaIInverse", threeIntegrals, [.range(0.7, 4), .range(0.7, 4), .range(0.2, 0.8)], { betaIInverse($0[0], $0[1], $0[2]) }, { x in
      bisected(1e-12, 1 - 1e-3) { betaSeries(x[0], x[1], $0) < x[2] }
    }),
    row("studentTCDF", twoIntegrals, [.awayFromZero(0.2, 3), .range(1.5, 9)], { studentTCDF($0[0], degreesOfFreedom: $0[1]) }, {
      studentSimpson($0[0], $0[1])
    }),
    row("studentTQuantile", twoIntegrals, [.range(0.15, 0.45), .range(1.5, 9)], { studentTQuantile($0[0], degreesOfFreedom: $0[1]) }, { x in
      bisected(-9, 0) { studentSimpson($0, x[1]) < x[0] }
    }),
    row("chiSquareCDF", twoIntegrals, [.range(0.5, 9), .range(1, 8)], { chiSquareCDF($0[0], degreesOfFreedom: $0[1]) }, {
      gammaSeries($0[1] / 2, $0[0] / 2)
    }),
    row("chiSquareQuantile", twoIntegrals, [.range(0.15, 0.85), .range(1.5, 8)], { chiSquareQuantile($0[0], degreesOfFreedom: $0[1]) }, { x in
      bisected(0, 120) { gammaSeries(x[1] / 2, $0 / 2) < x[0] }
    }),
    row("normalCDF", two, [.range(-3, 3), .range(-1, 1)], { normalCDF($0[0], mean: $0[1], standardDeviation: 2) }, {
      erfc(($0[1] - $0[0]) / 8.0.squareRoot()) / 2
    }),
    row("normalQuantile", two, [.range(0.1, 0.9), .range(1, 2)], { normalQuantile($0[0], mean: $0[1], standardDeviation: 0.5) }, { x in
      bisected(-9, 9) { erfc((x[1] - $0) / 0.5.squareRoot()) / 2 < x[0] }
    }),
    row("gammaCDF", twoIntegrals, [.range(0.5, 9), .range(0.6, 4)], { gammaCDF($0[0], shape: $0[1], scale: 2) }, {
      gammaSeries($0[1], $0[0] / 2)
    }),
    row("gammaQuantile", twoIntegrals, [.range(0.15, 0.85), .range(0.6, 4)], { gammaQuantile($0[0], shape: $0[1], scale: 2) }, { x in
      bisected(0, 120) { gammaSeries(x[1], $0 / 2) < x[0] }
    }),
    row("betaCDF", threeIntegrals, [.range(0.15, 0.85), .range(0.5, 4), .range(0.5, 4)], { betaCDF($0[0], $0[1], $0[2]) }, {
      betaSeries($0[1], $0[2], $0[0])
    }),
    row("betaQuantile", threeIntegrals, [.range(0.2, 0.8), .range(0.7, 4), .range(0.7, 4)], { betaQuantile($0[0], $0[1], $0[2]) }, { x in
      bisected(1e-12, 1 - 1e-3) { betaSeries(x[1], x[2], $0) < x[0] }
    }),
    row("besselJ2", one, [.range(-5, 5)], { besselJ(2, $0[0]) }, { besselSeries(2, $0[0], -1) }),
    row("besselI2", one, [.range(-5, 5)], { besselI(2, $0[0]) }, { besselSeries(2, $0[0], 1) }),
    // K₂ = K₀ + 2 K₁ / x.
    row("besselK2", one, [.range(0.5, 4)], { besselK(2, $0[0]) }, {
      let zeroth = besselK0Series($0[0])
      let first = (1 / $0[0] - besselSeries(1, $0[0], 1) * zeroth) / besselSeries(0, $0[0], 1)
      return zeroth + 2 * first / $0[0]
    }),
    row("zeta", two, [.range(1.5, 6), .range(0.4, 5)], { zeta($0[0], $0[1]) }, { hurwitzSum($0[0], $0[1]) }),
    row("riemannZeta", one, [.range(1.4, 6)], { zeta($0[0]) }, { hurwitzSum($0[0], 1) }),
    row("polygamma2", one, [.range(0.6, 5)], { polygamma(2, $0[0]) }, { -2 * hurwitzSum(3, $0[0]) }),
    row("polygamma3", one, [.range(0.6, 5)], { polygamma(3, $0[0]) }, { 6 * hurwitzSum(4, $0[0]) }),
    row("besselJ0", one, [.range(-5, 5)], { besselJ0($0[0]) }, { besselSeries(0, $0[0], -1) }),
    row("besselJ1", one, [.range(-5, 5)], { besselJ1($0[0]) }, { besselSeries(1, $0[0], -1) }),
    row("besselY0", one, [.range(0.4, 4)], { besselY0($0[0]) }, { besselY0Series($0[0]) }),
    row("besselY1", one, [.range(0.4, 2.1)], { besselY1($0[0]) }, { besselY1Series($0[0]) }),
    // Y₂ = 2 Y₁ / x - Y₀.
    row("besselY2", one, [.range(0.6, 2.1)], { besselY(2, $0[0]) }, { 2 * besselY1Series($0[0]) / $0[0] - besselY0Series($0[0]) }),
    row("besselI0", one, [.range(-5, 5)], { besselI0($0[0]) }, { besselSeries(0, $0[0], 1) }),
    row("besselI1", one, [.range(-5, 5)], { besselI1($0[0]) }, { besselSeries(1, $0[0], 1) }),
    row("besselI0e", one, [.awayFromZero(0.2, 5)], { besselI0e($0[0]) }, { exp(-abs($0[0])) * besselSeries(0, $0[0], 1) }),
    row("besselI1e", one, [.awayFromZero(0.2, 5)], { besselI1e($0[0]) }, { exp(-abs($0[0])) * besselSeries(1, $0[0], 1) }),
    row("besselK0", one, [.range(0.3, 4)], { besselK0($0[0]) }, { besselK0Series($0[0]) }),
    // By the Wronskian I₀ K₁ + I₁ K₀ = 1/x.
    row("besselK1", one, [.range(0.3, 4)], { besselK1($0[0]) }, {
      (1 / $0[0] - besselSeries(1, $0[0], 1) * besselK0Series($0[0])) / besselSeries(0, $0[0], 1)
    }),
    row("lambertW", one, [.range(-0.25, 5)], { lambertW($0[0]) }, { x in bisected(-1, 9) { $0 * exp($0) < x[0] } }),
    row("lambertWLower", one, [.range(-0.3, -0.05)], { lambertW($0[0], branch: .lower) }, { x in bisected(-20, -1) { $0 * exp($0) > x[0] } }),
    row("expIntegralE1", one, [.range(0.4, 5)], { expIntegralE1($0[0]) }, { exponentialIntegralFraction($0[0]) }),
    row("expIntegralEi", one, [.awayFromZero(0.6, 4)], { expIntegralEi($0[0]) }, { exponentialIntegralSimpson($0[0]) }),
  ]
}
