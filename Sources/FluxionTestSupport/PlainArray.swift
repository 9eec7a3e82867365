internal import FluxionCore

/// An array for expected values: nothing but lengths and numbers, so that what a test expects is computed without the code it tests.
public struct PlainArray: Sendable, Equatable {
  public let shape: [Int]
  /// Row-major; of complex numbers the real parts.
  public let values: [Double]
  /// The imaginary parts of complex numbers.
  public let imaginary: [Double]?

  public init(_ shape: [Int], _ values: [Double], imaginary: [Double]? = nil) {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values cannot fill \(shape)")
    precondition(imaginary.map { $0.count == values.count } ?? true, "each number has one imaginary part")
    self.shape = shape
    self.values = values
    self.imaginary = imaginary
  }

  /// The value at every index vector.
  public init(_ shape: [Int], _ value: ([Int]) -> Double) {
    self.init(shape, PlainArray.indices(of: shape).map(value))
  }

  public init(_ scalar: Double) { self.init([], [scalar]) }

  public subscript(_ index: [Int]) -> Double { values[place(of: index)] }
  public subscript(_ index: Int...) -> Double { self[index] }

  /// The numbers as a tensor of `type` lists them: of a complex one, real and imaginary parts side by side.
  func parts(as type: ElementType) -> [Double] { type.isComplex ? complexNumbers.flatMap { [$0.re, $0.im] } : values }

  // MARK: Complex numbers

  init(_ shape: [Int], _ numbers: [PlainComplex]) { self.init(shape, numbers.map(\.re), imaginary: numbers.map(\.im)) }

  var complexNumbers: [PlainComplex] {
    guard let imaginary else { return values.map { PlainComplex($0) } }
    return zip(values, imaginary).map { PlainComplex($0, $1) }
  }
  var real: PlainArray { PlainArray(shape, values) }
  var imaginaryPart: PlainArray { PlainArray(shape, imaginary ?? values.map { _ in 0 }) }

  /// The number at a place.
  func complex(_ index: [Int]) -> PlainComplex {
    let place = place(of: index)
    return PlainComplex(values[place], imaginary?[place] ?? 0)
  }

  /// `f` of the complex operands element by element, broadcast under NumPy's rule.
  static func complexElementwise(_ operands: [PlainArray], _ f: ([PlainComplex]) -> PlainComplex) -> PlainArray {
    let parts = operands.flatMap { [$0.real, $0.imaginaryPart] }
    func pairs(_ v: [Double]) -> [PlainComplex] { stride(from: 0, to: v.count, by: 2).map { PlainComplex(v[$0], v[$0 + 1]) } }
    let re = elementwise(parts) { f(pairs($0)).re }
    return PlainArray(re.shape, re.values, imaginary: elementwise(parts) { f(pairs($0)).im }.values)
  }

  /// `f` of the complex elements along `axes`, for every index of the others.
  func complexReduced(_ axes: [Int], _ f: ([PlainComplex]) -> PlainComplex) -> PlainArray {
    let places = PlainArray(shape, values.indices.map { Double($0) })
    let numbers = complexNumbers
    let re = places.reduced(axes) { f($0.map { numbers[Int($0)] }).re }
    return PlainArray(re.shape, re.values, imaginary: places.reduced(axes) { f($0.map { numbers[Int($0)] }).im }.values)
  }

  /// Each line of complex elements along `axis` replaced by `f` of it.
  func complexMappingLines(_ axis: Int, _ f: ([PlainComplex]) -> [PlainComplex]) -> PlainArray {
    let places = PlainArray(shape, values.indices.map { Double($0) })
    let numbers = complexNumbers
    let re = places.mappingLines(axis) { f($0.map { numbers[Int($0)] }).map(\.re) }
    return PlainArray(re.shape, re.values, imaginary: places.mappingLines(axis) { f($0.map { numbers[Int($0)] }).map(\.im) }.values)
  }

  private func place(of index: [Int]) -> Int {
    var place = 0
    for (i, n) in zip(index, shape) {
      precondition(i >= 0 && i < n, "\(index) is not within \(shape)")
      place = place * n + i
    }
    return place
  }

  /// All index vectors in row-major order.
  public static func indices(of shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { prefixes, n in prefixes.flatMap { prefix in (0..<n).map { prefix + [$0] } } }
  }

  /// `f` of the operands element by element, broadcast under NumPy's rule.
  public static func elementwise(_ operands: [PlainArray], _ f: ([Double]) -> Double) -> PlainArray {
    let rank = operands.map(\.shape.count).max() ?? 0
    let padded = operands.map { [Int](repeating: 1, count: rank - $0.shape.count) + $0.shape }
    let shape = (0..<rank).map { axis -> Int in
      let lengths = padded.map { $0[axis] }
      return lengths.first { $0 != 1 } ?? 1
    }
    return PlainArray(shape) { index in
      f(operands.map { x in
        let own = Array(index.suffix(x.shape.count))
        return x[zip(own, x.shape).map { $1 == 1 ? 0 : $0 }]
      })
    }
  }

  /// `f` of the elements along `axes`, for every index of the others.
  public func reduced(_ axes: [Int], _ f: ([Double]) -> Double) -> PlainArray {
    let kept = shape.indices.filter { !axes.contains($0) }
    return PlainArray(kept.map { shape[$0] }) { index in
      f(PlainArray.indices(of: axes.map { shape[$0] }).map { inner in
        var full = [Int](repeating: 0, count: shape.count)
        for (i, axis) in zip(index, kept) { full[axis] = i }
        for (i, axis) in zip(inner, axes) { full[axis] = i }
        return self[full]
      })
    }
  }

  /// Each line along `axis` replaced by `f` of it.
  public func mappingLines(_ axis: Int, _ f: ([Double]) -> [Double]) -> PlainArray {
    PlainArray(shape) { index in
      let line = (0..<shape[axis]).map { i -> Double in
        var full = index
        full[axis] = i
        return self[full]
      }
      return f(line)[index[axis]]
    }
  }
}
