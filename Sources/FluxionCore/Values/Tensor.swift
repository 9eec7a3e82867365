/// An array of numbers: a shape, an element type, and either elements in memory or a place in a program being traced.
///
/// Outside any transform operations run at once. Inside `gradient`, `jvp`, `vmap`, `compiled`, `scan` … they are recorded; the
/// transform then rewrites the record and runs it. A tensor is an immutable value in both cases and can be sent between tasks.
public struct Tensor: Sendable {
  package enum Payload: Sendable {
    case host(HostBuffer)
    case traced(GraphBuilder, ValueID)
    /// A number written in the program: takes the element type of what it meets.
    case literal(Literal)
  }

  /// A number as it was written: integers are kept exactly.
  package enum Literal: Sendable {
    case integer(Int), real(Double)

    package var double: Double {
      switch self {
      case let .integer(value): Double(value)
      case let .real(value): value
      }
    }
    package var isInteger: Bool { if case .integer = self { true } else { false } }
  }

  /// Shape and element type.
  public private(set) var type: TensorType
  package private(set) var payload: Payload

  package init(_ type: TensorType, _ payload: Payload) {
    self.type = type
    self.payload = payload
  }

  package init(_ type: TensorType, buffer: HostBuffer) {
    self.init(type, .host(buffer))
  }

  public var shape: Shape { type.shape }
  public var elementType: ElementType { type.elementType }
  public var rank: Int { type.shape.rank }
  /// The number of elements.
  public var elementCount: Int { type.shape.elementCount }

  /// The length of the first axis: the number of rows of a batch.
  public var count: Int {
    guard let first = type.shape.first else {
      trapAtCaller(ProgramError("count", "a scalar has no axes to count. Use elementCount for the number of elements."))
    }
    return first
  }

  /// Whether the elements are not known yet because a program is being traced.
  public var isTraced: Bool {
    if case .traced = payload { true } else { false }
  }
}

extension Tensor {
  /// Whether both are the same value of the same trace, or share memory; not whether their elements are equal.
  package func isSameValue(as other: Tensor) -> Bool {
    switch (payload, other.payload) {
    case let (.traced(a, i), .traced(b, j)): a === b && i == j
    case let (.host(a), .host(b)): a === b && type == other.type
    default: false
    }
  }
}

// MARK: - From Swift values

extension Tensor {
  /// A tensor of `shape` from its elements in row-major order.
  public init<Element: TensorElement>(_ elements: [Element], shape: Shape) {
    guard shape.elementCount == elements.count else {
      trapAtCaller(
        ProgramError("Tensor", "\(elements.count) elements cannot fill shape \(shape), which has \(shape.elementCount)."))
    }
    self.init(TensorType(shape, Element.elementType), buffer: HostBuffer(copying: elements))
  }

  /// A vector.
  public init<Element: TensorElement>(_ elements: [Element]) { self.init(elements, shape: [elements.count]) }

  /// A scalar of the Swift type's element type.
  public init<Element: TensorElement>(_ value: Element) { self.init([value], shape: []) }

  /// A scalar of `elementType`.
  public init(_ value: Double, as elementType: ElementType) {
    self.init(repeating: value, shape: [], as: elementType)
  }

  /// Every element `value`, converted to `elementType`.
  public init(repeating value: Double, shape: Shape, as elementType: ElementType = .float32) {
    let count = Tensor.allocationCount("Tensor(repeating:)", shape)
    let type = TensorType(shape, elementType)
    switch elementType {
    case .complex64: self.init(type, buffer: HostBuffer(copying: [SIMD2<Float>](repeating: SIMD2(Float(value), 0), count: count)))
    case .complex128: self.init(type, buffer: HostBuffer(copying: [SIMD2<Double>](repeating: SIMD2(value, 0), count: count)))
    default:
      guard let buffer = elementType.scalar.buffer(repeating: value, count: count) else {
        trapAtCaller(
          ProgramError("Tensor", "\(shortestText(value, digits: 17)) is not a number of type \(elementType), \(elementType.rangeText)."))
      }
      self.init(type, buffer: buffer)
    }
  }

  /// A scalar of `elementType`; 64-bit integers are exact.
  init(_ literal: Literal, as elementType: ElementType) {
    switch (literal, elementType) {
    case let (.integer(value), .int64): self.init(Int64(value))
    case let (.integer(value), .uint64) where value >= 0: self.init(UInt64(value))
    default: self.init(literal.double, as: elementType)
    }
  }

  /// The number of elements of a shape the caller asks for; traps when it is negative or overflows.
  static func allocationCount(_ operation: String, _ shape: Shape) -> Int {
    guard let count = Shape.checkedElementCount(of: shape.dimensions) else {
      trapAtCaller(
        ProgramError(operation, "shape \(shape) has a negative length or more elements than an Int can count."))
    }
    return count
  }

  public static func zeros(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor { full(0, shape, as: elementType) }
  public static func ones(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor { full(1, shape, as: elementType) }

  /// Every element `value`; while tracing it is one constant, broadcast.
  public static func full(_ value: Double, _ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    _ = allocationCount("full", shape)
    guard GraphBuilder.current != nil else { return Tensor(repeating: value, shape: shape, as: elementType) }
    return Tensor(value, as: elementType).broadcast(to: shape)
  }

  package static func zeros(like type: TensorType) -> Tensor { zeros(type.shape, as: type.elementType) }
}

// MARK: - To Swift values

extension Tensor {
  /// The elements in row-major order. `Element` must be the tensor's own element type.
  ///
  /// Traps while the tensor is being traced: use ``cond(_:then:else:)`` or ``select(_:_:_:)`` to depend on values inside a program.
  public func elements<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element] {
    guard Element.elementType == elementType else {
      trapAtCaller(
        ProgramError("elements", "a tensor of \(elementType) cannot be read as \(Element.self). Convert it first, or ask for doubles()."))
    }
    return [Element](hostBuffer("elements").values(as: Element.self).prefix(elementCount))
  }

  /// The elements converted to `Double`, in row-major order (of complex numbers the real part).
  public func doubles() -> [Double] {
    let numbers = hostBuffer("doubles").doubles(type)
    return elementType.isComplex ? stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] } : numbers
  }

  /// The one element of a tensor that has one, as a `Double`.
  public func item() -> Double {
    guard elementCount == 1 else {
      trapAtCaller(ProgramError("item", "a tensor of shape \(shape) has \(elementCount) elements, not one."))
    }
    if case let .literal(value) = payload { return value.double }
    return doubles()[0]
  }

  /// Where the elements lie in memory; nil while the tensor is being traced. For checking that memory is reused.
  public var memoryAddress: UInt? {
    if case let .host(buffer) = payload { UInt(bitPattern: buffer.pointer) } else { nil }
  }

  /// The elements' memory; traps, naming `operation`, while the tensor is being traced.
  package func hostBuffer(_ operation: @autoclosure () -> String) -> HostBuffer {
    switch payload {
    case let .host(buffer): return buffer
    case let .literal(value): return Tensor(value, as: elementType).hostBuffer(operation())
    case .traced:
      trapAtCaller(
        ProgramError(
          operation(),
          "the value is not known while the program is being traced. Use cond, select or whileLoop to depend on it, or return it."))
    }
  }
}

// MARK: - Replaced where it lies

extension Tensor {
  /// The elements' memory, which leaves the tensor: until ``put(_:as:)`` it holds a number in its place.
  package mutating func takeBuffer(for operation: String) -> HostBuffer {
    guard case let .host(buffer) = payload else { return hostBuffer(operation) }
    payload = .literal(.integer(0))
    return buffer
  }

  /// Makes this the tensor of `type` with the elements in `buffer`.
  package mutating func put(_ buffer: HostBuffer, as type: TensorType) {
    if self.type != type { self.type = type }
    payload = .host(buffer)
  }
}

// MARK: - Literals

extension Tensor: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  public init(floatLiteral value: Double) { self.init(TensorType([], .float32), .literal(.real(value))) }
  public init(integerLiteral value: Int) { self.init(TensorType([], .int32), .literal(.integer(value))) }

  /// The elements stacked along a new first axis; numbers with a fraction among them make it `f32`, else `i32`.
  public init(arrayLiteral elements: Tensor...) {
    guard !elements.isEmpty else {
      self.init([Float](), shape: [0])
      return
    }
    let common = elements.dropFirst().reduce(elements[0].elementType) { ElementType.promoted($0, $1.elementType) }
    let values = elements.compactMap { e -> Double? in if case let .literal(v) = e.payload { v.double } else { nil } }
    if values.count == elements.count, GraphBuilder.current == nil || values.count <= 64 {
      let shape: Shape = [values.count]
      switch common {
      case .int32: self.init(values.map { Int32($0) }, shape: shape)
      default: self.init(values.map { Float($0) }, shape: shape)
      }
    } else {
      self = stacked(elements.map { $0.converted(to: common) })
    }
  }

  /// A literal given the type it meets; anything else is itself.
  func resolved(meeting other: ElementType?) -> Tensor {
    guard case let .literal(value) = payload else { return self }
    guard let other else { return Tensor(value, as: elementType) }
    if other == .bool { return Tensor(value, as: elementType) }
    if !value.isInteger && !other.isDifferentiable { return Tensor(value, as: .float32) }
    return Tensor(value, as: other)
  }
}
