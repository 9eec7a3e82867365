public import FluxionCore
public import Testing

/// One operation with all that is needed to test it: values on every engine, derivatives, batching. Suites and `make matrix` walk
/// ``OperationCase/all``, so an operation is covered by being added there.
public struct OperationCase: Sendable, CustomTestStringConvertible {
  /// What sort of shapes a sample has.
  public enum ShapeClass: String, Sendable, CaseIterable {
    case scalar, empty, one, vector, matrix, nonSquare, broadcast, tensor
    /// A few thousand elements: more than one tile, enough to be shared among threads.
    case large
  }

  public struct Sample: Sendable {
    public let shapeClass: ShapeClass
    /// One per operand.
    public let shapes: [Shape]
    public init(_ shapeClass: ShapeClass, _ shapes: Shape...) { (self.shapeClass, self.shapes) = (shapeClass, shapes) }
    public init(_ shapeClass: ShapeClass, shapes: [Shape]) { (self.shapeClass, self.shapes) = (shapeClass, shapes) }
  }

  /// What element type a result has, given the case's.
  public enum ResultType: Sendable {
    case same
    /// That of a complex number's parts.
    case realPart
    /// The complex numbers of which the case's type is a part.
    case complex
    case bool, int32
    case fixed(ElementType)

    public func callAsFunction(_ type: ElementType) -> ElementType {
      switch self {
      case .same: type
      case .realPart: type.realPart
      case .complex: type.realPart == .float64 ? .complex128 : .complex64
      case .bool: .bool
      case .int32: .int32
      case let .fixed(type): type
      }
    }
  }

  /// Cells of the matrix that the operation refuses, and why. Nil stands for all.
  public struct Exception: Sendable {
    public let reason: String
    public let transforms: Set<Transform>?
    public let elementTypes: Set<ElementType>?
    /// By name, such as `cpu`.
    public let engines: Set<String>?
    public let shapeClasses: Set<ShapeClass>?

    /// - Parameter reason: a sentence without full stop, such as "the order of equal keys is not differentiable".
    public init(
      _ reason: String, transforms: Set<Transform>? = nil, elementTypes: Set<ElementType>? = nil, engines: Set<String>? = nil,
      shapeClasses: Set<ShapeClass>? = nil
    ) {
      self.reason = reason
      self.transforms = transforms
      self.elementTypes = elementTypes
      self.engines = engines
      self.shapeClasses = shapeClasses
    }
  }

  /// How far derivatives may be from their expectation, relative to its scale, where the usual 1e-7 and 1e-4 cannot be met.
  public struct DerivativeTolerance: Sendable {
    public let float64: Double
    public let float32: Double
    public let reason: String
    public init(float64: Double = 1e-7, float32: Double = 1e-4, because reason: String) {
      self.float64 = float64
      self.float32 = float32
      self.reason = reason
    }
  }

  public let name: String
  public let results: @Sendable ([Tensor]) -> [Tensor]
  /// The same by a plain formula.
  public let expectedResults: @Sendable ([PlainArray]) -> [PlainArray]
  public let samples: [Sample]
  /// One per operand. Those with an element type of their own, such as `.indices`, keep it whatever the case's is.
  public let domains: [Domain]
  public private(set) var elementTypes: [ElementType]
  /// One per result.
  public let resultTypes: [ResultType]
  public let tolerance: Tolerance
  /// What complex results are allowed besides, relative to the whole number: the plain formulas are no more exact.
  private let complexAllowance: Tolerance
  /// Whether it has derivatives (of every order, in both modes) with respect to its real and complex operands. Where real results
  /// of real operands have none, an exception says why.
  public let isDifferentiable: Bool
  public let derivativeTolerance: DerivativeTolerance?
  /// The step of the central differences that derivatives are compared with.
  public let differenceStep: Double
  public let exceptions: [Exception]

  /// A case with one result.
  ///
  /// - Parameter complex: given, the row is run in complex numbers as well.
  public init(
    _ name: String, _ samples: [Sample], _ domains: [Domain], complex: ComplexExpectation? = nil, elementTypes: [ElementType] = OperationCase.reals,
    resultType: ResultType = .same, tolerance: Tolerance = .exact, isDifferentiable: Bool = true,
    derivativeTolerance: DerivativeTolerance? = nil, differenceStep: Double = 1e-3, exceptions: [Exception] = [],
    _ function: @escaping @Sendable ([Tensor]) -> Tensor, expected: @escaping @Sendable ([PlainArray]) -> PlainArray
  ) {
    self.init(
      name, samples, domains, complex: complex, elementTypes: elementTypes, resultTypes: [resultType], tolerance: tolerance,
      isDifferentiable: isDifferentiable, derivativeTolerance: derivativeTolerance, differenceStep: differenceStep,
      exceptions: exceptions, results: { [function($0)] }, expected: { [expected($0)] })
  }

  /// A case with several results.
  public init(
    _ name: String, _ samples: [Sample], _ domains: [Domain], complex: ComplexExpectation? = nil, elementTypes: [ElementType] = OperationCase.reals,
    resultTypes: [ResultType], tolerance: Tolerance = .exact, isDifferentiable: Bool = true,
    derivativeTolerance: DerivativeTolerance? = nil, differenceStep: Double = 1e-3, exceptions: [Exception] = [],
    results: @escaping @Sendable ([Tensor]) -> [Tensor], expected: @escaping @Sendable ([PlainArray]) -> [PlainArray]
  ) {
    self.name = name
    self.samples = samples
    self.domains = domains
    self.elementTypes = elementTypes + (complex == nil ? [] : OperationCase.complexes)
    self.resultTypes = resultTypes
    self.tolerance = tolerance
    self.isDifferentiable = isDifferentiable
    self.derivativeTolerance = derivativeTolerance
    self.differenceStep = differenceStep
    self.exceptions = exceptions
    self.results = results
    expectedResults = { x in
      guard let complex, x.contains(where: { $0.imaginary != nil }) else { return expected(x) }
      return complex.expected(x, expected)
    }
    complexAllowance =
      switch complex {
      case nil, .linear: .exact
      default: Tolerance(ulps: 8, epsilons: 16)
      }
  }

  /// The same row in these element types.
  func taking(_ elementTypes: [ElementType]) -> OperationCase {
    var row = self
    row.elementTypes = elementTypes
    return row
  }

  public static let reals: [ElementType] = [.float32, .float64]
  public static let numbers: [ElementType] = [.float32, .float64, .int32, .int64]
  public static let integers: [ElementType] = [.int32, .int64]
  public static let complexes: [ElementType] = [.complex64, .complex128]

  /// The first result.
  public var function: @Sendable ([Tensor]) -> Tensor { { [results] in results($0)[0] } }
  public var expected: @Sendable ([PlainArray]) -> PlainArray { { [expectedResults] in expectedResults($0)[0] } }

  /// Operands for a sample; the same for the same case, sample and seed.
  public func operands(_ sample: Sample, _ type: ElementType, seed: UInt64 = 1) -> [Tensor] {
    var arrays = TestArrays(seed: name.letters(from: seed))
    return zip(sample.shapes, domains).map { arrays.tensor($0, $1, as: type) }
  }

  func tolerance(in type: ElementType) -> Tolerance {
    guard type.isComplex, complexAllowance != .exact else { return tolerance }
    var sum = tolerance
    sum.ulps = 2 * sum.ulps + complexAllowance.ulps
    sum.epsilons = 2 * sum.epsilons + complexAllowance.epsilons
    return sum
  }

  public func resultType(_ type: ElementType) -> ElementType { resultTypes[0](type) }

  public var testDescription: String { name }

  /// Rows of one kind, a section of the published table.
  public struct Family: Sendable {
    public let name: String
    public let cases: [OperationCase]
    public init(_ name: String, _ cases: [OperationCase]) { (self.name, self.cases) = (name, cases.map(\.inFurtherTypes)) }
  }

  /// Every case. A new list of rows gets its line here.
  public static let families: [Family] = [
    Family("Functions of one operand", unaryCases),
    Family("Functions of two operands", binaryCases),
    Family("Special functions", specialCases),
    Family("Choices and complex numbers", choiceCases),
    Family("Shaping", shapingCases),
    Family("Indexing", indexingCases),
    Family("Reductions", reductionCases),
    Family("Running reductions", cumulativeCases),
    Family("Products", productCases),
    Family("Linear algebra", linearAlgebraCases),
    Family("Convolutions", convolutionCases),
    Family("Windows and borders", windowCases),
    Family("Fourier, cosine and sine transforms", fourierCases),
    Family("Sorting", sortingCases + orderingCases),
    Family("Segments", segmentCases),
    Family("Statistics", statisticsCases),
    Family("Grids and differences", gridCases),
    Family("Interpolation", interpolationCases),
    Family("Sparse matrices", sparseCases),
    Family("Bits", bitCases),
    Family("Element types", elementTypeCases),
    Family("Control flow", controlFlowCases),
  ]

  public static let all: [OperationCase] = families.flatMap(\.cases)

  public static var differentiable: [OperationCase] { all.filter(\.isDifferentiable) }
}

extension String {
  /// A number that is the same in every process, which `hashValue` is not.
  func letters(from seed: UInt64) -> UInt64 { utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) } }
}

extension PlainArray {
  /// The elements of a tensor.
  public init(_ tensor: Tensor) {
    let imaginary = tensor.elementType.isComplex ? tensor.imaginary.doubles() : nil
    self.init(tensor.shape.dimensions, tensor.doubles(), imaginary: imaginary)
  }
}
