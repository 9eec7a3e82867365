import CFluxionKernels
import FluxionCore

// Which instruction of the runtime stands for which primitive.

extension ElementType {
  /// The runtime numbers its types in the same order.
  var kernelType: fx_type { fx_type(rawValue: fx_type.RawValue(rawValue)) }
}

extension Unary {
  var kernel: fx_op? {
    switch self {
    case .negate: FX_NEG
    case .abs: FX_ABS
    case .sign: FX_SIGN
    case .exp: FX_EXP
    case .expm1: FX_EXPM1
    case .log: FX_LOG
    case .log1p: FX_LOG1P
    case .sqrt: FX_SQRT
    case .rsqrt: FX_RSQRT
    case .cbrt: FX_CBRT
    case .reciprocal: FX_RECIPROCAL
    case .square: FX_SQUARE
    case .sin: FX_SIN
    case .cos: FX_COS
    case .tan: FX_TAN
    case .asin: FX_ASIN
    case .acos: FX_ACOS
    case .atan: FX_ATAN
    case .sinh: FX_SINH
    case .cosh: FX_COSH
    case .tanh: FX_TANH
    case .asinh: FX_ASINH
    case .acosh: FX_ACOSH
    case .atanh: FX_ATANH
    case .logistic: FX_LOGISTIC
    case .erf: FX_ERF
    case .erfc: FX_ERFC
    case .erfInverse: FX_ERFINV
    case .logGamma: FX_LGAMMA
    case .digamma: FX_DIGAMMA
    case .trigamma: nil   // expanded before
    case .floor: FX_FLOOR
    case .ceil: FX_CEIL
    case .round: FX_ROUND
    case .truncate: FX_TRUNC
    case .not: FX_NOT
    case .isFinite: FX_IS_FINITE
    case .isNaN: FX_IS_NAN
    case .populationCount: FX_POPCOUNT
    case .countLeadingZeros: FX_LEADING_ZEROS
    case .real: FX_REAL
    case .imaginary: FX_IMAG
    case .conjugate: FX_CONJ
    case .stopGradient: FX_COPY
    }
  }
}

extension Binary {
  /// Of `multiplyNoNaN`, which takes several instructions, the product.
  var kernel: fx_op {
    switch self {
    case .add: FX_ADD
    case .subtract: FX_SUB
    case .multiply, .multiplyNoNaN: FX_MUL
    case .divide: FX_DIV
    case .remainder: FX_REM
    case .power: FX_POW
    case .atan2: FX_ATAN2
    case .minimum: FX_MIN
    case .maximum: FX_MAX
    case .nextAfter: FX_NEXT_AFTER
    case .and: FX_AND
    case .or: FX_OR
    case .xor: FX_XOR
    case .shiftLeft: FX_SHIFT_LEFT
    case .shiftRightLogical: FX_SHIFT_RIGHT_LOGICAL
    case .shiftRightArithmetic: FX_SHIFT_RIGHT_ARITHMETIC
    }
  }
}

extension Comparison {
  var kernel: fx_op {
    switch self {
    case .equal: FX_EQ
    case .notEqual: FX_NE
    case .less: FX_LT
    case .lessOrEqual: FX_LE
    case .greater: FX_GT
    case .greaterOrEqual: FX_GE
    }
  }
}

extension Reduction {
  var kernel: fx_reduce_op {
    switch self {
    case .sum: FX_REDUCE_SUM
    case .product: FX_REDUCE_PRODUCT
    case .minimum: FX_REDUCE_MIN
    case .maximum: FX_REDUCE_MAX
    case .all: FX_REDUCE_AND
    case .any: FX_REDUCE_OR
    }
  }
}

extension ScatterMode {
  var kernel: fx_scatter_mode {
    switch self {
    case .set: FX_SCATTER_SET
    case .add: FX_SCATTER_ADD
    case .multiply: FX_SCATTER_MUL
    case .minimum: FX_SCATTER_MIN
    case .maximum: FX_SCATTER_MAX
    }
  }
}

/// The primitive and the element type that the engine lacks, in one line.
func unsupported(_ operation: Operation, _ type: ElementType) -> EngineError {
  EngineError(
    "\(operation.name): the cpu engine has no kernel for \(type) elements. Convert them first, for example with .converted(to: .float32).")
}

extension Constant {
  /// The first element as the runtime takes immediate operands.
  var immediate: fx_scalar {
    var scalar = fx_scalar()
    withUnsafeMutableBytes(of: &scalar) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: buffer.pointer, count: type.elementType.byteCount))
    }
    return scalar
  }
}

extension Constant {
  /// Whether its one element is, or has a part that is, no number.
  var isNaN: Bool {
    type.elementType.isDifferentiable
      && buffer.doubles(TensorType([], type.elementType)).contains { $0.isNaN }
  }
}
