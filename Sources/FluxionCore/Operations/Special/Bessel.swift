// Bessel functions of whole order: integrals over an angle by the trapezoidal rule, which converges exponentially for periodic
// functions, and Hankel's expansions for large arguments.
//
// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 9.1.20, 9.2.5, 9.6.18, 9.6.24, 9.7.1; for the rule, L. N. Trefethen,
// > J. A. C. Weideman. "The exponentially convergent trapezoidal rule." *SIAM Review* 56(3), 2014.

/// J₀(x), about 10⁻¹⁶ of the amplitude √(2/πx) wrong (and what reducing the argument costs).
public func besselJ0(_ x: Tensor) -> Tensor { besselJ(0, x) }
public func besselJ1(_ x: Tensor) -> Tensor { besselJ(1, x) }
/// Y₀(x) for x > 0; -∞ at 0, NaN below. About 10⁻¹⁶ of the amplitude wrong, as J is.
public func besselY0(_ x: Tensor) -> Tensor { besselY(0, x) }
public func besselY1(_ x: Tensor) -> Tensor { besselY(1, x) }
/// I₀(x); relative error about 10⁻¹⁵, as of all I and K.
public func besselI0(_ x: Tensor) -> Tensor { besselI(0, x) }
public func besselI1(_ x: Tensor) -> Tensor { besselI(1, x) }
/// e^-|x| I₀(x), which does not overflow.
public func besselI0e(_ x: Tensor) -> Tensor { inDoublePrecision("besselI0e", [x]) { BesselKind.scaledI.call(0)($0[0]) } }
public func besselI1e(_ x: Tensor) -> Tensor { inDoublePrecision("besselI1e", [x]) { BesselKind.scaledI.call(1)($0[0]) } }
/// K₀(x) for x > 0; +∞ at 0, NaN below.
public func besselK0(_ x: Tensor) -> Tensor { besselK(0, x) }
public func besselK1(_ x: Tensor) -> Tensor { besselK(1, x) }

/// Jₙ(x), the Bessel function of the first kind.
///
/// - Parameters:
///   - n: the order, from 0 to 20.
///   - x: real.
public func besselJ(_ n: Int, _ x: Tensor) -> Tensor { bessel("besselJ", .j, n, x) }

/// Yₙ(x), the Bessel function of the second kind, for x > 0; -∞ at 0, NaN below. n from 0 to 20.
public func besselY(_ n: Int, _ x: Tensor) -> Tensor { bessel("besselY", .y, n, x) }

/// Iₙ(x), the modified Bessel function of the first kind; n from 0 to 20.
public func besselI(_ n: Int, _ x: Tensor) -> Tensor { bessel("besselI", .i, n, x) }

/// Kₙ(x), the modified Bessel function of the second kind; n from 0 to 20.
public func besselK(_ n: Int, _ x: Tensor) -> Tensor { bessel("besselK", .k, n, x) }

private func bessel(_ name: String, _ kind: BesselKind, _ n: Int, _ x: Tensor) -> Tensor {
  guard (0...20).contains(n) else { return reject1(name, "the order \(n) must be from 0 to 20.", like: x.type) }
  return inDoublePrecision(name, [x]) { kind.call(n)($0[0]) }
}

private struct BesselOrder: Hashable, Sendable {
  let kind: BesselKind
  let n: Int
}

private let besselCalls = Locked<[BesselOrder: ElementwiseCall]>([:])

/// Which function; the derivative of each is made of its neighbours in order.
private enum BesselKind: String, Hashable, Sendable {
  case j, y, i, scaledI, k

  func call(_ n: Int) -> ElementwiseCall {
    besselCalls.withLock { known in
      let order = BesselOrder(kind: self, n: n)
      let call =
        known[order] ?? ElementwiseCall("bessel.\(rawValue)\(n)", slopes: [{ x, r in self.slope(n, x[0], r) }]) { self.value(n, $0[0]) }
      known[order] = call
      return call
    }
  }

  private func slope(_ n: Int, _ x: Tensor, _ r: Tensor) -> Tensor {
    switch self {
    case .j, .y: n == 0 ? -call(1)(x) : 0.5 * (call(n - 1)(x) - call(n + 1)(x))
    case .i: n == 0 ? call(1)(x) : 0.5 * (call(n - 1)(x) + call(n + 1)(x))
    case .scaledI: (n == 0 ? call(1)(x) : 0.5 * (call(n - 1)(x) + call(n + 1)(x))) - sign(x) * r
    case .k: n == 0 ? -call(1)(x) : -0.5 * (call(n - 1)(x) + call(n + 1)(x))
    }
  }

  private func value(_ n: Int, _ x: Tensor) -> Tensor {
    let size = abs(x)
    switch self {
    case .j: return parity(n, x) * ordinary(n, size)
    case .y: return secondOrdinary(n, x)
    case .scaledI: return parity(n, x) * scaledModified(n, size)
    case .i: return exp(size) * BesselKind.scaledI.call(n)(x)
    case .k: return secondModified(n, x)
    }
  }

  /// -1 for negative x and odd n.
  private func parity(_ n: Int, _ x: Tensor) -> Tensor { n % 2 == 0 ? x * 0.0 + 1.0 : select(x .< 0.0, -1.0, 1.0) }
}

/// Nodes of the rule in the middle of its steps, along a new last axis.
private func angles(_ count: Int, upTo end: Double) -> Tensor { (arange(count, as: .float64) + 0.5) * (end / Double(count)) }

/// √π Γ(n + ½) 2ⁿ / π = (2n - 1)!!, the divisor of the mean of Poisson's integral.
private func oddFactorial(_ n: Int) -> Double { (0..<n).reduce(1.0) { $0 * Double(2 * $1 + 1) } }

func wholePower(_ x: Tensor, _ n: Int) -> Tensor { (0..<n).reduce(x * 0.0 + 1.0) { power, _ in power * x } }

/// Jₙ of x ≥ 0.
private func ordinary(_ n: Int, _ x: Tensor) -> Tensor {
  let limit = 25.0 + Double(n * n) / 2
  let isFar = x .> Tensor(floatLiteral: limit)
  let isNear = x .< Tensor(floatLiteral: Double(2 + n))
  // Poisson: xⁿ / (2n - 1)!! · mean of cos(x cos θ) sin²ⁿ θ, without cancellation for small x.
  let nearX = select(isNear, x, 1.0)
  let θ = angles(24 + n, upTo: .pi / 2)
  let near = wholePower(nearX, n) * (cos(nearX.expanded(at: -1) * cos(θ)) * wholePower(sin(θ), 2 * n)).mean(alongAxis: -1) / oddFactorial(n)
  // Bessel: mean of cos(nθ - x sin θ) over (0, π).
  let middleX = select(isNear .| isFar, 10.0, x)
  let φ = angles(40 + n + Int(limit) / 2, upTo: .pi)
  let middle = cos(φ * Double(n) - middleX.expanded(at: -1) * sin(φ)).mean(alongAxis: -1)
  let far = hankel(n, select(isFar, x, 100.0))
  return select(isNear, near, select(isFar, far, middle))
}

/// √(2/πx) (P cos χ - Q sin χ), χ = x - (n/2 + 1/4) π, the angle's cosine and sine from those of x.
private func hankel(_ n: Int, _ x: Tensor) -> Tensor {
  let inverse = reciprocal(x * 8.0)
  var (p, q) = (x * 0.0 + 1.0, x * 0.0)
  var term = x * 0.0 + 1.0
  let μ = Double(4 * n * n)
  for k in 1...16 {
    let odd = Double(2 * k - 1)
    term = term * inverse * ((μ - odd * odd) / Double(k))
    // Signs run + + - -: Q, P, Q, P …
    let signed = (k / 2) % 2 == 0 ? term : -term
    if k % 2 == 1 { q = q + signed } else { p = p + signed }
  }
  let (cosine, sine) = turned(n, x)
  return rsqrt(x) * 0.5641895835477563 * (p * cosine - q * sine)
}

/// √2 (cos χ, sin χ) of χ = x - (n/2 + 1/4) π: quarter turns of √2 (cos, sin)(x - π/4) = (c + s, s - c).
private func turned(_ n: Int, _ x: Tensor) -> (cosine: Tensor, sine: Tensor) {
  let (c, s) = (cos(x), sin(x))
  let (u, v) = (c + s, s - c)
  return switch n % 4 {
  case 0: (u, v)
  case 1: (v, -u)
  case 2: (-u, -v)
  default: (-v, u)
  }
}

/// Yₙ by the recurrence Yₙ₊₁ = (2n/x) Yₙ - Yₙ₋₁, upwards stable, from Y₀ and Y₁.
private func secondOrdinary(_ n: Int, _ x: Tensor) -> Tensor {
  let isInside = (x .> 0.0) .& isFinite(x)
  let inside = select(isInside, x, 1.0)
  var (value, below) = (secondOrdinaryOfFirstOrders(0, inside), inside * 0.0)
  if n > 0 { (value, below) = (secondOrdinaryOfFirstOrders(1, inside), value) }
  for k in 1..<Swift.max(n, 1) {
    // What has overflowed stays so.
    (value, below) = (select(value .== -infinite, value, value * (Double(2 * k) / inside) - below), value)
  }
  return select(isInside, value, select(x .== infinite, 0.0, select(x .== 0.0, -infinite, undefined)))
}

/// Y₀ or Y₁ of x > 0: Neumann's series below 1.5, beyond it Hankel's integral
///
///     Hₙ(x) = √(2/πx) e^{iχ} / Γ(n + ½) · 2 ∫₀^∞ e^{-v²} v²ⁿ (1 + iv²/2x)^{n-½} dv,  χ = x - (n/2 + ¼) π,
///
/// by the trapezoidal rule: the nearest singularity lies √x from the real axis.
///
/// > *NIST Digital Library of Mathematical Functions*, 10.8.1, 10.9.
private func secondOrdinaryOfFirstOrders(_ n: Int, _ x: Tensor) -> Tensor {
  let isNear = x .< 1.5
  let near = select(isNear, x, 1.0), t = near.squared() * 0.25
  var (factorial, harmonic) = (1.0, 0.0)
  var (ofJ, ofRest) = ([Double](), [Double]())
  for k in 0..<16 {
    if k > 0 { (factorial, harmonic) = (factorial * Double(k), harmonic + 1 / Double(k)) }
    // (-1)ᵏ / (k! (k + n)!), and that times the harmonic numbers Hₖ + Hₖ₊ₙ.
    let c = (k % 2 == 0 ? 1 : -1) / (factorial * factorial * (n == 0 ? 1 : Double(k + 1)))
    ofJ.append(c)
    ofRest.append(c * (2 * harmonic + (n == 0 ? 0 : 1 / Double(k + 1))))
  }
  let half = near * 0.5, power = n == 0 ? near * 0.0 + 1.0 : half
  let logarithm = log(half) + 0.5772156649015329
  var series = (2.0 * logarithm * polynomial(ofJ, t) - polynomial(ofRest, t)) * power
  if n == 1 { series = series - reciprocal(half) }
  let far = select(isNear, 2.0, x)
  let step = 0.15
  let v = (arange(42, as: .float64) + 0.5) * step, square = v.squared()
  let w = square / (2.0 * far).expanded(at: -1)
  let size = sqrt(1.0 + w.squared())
  // √(1 + iw) = p + iq; its reciprocal is (p - iq) / size.
  let p = sqrt((size + 1.0) * 0.5), q = w * 0.5 / p
  let weights = exp(-square) * (n == 0 ? square * 0.0 + 1.0 : 2.0 * square) * (2 * step / Double.pi.squareRoot())
  let (a, b) =
    n == 0
    ? ((weights * (p / size)).sum(alongAxis: -1), -(weights * (q / size)).sum(alongAxis: -1))
    : ((weights * p).sum(alongAxis: -1), (weights * q).sum(alongAxis: -1))
  let (cosine, sine) = turned(n, far)
  let wave = rsqrt(far) * 0.5641895835477563 * (a * sine + b * cosine)
  return select(isNear, series * (1 / Double.pi), wave)
}

/// e⁻ˣ Iₙ of x ≥ 0.
private func scaledModified(_ n: Int, _ x: Tensor) -> Tensor {
  let limit = 40.0 + Double(n * n)
  let isFar = x .> Tensor(floatLiteral: limit)
  // Poisson: xⁿ / (2n - 1)!! · mean of exp(x cos θ) sin²ⁿ θ; all terms are positive.
  let near = select(isFar, 1.0, x)
  let θ = angles(48 + 3 * n, upTo: .pi)
  let weights = exp(near.expanded(at: -1) * (cos(θ) - 1.0)) * wholePower(sin(θ), 2 * n)
  let close = wholePower(near, n) * weights.mean(alongAxis: -1) / oddFactorial(n)
  let large = select(isFar, x, 100.0)
  let inverse = reciprocal(large * -8.0)
  var (term, sum) = (x * 0.0 + 1.0, x * 0.0 + 1.0)
  let μ = Double(4 * n * n)
  for k in 1...16 {
    let odd = Double(2 * k - 1)
    term = term * inverse * ((μ - odd * odd) / Double(k))
    sum = sum + term
  }
  return select(isFar, rsqrt(large) * 0.3989422804014327 * sum, close)
}

/// Kₙ(x) = ∫₀^∞ exp(-x cosh t) cosh nt dt; for tiny x, where the integral grows long, its leading terms.
private func secondModified(_ n: Int, _ x: Tensor) -> Tensor {
  let isPositive = x .> 0.0
  let isTiny = x .< 1e-8
  let inside = select(isPositive .& .!isTiny, x, 1.0)
  // A quarter, or less where the integrand is narrower.
  let step = minimum(0.2, 0.6 * rsqrt(inside))
  let t = stopGradient(step).expanded(at: -1) * (arange(121, as: .float64) + 0.5)
  let z = inside.expanded(at: -1)
  let grown = Double(n) * t
  let excess = 2.0 * sinh(minimum(t, 300.0) * 0.5).squared()  // cosh t - 1
  let integrand = exp(-z * excess + grown) * (1.0 + exp(-2.0 * grown)) * 0.5
  let value = exp(-inside) * integrand.sum(alongAxis: -1) * stopGradient(step)
  let small = select(isPositive .& isTiny, x, 1e-9)
  let factorial = (1..<Swift.max(n, 2)).reduce(1.0) { $0 * Double($1) }
  let leading = n == 0 ? -log(small * 0.5) - 0.5772156649015329 : 0.5 * factorial * wholePower(2.0 / small, n)
  let edge = select(x .== 0.0, infinite, undefined)
  return select(isPositive, select(isTiny, leading, value), edge)
}
