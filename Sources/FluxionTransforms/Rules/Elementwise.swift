import FluxionCore

// Derivatives of the elementwise primitives, one line each: x, y operands, r the result, t a tangent.
// Functions that are constant between jumps (floor, sign, comparisons …) have no tangent: nil. The sign of a complex number is not.

func unaryTangent(_ f: Unary, _ x: Tensor, _ r: Tensor, _ t: Tensor) -> Tensor? {
  switch f {
  case .negate: return -t
  case .abs: return x.elementType.isComplex ? ((x.conjugate() * t).real / nonZero(r)) : t * sign(x)
  case .exp: return t * r
  case .expm1: return t * (r + 1)
  case .log: return t / x
  case .log1p: return t / (x + 1)
  case .sqrt: return t * guarded(r, 0.5 / nonZero(r))
  case .rsqrt: return t * guarded(x, -0.5 * r / nonZero(x))
  case .cbrt: return t * guarded(r, reciprocal(3 * nonZero(r).squared()))
  case .reciprocal: return -t * r.squared()
  case .square: return t * (2 * x)
  case .sin: return t * cos(x)
  case .cos: return -t * sin(x)
  case .tan: return t * (1 + r.squared())
  case .asin: return t * inverseSineSlope(x)
  case .acos: return -t * inverseSineSlope(x)
  case .atan: return t / (1 + x.squared())
  case .sinh: return t * cosh(x)
  case .cosh: return t * sinh(x)
  case .tanh: return t * (1 - r.squared())
  case .asinh: return t * rsqrt(onePlus(x.squared()))
  case .acosh: return t * (rsqrt(x - 1) * rsqrt(onePlus(x)))
  case .atanh: return t / (1 - x.squared())
  case .logistic: return t * (r * (1 - r))
  case .erf: return t * (exp(-x.squared()) * 1.1283791670955126)  // 2/√π
  case .erfc: return t * (exp(-x.squared()) * -1.1283791670955126)
  case .erfInverse: return t * (exp(r.squared()) * 0.886226925452758)  // √π/2
  case .logGamma: return t * digamma(x)
  case .digamma: return t * trigamma(x)
  case .trigamma: return t * polygamma(2, x)
  case .real: return t.real
  case .imaginary: return t.imaginary
  case .conjugate: return t.conjugate()
  case .sign where x.elementType.isComplex:
    // Along a circle only: what points outwards is taken off.
    let outward = (r.conjugate() * t).real
    let size = abs(x)
    return (t - r * outward) * guarded(size, reciprocal(nonZero(size)))
  case .sign, .floor, .ceil, .round, .truncate, .not, .isFinite, .isNaN, .populationCount, .countLeadingZeros, .stopGradient: return nil
  }
}

/// x with zeros replaced by ones, so that dividing by it is harmless where the quotient is not used.
private func nonZero(_ x: Tensor) -> Tensor { select(x .== 0, 1, x) }

/// `slope`, but 0 where x is 0: the stated subgradient of functions whose slope is infinite there.
private func guarded(_ x: Tensor, _ slope: Tensor) -> Tensor { select(x .== 0, 0, slope) }

/// 1 + x with the sign of a zero imaginary part kept, which a sum with 1 + 0i loses: it says on which side of a cut x lies.
private func onePlus(_ x: Tensor) -> Tensor { x.elementType.isComplex ? x - Tensor(floatLiteral: -1) : x + 1 }

/// 1/√(1 - x²); of complex numbers by factors, which stays on x's side of the cuts and loses nothing near ±1.
private func inverseSineSlope(_ x: Tensor) -> Tensor {
  x.elementType.isComplex ? rsqrt(-(x - 1)) * rsqrt(onePlus(x)) : rsqrt(1 - x.squared())
}

func binaryTangent(_ f: Binary, _ x: Tensor, _ y: Tensor, _ r: Tensor, _ tx: Tensor?, _ ty: Tensor?) -> Tensor? {
  switch f {
  case .add: return sum(tx, ty)
  case .subtract: return sum(tx, ty.map { -$0 })
  case .multiply: return sum(tx.map { $0 * y }, ty.map { $0 * x })
  case .multiplyNoNaN: return sum(tx.map { binary(.multiplyNoNaN, $0, y) }, ty.map { binary(.multiplyNoNaN, x, $0) })
  case .divide: return sum(tx.map { $0 / y }, ty.map { $0 * (-r / y) })
  case .remainder: return sum(tx, ty.map { $0 * -trunc(x / y) })
  case .power: return sum(tx.map { $0 * powerSlope(x, y) }, ty.map { $0 * guarded(x, r * log(nonZero(x))) })
  case .atan2:  // r = atan2(x, y)
    let square = x.squared() + y.squared()
    return sum(tx.map { $0 * (y / nonZero(square)) }, ty.map { $0 * (-x / nonZero(square)) })
  case .minimum: return extremeTangent(x .< y, x .> y, tx, ty)
  case .maximum: return extremeTangent(x .> y, x .< y, tx, ty)
  case .nextAfter: return tx
  case .and, .or, .xor, .shiftLeft, .shiftRightLogical, .shiftRightArithmetic: return nil
  }
}

/// y·x^(y-1), and 0 where x is 0 and the slope is infinite or empty (Re y < 1).
private func powerSlope(_ x: Tensor, _ y: Tensor) -> Tensor {
  let singular = (x .== 0) .& (y.real .< 1)
  return select(singular, 0, y * binary(.power, x, select(singular, 1, y - 1)))
}

/// The tangent of the operand that wins, of equals the mean. By `select`, so that the loser's tangent may be anything.
private func extremeTangent(_ first: Tensor, _ second: Tensor, _ tx: Tensor?, _ ty: Tensor?) -> Tensor {
  let like = tx ?? ty!
  let (a, b) = (tx ?? zerosLike(like), ty ?? zerosLike(like))
  return select(first, a, select(second, b, (a + b) * 0.5))
}

func choiceTangent(_ operation: Operation, _ x: [Tensor], _ r: Tensor, _ t: [Tensor?]) -> Tensor? {
  switch operation {
  case .select:
    return apply1(.select, x[0], t[1] ?? zerosLike(r), t[2] ?? zerosLike(r))
  case .clamp:  // low, x, high
    let zero = zerosLike(r)
    var tangent: Tensor? = t[1].map { select((x[1] .>= x[0]) .& (x[1] .<= x[2]), $0, zero) }
    tangent = sum(tangent, t[0].map { select(x[1] .< x[0], $0, zero) })
    return sum(tangent, t[2].map { select(x[1] .> x[2], $0, zero) })
  case let .convert(type):
    guard type.isDifferentiable, let t = t[0] else { return nil }
    return t.converted(to: type)
  case .complex: return complex(t[0] ?? zerosLike(x[0]), t[1] ?? zerosLike(x[1]))
  default: preconditionFailure("\(operation.name) is not a choice")
  }
}
