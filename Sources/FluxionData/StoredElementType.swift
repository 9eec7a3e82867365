/// The type of the elements of an array in a file.
///
/// The names are those of the wider field: `f` float, `bf` brain float, `i` signed, `u` unsigned, with the width in
/// bits; `f8e4m3` and `f8e5m2` tell the bits of exponent and fraction. Complex numbers are a pair of floats, real part first; their width
/// counts both.
public enum StoredElementType: String, Hashable, Sendable, Codable, CaseIterable {
  case f8e4m3, f8e5m2, f16, bf16, f32, f64
  case i8, i16, i32, i64
  case u8, u16, u32, u64
  case bool
  case complex64, complex128
}

extension StoredElementType {
  /// The width of one element in bytes.
  public var byteCount: Int {
    switch self {
    case .i8, .u8, .bool, .f8e4m3, .f8e5m2: 1
    case .f16, .bf16, .i16, .u16: 2
    case .f32, .i32, .u32: 4
    case .f64, .i64, .u64, .complex64: 8
    case .complex128: 16
    }
  }

  /// Whether an element is a pair of floats.
  public var isComplex: Bool { self == .complex64 || self == .complex128 }

  /// Whether an element can be infinite or not a number.
  public var isFloating: Bool {
    switch self {
    case .f8e4m3, .f8e5m2, .f16, .bf16, .f32, .f64, .complex64, .complex128: true
    default: false
    }
  }

  /// The width in bytes of the words that byte order applies to: half an element for complex numbers.
  var wordByteCount: Int { isComplex ? byteCount / 2 : byteCount }
}

extension StoredElementType: CustomStringConvertible {
  public var description: String { rawValue }
}
