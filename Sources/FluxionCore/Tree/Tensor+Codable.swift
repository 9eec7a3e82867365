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
    let buffer = hostBuffer("encode")
    switch elementType {
    case .int64: try container.encode(elements(as: Int64.self), forKey: .elements)
    case .uint64: try container.encode(elements(as: UInt64.self), forKey: .elements)
    case .float32, .complex64: try container.encode(buffer.doubles(type).map { Float($0) }, forKey: .elements)
    default: try container.encode(buffer.doubles(type), forKey: .elements)
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
    let tensorType = TensorType(shape, type)
    func read<T: Codable>(_ element: T.Type, _ expected: Int) throws -> [T] {
      let values = try container.decode([T].self, forKey: .elements)
      guard values.count == expected else { throw corrupted("shape \(shape) needs \(expected) numbers, but \(values.count) are given") }
      return values
    }
    /// Integers that the type lacks are refused; reals are rounded.
    func held(_ values: [Double]) throws -> HostBuffer {
      if let buffer = type.scalar.buffer(of: values), type.isFloatingPoint || buffer.doubles(tensorType) == values { return buffer }
      let wrong = values.first { type.scalar.buffer(of: [$0])?.doubles(TensorType([1], type)) != [$0] }
      throw corrupted("\(wrong ?? .nan) is not a number of type \(type)")
    }
    let buffer: HostBuffer =
      switch type {
      case .int64: HostBuffer(copying: try read(Int64.self, count))
      case .uint64: HostBuffer(copying: try read(UInt64.self, count))
      case .float32: HostBuffer(copying: try read(Float.self, count))
      case .complex64: HostBuffer(copying: try read(Float.self, 2 * count))
      case .complex128: HostBuffer(copying: try read(Double.self, 2 * count))
      default:
        try held(try read(Double.self, count))
      }
    self.init(tensorType, buffer: buffer)
  }
}
