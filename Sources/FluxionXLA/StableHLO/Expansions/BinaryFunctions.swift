internal import FluxionCore

extension Binary {
  func expanded(_ a: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .divide: return ComplexParts(a).divided(by: ComplexParts(b)).tensor(a.elementType)
    case .power where a.elementType.isInteger: return integerPower(a, b)
    case .power: return ComplexParts(a).raised(to: ComplexParts(b)).tensor(a.elementType)
    case .nextAfter: return next(a, b)
    default: preconditionFailure("\(self) has a counterpart in StableHLO")
    }
  }
}

/// aᵇ modulo the type's range, by squaring. Negative exponents give the whole part of the quotient: 0 unless a is 1 or -1.
///
/// XLA's own power of integers looks at the lowest six bits of the exponent only.
private func integerPower(_ a: Tensor, _ b: Tensor) -> Tensor {
  let type = a.elementType
  let isSigned = type.kind == .signedInteger
  let one = Tensor(1, as: type)
  var (result, square) = (one.broadcast(to: a.shape), a)
  let bits = 8 * type.byteCount - (isSigned ? 1 : 0)
  for bit in 0..<bits {
    let isTaken = ((b &>> Tensor(Double(bit), as: type)) .& one) .== one
    result = select(isTaken, result * square, result)
    if bit < bits - 1 { square = square * square }
  }
  guard isSigned else { return result }
  let minusOne = Tensor(-1, as: type)
  let isEven = (b .& one) .== Tensor(0, as: type)
  let ofMinusOne = select(isEven, one, minusOne)
  let inverse = select(a .== one, one, select(a .== minusOne, ofMinusOne, Tensor(0, as: type)))
  return select(b .< Tensor(0, as: type), inverse, result)
}

/// The pattern of bits without sign, counted up or down by one: numbers of one sign follow one another as their patterns do.
private func next(_ a: Tensor, _ b: Tensor) -> Tensor {
  let type = a.elementType
  let bits: ElementType =
    switch type.byteCount {
    case 1: .uint8
    case 2: .uint16
    case 4: .uint32
    default: .uint64
    }
  let pattern = a.bitcast(to: bits)
  let one = Tensor(1, as: bits)
  let sign = one &<< Tensor(Double(8 * type.byteCount - 1), as: bits)
  let isAway = (a .< b) .== (a .> 0)
  let moved = select(isAway, pattern + one, pattern - one)
  // Off zero it is the least number, with the sign of the direction.
  let offZero = select(b .> 0, one, one .| sign)
  let result = select(a .== 0, offZero, moved).bitcast(to: type)
  let isNeither = isNaN(a) .| isNaN(b)
  return select(isNeither, Tensor(Double.nan, as: type), select(a .== b, b, result))
}
