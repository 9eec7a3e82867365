/// A value while it is interpreted. Real elements are held as `Double`, integers and truth values as `Int64` (those of `u64` by their
/// bits), complex numbers as pairs of `Double`; after every node they are rounded to what the element type can hold. Small floats are
/// rounded to `f32` first: that is what they compute in.
struct ReferenceArray {
  enum Elements {
    case real([Double])
    case integer([Int64])
    case complex([ComplexNumber])
  }

  let type: TensorType
  let elements: Elements

  var shape: Shape { type.shape }
  var elementType: ElementType { type.elementType }

  /// `elements` must be of the kind that `type` calls for; they are rounded to it.
  init(_ type: TensorType, _ elements: Elements) {
    self.type = type
    switch (elements, type.elementType) {
    case let (.real(v), .float32): self.elements = .real(v.map { Double(Float($0)) })
    case (.real, .float64), (.integer, .int64), (.complex, .complex128): self.elements = elements
    case let (.integer(v), .int32): self.elements = .integer(v.map { Int64(Int32(truncatingIfNeeded: $0)) })
    case let (.integer(v), .bool): self.elements = .integer(v.map { $0 & 1 })
    case let (.complex(v), .complex64): self.elements = .complex(v.map(\.roundedToFloat))
    case let (.integer(v), element) where element.isInteger: self.elements = .integer(v.map { element.wrapped($0) })
    case let (.real(v), element):
      guard let format = element.floatFormat else { preconditionFailure("\(type) cannot hold \(elements)") }
      self.elements = .real(v.map { format.rounded(Double(Float($0))) })
    default: preconditionFailure("\(type) cannot hold \(elements)")
    }
  }

  /// The same elements under another shape.
  func reshaped(_ type: TensorType) -> ReferenceArray { ReferenceArray(type, elements) }

  /// The elements at `places`, as an array of `type`.
  func taking(_ places: [Int], _ type: TensorType) -> ReferenceArray { ReferenceArray(type, elements.taking(places)) }

  // MARK: Kinds of elements

  var reals: [Double] { elements.reals }
  var integers: [Int64] { elements.integers }
  /// Integers in whose order the elements are: of `u64` the bits with the highest flipped.
  var orderedIntegers: [Int64] { elementType == .uint64 ? integers.map { $0 ^ .min } : integers }
  var complexNumbers: [ComplexNumber] { elements.complexNumbers }

  /// How many elements are NaN.
  var nanCount: Int {
    switch elements {
    case let .real(v): v.count { $0.isNaN }
    case .integer: 0
    case let .complex(v): v.count { $0.isNaN }
    }
  }
}

extension ReferenceArray.Elements {
  func taking(_ places: [Int]) -> Self {
    switch self {
    case let .real(v): .real(places.map { v[$0] })
    case let .integer(v): .integer(places.map { v[$0] })
    case let .complex(v): .complex(places.map { v[$0] })
    }
  }

  /// With the elements at `places` replaced by those of `update`, in order; negative places are skipped.
  func replacing(_ places: [Int], with update: Self) -> Self {
    func put<T>(_ old: [T], _ new: [T]) -> [T] {
      var result = old
      for (i, place) in places.enumerated() where place >= 0 { result[place] = new[i] }
      return result
    }
    switch (self, update) {
    case let (.real(a), .real(b)): return .real(put(a, b))
    case let (.integer(a), .integer(b)): return .integer(put(a, b))
    case let (.complex(a), .complex(b)): return .complex(put(a, b))
    default: preconditionFailure("elements of two kinds")
    }
  }

  func part(_ range: Range<Int>) -> Self {
    switch self {
    case let .real(v): .real(Array(v[range]))
    case let .integer(v): .integer(Array(v[range]))
    case let .complex(v): .complex(Array(v[range]))
    }
  }

  /// The elements of all parts, one after another.
  static func joined(_ parts: [Self], _ type: ElementType) -> Self {
    if type.isFloatingPoint { return .real(parts.flatMap(\.reals)) }
    return type.isComplex ? .complex(parts.flatMap(\.complexNumbers)) : .integer(parts.flatMap(\.integers))
  }

  var reals: [Double] {
    guard case let .real(v) = self else { preconditionFailure("these are not real elements") }
    return v
  }
  var integers: [Int64] {
    guard case let .integer(v) = self else { preconditionFailure("these are not integer elements") }
    return v
  }
  var complexNumbers: [ComplexNumber] {
    guard case let .complex(v) = self else { preconditionFailure("these are not complex elements") }
    return v
  }
}

// MARK: - Memory

extension ReferenceArray {
  init(_ type: TensorType, reading buffer: HostBuffer) {
    let n = type.shape.elementCount
    let elements: Elements
    func words<T: FixedWidthInteger>(_ word: T.Type) -> [Int64] {
      buffer.values(as: T.self).prefix(n).map { Int64(truncatingIfNeeded: $0) }
    }
    switch (type.elementType.kind, type.elementType.byteCount) {
    case (.floatingPoint, _): elements = .real(buffer.doubles(type))
    case (.complex, _):
      let parts = buffer.doubles(type)
      elements = .complex((0..<n).map { ComplexNumber(parts[2 * $0], parts[2 * $0 + 1]) })
    case (.bool, _): elements = .integer(words(UInt8.self).map { $0 == 0 ? 0 : 1 })
    case (_, 1): elements = .integer(words(UInt8.self))
    case (_, 2): elements = .integer(words(UInt16.self))
    case (_, 4): elements = .integer(words(UInt32.self))
    default: elements = .integer(words(UInt64.self))
    }
    self.init(type, elements)
  }

  /// The elements in memory of their own.
  func written() -> HostBuffer {
    switch (elements, type.elementType.byteCount) {
    case let (.real(v), _): type.elementType.scalar.buffer(of: v)!
    case let (.complex(v), _): type.elementType.scalar.buffer(of: v.flatMap { [$0.re, $0.im] })!
    case let (.integer(v), 1): HostBuffer(copying: v.map { UInt8(truncatingIfNeeded: $0) })
    case let (.integer(v), 2): HostBuffer(copying: v.map { UInt16(truncatingIfNeeded: $0) })
    case let (.integer(v), 4): HostBuffer(copying: v.map { UInt32(truncatingIfNeeded: $0) })
    case let (.integer(v), _): HostBuffer(copying: v)
    }
  }
}

/// The places `offset + Σ indexᵢ · strideᵢ` for every index of `shape` in row-major order.
func stridedPlaces(_ shape: Shape, strides: [Int], offset: Int = 0) -> [Int] {
  var places = [offset]
  for axis in 0..<shape.rank {
    var next: [Int] = []
    next.reserveCapacity(places.count * shape[axis])
    for place in places {
      for i in 0..<shape[axis] { next.append(place + i * strides[axis]) }
    }
    places = next
  }
  return places
}

// MARK: - Integers of all widths

extension ElementType {
  private var bitCount: Int64 { Int64(8 * byteCount) }

  /// The lowest bits of an integer, as many as the type has, read as one of the type.
  func wrapped(_ x: Int64) -> Int64 {
    if kind == .signedInteger { return signed(x) }
    return Int64(bitPattern: unsigned(x))
  }

  /// The bits of an integer of the type as an unsigned number.
  func unsigned(_ x: Int64) -> UInt64 { (UInt64(bitPattern: x) << UInt64(64 - bitCount)) >> UInt64(64 - bitCount) }

  /// The bits of an integer of the type as a signed number.
  func signed(_ x: Int64) -> Int64 { (x << (64 - bitCount)) >> (64 - bitCount) }
}
