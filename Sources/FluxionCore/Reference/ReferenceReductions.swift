// Reductions: the reduced axes are moved last, so that each result element sees one run of elements.

/// The elements of `x` with `axes` last, and the length of each run.
private func runs(_ x: ReferenceArray, _ axes: [Int]) -> (elements: ReferenceArray.Elements, length: Int) {
  let kept = x.shape.indices.filter { !axes.contains($0) }
  let order = kept + axes.sorted()
  let strides = x.shape.rowMajorStrides
  let places = stridedPlaces(Shape(order.map { x.shape[$0] }), strides: order.map { strides[$0] })
  return (x.elements.taking(places), axes.reduce(1) { $0 * x.shape[$1] })
}

func referenceReduce(_ reduction: Reduction, _ x: ReferenceArray, _ axes: [Int], _ type: TensorType) -> ReferenceArray {
  let (elements, length) = runs(x, axes)
  let combine = reduction.combination
  /// Extremes begin with their first element, so that no value stands for "nothing yet".
  func fold<T>(_ v: [T], from start: T?, _ f: (T, T) -> T) -> [T] {
    (0..<type.shape.elementCount).map { i in
      let run = v[i * length..<(i + 1) * length]
      if let start { return run.reduce(start, f) }
      return run.dropFirst().reduce(run.first!, f)
    }
  }
  switch elements {
  case let .real(v):
    return ReferenceArray(type, .real(fold(v, from: reduction.start.map { Double($0) }) { combine.real($0, $1, .float64) }))
  case let .integer(v):
    return ReferenceArray(type, .integer(fold(v, from: reduction.start) { combine.integer($0, $1, x.elementType) }))
  case let .complex(v):
    return ReferenceArray(type, .complex(fold(v, from: reduction.start.map { ComplexNumber(Double($0), 0) }) { combine.complex($0, $1) }))
  }
}

func referenceCumulate(_ reduction: Reduction, _ x: ReferenceArray, _ axis: Int, _ reverse: Bool) -> ReferenceArray {
  let combine = reduction.combination
  let length = x.shape[axis]
  let inner = x.shape.dimensions[(axis + 1)...].reduce(1, *)
  let lines = x.shape.dimensions[..<axis].reduce(inner, *)
  func running<T>(_ v: [T], _ f: (T, T) -> T) -> [T] {
    var result = v
    for line in 0..<lines where length > 0 {
      let places = (0..<length).map { (line / inner * length + $0) * inner + line % inner }
      var total: T?
      for place in reverse ? places.reversed() : places {
        let sum = total.map { f($0, v[place]) } ?? v[place]
        total = sum
        result[place] = sum
      }
    }
    return result
  }
  switch x.elements {
  case let .real(v): return ReferenceArray(x.type, .real(running(v) { combine.real($0, $1, .float64) }))
  case let .integer(v): return ReferenceArray(x.type, .integer(running(v) { combine.integer($0, $1, x.elementType) }))
  case let .complex(v): return ReferenceArray(x.type, .complex(running(v) { combine.complex($0, $1) }))
  }
}

extension Reduction {
  fileprivate var combination: Binary {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .minimum: .minimum
    case .maximum: .maximum
    case .all: .and
    case .any: .or
    }
  }
  fileprivate var start: Int64? {
    switch self {
    case .sum, .any: 0
    case .product, .all: 1
    case .minimum, .maximum: nil
    }
  }
}

func referenceArgReduce(_ reduction: ArgReduction, _ x: ReferenceArray, _ axis: Int, _ type: TensorType) -> ReferenceArray {
  let (elements, length) = runs(x, [axis])
  func first<T>(_ v: [T], isBetter: (T, T) -> Bool) -> [Int64] {
    (0..<type.shape.elementCount).map { i in
      var best = 0
      for j in 0..<length where isBetter(v[i * length + j], v[i * length + best]) { best = j }
      return Int64(best)
    }
  }
  switch elements {
  case let .real(v):
    return ReferenceArray(type, .integer(first(v) { a, b in
      if b.isNaN { return false }
      return a.isNaN || (reduction == .minimum ? a < b : a > b)
    }))
  case .integer:
    let v = runs(ReferenceArray(TensorType(x.shape, .int64), .integer(x.orderedIntegers)), [axis]).elements.integers
    return ReferenceArray(type, .integer(first(v) { reduction == .minimum ? $0 < $1 : $0 > $1 }))
  case .complex: preconditionFailure("complex numbers have no order")
  }
}
