// Elementwise functions. Functions of real numbers convert integers to `f32` first; two operands are promoted to one element type
// (``ElementType/promoted(_:_:)``) and broadcast under NumPy's rule.

extension Tensor {
  /// Integers and truth values as `f32`; what already has a fraction as it is.
  package var asReal: Tensor {
    let x = resolved(meeting: .float32)
    return x.elementType.isDifferentiable ? x : x.converted(to: .float32)
  }

  /// The elements converted, with one rounding to nearest, ties to even, wherever a real type cannot hold them.
  ///
  /// Reals to integers: fractions are cut toward zero, what is out of range saturates, NaN becomes 0. Integers to integers wrap.
  /// Anything to a truth value is whether it differs from 0. Of complex numbers the real part is taken.
  public func converted(to elementType: ElementType) -> Tensor {
    if case .literal = payload { return resolved(meeting: elementType).converted(to: elementType) }
    return self.elementType == elementType ? self : apply1(.convert(elementType), self)
  }

  package func unary(_ f: Unary) -> Tensor {
    if f == .negate, case let .literal(value) = payload, let negated = value.negated { return Tensor(type, .literal(negated)) }
    return atOnce(f, self) ?? apply1(.unary(f), resolved(meeting: nil))
  }
}

/// Two operands brought to one element type and one shape.
package func matched(_ a: Tensor, _ b: Tensor, _ operation: @autoclosure () -> String) -> (Tensor, Tensor) {
  var x = a.resolved(meeting: b.elementType)
  var y = b.resolved(meeting: x.elementType)
  if case .literal = a.payload, case .literal = b.payload, a.elementType != b.elementType {
    x = a.resolved(meeting: .float32)
    y = b.resolved(meeting: .float32)
  }
  if x.elementType != y.elementType {
    let common = ElementType.promoted(x.elementType, y.elementType)
    x = x.converted(to: common)
    y = y.converted(to: common)
  }
  if x.shape == y.shape { return (x, y) }
  guard let shape = Shape.broadcast(x.shape, y.shape) else {
    let error = ProgramError(
      operation(),
      "shapes \(x.shape) and \(y.shape) cannot be broadcast together. Axes must be equal or 1, counted from the last.")
    let poison = reject(error, likes: [x.type])[0]
    return (poison, poison)
  }
  return (x.broadcast(to: shape), y.broadcast(to: shape))
}

package func binary(_ f: Binary, _ a: Tensor, _ b: Tensor) -> Tensor {
  if let folded = foldedLiterals(f, a, b) { return folded }
  if GraphBuilder.current == nil, !NaNSearch.isActive,
    let result = atOnce(f, a.resolved(meeting: b.elementType), b.resolved(meeting: a.elementType))
  {
    return result
  }
  let (x, y) = matched(a, b, "\(f)")
  return apply1(.binary(f), x, y)
}

/// Sums, differences, products and quotients of two numbers written in the program are such numbers too: in `(1 - β) * x` the
/// difference must not be rounded to `f32` before it meets x. The compiler is free to read it as one of tensors.
private func foldedLiterals(_ f: Binary, _ a: Tensor, _ b: Tensor) -> Tensor? {
  guard case let .literal(x) = a.payload, case let .literal(y) = b.payload else { return nil }
  if case let (.integer(m), .integer(n)) = (x, y) {
    let (value, overflows) =
      switch f {
      case .add: m.addingReportingOverflow(n)
      case .subtract: m.subtractingReportingOverflow(n)
      case .multiply: m.multipliedReportingOverflow(by: n)
      default: (0, true)
      }
    return overflows ? nil : Tensor(TensorType([], .int32), .literal(.integer(value)))
  }
  let value: Double
  switch f {
  case .add: value = x.double + y.double
  case .subtract: value = x.double - y.double
  case .multiply: value = x.double * y.double
  case .divide: value = x.double / y.double
  default: return nil
  }
  return Tensor(TensorType([], .float32), .literal(.real(value)))
}

extension Tensor.Literal {
  /// Nil for the least integer, whose negative there is not.
  fileprivate var negated: Self? {
    switch self {
    case let .integer(value): value == .min ? nil : .integer(-value)
    case let .real(value): .real(-value)
    }
  }
}

package func compare(_ c: Comparison, _ a: Tensor, _ b: Tensor) -> Tensor {
  let (x, y) = matched(a, b, "\(c)")
  return apply1(.compare(c), x, y)
}

// MARK: - Operators

extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor { binary(.add, a, b) }
  public static func - (a: Tensor, b: Tensor) -> Tensor { binary(.subtract, a, b) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { binary(.multiply, a, b) }
  /// Division. Integers divide toward zero; by zero gives -1, as in XLA.
  public static func / (a: Tensor, b: Tensor) -> Tensor { binary(.divide, a, b) }
  /// The remainder of division toward zero, with the dividend's sign.
  public static func % (a: Tensor, b: Tensor) -> Tensor { binary(.remainder, a, b) }
  public static prefix func - (a: Tensor) -> Tensor { a.unary(.negate) }
  public static prefix func + (a: Tensor) -> Tensor { a }

  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }

  // A `Double` variable beside a tensor takes the tensor's element type, as a literal does. Literals themselves prefer `Tensor`.
  @_disfavoredOverload public static func + (a: Tensor, b: Double) -> Tensor { a + Tensor(floatLiteral: b) }
  @_disfavoredOverload public static func + (a: Double, b: Tensor) -> Tensor { Tensor(floatLiteral: a) + b }
  @_disfavoredOverload public static func - (a: Tensor, b: Double) -> Tensor { a - Tensor(floatLiteral: b) }
  @_disfavoredOverload public static func - (a: Double, b: Tensor) -> Tensor { Tensor(floatLiteral: a) - b }
  @_disfavoredOverload public static func * (a: Tensor, b: Double) -> Tensor { a * Tensor(floatLiteral: b) }
  @_disfavoredOverload public static func * (a: Double, b: Tensor) -> Tensor { Tensor(floatLiteral: a) * b }
  @_disfavoredOverload public static func / (a: Tensor, b: Double) -> Tensor { a / Tensor(floatLiteral: b) }
  @_disfavoredOverload public static func / (a: Double, b: Tensor) -> Tensor { Tensor(floatLiteral: a) / b }

  // Comparisons give truth values element by element, so they carry a dot, like SIMD's.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { compare(.equal, a, b) }
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { compare(.notEqual, a, b) }
  public static func .< (a: Tensor, b: Tensor) -> Tensor { compare(.less, a, b) }
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { compare(.lessOrEqual, a, b) }
  public static func .> (a: Tensor, b: Tensor) -> Tensor { compare(.greater, a, b) }
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { compare(.greaterOrEqual, a, b) }
  public static func .& (a: Tensor, b: Tensor) -> Tensor { binary(.and, a, b) }
  public static func .| (a: Tensor, b: Tensor) -> Tensor { binary(.or, a, b) }
  public static func .^ (a: Tensor, b: Tensor) -> Tensor { binary(.xor, a, b) }
  public static prefix func .! (a: Tensor) -> Tensor { a.unary(.not) }
  public static func &<< (a: Tensor, b: Tensor) -> Tensor { binary(.shiftLeft, a, b) }
  /// Shifts right, bringing in zeros for every integer type.
  public static func &>> (a: Tensor, b: Tensor) -> Tensor { binary(.shiftRightLogical, a, b) }
}

// MARK: - Functions

// Of complex numbers the functions are C's principal values; <doc:ComplexNumbers> states cuts, accuracy and derivatives.

public func abs(_ x: Tensor) -> Tensor { x.unary(.abs) }
/// -1, 0 or 1; NaN stays. Its derivative is 0. Of complex numbers z / |z|, and 0 at 0.
public func sign(_ x: Tensor) -> Tensor { x.unary(.sign) }
public func exp(_ x: Tensor) -> Tensor { x.asReal.unary(.exp) }
public func expm1(_ x: Tensor) -> Tensor { x.asReal.unary(.expm1) }
public func log(_ x: Tensor) -> Tensor { x.asReal.unary(.log) }
public func log1p(_ x: Tensor) -> Tensor { x.asReal.unary(.log1p) }
/// The square root. At 0, where the slope is infinite, the derivative is taken as 0.
public func sqrt(_ x: Tensor) -> Tensor { x.asReal.unary(.sqrt) }
/// 1/√x. At 0 the derivative is taken as 0.
public func rsqrt(_ x: Tensor) -> Tensor { x.asReal.unary(.rsqrt) }
/// The cube root, of complex numbers the principal one. At 0 the derivative is taken as 0.
public func cbrt(_ x: Tensor) -> Tensor { x.asReal.unary(.cbrt) }
public func reciprocal(_ x: Tensor) -> Tensor { x.asReal.unary(.reciprocal) }
public func sin(_ x: Tensor) -> Tensor { x.asReal.unary(.sin) }
public func cos(_ x: Tensor) -> Tensor { x.asReal.unary(.cos) }
public func tan(_ x: Tensor) -> Tensor { x.asReal.unary(.tan) }
public func asin(_ x: Tensor) -> Tensor { x.asReal.unary(.asin) }
public func acos(_ x: Tensor) -> Tensor { x.asReal.unary(.acos) }
public func atan(_ x: Tensor) -> Tensor { x.asReal.unary(.atan) }
public func sinh(_ x: Tensor) -> Tensor { x.asReal.unary(.sinh) }
public func cosh(_ x: Tensor) -> Tensor { x.asReal.unary(.cosh) }
public func tanh(_ x: Tensor) -> Tensor { x.asReal.unary(.tanh) }
public func asinh(_ x: Tensor) -> Tensor { x.asReal.unary(.asinh) }
public func acosh(_ x: Tensor) -> Tensor { x.asReal.unary(.acosh) }
public func atanh(_ x: Tensor) -> Tensor { x.asReal.unary(.atanh) }
/// 1 / (1 + e⁻ˣ).
public func sigmoid(_ x: Tensor) -> Tensor { x.asReal.unary(.logistic) }
public func erf(_ x: Tensor) -> Tensor { x.asReal.unary(.erf) }
public func erfc(_ x: Tensor) -> Tensor { x.asReal.unary(.erfc) }
public func erfInverse(_ x: Tensor) -> Tensor { x.asReal.unary(.erfInverse) }
/// log |Γ(x)|.
public func logGamma(_ x: Tensor) -> Tensor { x.asReal.unary(.logGamma) }
/// ψ(x), the derivative of log Γ.
public func digamma(_ x: Tensor) -> Tensor { x.asReal.unary(.digamma) }
/// ψ′(x).
public func trigamma(_ x: Tensor) -> Tensor { x.asReal.unary(.trigamma) }
public func floor(_ x: Tensor) -> Tensor { x.unary(.floor) }
public func ceil(_ x: Tensor) -> Tensor { x.unary(.ceil) }
/// To the nearest integer, halves to the even one.
public func round(_ x: Tensor) -> Tensor { x.unary(.round) }
public func trunc(_ x: Tensor) -> Tensor { x.unary(.truncate) }
public func isFinite(_ x: Tensor) -> Tensor { x.unary(.isFinite) }
public func isNaN(_ x: Tensor) -> Tensor { x.unary(.isNaN) }
/// The number of one bits of each integer.
public func populationCount(_ x: Tensor) -> Tensor { x.unary(.populationCount) }
/// The number of zero bits above the highest one bit of each integer; of 0 the width of its type.
public func countLeadingZeros(_ x: Tensor) -> Tensor { x.unary(.countLeadingZeros) }
/// The identity, through which no derivative flows.
public func stopGradient(_ x: Tensor) -> Tensor { x.unary(.stopGradient) }

/// xʸ. At x = 0 the derivatives are taken as finite: with respect to y it is 0, and with respect to x the limit where that is finite
/// (0 for y > 1, 1 for y = 1, 0 for y = 0), else 0. Of complex numbers exp(y log x), by repeated products for whole y up to 64.
public func pow(_ x: Tensor, _ y: Tensor) -> Tensor {
  if case let .literal(literal) = y.payload, x.elementType.isDifferentiable {
    let exponent = literal.double
    if exponent == 2 { return x.squared() }
    if exponent == 1 { return x }
    if exponent == 0.5 { return sqrt(x) }
  }
  return binary(.power, x, y)
}
/// The angle of the point (x, y), in (-π, π]. At the origin the derivatives are taken as 0.
public func atan2(_ y: Tensor, _ x: Tensor) -> Tensor { binary(.atan2, y.asReal, x) }
/// The smaller of each pair; NaN if either is. Where both are equal each gets half the derivative.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { binary(.minimum, a, b) }
/// The larger of each pair; NaN if either is. Where both are equal each gets half the derivative.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { binary(.maximum, a, b) }
/// Shifts a right by b places, bringing in copies of the sign: ⌊a / 2ᵇ⌋ of signed integers.
public func arithmeticShiftRight(_ a: Tensor, _ b: Tensor) -> Tensor { binary(.shiftRightArithmetic, a, b) }
/// The next representable number after `a` in the direction of `b`.
public func nextAfter(_ a: Tensor, _ b: Tensor) -> Tensor { binary(.nextAfter, a, b) }

/// `ifTrue` where the condition holds, else `ifFalse`. A derivative flows only through the branch taken: what the other one holds,
/// NaN included, never reaches it.
public func select(_ condition: Tensor, _ ifTrue: Tensor, _ ifFalse: Tensor) -> Tensor {
  let (a, b) = matched(ifTrue, ifFalse, "select")
  guard let shape = Shape.broadcast(condition.shape, a.shape) else {
    return reject1(
      "select", "condition \(condition.shape) and branches \(a.shape) cannot be broadcast together.", like: a.type)
  }
  return apply1(.select, condition.broadcast(to: shape), a.broadcast(to: shape), b.broadcast(to: shape))
}

/// Elements moved into [low, high]. The derivative is 1 inside and on the bounds, 0 outside.
public func clamp(_ x: Tensor, _ low: Tensor, _ high: Tensor) -> Tensor {
  let l = low.resolved(meeting: x.elementType).converted(to: x.elementType).broadcast(to: x.shape)
  let h = high.resolved(meeting: x.elementType).converted(to: x.elementType).broadcast(to: x.shape)
  return apply1(.clamp, l, x, h)
}

extension Tensor {
  public func squared() -> Tensor { unary(.square) }
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    clamp(self, Tensor(floatLiteral: range.lowerBound), Tensor(floatLiteral: range.upperBound))
  }
  /// The same bits read as another type of the same width.
  public func bitcast(to elementType: ElementType) -> Tensor { apply1(.bitcast(elementType), resolved(meeting: nil)) }
  /// The real part; real numbers are their own.
  public var real: Tensor { unary(.real) }
  /// The imaginary part; 0 of real numbers.
  public var imaginary: Tensor { unary(.imaginary) }
  /// x - iy of x + iy; real numbers are their own.
  public func conjugate() -> Tensor { unary(.conjugate) }
}

/// A complex tensor from its parts, broadcast: `f32` parts give `complex64`, `f64` parts `complex128`.
public func complex(_ real: Tensor, _ imaginary: Tensor) -> Tensor {
  let (a, b) = matched(real.asReal, imaginary, "complex")
  return apply1(.complex, a, b)
}

/// max(0, x); its derivative at 0 is 0.
public func relu(_ x: Tensor) -> Tensor {
  let x = x.resolved(meeting: nil)
  return select(x .> 0, x, 0)
}
/// x · sigmoid(x).
public func silu(_ x: Tensor) -> Tensor { x * sigmoid(x) }
/// x Φ(x) with the exact Gaussian distribution function.
public func gelu(_ x: Tensor) -> Tensor { x * (erf(x * 0.7071067811865476) + 1) * 0.5 }
/// log(1 + eˣ), without overflow.
public func softplus(_ x: Tensor) -> Tensor {
  let x = x.asReal
  return maximum(x, 0) + log1p(exp(-abs(x)))
}
