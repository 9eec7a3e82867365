/// The length of each axis, outermost first. A scalar has the empty shape `[]`.
public struct Shape: Hashable, Sendable, Codable {
  /// The lengths, outermost axis first.
  public let dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The number of elements: the product of the lengths, 1 for a scalar.
  ///
  /// Shapes are checked against overflow when an operation makes them (``checkedElementCount(of:byteCount:)``), so this cannot wrap.
  public var elementCount: Int {
    var product = 1
    for d in dimensions { product *= d }
    return product
  }

  /// The number of elements, or nil when a length is negative or the product with `byteCount` does not fit in `Int`.
  public static func checkedElementCount(of dimensions: [Int], byteCount: Int = 16) -> Int? {
    var product = 1
    for d in dimensions {
      if d < 0 { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: Swift.max(d, 1))
      if overflow { return nil }
      product = next
    }
    if product.multipliedReportingOverflow(by: byteCount).overflow { return nil }
    return dimensions.contains(0) ? 0 : product
  }

  /// The distance in elements between neighbours along each axis, for the row-major layout.
  public var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    var step = 1
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      strides[axis] = step
      step *= dimensions[axis]
    }
    return strides
  }

  /// The shape two operands are broadcast to under NumPy's rule, or nil: axes are matched from the last, and must be equal or 1.
  public static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    if a == b { return a }
    let rank = Swift.max(a.rank, b.rank)
    var result = [Int](repeating: 1, count: rank)
    for i in 0..<rank {
      let x = i < a.rank ? a.dimensions[a.rank - 1 - i] : 1
      let y = i < b.rank ? b.dimensions[b.rank - 1 - i] : 1
      guard x == y || x == 1 || y == 1 else { return nil }
      result[rank - 1 - i] = x == 1 ? y : x
    }
    return Shape(result)
  }

  /// The axis counted from the front that `axis` names; negative axes count from the last. Nil when it is out of range.
  public func normalizedAxis(_ axis: Int) -> Int? {
    let a = axis < 0 ? axis + rank : axis
    return a >= 0 && a < rank ? a : nil
  }

  package func removing(axes: [Int]) -> Shape {
    Shape(dimensions.indices.filter { !axes.contains($0) }.map { dimensions[$0] })
  }
}

extension Shape: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { dimensions.count }
  public subscript(axis: Int) -> Int { dimensions[axis] }
}

extension Shape: ExpressibleByArrayLiteral, CustomStringConvertible {
  public init(arrayLiteral dimensions: Int...) { self.init(dimensions) }
  public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
  public static func + (a: Shape, b: Shape) -> Shape { Shape(a.dimensions + b.dimensions) }
}

/// A tensor's shape and element type: all that is known of a value while a program is being traced.
public struct TensorType: Hashable, Sendable, Codable {
  public let shape: Shape
  public let elementType: ElementType

  public init(_ shape: Shape, _ elementType: ElementType) {
    self.shape = shape
    self.elementType = elementType
  }

  public var byteCount: Int { shape.elementCount * elementType.byteCount }
}

extension TensorType: CustomStringConvertible {
  public var description: String {
    "\(elementType)[\(shape.dimensions.map(String.init).joined(separator: ","))]"
  }
}
