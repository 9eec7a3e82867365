// Distribution functions and quantile functions of the common distributions, on the functions beside. Every argument may be a tensor, and
// every one has derivatives.

/// Φ((x - μ) / σ).
public func normalCDF(_ x: Tensor, mean: Tensor = 0, standardDeviation: Tensor = 1) -> Tensor {
  inDoublePrecision("normalCDF", [x, mean, standardDeviation]) { ndtr(($0[0] - $0[1]) / $0[2]) }
}

/// x with Φ((x - μ) / σ) = p.
public func normalQuantile(_ p: Tensor, mean: Tensor = 0, standardDeviation: Tensor = 1) -> Tensor {
  inDoublePrecision("normalQuantile", [p, mean, standardDeviation]) { $0[1] + $0[2] * ndtri($0[0]) }
}

/// The gamma distribution's, of density ∝ xᵅ⁻¹ e^(-x/θ); 0 for x < 0.
public func gammaCDF(_ x: Tensor, shape: Tensor, scale: Tensor = 1) -> Tensor {
  inDoublePrecision("gammaCDF", [x, shape, scale]) { gammaP($0[1], maximum($0[0], 0) / $0[2]) }
}
public func gammaQuantile(_ p: Tensor, shape: Tensor, scale: Tensor = 1) -> Tensor {
  inDoublePrecision("gammaQuantile", [p, shape, scale]) { $0[2] * gammaPInverse($0[1], $0[0]) }
}

/// The distribution of the sum of ν squares of standard normal numbers; 0 for x < 0.
public func chiSquareCDF(_ x: Tensor, degreesOfFreedom: Tensor) -> Tensor { gammaP(degreesOfFreedom * 0.5, maximum(x, 0) * 0.5) }
public func chiSquareQuantile(_ p: Tensor, degreesOfFreedom: Tensor) -> Tensor { 2 * gammaPInverse(degreesOfFreedom * 0.5, p) }

/// The beta distribution's, of density ∝ xᵃ⁻¹ (1 - x)ᵇ⁻¹ on [0, 1].
public func betaCDF(_ x: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor { betaI(a, b, clamp(x.asReal, 0, 1)) }
public func betaQuantile(_ p: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor { betaIInverse(a, b, p) }

/// Student's t distribution with ν degrees of freedom, a real number > 0; keeps its digits in the lower tail.
///
/// For t < 0 it is I_x(ν/2, ½) / 2 with x = ν / (ν + t²), for t > 0 one minus that.
public func studentTCDF(_ t: Tensor, degreesOfFreedom: Tensor) -> Tensor {
  inDoublePrecision("studentTCDF", [t, degreesOfFreedom]) { studentT($0[0], $0[1]) }
}

/// t at which Student's distribution function is p.
public func studentTQuantile(_ p: Tensor, degreesOfFreedom: Tensor) -> Tensor {
  inDoublePrecision("studentTQuantile", [p, degreesOfFreedom]) { studentTInverse($0[0], $0[1]) }
}

/// The density in t: (1 + t²/ν)^(-(ν+1)/2) / (√ν B(ν/2, ½)).
private func studentDensity(_ t: Tensor, _ ν: Tensor) -> Tensor {
  exp(-0.5 * (ν + 1.0) * log1p(t.squared() / ν) - logarithmOfBeta(ν * 0.5, ν * 0.0 + 0.5)) * rsqrt(ν)
}

/// log(x / (1 - x)) = log(ν / t²). Of t = 0, where the distribution function is ½ whatever ν, a number near it.
private func studentLogOdds(_ t: Tensor, _ ν: Tensor) -> Tensor {
  let safe = select(t .== 0.0, 1e-150, abs(t))
  return log(ν) - 2.0 * log(safe)
}

/// At fixed t, with x moving with ν.
private func studentShapeSlope(_ t: Tensor, _ ν: Tensor) -> Tensor {
  // I's slope in its first parameter at fixed x, and x's own: d log-odds / dν = 1/ν, whose density term is that of t.
  let half = ν * 0.5
  let tail = 0.25 * incompleteBetaSlope(half, studentLogOdds(t, ν))
  let moving = -0.5 * t * studentDensity(t, ν) / ν
  return select(t .== 0.0, 0.0, select(t .< 0.0, tail, -tail) + moving)
}

private let studentT = ElementwiseCall(
  "studentTCDF", slopes: [{ x, _ in studentDensity(x[0], x[1]) }, { x, _ in studentShapeSlope(x[0], x[1]) }]
) { x in
  let tail = 0.5 * incompleteBetaOfLogOdds(x[1] * 0.5, x[1] * 0.0 + 0.5, studentLogOdds(x[0], x[1]))
  return select(x[0] .== 0.0, 0.5, select(x[0] .< 0.0, tail, 1.0 - tail))
}

private let studentTInverse = ElementwiseCall(
  "studentTQuantile",
  slopes: [
    { x, t in reciprocal(studentDensity(t, x[1])) }, { x, t in -studentShapeSlope(t, x[1]) / studentDensity(t, x[1]) },
  ]
) { x in
  let (p, ν) = (x[0], x[1])
  let isLower = p .< 0.5
  let tail = select(isLower, p, 1.0 - p)
  let isMiddle = tail .== 0.5
  let y = logOddsOfQuantile(ν * 0.5, ν * 0.0 + 0.5, select(isMiddle, 0.5, 2.0 * tail))
  // x / (1 - x) = ν / t².
  let size = select(isMiddle, 0.0, exp(0.5 * (log(ν) - y)))
  return select(isLower, -size, size)
}
