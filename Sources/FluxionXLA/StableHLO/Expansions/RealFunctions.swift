// Functions of real numbers made of those that StableHLO has. They are computed in the operand's own type, `f32` or `f64`; narrower
// ones come here as `f32`.

internal import FluxionCore

func expandedRealFunction(_ f: Unary, _ x: Tensor) -> Tensor {
  switch f {
  case .tan: return sin(x) / cos(x)
  case .asin: return atan2(x, sqrt((1 - x) * (1 + x)))
  case .acos: return 2 * atan2(sqrt(1 - x), sqrt(1 + x))
  case .sinh: return odd(x) { hyperbolicSine($0) }
  case .cosh:
    // In two halves, because eˣ overflows before its half does.
    let half = exp(abs(x) * 0.5)
    return 0.5 * half * half + 0.5 * exp(-abs(x))
  case .asinh: return odd(x) { inverseHyperbolicSine($0) }
  case .acosh:
    let isLarge = x .> farOut(x)
    let t = select(isLarge, 1, x) - 1
    let result = select(isLarge, log(x) + 0.6931471805599453, log1p(t + sqrt(t * (t + 2))))
    return select(x .< 1, Tensor(Double.nan, as: x.elementType), result)
  case .atanh: return odd(x) { 0.5 * log1p(2 * $0 / (1 - $0)) }
  case .erf: return x.elementType == .float32 ? errorFunction(x) : inDoublePrecision(x, errorFunction)
  case .erfc: return inDoublePrecision(x, complementaryErrorFunction)
  case .erfInverse: return x.elementType == .float32 ? shortInverseErrorFunction(x) : inDoublePrecision(x, inverseErrorFunction)
  case .logGamma: return inDoublePrecision(x, logarithmOfGamma)
  case .digamma: return inDoublePrecision(x) { polygamma($0, order: 0) }
  case .trigamma: return inDoublePrecision(x) { polygamma($0, order: 1) }
  default: preconditionFailure("\(f) has a counterpart in StableHLO")
  }
}

/// What cancels and what has steep slopes is computed in `f64` and rounded once.
func inDoublePrecision(_ x: Tensor, _ f: (Tensor) -> Tensor) -> Tensor { f(x.converted(to: .float64)).converted(to: x.elementType) }

/// An odd function from its values for numbers ≥ 0; zeros keep their sign.
private func odd(_ x: Tensor, _ f: (Tensor) -> Tensor) -> Tensor {
  let y = f(abs(x))
  return select(x .== 0, x, select(x .< 0, -y, y))
}

/// From here on x² + 1 is x² to the last digit, and more.
private func farOut(_ x: Tensor) -> Tensor { Tensor(x.elementType == .float32 ? 0x1p14 : 0x1p29, as: x.elementType) }

private func hyperbolicSine(_ a: Tensor) -> Tensor {
  let (e, half) = (expm1(minimum(a, 22)), exp(a * 0.5))
  return select(a .< 22, 0.5 * (e + e / (e + 1)), 0.5 * half * half)
}

private func inverseHyperbolicSine(_ a: Tensor) -> Tensor {
  let isLarge = a .> farOut(a)
  let b = select(isLarge, 1, a)
  return select(isLarge, log(a) + 0.6931471805599453, log1p(b + b * b / (1 + sqrt(1 + b * b))))
}

// MARK: - Error functions

/// The power series of erf within [-1, 1], else 1 - erfc.
private func errorFunction(_ x: Tensor) -> Tensor {
  odd(x) { a in select(a .< 1, errorSeries(minimum(a, 1)), 1 - errorTail(maximum(a, 1))) }
}

private func complementaryErrorFunction(_ x: Tensor) -> Tensor {
  let a = abs(x)
  let tail = errorTail(maximum(a, 1))
  return select(a .< 1, 1 - errorSeries(clamp(x, -1, 1)), select(x .< 0, 2 - tail, tail))
}

/// erf x = 2/√π Σ (-1)ᵏ x²ᵏ⁺¹ / (k! (2k + 1)), which for |x| ≤ 1 needs no more than 18 terms.
private func errorSeries(_ x: Tensor) -> Tensor {
  var coefficients: [Double] = []
  var factor = 2 / Double.pi.squareRoot()
  for k in 0..<18 {
    coefficients.append(factor / Double(2 * k + 1))
    factor /= -Double(k + 1)
  }
  return x * polynomial(coefficients, x * x)
}

/// erfc x for x ≥ 1: e^(-x²) / (1 + 2x) times a Chebyshev series in t = (x - 3)/(x + 3), which is bounded for all x. (The form of
/// M. Shepherd, J. Laframboise, *Math. Comp.* 36, 1981; own fit, the terms left out being below 10⁻¹⁸.)
private func errorTail(_ x: Tensor) -> Tensor {
  // t runs from -1/2 to 1. At infinity it must not be ∞/∞.
  let t = 1 - 6 / (x + 3)
  let s = (t * 4 - 1) / 3
  let coefficients: [Double] = [
    1.214373361609205, -0.08560693623397121, -0.005999640519915682, 0.007801951554945334, -0.002715651717391105,
    0.0006115494911330234, -9.340626641960768e-05, 7.818816898966114e-06, 2.7197258578144536e-07, -1.6637239214618669e-07,
    1.3133701262332398e-08, 2.07542035983737e-09, -4.414871895735814e-10, -1.7967351720725818e-11, 1.1481428911555968e-11,
    -2.8074576907086666e-14, -3.012250832507557e-13, 7.106510509379412e-15, 8.542030419065633e-15, -2.329474517411265e-16,
    -2.6469669925725565e-16, 3.615875653084262e-18, 8.743829605157696e-18,
  ]
  // Clenshaw's recurrence.
  var (b1, b2) = (Tensor.zeros(x.shape, as: x.elementType), Tensor.zeros(x.shape, as: x.elementType))
  for c in coefficients.dropFirst().reversed() { (b1, b2) = (2 * s * b1 - b2 + c, b1) }
  let series = s * b1 - b2 + coefficients[0]
  // x² in two parts, of which the first is exact: its rounding would be e^(-x²)'s.
  let head = x.elementType == .float64 ? x.converted(to: .float32).converted(to: .float64) : round(x * 64) / 64
  let size = minimum(head, 32)
  let rest = select(head .> 30, 0, (x - head) * (x + head))
  return exp(-size * size) * exp(-rest) * (series / (1 + 2 * x))
}

/// Winitzki's closed form, then Halley's iteration on erf, or on erfc where 1 - |x| is the better datum.
///
/// > S. Winitzki. "A handy approximation for the error function and its inverse." 2008.
private func inverseErrorFunction(_ x: Tensor) -> Tensor {
  let end = Tensor(0x1.fffffffffffffp-1, as: .float64)
  return odd(x) { size in
    let inside = minimum(size, end)
    let a = 0.147
    let l = log1p(-inside * inside)
    let h = 2 / (Double.pi * a) + l * 0.5
    var y = sqrt((-l / a) / (sqrt(h * h - l / a) + h))
    for _ in 0..<3 {
      let error = select(inside .< 0.5, errorFunction(y) - inside, (1 - inside) - complementaryErrorFunction(y))
      let slope = (2 / Double.pi.squareRoot()) * exp(-y * y)
      y = y - error / (slope + y * error)
    }
    let limit = select(size .== 1, Tensor(Double.infinity, as: .float64), Tensor(Double.nan, as: .float64))
    return select(size .< 1, y, limit)
  }
}

/// For `f32`, of which normal random numbers are made: two polynomials in -log(1 - x²), within 4 ulp.
///
/// > M. Giles. "Approximating the erfinv function." *GPU Computing Gems*, Jade Edition, 2011, single precision.
private func shortInverseErrorFunction(_ x: Tensor) -> Tensor {
  let w = -log((1 - x) * (1 + x))
  func polynomial(_ t: Tensor, _ coefficients: [Double]) -> Tensor {
    coefficients.dropFirst().reduce(Tensor(coefficients[0], as: .float32)) { $0 * t + $1 }
  }
  let near = polynomial(
    w - 2.5,
    [
      2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727,
      1.50140941,
    ])
  let far = polynomial(
    sqrt(w) - 3,
    [
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
    ])
  return select(abs(x) .== 1, x * Tensor(Double.infinity, as: .float32), x * select(w .< 5, near, far))
}

// MARK: - Gamma functions

/// log |Γ(x)|: around 1 and 2, its zeros, a power series; Stirling's for what is greater, after a shift up to 10; reflection for what is
/// less than 1/2.
///
/// > M. Abramowitz, I. Stegun. *Handbook of Mathematical Functions*, 1964, 6.1.33, 6.1.41, 6.1.17.
private func logarithmOfGamma(_ x: Tensor) -> Tensor {
  let isReflected = x .< 0.5
  let z = select(isReflected, 1 - x, x)
  // (ζ(k) - 1) (-1)ᵏ / k.
  let zetas: [Double] = [
    0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986, 0.0028905103307415234,
    -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-05, -4.492623673813314e-05,
    2.050721277567069e-05, -9.439488275268397e-06, 4.374866789907488e-06, -2.039215753801366e-06, 9.55141213040742e-07,
    -4.492469198764566e-07, 2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08, -2.2711094608943164e-08,
    1.0838659214896955e-08, -5.183475041970047e-09, 2.4836745438024785e-09, -1.1921401405860912e-09, 5.731367241678862e-10,
    -2.7595228851242334e-10, 1.330476437424449e-10, -6.4229645638381e-11,
  ]
  let isNearOne = z .< 1.5
  let t = clamp(z - select(isNearOne, 1, 2), -0.5, 0.5)
  let near = polynomial([0, 0.42278433509846713] + zetas, t) - select(isNearOne, log1p(t), 0)
  let (shifted, product) = movedUp(z, to: 10, steps: 8, from: 1) { $0 * $1 }
  let w = 1 / shifted
  let series = w * polynomial([1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400], w * w)
  // (x - 1/2) log x - x, which at infinity must not be ∞ - ∞.
  let far = (shifted - 0.5) * (log(shifted) - 1) + (0.9189385332046727 - 0.5) + series - log(product)
  let above = select(z .< 2.5, near, far)
  // sin πx with the whole part of x taken off first. At 0, -1, -2 … it is 0, and the result infinite.
  let reflection = log(Double.pi / abs(sin(Double.pi * (x - round(x))))) - above
  let infinity = Tensor(Double.infinity, as: .float64)
  return select(abs(x) .== infinity, infinity, select(isReflected, reflection, above))
}

/// z ≥ 0 moved up by 1 until it is at least `limit`, in at most `steps` steps; and what `passing` makes of a total and the z's passed.
private func movedUp(
  _ z: Tensor, to limit: Double, steps: Int, from start: Double, _ passing: (_ total: Tensor, _ z: Tensor) -> Tensor
) -> (Tensor, Tensor) {
  var (z, total) = (z, Tensor(start, as: .float64).broadcast(to: z.shape))
  for _ in 0..<steps {
    let isBelow = z .< Tensor(limit, as: .float64)
    (z, total) = (select(isBelow, z + 1, z), select(isBelow, passing(total, z), total))
  }
  return (z, total)
}

/// ψ(x), NaN at its poles, or ψ′(x), +∞ there: reflection for x ≤ 0, the recurrence up to 12, then the asymptotic series.
///
/// > Abramowitz and Stegun, 6.3.5, 6.3.7, 6.3.18, 6.4.6, 6.4.7, 6.4.12.
private func polygamma(_ x: Tensor, order: Int) -> Tensor {
  let isReflected = x .<= 0
  let (z, passed) = movedUp(select(isReflected, 1 - x, x), to: 12, steps: 12, from: 0) { $0 + (order == 0 ? 1 / $1 : 1 / ($1 * $1)) }
  let w = 1 / (z * z)
  let turn = Double.pi * (x - round(x))
  if order == 0 {
    // Bₖ / k for k = 2, 4 …
    let series = w * polynomial([1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12, -3617.0 / 8160], w)
    let value = log(z) - 0.5 / z - series - passed
    let reflection = select(turn .== 0, Tensor(Double.nan, as: .float64), value - Double.pi / tan(turn))
    return select(isReflected, reflection, value)
  }
  // Bₖ for k = 2, 4 …
  let series = w * polynomial([1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510], w)
  let value = (1 + 0.5 / z + series) / z + passed
  let s = Double.pi / sin(turn)
  return select(isReflected, select(turn .== 0, Tensor(Double.infinity, as: .float64), s * s - value), value)
}

/// Σ cₖ xᵏ by Horner's rule.
private func polynomial(_ coefficients: [Double], _ x: Tensor) -> Tensor {
  let leading = Tensor(coefficients.last!, as: x.elementType).broadcast(to: x.shape)
  return coefficients.dropLast().reversed().reduce(leading) { $0 * x + Tensor($1, as: x.elementType) }
}
