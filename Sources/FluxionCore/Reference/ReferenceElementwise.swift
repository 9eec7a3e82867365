// Elementwise primitives. The scalar functions are methods of the primitives' own enums, one for each kind of element.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

func referenceUnary(_ f: Unary, _ x: ReferenceArray, _ type: TensorType) -> ReferenceArray {
  switch (f, x.elements) {
  case let (.isFinite, .real(v)): ReferenceArray(type, .integer(v.map { $0.isFinite ? 1 : 0 }))
  case let (.isFinite, .complex(v)): ReferenceArray(type, .integer(v.map { $0.isFinite ? 1 : 0 }))
  case let (.isFinite, .integer(v)): ReferenceArray(type, .integer(v.map { _ in 1 }))
  case let (.isNaN, .real(v)): ReferenceArray(type, .integer(v.map { $0.isNaN ? 1 : 0 }))
  case let (.isNaN, .complex(v)): ReferenceArray(type, .integer(v.map { $0.isNaN ? 1 : 0 }))
  case let (.isNaN, .integer(v)): ReferenceArray(type, .integer(v.map { _ in 0 }))
  case let (.abs, .complex(v)): ReferenceArray(type, .real(v.map(\.magnitude)))
  case let (.real, .complex(v)): ReferenceArray(type, .real(v.map(\.re)))
  case let (.imaginary, .complex(v)): ReferenceArray(type, .real(v.map(\.im)))
  case let (_, .real(v)): ReferenceArray(type, .real(v.map { f.real($0) }))
  case let (_, .integer(v)): ReferenceArray(type, .integer(v.map { f.integer($0, x.elementType) }))
  case let (_, .complex(v)): ReferenceArray(type, .complex(v.map { f.complex($0) }))
  }
}

func referenceBinary(_ f: Binary, _ a: ReferenceArray, _ b: ReferenceArray, _ type: TensorType) -> ReferenceArray {
  let element = type.elementType
  switch (a.elements, b.elements) {
  case let (.real(x), .real(y)): return ReferenceArray(type, .real(zip(x, y).map { f.real($0, $1, element) }))
  case let (.integer(x), .integer(y)): return ReferenceArray(type, .integer(zip(x, y).map { f.integer($0, $1, element) }))
  case let (.complex(x), .complex(y)): return ReferenceArray(type, .complex(zip(x, y).map { f.complex($0, $1) }))
  default: preconditionFailure("operands of two kinds")
  }
}

func referenceCompare(_ c: Comparison, _ a: ReferenceArray, _ b: ReferenceArray, _ type: TensorType) -> ReferenceArray {
  func truth<T: Comparable>(_ x: [T], _ y: [T]) -> [Int64] {
    zip(x, y).map { x, y in
      let holds =
        switch c {
        case .equal: x == y
        case .notEqual: x != y
        case .less: x < y
        case .lessOrEqual: x <= y
        case .greater: x > y
        case .greaterOrEqual: x >= y
        }
      return holds ? 1 : 0
    }
  }
  switch (a.elements, b.elements) {
  case let (.real(x), .real(y)): return ReferenceArray(type, .integer(truth(x, y)))
  case (.integer, .integer): return ReferenceArray(type, .integer(truth(a.orderedIntegers, b.orderedIntegers)))
  case let (.complex(x), .complex(y)):
    return ReferenceArray(type, .integer(zip(x, y).map { ($0 == $1) == (c == .equal) ? 1 : 0 }))
  default: preconditionFailure("operands of two kinds")
  }
}

func referenceSelect(_ condition: ReferenceArray, _ a: ReferenceArray, _ b: ReferenceArray) -> ReferenceArray {
  func choose<T>(_ x: [T], _ y: [T]) -> [T] {
    condition.integers.enumerated().map { i, holds in holds != 0 ? x[i] : y[i] }
  }
  switch (a.elements, b.elements) {
  case let (.real(x), .real(y)): return ReferenceArray(a.type, .real(choose(x, y)))
  case let (.integer(x), .integer(y)): return ReferenceArray(a.type, .integer(choose(x, y)))
  case let (.complex(x), .complex(y)): return ReferenceArray(a.type, .complex(choose(x, y)))
  default: preconditionFailure("operands of two kinds")
  }
}

// MARK: - Conversion

extension ReferenceArray {
  /// Fractions are cut toward zero, values out of range saturate, NaN becomes 0; integers wrap; of complex numbers the real part.
  func converted(_ type: TensorType) -> ReferenceArray {
    let target = type.elementType
    switch elements {
    case let .real(v):
      if target.isFloatingPoint {
        // At once to a small float: by way of `Float` a number could be rounded twice.
        let format = target.floatFormat
        return ReferenceArray(type, .real(format.map { format in v.map { format.rounded($0) } } ?? v))
      }
      if target.isComplex { return ReferenceArray(type, .complex(v.map { ComplexNumber($0, 0) })) }
      if target == .bool { return ReferenceArray(type, .integer(v.map { $0 != 0 ? 1 : 0 })) }
      return ReferenceArray(type, .integer(v.map { saturated($0, target) }))
    case let .integer(v):
      if target.isDifferentiable {
        let reals = v.map { nearest(to: $0, of: elementType, target.realPart) }
        return target.isComplex
          ? ReferenceArray(type, .complex(reals.map { ComplexNumber($0, 0) })) : ReferenceArray(type, .real(reals))
      }
      if target == .bool { return ReferenceArray(type, .integer(v.map { $0 != 0 ? 1 : 0 })) }
      return ReferenceArray(type, .integer(v))
    case let .complex(v):
      if target.isComplex { return ReferenceArray(type, .complex(v)) }
      if target == .bool { return ReferenceArray(type, .integer(v.map { $0.re != 0 || $0.im != 0 ? 1 : 0 })) }
      return ReferenceArray(TensorType(shape, .float64), .real(v.map(\.re))).converted(type)
    }
  }
}

private func saturated(_ x: Double, _ type: ElementType) -> Int64 {
  if x.isNaN { return 0 }
  let isSigned = type.kind == .signedInteger
  // Powers of two, which are doubles; the greatest integer need not be one.
  let end = Double(sign: .plus, exponent: 8 * type.byteCount - (isSigned ? 1 : 0), significand: 1)
  if x >= end { return type.wrapped(isSigned ? ~(Int64.min >> Int64(64 - 8 * type.byteCount)) : -1) }
  if isSigned { return x <= -end ? Int64.min >> Int64(64 - 8 * type.byteCount) : Int64(x) }
  return x <= 0 ? 0 : Int64(bitPattern: UInt64(x))
}

/// The number of type `target` nearest to an integer. Through `Double` a large integer would be rounded twice.
private func nearest(to x: Int64, of type: ElementType, _ target: ElementType) -> Double {
  let isUnsigned = type == .uint64
  switch target {
  case .float64: return isUnsigned ? Double(UInt64(bitPattern: x)) : Double(x)
  case .float32: return Double(isUnsigned ? Float(UInt64(bitPattern: x)) : Float(x))
  default:
    // Of what a double does not hold it is enough to know that there is something: the result has far fewer digits.
    let size = isUnsigned ? UInt64(bitPattern: x) : x.magnitude
    let kept = size < 1 << 53 ? Double(size) : Double(size >> 11 | (size & 2047 == 0 ? 0 : 1)) * 2048
    return target.floatFormat!.rounded(isUnsigned || x >= 0 ? kept : -kept)
  }
}

// MARK: - Scalar functions

/// Free, so that the bare names are the C library's and not the enum's.
private func realFunction(_ f: Unary, _ x: Double) -> Double {
  switch f {
  case .negate: -x
  case .abs: Swift.abs(x)
  case .sign: x > 0 ? 1 : x < 0 ? -1 : x
  case .exp: exp(x)
  case .expm1: expm1(x)
  case .log: log(x)
  case .log1p: log1p(x)
  case .sqrt: x.squareRoot()
  case .rsqrt: 1 / x.squareRoot()
  case .cbrt: cbrt(x)
  case .reciprocal: 1 / x
  case .square: x * x
  case .sin: sin(x)
  case .cos: cos(x)
  case .tan: tan(x)
  case .asin: asin(x)
  case .acos: acos(x)
  case .atan: atan(x)
  case .sinh: sinh(x)
  case .cosh: cosh(x)
  case .tanh: tanh(x)
  case .asinh: asinh(x)
  case .acosh: acosh(x)
  case .atanh: atanh(x)
  case .logistic: SpecialFunctions.logistic(x)
  case .erf: erf(x)
  case .erfc: erfc(x)
  case .erfInverse: SpecialFunctions.erfInverse(x)
  case .logGamma: SpecialFunctions.logGamma(x)
  case .digamma: SpecialFunctions.digamma(x)
  case .trigamma: SpecialFunctions.trigamma(x)
  case .floor: x.rounded(.down)
  case .ceil: x.rounded(.up)
  case .round: x.rounded(.toNearestOrEven)
  case .truncate: x.rounded(.towardZero)
  case .real, .conjugate, .stopGradient: x
  case .imaginary: 0
  case .not, .isFinite, .isNaN, .populationCount, .countLeadingZeros: preconditionFailure("\(f) gives no real number")
  }
}

extension Unary {
  func real(_ x: Double) -> Double { realFunction(self, x) }

  func integer(_ x: Int64, _ type: ElementType) -> Int64 {
    switch self {
    case .negate: 0 &- x
    case .abs: x < 0 && type != .uint64 ? 0 &- x : x
    case .sign: type == .uint64 ? (x == 0 ? 0 : 1) : x.signum()
    case .square: x &* x
    case .not: type == .bool ? 1 - x : ~x
    case .populationCount: Int64(type.unsigned(x).nonzeroBitCount)
    case .countLeadingZeros: Int64(type.unsigned(x).leadingZeroBitCount - (64 - 8 * type.byteCount))
    case .real, .conjugate, .stopGradient: x
    case .imaginary: 0
    default: preconditionFailure("\(self) takes no integers")
    }
  }
}

private func realPower(_ a: Double, _ b: Double) -> Double { pow(a, b) }
private func realAngle(_ y: Double, _ x: Double) -> Double { atan2(y, x) }

extension Binary {
  /// `type` matters to `nextAfter` only.
  func real(_ a: Double, _ b: Double, _ type: ElementType) -> Double {
    switch self {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .multiplyNoNaN: return a == 0 ? 0 : a * b
    case .divide: return a / b
    case .remainder: return fmod(a, b)
    case .power: return realPower(a, b)
    case .atan2: return realAngle(a, b)
    case .minimum:
      if a.isNaN || b.isNaN { return .nan }
      // -0 is less than 0 here, though they compare equal.
      return a == b ? (a.sign == .minus ? a : b) : Swift.min(a, b)
    case .maximum:
      if a.isNaN || b.isNaN { return .nan }
      return a == b ? (a.sign == .minus ? b : a) : Swift.max(a, b)
    case .nextAfter:
      if a.isNaN || b.isNaN { return .nan }
      if a == b { return b }
      if let format = type.floatFormat { return format.nextAfter(a, b) }
      if type == .float32 { return Double(a < b ? Float(a).nextUp : Float(a).nextDown) }
      return a < b ? a.nextUp : a.nextDown
    case .and, .or, .xor, .shiftLeft, .shiftRightLogical, .shiftRightArithmetic: preconditionFailure("\(self) takes no reals")
    }
  }

  /// The result may be wider than `type`; the array it is put into wraps it.
  func integer(_ a: Int64, _ b: Int64, _ type: ElementType) -> Int64 {
    let width = Int64(type.byteCount * 8)
    let isShiftable = b >= 0 && b < width
    if type == .uint64, let result = unsigned(UInt64(bitPattern: a), UInt64(bitPattern: b)) { return Int64(bitPattern: result) }
    switch self {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply, .multiplyNoNaN: return a &* b
    case .divide: return b == 0 ? -1 : b == -1 ? 0 &- a : a / b
    case .remainder: return b == 0 ? a : b == -1 ? 0 : a % b
    case .power: return SpecialFunctions.integerPower(a, b)
    case .minimum: return Swift.min(a, b)
    case .maximum: return Swift.max(a, b)
    case .and: return a & b
    case .or: return a | b
    case .xor: return a ^ b
    case .shiftLeft: return isShiftable ? a << b : 0
    case .shiftRightLogical:
      return isShiftable ? Int64(bitPattern: type.unsigned(a) >> UInt64(b)) : 0
    case .shiftRightArithmetic:
      // Of an unsigned number the highest bit is taken for the sign, as in StableHLO.
      let signed = type.signed(a)
      return isShiftable ? signed >> b : signed < 0 ? -1 : 0
    case .atan2, .nextAfter: preconditionFailure("\(self) takes no integers")
    }
  }

  /// What the signs of 64-bit numbers would make different; nil for what they would not.
  private func unsigned(_ a: UInt64, _ b: UInt64) -> UInt64? {
    switch self {
    case .divide: return b == 0 ? .max : a / b
    case .remainder: return b == 0 ? a : a % b
    case .minimum: return Swift.min(a, b)
    case .maximum: return Swift.max(a, b)
    case .power: return SpecialFunctions.integerPower(a, b)
    default: return nil
    }
  }

  func complex(_ a: ComplexNumber, _ b: ComplexNumber) -> ComplexNumber {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .multiplyNoNaN: a.re == 0 && a.im == 0 ? ComplexNumber(0, 0) : a * b
    case .divide: a / b
    case .power: ComplexNumber.power(a, b)
    default: preconditionFailure("\(self) takes no complex numbers")
    }
  }
}
