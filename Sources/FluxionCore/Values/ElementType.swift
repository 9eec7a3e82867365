/// What one element of a tensor is.
public enum ElementType: UInt8, Hashable, Sendable, Codable, CaseIterable {
  case float32, float64, int32, int64, uint32, bool, complex64, complex128

  /// Bytes one element takes in memory.
  public var byteCount: Int {
    switch self {
    case .bool: 1
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .complex64: 8
    case .complex128: 16
    }
  }

  public var isFloatingPoint: Bool { self == .float32 || self == .float64 }
  public var isInteger: Bool { self == .int32 || self == .int64 || self == .uint32 }
  public var isComplex: Bool { self == .complex64 || self == .complex128 }
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

  /// The type both operands of an operation are brought to: truth value < integer < real < complex, the wider of equals;
  /// `int32` with `uint32` gives `int64`, which holds both.
  public static func promoted(_ a: ElementType, _ b: ElementType) -> ElementType {
    if a == b { return a }
    func rank(_ t: ElementType) -> Int {
      switch t {
      case .bool: 0
      case .int32, .uint32: 1
      case .int64: 2
      case .float32: 3
      case .float64: 4
      case .complex64: 5
      case .complex128: 6
      }
    }
    let (low, high) = rank(a) <= rank(b) ? (a, b) : (b, a)
    if rank(low) == rank(high) { return .int64 }
    if low == .float64 && high == .complex64 { return .complex128 }
    return high
  }
}

extension ElementType: CustomStringConvertible {
  /// The short name used in printed graphs and messages, such as `f32`.
  public var description: String {
    switch self {
    case .float32: "f32"
    case .float64: "f64"
    case .int32: "i32"
    case .int64: "i64"
    case .uint32: "u32"
    case .bool: "bool"
    case .complex64: "c64"
    case .complex128: "c128"
    }
  }
}

/// A Swift scalar that tensors can hold.
public protocol TensorElement: Sendable {
  static var elementType: ElementType { get }
}
extension Float: TensorElement { public static var elementType: ElementType { .float32 } }
extension Double: TensorElement { public static var elementType: ElementType { .float64 } }
extension Int32: TensorElement { public static var elementType: ElementType { .int32 } }
extension Int64: TensorElement { public static var elementType: ElementType { .int64 } }
extension UInt32: TensorElement { public static var elementType: ElementType { .uint32 } }
extension Bool: TensorElement { public static var elementType: ElementType { .bool } }
