public import Foundation

/// An array as files hold it: a shape, an element type and the elements' bytes.
///
/// The bytes are little-endian and row-major (C order: the last axis varies fastest), whatever the order in the file
/// was. A shape of `[]` is a single number; an axis of length 0 is allowed.
public struct StoredArray: Hashable, Sendable {
  /// The length of each axis.
  public let shape: [Int]
  /// The type of every element.
  public let elementType: StoredElementType
  /// The elements, `count · elementType.byteCount` bytes. May be a slice: its `startIndex` need not be 0.
  public let bytes: Data

  /// - Parameters:
  ///   - shape: The length of each axis; none negative.
  ///   - elementType: The type of every element.
  ///   - bytes: Little-endian, row-major; as many as shape and type need.
  public init(shape: [Int], elementType: StoredElementType, bytes: Data) {
    let expected = Self.byteCount(shape: shape, elementType: elementType)
    precondition(
      expected == bytes.count,
      "StoredArray: shape \(shape) of \(elementType) does not fit \(bytes.count) bytes.")
    self.shape = shape
    self.elementType = elementType
    self.bytes = bytes
  }

  /// The number of elements: the product of the shape.
  public var count: Int { shape.reduce(1, *) }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// The number of rows: the length of the first axis, 1 for a single number.
  public var rowCount: Int { shape.first ?? 1 }

  /// The number of elements in one row: the product of all axes but the first.
  public var rowLength: Int { shape.dropFirst().reduce(1, *) }

  /// The same elements with another shape of equal count.
  public func reshaped(to shape: [Int]) -> StoredArray {
    StoredArray(shape: shape, elementType: elementType, bytes: bytes)
  }

  /// The rows at `indices`, in that order. Complexity: O(bytes copied).
  public func rows(at indices: [Int]) -> StoredArray {
    precondition(rank > 0, "StoredArray.rows(at:): a single number has no rows.")
    let stride = rowLength * elementType.byteCount
    var picked = Data(capacity: indices.count * stride)
    for index in indices {
      precondition(index >= 0 && index < rowCount, "StoredArray.rows(at:): row \(index) of \(rowCount).")
      let start = bytes.startIndex + index * stride
      picked.append(bytes[start..<start + stride])
    }
    return StoredArray(shape: [indices.count] + shape.dropFirst(), elementType: elementType, bytes: picked)
  }
}

extension StoredArray {
  /// The most elements an array in a file may have, 2³¹; a header that announces more is refused.
  public static let maximumCount = 1 << 31

  /// The product of a shape taken from a file, or nil when an axis is negative or the product leaves `Int`.
  ///
  /// Axes of length 0 do not excuse the others: `[0, 2⁶², 2⁶²]` is refused too, so that no part of a shape overflows.
  static func elementCount(of shape: [Int]) -> Int? {
    guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
    var product = 1
    for length in shape where length > 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      product = next
    }
    return shape.contains(0) ? 0 : product
  }

  /// The bytes that shape and type need, or nil when that is no sensible number.
  static func byteCount(shape: [Int], elementType: StoredElementType) -> Int? {
    guard let count = elementCount(of: shape) else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: elementType.byteCount)
    return overflow ? nil : bytes
  }
}

extension StoredArray: CustomStringConvertible {
  /// Type and shape, for example `f32 [150, 4]`.
  public var description: String { "\(elementType) \(shape)" }
}
