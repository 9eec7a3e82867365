/// What one element of a tensor is.
///
/// The article "Element types" tells the ranges, the conversions and how the small types compute.
public enum ElementType: UInt8, Hashable, Sendable, Codable, CaseIterable {
  case float32, float64, int32, int64, uint32, bool, complex64, complex128
  case int8, uint8, int16, uint16, uint64
  /// The upper half of a `float32`: its range, with 8 significant bits.
  case bfloat16
  /// IEEE 754's binary16: 11 significant bits, up to 65504.
  case float16
  /// Four bits of exponent, three of fraction, no infinity: up to 448; what is beyond is NaN. (`float8_e4m3fn` elsewhere.)
  case float8e4m3
  /// Five bits of exponent and two of fraction, as IEEE 754 would have it: up to 57344.
  case float8e5m2

  /// What sort of numbers a type holds.
  public enum Kind: UInt8, Sendable { case bool, signedInteger, unsignedInteger, floatingPoint, complex }

  /// All that tells one type from another: its short name, its kind, and the bytes of one element.
  private var traits: (name: String, kind: Kind, byteCount: Int) {
    switch self {
    case .bool: ("bool", .bool, 1)
    case .int8: ("i8", .signedInteger, 1)
    case .int16: ("i16", .signedInteger, 2)
    case .int32: ("i32", .signedInteger, 4)
    case .int64: ("i64", .signedInteger, 8)
    case .uint8: ("u8", .unsignedInteger, 1)
    case .uint16: ("u16", .unsignedInteger, 2)
    case .uint32: ("u32", .unsignedInteger, 4)
    case .uint64: ("u64", .unsignedInteger, 8)
    case .float8e4m3: ("f8e4m3", .floatingPoint, 1)
    case .float8e5m2: ("f8e5m2", .floatingPoint, 1)
    case .bfloat16: ("bf16", .floatingPoint, 2)
    case .float16: ("f16", .floatingPoint, 2)
    case .float32: ("f32", .floatingPoint, 4)
    case .float64: ("f64", .floatingPoint, 8)
    case .complex64: ("c64", .complex, 8)
    case .complex128: ("c128", .complex, 16)
    }
  }

  public var kind: Kind { traits.kind }
  /// Bytes one element takes in memory.
  public var byteCount: Int { traits.byteCount }

  public var isFloatingPoint: Bool { kind == .floatingPoint }
  public var isInteger: Bool { kind == .signedInteger || kind == .unsignedInteger }
  public var isComplex: Bool { kind == .complex }
  /// Whether values of this type have tangents: real and complex numbers do, integers and truth values do not.
  public var isDifferentiable: Bool { isFloatingPoint || isComplex }

  /// The type of a complex number's two parts; a real type is its own.
  public var realPart: ElementType {
    switch self {
    case .complex64: .float32
    case .complex128: .float64
    default: self
    }
  }
}

extension ElementType: CustomStringConvertible {
  /// The short name used in printed graphs and messages, such as `f32`.
  public var description: String { traits.name }
}

// MARK: - Promotion

extension ElementType {
  /// The type both operands of an operation are brought to: truth value < integer < real < complex.
  ///
  /// Two integers or two reals meet in the narrowest type that holds every value of both: `i8` with `u8` gives `i16`, `i32` with
  /// `u32` gives `i64`, `bf16` with `f16` gives `f32`, the two eight-bit floats give `f16`. No integer holds both `u64` and a signed
  /// type: they give `f64`, as in NumPy. An integer with a real gives the real's type.
  public static func promoted(_ a: ElementType, _ b: ElementType) -> ElementType {
    if a == b { return a }
    let (low, high) = a.kind.rawValue <= b.kind.rawValue ? (a, b) : (b, a)
    switch (low.kind, high.kind) {
    case (.signedInteger, .unsignedInteger):
      return low.byteCount > high.byteCount ? low : signedInteger(ofBytes: 2 * high.byteCount)
    case (.floatingPoint, .complex): return low == .float64 ? .complex128 : high
    case (.floatingPoint, .floatingPoint) where a.byteCount == b.byteCount: return a.byteCount == 1 ? .float16 : .float32
    case let (x, y) where x == y: return a.byteCount > b.byteCount ? a : b
    default: return high
    }
  }

  private static func signedInteger(ofBytes count: Int) -> ElementType {
    switch count {
    case 2: .int16
    case 4: .int32
    case 8: .int64
    default: .float64
    }
  }
}
