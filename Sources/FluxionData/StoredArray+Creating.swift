import Foundation

// Arrays from Swift values. The shape must fit the number of values; without a shape the array has one axis.

extension StoredArray {
  /// An `f32` array of `values` in row-major order.
  public init(_ values: [Float], shape: [Int]? = nil) {
    self.init(words: values.map(\.bitPattern), shape: shape, elementType: .f32)
  }

  /// An `f64` array of `values` in row-major order.
  public init(_ values: [Double], shape: [Int]? = nil) {
    self.init(words: values.map(\.bitPattern), shape: shape, elementType: .f64)
  }

  /// An `i32` array of `values` in row-major order.
  public init(_ values: [Int32], shape: [Int]? = nil) {
    self.init(words: values, shape: shape, elementType: .i32)
  }

  /// An `i64` array of `values` in row-major order.
  public init(_ values: [Int64], shape: [Int]? = nil) {
    self.init(words: values, shape: shape, elementType: .i64)
  }

  /// A `u8` array of `values` in row-major order.
  public init(_ values: [UInt8], shape: [Int]? = nil) {
    self.init(words: values, shape: shape, elementType: .u8)
  }

  /// A `u32` array of `values` in row-major order.
  public init(_ values: [UInt32], shape: [Int]? = nil) {
    self.init(words: values, shape: shape, elementType: .u32)
  }

  /// A `bool` array of `values` in row-major order, one byte each, 0 or 1.
  public init(_ values: [Bool], shape: [Int]? = nil) {
    self.init(words: values.map { $0 ? UInt8(1) : 0 }, shape: shape, elementType: .bool)
  }

  private init(words: [some FixedWidthInteger], shape: [Int]?, elementType: StoredElementType) {
    let bytes = words.map(\.littleEndian).withUnsafeBytes { Data($0) }
    self.init(shape: shape ?? [words.count], elementType: elementType, bytes: bytes)
  }
}
