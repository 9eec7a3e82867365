/// Inside transforms a tensor is a leaf of its structure and never comes here. With any other encoder (JSON, property lists) it
/// writes shape, element type and elements; complex elements as pairs.
extension Tensor: Codable {
  private enum CodingKeys: String, CodingKey { case shape, elementType, elements }

  public func encode(to encoder: any Encoder) throws {
    guard !isTraced else {
      throw EncodingError.invalidValue(
        self, .init(codingPath: encoder.codingPath, debugDescription: "a tensor being traced has no elements to write"))
    }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(shape, forKey: .shape)
    try container.encode("\(elementType)", forKey: .elementType)
    switch elementType {
    case .complex64:
      try container.encode(
        hostBuffer("encode").values(as: Float.self).prefix(2 * elementCount).map { $0 }, forKey: .elements)
    case .complex128:
      try container.encode(
        hostBuffer("encode").values(as: Double.self).prefix(2 * elementCount).map { $0 }, forKey: .elements)
    case .int64: try container.encode(elements(as: Int64.self), forKey: .elements)
    case .float32: try container.encode(resolved(meeting: nil).elements(as: Float.self), forKey: .elements)
    default: try container.encode(doubles(), forKey: .elements)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let shape = try container.decode(Shape.self, forKey: .shape)
    let name = try container.decode(String.self, forKey: .elementType)
    func corrupted(_ message: String) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: message))
    }
    guard let type = ElementType.allCases.first(where: { "\($0)" == name }) else {
      throw corrupted("\"\(name)\" is not an element type; known are \(ElementType.allCases.map(\.description).joined(separator: ", "))")
    }
    guard let count = Shape.checkedElementCount(of: shape.dimensions) else { throw corrupted("shape \(shape) is not possible") }
    func read<T: Codable>(_ element: T.Type, _ expected: Int) throws -> [T] {
      let values = try container.decode([T].self, forKey: .elements)
      guard values.count == expected else { throw corrupted("shape \(shape) needs \(expected) numbers, but \(values.count) are given") }
      return values
    }
    func whole<T: FixedWidthInteger>(_ value: Double) throws -> T {
      guard let integer = T(exactly: value) else { throw corrupted("\(value) is not a number of type \(type)") }
      return integer
    }
    let tensorType = TensorType(shape, type)
    switch type {
    case .float32: self.init(try read(Float.self, count), shape: shape)
    case .float64: self.init(try read(Double.self, count), shape: shape)
    case .int64: self.init(try read(Int64.self, count), shape: shape)
    case .int32: self.init(try read(Double.self, count).map(whole) as [Int32], shape: shape)
    case .uint32: self.init(try read(Double.self, count).map(whole) as [UInt32], shape: shape)
    case .bool: self.init(try read(Double.self, count).map { $0 != 0 }, shape: shape)
    case .complex64: self.init(tensorType, buffer: HostBuffer(copying: try read(Float.self, 2 * count)))
    case .complex128: self.init(tensorType, buffer: HostBuffer(copying: try read(Double.self, 2 * count)))
    }
  }
}
