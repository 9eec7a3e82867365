public import FluxionCore
public import Testing

/// How far two numbers may be apart. The allowances add up.
public struct Tolerance: Sendable, Hashable {
  /// In units in the last place of the expected number.
  public var ulps: Double
  /// In units of the element type's machine epsilon, whatever the expected number: for sums whose terms cancel.
  public var epsilons: Double
  /// Relative to the expected number.
  public var relative: Double
  public var absolute: Double

  public init(ulps: Double = 0, epsilons: Double = 0, relative: Double = 0, absolute: Double = 0) {
    (self.ulps, self.epsilons, self.relative, self.absolute) = (ulps, epsilons, relative, absolute)
  }
  public static let exact = Tolerance()
  public static func + (a: Tolerance, b: Tolerance) -> Tolerance {
    Tolerance(
      ulps: a.ulps + b.ulps, epsilons: a.epsilons + b.epsilons, relative: a.relative + b.relative, absolute: a.absolute + b.absolute)
  }
  /// What XLA's values may be off by. Its elementary functions are not Fluxion's: to one part in 10⁵ in single precision and in 10¹² in
  /// double the two must agree, or to some units of what is of order one, where terms cancel. Narrow types are stored, and computed with
  /// in 32 bits; XLA may round more often between.
  public static func xla(_ type: ElementType) -> Tolerance {
    switch type.realPart {
    case .float32: Tolerance(epsilons: 16, relative: 1e-5)
    case .float64: Tolerance(epsilons: 64, relative: 1e-12)
    case .float16, .bfloat16, .float8e4m3, .float8e5m2: .ulps(2)
    default: .exact
    }
  }
  public static func ulps(_ n: Double) -> Tolerance { Tolerance(ulps: n) }

  func allowance(_ expected: Double, _ type: ElementType) -> Double {
    let size = Swift.abs(expected)
    let (ulp, epsilon): (Double, Double) =
      switch type.realPart {
      case let small where small.floatFormat != nil: (small.floatFormat!.ulp(of: size), small.ulpOfOne)
      case .float32: (Double(Float(size).ulp), Double(Float.ulpOfOne))
      case .float64: (size.ulp, Double.ulpOfOne)
      default: (0, 0)
      }
    return (ulps == 0 ? 0 : ulps * ulp) + epsilons * epsilon + relative * size + absolute
  }
}

/// Expects two arrays to have one type and elements as close as the tolerance asks; else records the worst element. NaN equals NaN.
public func expectClose(
  _ actual: Tensor, _ expected: Tensor, _ tolerance: Tolerance, _ comment: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  record(
    actual.type == expected.type
      ? mismatch(parts(actual), parts(expected), actual.shape.dimensions, actual.elementType, tolerance)
      : "the type is \(actual.type), not \(expected.type)", comment(), sourceLocation)
}

/// Whether two arrays have one type and elements as close as the tolerance asks.
public func areClose(_ actual: Tensor, _ expected: Tensor, _ tolerance: Tolerance) -> Bool {
  actual.type == expected.type && mismatch(parts(actual), parts(expected), actual.shape.dimensions, actual.elementType, tolerance) == nil
}

/// Expects an array's elements to be as close to plain ones as the tolerance asks, and its shape to be theirs.
public func expectClose(
  _ actual: Tensor, _ expected: PlainArray, _ tolerance: Tolerance, _ comment: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  record(
    actual.shape.dimensions == expected.shape
      ? mismatch(parts(actual), expected.parts(as: actual.elementType), expected.shape, actual.elementType, tolerance)
      : "the shape is \(actual.shape), not \(expected.shape)", comment(), sourceLocation)
}

/// Expects the elements in row-major order.
public func expectClose(
  _ actual: Tensor, _ expected: [Double], _ tolerance: Tolerance, _ comment: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  record(
    actual.elementCount == expected.count
      ? mismatch(actual.doubles(), expected, actual.shape.dimensions, actual.elementType.realPart, tolerance)
      : "there are \(actual.elementCount) elements, not \(expected.count)", comment(), sourceLocation)
}

private func record(_ problem: String?, _ comment: String, _ location: SourceLocation) {
  guard let problem else { return }
  Issue.record(Comment(rawValue: comment.isEmpty ? problem : comment + ": " + problem), sourceLocation: location)
}

/// Real and imaginary parts side by side.
func parts(_ x: Tensor) -> [Double] {
  x.elementType.isComplex ? zip(x.real.doubles(), x.imaginary.doubles()).flatMap { [$0, $1] } : x.doubles()
}

/// What is wrong, or nil.
func mismatch(_ actual: [Double], _ expected: [Double], _ shape: [Int], _ type: ElementType, _ tolerance: Tolerance) -> String? {
  var (worst, excess, wrong) = (0, 0.0, 0)
  /// Of a complex number the larger part counts for both.
  func size(_ i: Int) -> Double { type.isComplex ? Swift.max(Swift.abs(expected[i]), Swift.abs(expected[i ^ 1])) : expected[i] }
  for (i, (a, e)) in zip(actual, expected).enumerated() {
    if a == e || a.isNaN && e.isNaN { continue }
    let difference = Swift.abs(a - e)
    let allowed = tolerance.allowance(size(i), type)
    // Also false where the difference is NaN, or the allowance infinite.
    if difference.isFinite && difference <= allowed { continue }
    wrong += 1
    let ratio = difference.isFinite ? difference / Swift.max(allowed, Double.leastNormalMagnitude) : Double.infinity
    if wrong == 1 || ratio > excess { (worst, excess) = (i, ratio) }
  }
  guard wrong > 0 else { return nil }
  let (a, e) = (actual[worst], expected[worst])
  let difference = Swift.abs(a - e)
  let perElement = type.isComplex ? 2 : 1
  return
    "\(wrong) of \(expected.count) numbers differ; the worst, at \(index(worst / perElement, shape)), is \(a) and should be \(e): "
    + "off by \(difference), relatively \(difference / Swift.abs(e)), allowed \(tolerance.allowance(size(worst), type))"
}

private func index(_ place: Int, _ shape: [Int]) -> [Int] {
  var (rest, result): (Int, [Int]) = (place, [])
  for n in shape.reversed() {
    result.insert(rest % n, at: 0)
    rest /= n
  }
  return result
}
