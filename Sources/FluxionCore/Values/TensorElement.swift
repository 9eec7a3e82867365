/// A Swift scalar that tensors can hold.
public protocol TensorElement: Sendable {
  static var elementType: ElementType { get }
}

extension Float: TensorElement { public static var elementType: ElementType { .float32 } }
extension Double: TensorElement { public static var elementType: ElementType { .float64 } }
extension Float16: TensorElement { public static var elementType: ElementType { .float16 } }
extension Int8: TensorElement { public static var elementType: ElementType { .int8 } }
extension Int16: TensorElement { public static var elementType: ElementType { .int16 } }
extension Int32: TensorElement { public static var elementType: ElementType { .int32 } }
extension Int64: TensorElement { public static var elementType: ElementType { .int64 } }
extension UInt8: TensorElement { public static var elementType: ElementType { .uint8 } }
extension UInt16: TensorElement { public static var elementType: ElementType { .uint16 } }
extension UInt32: TensorElement { public static var elementType: ElementType { .uint32 } }
extension UInt64: TensorElement { public static var elementType: ElementType { .uint64 } }
extension Bool: TensorElement { public static var elementType: ElementType { .bool } }

// MARK: - Walking over elements of any type

/// What code needs that walks over elements whose type is known at run time only. The loops are requirements, so that each type has
/// them compiled for itself.
package protocol RealElement: TensorElement {
  /// `value` as the type has it: rounded to nearest or, for integers, cut toward zero; nil where an integer type lacks it.
  init?(holding value: Double)
  var asDouble: Double { get }
  static func doubles(at pointer: UnsafeRawPointer, count: Int) -> [Double]
  /// Nil where an integer type lacks a value.
  static func buffer(of values: [Double]) -> HostBuffer?
  static func buffer(repeating value: Double, count: Int) -> HostBuffer?
}

extension RealElement {
  package static func doubles(at pointer: UnsafeRawPointer, count: Int) -> [Double] {
    UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Self.self), count: count).map { $0.asDouble }
  }

  package static func buffer(of values: [Double]) -> HostBuffer? {
    let elements = values.compactMap { Self(holding: $0) }
    return elements.count == values.count ? HostBuffer(copying: elements) : nil
  }

  package static func buffer(repeating value: Double, count: Int) -> HostBuffer? {
    guard let element = Self(holding: value) else { return nil }
    let buffer = HostBuffer(byteCount: count * MemoryLayout<Self>.stride)
    buffer.pointer.bindMemory(to: Self.self, capacity: count).update(repeating: element, count: count)
    return buffer
  }
}

extension RealElement where Self: FixedWidthInteger {
  package init?(holding value: Double) { self.init(exactly: value.rounded(.towardZero)) }
  package var asDouble: Double { Double(self) }
}
extension RealElement where Self: SmallFloat {
  package init?(holding value: Double) { self.init(value) }
  package var asDouble: Double { Double(self) }
}
// The usual types have loops of their own, so that they are quick in debug builds, too.
extension Float: RealElement {
  package init?(holding value: Double) { self.init(value) }
  package var asDouble: Double { Double(self) }
  package static func doubles(at pointer: UnsafeRawPointer, count: Int) -> [Double] {
    UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Float.self), count: count).map { Double($0) }
  }
  package static func buffer(of values: [Double]) -> HostBuffer? { HostBuffer(copying: values.map { Float($0) }) }
}
extension Double: RealElement {
  package init?(holding value: Double) { self = value }
  package var asDouble: Double { self }
  package static func doubles(at pointer: UnsafeRawPointer, count: Int) -> [Double] {
    Array(UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Double.self), count: count))
  }
  package static func buffer(of values: [Double]) -> HostBuffer? { HostBuffer(copying: values) }
}
extension Float16: RealElement {
  package init?(holding value: Double) { self.init(value) }
  package var asDouble: Double { Double(self) }
}
extension Bool: RealElement {
  package init?(holding value: Double) { self = value != 0 }
  package var asDouble: Double { self ? 1 : 0 }
}
extension Int8: RealElement {}
extension Int16: RealElement {}
extension Int32: RealElement {}
extension Int64: RealElement {}
extension UInt8: RealElement {}
extension UInt16: RealElement {}
extension UInt32: RealElement {}
extension UInt64: RealElement {}
extension BFloat16: RealElement {}
extension Float8E4M3: RealElement {}
extension Float8E5M2: RealElement {}

extension ElementType {
  /// The Swift scalar of a type that is not complex; of a complex one, that of its parts.
  package var scalar: any RealElement.Type {
    switch self {
    case .bool: Bool.self
    case .int8: Int8.self
    case .int16: Int16.self
    case .int32: Int32.self
    case .int64: Int64.self
    case .uint8: UInt8.self
    case .uint16: UInt16.self
    case .uint32: UInt32.self
    case .uint64: UInt64.self
    case .bfloat16: BFloat16.self
    case .float16: Float16.self
    case .float8e4m3: Float8E4M3.self
    case .float8e5m2: Float8E5M2.self
    case .float32, .complex64: Float.self
    case .float64, .complex128: Double.self
    }
  }
}

extension HostBuffer {
  /// The elements of an array as `Double`; of complex numbers both parts, one after the other.
  package func doubles(_ type: TensorType) -> [Double] {
    type.elementType.scalar.doubles(at: pointer, count: type.shape.elementCount * (type.elementType.isComplex ? 2 : 1))
  }
}
