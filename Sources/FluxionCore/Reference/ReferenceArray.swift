/// A value while it is interpreted. Real elements are held as `Double`, integers and truth values as `Int64`, complex numbers as
/// pairs of `Double`; after every node they are rounded to what the element type can hold.
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
    case let (.integer(v), .uint32): self.elements = .integer(v.map { Int64(UInt32(truncatingIfNeeded: $0)) })
    case let (.integer(v), .bool): self.elements = .integer(v.map { $0 & 1 })
    case let (.complex(v), .complex64): self.elements = .complex(v.map(\.roundedToFloat))
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
    switch type.elementType {
    case .float32: elements = .real(buffer.values(as: Float.self).prefix(n).map { Double($0) })
    case .float64: elements = .real(Array(buffer.values(as: Double.self).prefix(n)))
    case .int32: elements = .integer(buffer.values(as: Int32.self).prefix(n).map { Int64($0) })
    case .int64: elements = .integer(Array(buffer.values(as: Int64.self).prefix(n)))
    case .uint32: elements = .integer(buffer.values(as: UInt32.self).prefix(n).map { Int64($0) })
    case .bool: elements = .integer(buffer.values(as: UInt8.self).prefix(n).map { $0 == 0 ? 0 : 1 })
    case .complex64:
      elements = .complex(buffer.values(as: SIMD2<Float>.self).prefix(n).map { ComplexNumber(Double($0.x), Double($0.y)) })
    case .complex128: elements = .complex(buffer.values(as: SIMD2<Double>.self).prefix(n).map { ComplexNumber($0.x, $0.y) })
    }
    self.init(type, elements)
  }

  /// The elements in memory of their own.
  func written() -> HostBuffer {
    switch (elements, type.elementType) {
    case let (.real(v), .float32): HostBuffer(copying: v.map { Float($0) })
    case let (.real(v), _): HostBuffer(copying: v)
    case let (.integer(v), .int32): HostBuffer(copying: v.map { Int32($0) })
    case let (.integer(v), .uint32): HostBuffer(copying: v.map { UInt32($0) })
    case let (.integer(v), .bool): HostBuffer(copying: v.map { UInt8($0) })
    case let (.integer(v), _): HostBuffer(copying: v)
    case let (.complex(v), .complex64): HostBuffer(copying: v.map { SIMD2<Float>(Float($0.re), Float($0.im)) })
    case let (.complex(v), _): HostBuffer(copying: v.map { SIMD2<Double>($0.re, $0.im) })
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
