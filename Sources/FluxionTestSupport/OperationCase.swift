public import FluxionCore
public import Testing

/// One operation with all that the suites need to test it: values on every engine, derivatives, batching. The suites run over
/// ``OperationCase/all``, so an operation is covered by being added there.
public struct OperationCase: Sendable, CustomTestStringConvertible {
  /// What sort of shapes a sample has.
  public enum ShapeClass: String, Sendable { case scalar, empty, one, vector, matrix, broadcast, tensor }

  public struct Sample: Sendable {
    public let shapeClass: ShapeClass
    /// One per operand.
    public let shapes: [Shape]
    public init(_ shapeClass: ShapeClass, _ shapes: Shape...) { (self.shapeClass, self.shapes) = (shapeClass, shapes) }
  }

  public enum ResultType: Sendable { case same, bool, int32 }

  public let name: String
  public let function: @Sendable ([Tensor]) -> Tensor
  /// The same by a plain formula.
  public let expected: @Sendable ([PlainArray]) -> PlainArray
  public let samples: [Sample]
  /// One per operand.
  public let domains: [Domain]
  public let elementTypes: [ElementType]
  public let resultType: ResultType
  public let tolerance: Tolerance
  /// Whether it has derivatives (of every order, in both modes) with respect to its real operands.
  public let isDifferentiable: Bool

  public init(
    _ name: String, _ samples: [Sample], _ domains: [Domain], elementTypes: [ElementType] = OperationCase.reals,
    resultType: ResultType = .same, tolerance: Tolerance = .exact, isDifferentiable: Bool = true,
    _ function: @escaping @Sendable ([Tensor]) -> Tensor, expected: @escaping @Sendable ([PlainArray]) -> PlainArray
  ) {
    self.name = name
    self.samples = samples
    self.domains = domains
    self.elementTypes = elementTypes
    self.resultType = resultType
    self.tolerance = tolerance
    self.isDifferentiable = isDifferentiable
    self.function = function
    self.expected = expected
  }

  public static let reals: [ElementType] = [.float32, .float64]
  public static let numbers: [ElementType] = [.float32, .float64, .int32, .int64]
  public static let integers: [ElementType] = [.int32, .int64]

  /// Operands for a sample; the same for the same case, sample and seed.
  public func operands(_ sample: Sample, _ type: ElementType, seed: UInt64 = 1) -> [Tensor] {
    // Names hash differently in every process; their letters do not.
    let letters = name.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) }
    var arrays = TestArrays(seed: letters)
    return zip(sample.shapes, domains).map { arrays.tensor($0, $1, as: type) }
  }

  public func resultType(_ type: ElementType) -> ElementType {
    switch resultType {
    case .same: type
    case .bool: .bool
    case .int32: .int32
    }
  }

  public var testDescription: String { name }

  /// Every case.
  public static let all: [OperationCase] = unaryCases + binaryCases + choiceCases + shapingCases + indexingCases + reductionCases + productCases + sortingCases

  public static var differentiable: [OperationCase] { all.filter(\.isDifferentiable) }
}

extension PlainArray {
  /// The elements of a tensor.
  public init(_ tensor: Tensor) { self.init(tensor.shape.dimensions, tensor.doubles()) }
}
