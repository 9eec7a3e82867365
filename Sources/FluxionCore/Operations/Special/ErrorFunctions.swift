// The error function's relatives and the normal distribution.

/// exp(x²) erfc(x), which neither underflows for large x nor cancels.
///
/// For x ≥ 0 a Chebyshev series of (1 + 2x) erfcx(x) in (x - 4) / (x + 4), good for the whole half line; for x < 0 by
/// 2 exp(x²) - erfcx(-x). Relative error below 10⁻¹⁵.
///
/// > M. M. Shepherd, J. G. Laframboise. "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞." *Math. Comp.* 36, 1981.
public func erfcx(_ x: Tensor) -> Tensor { inDoublePrecision("erfcx", [x]) { scaledErfc($0[0]) } }

/// Not a call: differentiating the series keeps the relative accuracy that 2x erfcx(x) - 2/√π loses for large x.
private func scaledErfc(_ x: Tensor) -> Tensor {
  let a = abs(x)
  let isFar = a .> 1e8
  let near = select(isFar, 1.0, a)
  let t = (near - 4.0) / (near + 4.0)
  // Clenshaw's recurrence.
  var (b1, b2) = (t * 0.0, t * 0.0)
  for c in chebyshevErfcx.dropFirst().reversed() { (b1, b2) = (2.0 * t * b1 - b2 + c, b1) }
  let series = (t * b1 - b2 + chebyshevErfcx[0]) / (2.0 * near + 1.0)
  let positive = select(isFar, 0.5641895835477563 / select(isFar, a, 1.0), series)   // 1 / (√π x)
  let isNegative = x .< 0.0
  let negative = 2.0 * exp(select(isNegative, x, 0.0).squared()) - positive
  return select(isNegative, negative, positive)
}

/// Of (1 + 2x) erfcx(x) in t = (x - 4) / (x + 4); computed with mpmath at 40 digits.
private let chebyshevErfcx: [Double] = [
  1.1774832005374487, -0.00726079662030190048, -0.0812651232361849979, 0.06009212804122225, -0.0287539355802766603,
  0.01059566336347286, -0.00313692729455426424, 0.000745649437253618404, -0.000136969650301005407, 0.0000171838616003009371,
  -7.15836462345034686e-7, -2.4261399442449532e-7, 5.5765709395703564e-8, -2.10578695138094948e-9, -1.17178893518849568e-9,
  1.90983551724566879e-10, 1.40887176420881297e-11, -6.90110832048081496e-12, 9.16796835411129329e-14, 2.1454508286554553e-13,
  -1.47165750270106242e-14, -6.66867511877040792e-15, 7.50459850988008303e-16, 2.22009300666632004e-16, -3.17048989563308884e-17,
  -8.19357030988433233e-18,
]

/// y with erfc(y) = x, for 0 < x < 2; keeps its digits for tiny x. ±∞ at 0 and 2, NaN beyond.
public func erfcInverse(_ x: Tensor) -> Tensor { inDoublePrecision("erfcInverse", [x]) { inverseErfc($0[0]) } }

private let inverseErfc = ElementwiseCall(
  "erfcInverse", slopes: [{ _, y in exp(y.squared()) * -0.886226925452758 }]  // -√π/2
) { x in
  let x = x[0]
  let isMiddle = (x .>= 0.5) .& (x .<= 1.5)
  let middle = erfInverse(select(isMiddle, 1.0 - x, 0.0))
  // The tail t = min(x, 2 - x): log erfcx(y) - y² = log t, concave in y, by Newton's method from √(-log t).
  let isUpper = x .< 1.0
  let t = select(isMiddle, 0.25, select(isUpper, x, 2.0 - x))
  let isInside = t .> 0.0
  let target = log(select(isInside, t, 0.25))
  var y = sqrt(-target) * 0.9
  for _ in 0..<7 {
    let scaled = scaledErfc(y)
    y = y + (log(scaled) - y.squared() - target) * scaled * 0.886226925452758
  }
  let tail = select(isInside, y, select(t .== 0.0, infinite, undefined))
  return select(isMiddle, middle, select(isUpper, tail, -tail))
}

/// Φ(x), the distribution function of the standard normal distribution; keeps its digits in the lower tail.
public func ndtr(_ x: Tensor) -> Tensor { inDoublePrecision("ndtr", [x]) { erfc($0[0] * -0.7071067811865476) * 0.5 } }

/// log Φ(x), without underflow in the lower tail.
public func logNdtr(_ x: Tensor) -> Tensor { inDoublePrecision("logNdtr", [x]) { logNormal($0[0]) } }

private let logNormal = ElementwiseCall(
  "logNdtr", slopes: [{ x, _ in 0.7978845608028654 / scaledErfc(x[0] * -0.7071067811865476) }]  // φ / Φ
) { x in
  let x = x[0]
  let isLower = x .< -1.0
  let low = select(isLower, x, -1.0)
  let lower = log(scaledErfc(low * -0.7071067811865476) * 0.5) - 0.5 * low.squared()
  return select(isLower, lower, log1p(erfc(x * 0.7071067811865476) * -0.5))
}

/// The quantile function of the standard normal distribution, Φ⁻¹(p) for 0 < p < 1; ±∞ at 0 and 1.
public func ndtri(_ p: Tensor) -> Tensor { inDoublePrecision("ndtri", [p]) { inverseErfc($0[0] * 2.0) * -1.4142135623730951 } }
