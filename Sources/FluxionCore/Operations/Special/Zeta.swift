// The zeta functions and the derivatives of ψ.

/// ζ(s, q) = Σ (q + k)⁻ˢ over k ≥ 0, for s > 1 and q > 0; +∞ at s = 1, NaN outside.
///
/// Twelve terms and the Euler–Maclaurin formula for the rest, good to about 10⁻¹⁵. Differentiable in both arguments.
///
/// > F. Johansson. "Rigorous high-precision computation of the Hurwitz zeta function and its derivatives." *Numer. Algorithms* 69, 2015.
public func zeta(_ s: Tensor, _ q: Tensor) -> Tensor {
  inDoublePrecision("zeta", [s, q]) { x in
    let isValid = (x[0] .> 1.0) .& (x[1] .> 0.0)
    let value = eulerMaclaurin(select(isValid, x[0], 2.0), select(isValid, x[1], 1.0))
    return select(isValid, value, select((x[0] .== 1.0) .& (x[1] .> 0.0), infinite, undefined))
  }
}

/// Riemann's ζ(s) for real s; +∞ at 1. For s < 0 by the reflection ζ(s) = 2ˢ πˢ⁻¹ sin(πs/2) Γ(1 - s) ζ(1 - s).
public func zeta(_ s: Tensor) -> Tensor {
  inDoublePrecision("zeta", [s]) { x in
    let s = x[0]
    let isPole = s .== 1.0
    let isReflected = s .< 0.0
    let direct = eulerMaclaurin(select(isReflected .| isPole, 2.0, s), s * 0.0 + 1.0)
    let r = 1.0 - select(isReflected, s, -1.0)
    let sine = sineOfHalfTurns(select(isReflected, s, -1.0) * 0.5)
    let reflected = 2.0 * exp(logGamma(r) - r * 1.8378770664093453) * sine * eulerMaclaurin(r, s * 0.0 + 1.0)
    return select(isPole, infinite, select(isReflected, reflected, direct))
  }
}

/// Σ of the first terms + the integral of the rest, half a term, and corrections by odd derivatives.
private func eulerMaclaurin(_ s: Tensor, _ q: Tensor) -> Tensor {
  var sum = s * 0.0
  for k in 0..<12 { sum = sum + exp(-(s * log(q + Double(k)))) }
  let n = q + 12.0
  let power = exp(-(s * log(n)))
  sum = sum + power * (n / (s - 1.0) + 0.5)
  // B₂ₖ / (2k)!
  let coefficients: [Double] = [
    1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000, 1.0 / 74724249600,
    -3617.0 / 10670622842880000, 43867.0 / 5109094217170944000,
  ]
  let inverse = reciprocal(n)
  var factor = s * inverse
  for (k, c) in coefficients.enumerated() {
    sum = sum + power * factor * c
    let i = Double(2 * k + 1)
    factor = factor * ((s + i) * (s + (i + 1)) * inverse.squared())
  }
  return sum
}

/// ψ⁽ⁿ⁾(x), the n-th derivative of ψ: ``digamma(_:)`` for n = 0.
///
/// (-1)ⁿ⁺¹ n! ζ(n + 1, x) for x > 0, for x < 0 by reflection with the derivatives of π cot πx; at the poles 0, -1, … NaN for even n and
/// +∞ for odd n.
///
/// - Parameters:
///   - n: 0 or more.
///   - x: real.
public func polygamma(_ n: Int, _ x: Tensor) -> Tensor {
  guard n >= 0 else { return reject1("polygamma", "the order \(n) must be 0 or more.", like: x.type) }
  if n == 0 { return digamma(x) }
  return inDoublePrecision("polygamma", [x]) { polygammaCall(n)($0[0]) }
}

private let polygammaCalls = Locked<[Int: ElementwiseCall]>([:])

private func polygammaCall(_ n: Int) -> ElementwiseCall {
  polygammaCalls.withLock { known in
    let call = known[n] ?? ElementwiseCall("polygamma\(n)", slopes: [{ x, _ in polygamma(n + 1, x[0]) }]) { polygammaValue(n, $0[0]) }
    known[n] = call
    return call
  }
}

private func polygammaValue(_ n: Int, _ x: Tensor) -> Tensor {
  let isPositive = x .> 0.0
  let z = select(isPositive, x, 1.0 - x)
  var factorial = 1.0
  for k in 1...n { factorial *= Double(k) }
  let sign: Double = n % 2 == 0 ? -1 : 1
  let positive = zeta(z * 0.0 + Double(n + 1), z) * (sign * factorial)
  // ψ⁽ⁿ⁾(x) = (-1)ⁿ ψ⁽ⁿ⁾(1 - x) - dⁿ/dxⁿ π cot πx, the derivative a polynomial in c = cot πx: c′ = -π (1 + c²).
  var cotangent: [Double] = [0, Double.pi]
  for _ in 0..<n {
    var next = [Double](repeating: 0, count: cotangent.count + 1)
    for (k, a) in cotangent.enumerated() where k > 0 {
      next[k - 1] -= Double.pi * Double(k) * a
      next[k + 1] -= Double.pi * Double(k) * a
    }
    cotangent = next
  }
  let fraction = select(isPositive, 0.25, x - round(x))
  let isPole = .!isPositive .& (fraction .== 0.0)
  let c = reciprocal(tan(select(isPole, 0.25, fraction) * Double.pi))
  let reflected = positive * (n % 2 == 0 ? 1.0 : -1.0) - polynomial(cotangent, c)
  return select(isPositive, positive, select(isPole, n % 2 == 0 ? undefined : infinite, reflected))
}
