// Gamma and beta numbers, with derivatives with respect to their parameters.

extension Key {
  /// Gamma numbers of scale 1, density xᵅ⁻¹ e⁻ˣ / Γ(α). Multiply by the scale wanted.
  ///
  /// Marsaglia and Tsang's method for α ≥ 1; for α < 1 a number for α + 1 times u^(1/α). Derivatives with respect to α are the
  /// implicit ones, dx/dα = -(∂F/∂α) / p(x), exact up to a quadrature error near the rounding error. For α below about 0.02 in `f32`
  /// numbers may round to 0.
  ///
  /// - Parameters:
  ///   - shape: the shape of the result.
  ///   - concentration: α > 0; any shape that broadcasts to `shape`. Its element type, `f32` or `f64`, is the result's.
  /// - Note: Sources: G. Marsaglia, W. Tsang. "A simple method for generating gamma variables." *ACM TOMS* 26(3), 2000; M. Figurnov,
  ///   S. Mohamed, A. Mnih. "Implicit reparameterization gradients." *NeurIPS* 2018.
  public func gamma(_ shape: Shape, concentration: Tensor) -> Tensor { exp(logGammaNumbers(shape, concentration)) }

  /// Beta numbers, density xᵃ⁻¹ (1 - x)ᵇ⁻¹ / B(a, b): X / (X + Y) of two gamma numbers, in logarithms so that small parameters do not
  /// give 0 / 0. Differentiable with respect to `a` and `b`.
  ///
  /// - Parameters:
  ///   - shape: of the result.
  ///   - a: > 0; any shape that broadcasts to `shape`.
  ///   - b: > 0; likewise.
  public func beta(_ shape: Shape, _ a: Tensor, _ b: Tensor) -> Tensor {
    let (k1, k2) = split()
    return sigmoid(k1.logGammaNumbers(shape, a) - k2.logGammaNumbers(shape, b))
  }

  /// Logarithms of gamma numbers.
  private func logGammaNumbers(_ shape: Shape, _ concentration: Tensor) -> Tensor {
    let α = concentration.asReal.broadcast(to: shape)
    let (k1, k2) = split()
    let isSmall = α .< 1
    let raised = select(isSmall, α + 1, α)
    let x = gammaCall([k1.words, raised])
    // log u, finite: u is in (0, 1].
    let logarithm = log1p(-k2.unitInterval(shape, α.elementType, "gamma"))
    return log(x) + select(isSmall, logarithm / α, 0)
  }
}

/// The sampler for α ≥ 1 as a sub-program with its own derivative. Operands: the key's words, α; result shaped as α.
private func gammaCall(_ operands: [Tensor]) -> Tensor {
  staged(operands) { operands in
    let (body, captures) = traceGraph(operands.map(\.type)) { [marsagliaTsang(Key(words: $0[0]), $0[1])] }
    precondition(captures.isEmpty, "the sampler uses nothing but its operands")
    return apply(.call(Call(name: "gamma", body: body, rules: gammaRules)), operands)
  }[0]
}

private let gammaRules: CallRules = CallRules(
  tangent: { primals, tangents in
    let x = gammaCall(primals)
    return ([x], [tangents[1].map { $0 * gammaSlope(primals[1], x) }])
  },
  // The program is the same element by element, so mapping over it keeps its rules.
  batched: { _, _ in gammaRules })

/// A loop over attempts until every element has been accepted. An attempt fails with probability below 0.05, so the bound on
/// their number is never met (0.05⁶⁴); it keeps the loop finite when α is NaN.
private func marsagliaTsang(_ key: Key, _ α: Tensor) -> Tensor {
  let type = α.elementType
  let d = α - Tensor(1.0 / 3, as: type)
  let c = rsqrt(d) / 3
  struct Attempts: Codable {
    var number: Tensor
    var isDone: Tensor
    var v: Tensor
  }
  let start = Attempts(
    number: Tensor(Int32(0)), isDone: Tensor.zeros(α.shape, as: .bool), v: Tensor.ones(α.shape, as: type))
  let end = whileLoop(from: start, while: { ($0.isDone.all() .== Tensor(false)) .& ($0.number .< 64) }) { attempts in
    let (k1, k2) = key.fold(attempts.number).split()
    let x = k1.normal(α.shape, as: type)
    let logarithm = log1p(-k2.unitInterval(α.shape, type, "gamma"))
    let root = c * x + 1
    let v = root * root * root
    let isPositive = v .> 0
    let logV = log(select(isPositive, v, 1))
    let bound = x.squared() * 0.5 + d * (1 - v + logV)
    let isAccepted = isPositive .& (logarithm .< bound)
    let takes = isAccepted .& .!attempts.isDone
    return Attempts(number: attempts.number + 1, isDone: attempts.isDone .| isAccepted, v: select(takes, v, attempts.v))
  }
  return d * end.v
}

/// dx/dα of a gamma number x at fixed F(x; α).
///
/// With t = x e^∓ᵘ the integral of ∂p/∂α below or above x becomes
///
///     x ≤ α:  -x ∫₀^∞ exp(-αu + x(1 - e⁻ᵘ)) (log x - u - ψ(α)) du
///     x > α:   x ∫₀^∞ exp(αu - x(eᵘ - 1)) (log x + u - ψ(α)) du
///
/// whose weights fall monotonically from 1. Substituting u = w exp(s - e⁻ˢ), w the weight's width, the trapezoidal rule converges
/// exponentially.
private func gammaSlope(_ α: Tensor, _ x: Tensor) -> Tensor {
  let type = α.elementType
  let nodes = 81
  // s from -3.6 (u ≈ 10⁻¹⁷ w) to 4.2 (u ≈ 66 w).
  let step = 7.8 / Double(nodes - 1)
  let s = arange(nodes, as: type) * step - 3.6
  let decay = exp(-s)
  let spread = exp(s - decay)
  let jacobian = spread * (decay + 1)
  let (a, z) = (α.expanded(at: -1), x.expanded(at: -1))
  let isLower = z .<= a
  let width = reciprocal(abs(a - z) + sqrt(a))
  let u = width * spread
  let decaying = -expm1(-u)
  // Held below e⁷⁰⁰'s logarithm, so that the branch not taken stays finite.
  let growing = expm1(minimum(u, 60))
  let exponent = select(isLower, z * decaying - a * u, a * u - z * growing)
  let difference = log(z) - digamma(a)
  let factor = select(isLower, u - difference, difference + u)
  let weighted = exp(minimum(exponent, 0)) * factor
  let integral = (weighted * width * jacobian).sum(alongAxis: -1) * step
  return x * integral
}
