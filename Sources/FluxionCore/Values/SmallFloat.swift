/// A floating-point number of at most 16 bits as a Swift value: something to store, read and print. It computes through `Float` or
/// `Double`, or in tensors.
///
/// Equality and order are those of the numbers: NaN equals nothing, -0 equals 0.
public protocol SmallFloat: TensorElement, Hashable, Comparable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  CustomStringConvertible
{
  associatedtype BitPattern: FixedWidthInteger & UnsignedInteger & Sendable
  static var format: FloatFormat { get }
  var bitPattern: BitPattern { get }
  init(bitPattern: BitPattern)
}

extension SmallFloat {
  /// `value` rounded once, to nearest, ties to even; see ``FloatFormat/bits(nearestTo:)`` for what is beyond the range.
  public init(_ value: Double) { self.init(bitPattern: BitPattern(truncatingIfNeeded: Self.format.bits(nearestTo: value))) }
  public init(_ value: Float) { self.init(Double(value)) }
  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }

  public var isNaN: Bool { Double(self).isNaN }
  public var isFinite: Bool { Double(self).isFinite }
  public static var greatestFiniteMagnitude: Self { Self(format.greatestFiniteMagnitude) }
  public static var leastNonzeroMagnitude: Self { Self(format.leastNonzeroMagnitude) }

  public static func == (a: Self, b: Self) -> Bool { Double(a) == Double(b) }
  public static func < (a: Self, b: Self) -> Bool { Double(a) < Double(b) }
  public func hash(into hasher: inout Hasher) { hasher.combine(Double(self)) }
  public var description: String { "\(Float(self))" }
}

extension Double {
  /// Exact.
  public init(_ value: some SmallFloat) { self = type(of: value).format.value(ofBits: UInt16(truncatingIfNeeded: value.bitPattern)) }
}
extension Float {
  /// Exact.
  public init(_ value: some SmallFloat) { self = Float(Double(value)) }
}

/// The upper half of a `Float`: its range, with 8 significant bits.
public struct BFloat16: SmallFloat {
  public static let format = FloatFormat.bfloat16
  public static var elementType: ElementType { .bfloat16 }
  public let bitPattern: UInt16
  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }
}

/// An eight-bit float of four significant bits up to 448, without infinities: what is beyond is NaN.
public struct Float8E4M3: SmallFloat {
  public static let format = FloatFormat.float8e4m3
  public static var elementType: ElementType { .float8e4m3 }
  public let bitPattern: UInt8
  public init(bitPattern: UInt8) { self.bitPattern = bitPattern }
}

/// An eight-bit float of three significant bits up to 57344.
public struct Float8E5M2: SmallFloat {
  public static let format = FloatFormat.float8e5m2
  public static var elementType: ElementType { .float8e5m2 }
  public let bitPattern: UInt8
  public init(bitPattern: UInt8) { self.bitPattern = bitPattern }
}
