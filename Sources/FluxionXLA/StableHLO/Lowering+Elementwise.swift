internal import FluxionCore

extension FunctionWriter {
  /// Nil for functions that StableHLO lacks, or that its implementations do not give everywhere as the reference has them.
  func unary(_ f: Unary, _ x: Value, _ type: TensorType) -> Value? {
    func direct(_ name: String) -> Value { emit(name, x, result: type) }
    let isComplex = x.elementType.isComplex
    switch f {
    case .negate: return direct("negate")
    case .abs: return x.elementType.kind == .unsignedInteger ? x : isComplex ? nil : direct("abs")
    case .sign:
      guard x.elementType.kind == .unsignedInteger else { return isComplex ? nil : direct("sign") }
      return emit("minimum", x, full(1, type), result: type)
    case .square: return emit("multiply", x, x, result: type)
    case .exp: return isComplex ? nil : direct("exponential")
    case .expm1: return isComplex ? nil : direct("exponential_minus_one")
    case .log: return isComplex ? nil : direct("log")
    case .log1p: return isComplex ? nil : direct("log_plus_one")
    case .sqrt: return isComplex ? nil : direct("sqrt")
    case .rsqrt: return isComplex ? nil : direct("rsqrt")
    case .cbrt: return isComplex ? nil : direct("cbrt")
    case .reciprocal: return isComplex ? nil : emit("divide", full(1, type), x, result: type)
    case .sin: return isComplex ? nil : direct("sine")
    case .cos: return isComplex ? nil : direct("cosine")
    case .tanh: return isComplex ? nil : direct("tanh")
    case .logistic: return isComplex ? nil : direct("logistic")
    case .atan: return isComplex ? nil : emit("atan2", x, full(1, type), result: type)
    case .tan, .asin, .acos, .sinh, .cosh, .asinh, .acosh, .atanh: return nil
    case .erf, .erfc, .erfInverse, .logGamma, .digamma, .trigamma: return nil
    case .floor: return direct("floor")
    case .ceil: return direct("ceil")
    case .round: return direct("round_nearest_even")
    case .truncate: return select(compare(.less, x, zeros(x.type)), direct("ceil"), direct("floor"))
    case .not: return direct("not")
    case .populationCount: return direct("popcnt")
    case .countLeadingZeros: return direct("count_leading_zeros")
    case .isFinite: return isFinite(x)
    case .isNaN:
      if isComplex { return emit("or", isNaN(real(x)), isNaN(imaginary(x)), result: type) }
      return x.elementType.isFloatingPoint ? isNaN(x) : full(0, type)
    case .real: return real(x)
    case .imaginary: return isComplex ? imaginary(x) : zeros(type)
    case .conjugate:
      guard isComplex else { return x }
      let part = imaginary(x)
      return emit("complex", real(x), emit("negate", part, result: part.type), result: type)
    case .stopGradient: return x
    }
  }

  /// Nil for functions that StableHLO lacks.
  func binary(_ f: Binary, _ a: Value, _ b: Value, _ type: TensorType) -> Value? {
    func direct(_ name: String) -> Value { emit(name, a, b, result: type) }
    switch f {
    case .add: return direct("add")
    case .subtract: return direct("subtract")
    case .multiply: return direct("multiply")
    case .divide: return type.elementType.isComplex ? nil : direct("divide")
    case .remainder: return direct("remainder")
    case .power: return type.elementType.isFloatingPoint ? direct("power") : nil
    case .atan2: return direct("atan2")
    case .minimum: return direct("minimum")
    case .maximum: return direct("maximum")
    case .nextAfter: return nil
    case .and: return direct("and")
    case .or: return direct("or")
    case .xor: return direct("xor")
    case .shiftLeft: return direct("shift_left")
    case .shiftRightLogical: return direct("shift_right_logical")
    case .shiftRightArithmetic: return direct("shift_right_arithmetic")
    case .multiplyNoNaN: return select(compare(.equal, a, zeros(type)), zeros(type), direct("multiply"))
    }
  }

  /// Real numbers are their own.
  func real(_ x: Value) -> Value {
    x.elementType.isComplex ? emit("real", x, result: TensorType(x.shape, x.elementType.realPart)) : x
  }
  func imaginary(_ x: Value) -> Value { emit("imag", x, result: TensorType(x.shape, x.elementType.realPart)) }

  func isNaN(_ x: Value) -> Value { compare(.notEqual, x, x) }

  func isFinite(_ x: Value) -> Value {
    let truth = TensorType(x.shape, .bool)
    if x.elementType.isComplex { return emit("and", isFinite(real(x)), isFinite(imaginary(x)), result: truth) }
    return x.elementType.isFloatingPoint ? emit("is_finite", x, result: truth) : full(1, truth)
  }

  func compare(_ c: Comparison, _ a: Value, _ b: Value) -> Value {
    let direction =
      switch c {
      case .equal: "EQ"
      case .notEqual: "NE"
      case .less: "LT"
      case .lessOrEqual: "LE"
      case .greater: "GT"
      case .greaterOrEqual: "GE"
      }
    return emit(
      "compare", a, b,
      attributes: [
        "comparison_direction = #stablehlo<comparison_direction \(direction)>",
        "compare_type = #stablehlo<comparison_type \(a.elementType.comparisonType)>",
      ], result: TensorType(a.shape, .bool))
  }

  func select(_ condition: Value, _ a: Value, _ b: Value) -> Value { emit("select", condition, a, b, result: a.type) }

  /// Fractions are cut toward zero, what is out of range saturates, NaN becomes 0; integers wrap; of complex numbers the real part.
  func convert(_ x: Value, _ type: ElementType) -> Value {
    if x.elementType == type { return x }
    if x.elementType.isComplex, !type.isComplex {
      guard type == .bool else { return convert(real(x), type) }
      return compare(.notEqual, x, zeros(x.type))
    }
    return emit("convert", x, result: TensorType(x.shape, type))
  }
}
