/// The primitives: everything a traced program is made of.
///
/// The set is small and its meanings are StableHLO's, so that one rule each suffices for shapes, derivatives, batching and every
/// engine. What users call besides is composed of these (`Operations/`).
public enum Operation: Hashable, Sendable {
  // Sources
  /// Elements fixed at tracing time.
  case constant(Constant)
  /// 0, 1, 2 … along `axis`.
  case iota(TensorType, axis: Int)
  /// Room for elements that are still to be written; what they are before does not matter. Each is a room of its own.
  case empty(TensorType)
  /// Threefry-2x32 of a counter: operands key `u32[B…, 2]` and first counter `u32[B…]`; results two words `u32[B…, shape…]`,
  /// for the 64-bit counters `first + row-major index within shape`.
  case threefry(Shape)

  // Elementwise
  case unary(Unary)
  case binary(Binary)
  case compare(Comparison)
  /// Operands condition, value where true, value where false.
  case select
  /// Operands low, x, high.
  case clamp
  case convert(ElementType)
  /// The same bits read as another type of the same width.
  case bitcast(ElementType)
  /// Operands real and imaginary part.
  case complex

  // Shape
  /// Operand axis i becomes axis `axes[i]` of `shape`; axes of length 1 are repeated.
  case broadcast(Shape, axes: [Int])
  case reshape(Shape)
  case transpose([Int])
  case slice(start: [Int], limit: [Int], stride: [Int])
  /// Operands x, then one scalar i32 or i64 start per axis. A window that leaves the array is an error.
  case dynamicSlice(sizes: [Int])
  /// Operands x, update, then one scalar start per axis.
  case dynamicUpdateSlice
  /// Operands x and the padding value (scalar). Negative low or high padding crops.
  case pad(low: [Int], high: [Int], interior: [Int])
  case concatenate(axis: Int)
  case reverse(axes: [Int])
  /// Operands x `[B…, X…, R…]` and indices `[B…, I…, K]`, K the number of indexed axes X; result `[B…, I…, R…]`.
  /// `batch` counts B. An index outside its axis is an error.
  case gather(batch: Int)
  /// Operands x `[B…, X…, R…]`, indices `[B…, I…, K]`, updates `[B…, I…, R…]`; result shaped as x. Updates are applied in order.
  case scatter(ScatterMode, batch: Int)

  // Reductions
  case reduce(Reduction, axes: [Int])
  /// The i32 position of the first extreme along `axis`; NaN counts as extreme.
  case argReduce(ArgReduction, axis: Int)
  /// What a reduction (sum, product, minimum, maximum) makes of the elements along `axis` up to each; with `reverse`, from each on.
  case cumulate(Reduction, axis: Int, reverse: Bool)

  // Products
  case dot(DotDimensions)
  case convolution(ConvolutionGeometry, ConvolutionRole)
  /// Discrete Fourier transforms over the last axes.
  case fourier(FourierTransform)

  /// Factorisations of matrices and triangular systems, on the last two axes.
  case linearAlgebra(LinearAlgebra)

  /// Sorts all operands together along `axis` by the first; stable, NaN last.
  case sort(axis: Int, descending: Bool)

  // Control flow
  case scan(Scan)
  case whileLoop(WhileLoop)
  /// Operands: i32 index, then the operands every branch takes. An index outside the branches is an error.
  case conditional(branches: [Graph])
  /// A named sub-program with its own rules; see ``Call``.
  case call(Call)
  /// The identity on all operands, computed only after all of them: keeps recomputation from being merged or moved up.
  case barrier
}

/// Elementwise functions of one operand.
public enum Unary: UInt8, Hashable, Sendable, CaseIterable {
  case negate, abs, sign
  case exp, expm1, log, log1p, sqrt, rsqrt, cbrt, reciprocal, square
  case sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh
  case logistic, erf, erfc, erfInverse, logGamma, digamma, trigamma
  case floor, ceil, round, truncate
  case not, isFinite, isNaN, populationCount, countLeadingZeros
  case real, imaginary, conjugate
  /// The identity, through which no derivative flows.
  case stopGradient
}

/// Elementwise functions of two operands of one type.
public enum Binary: UInt8, Hashable, Sendable, CaseIterable {
  case add, subtract, multiply, divide, remainder, power, atan2, minimum, maximum, nextAfter
  case and, or, xor, shiftLeft, shiftRightLogical, shiftRightArithmetic
  /// a · b, but 0 wherever a is 0, whatever b is. Backward passes scale cotangents by it behind a `select`, so that the slope of the
  /// branch not taken, infinite or NaN, meets its zero cotangent without harm. Bilinear like the product it stands for.
  case multiplyNoNaN
}

public enum Comparison: UInt8, Hashable, Sendable, CaseIterable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

public enum Reduction: UInt8, Hashable, Sendable, CaseIterable { case sum, product, minimum, maximum, all, any }
public enum ArgReduction: UInt8, Hashable, Sendable, CaseIterable { case minimum, maximum }
public enum ScatterMode: UInt8, Hashable, Sendable, CaseIterable { case set, add, multiply, minimum, maximum }

/// Which axes of a product are paired. The result has the batch axes, the rest of the left, the rest of the right.
public struct DotDimensions: Hashable, Sendable {
  public var lhsBatch: [Int], rhsBatch: [Int]
  public var lhsContracting: [Int], rhsContracting: [Int]

  public init(lhsBatch: [Int] = [], rhsBatch: [Int] = [], lhsContracting: [Int], rhsContracting: [Int]) {
    self.lhsBatch = lhsBatch
    self.rhsBatch = rhsBatch
    self.lhsContracting = lhsContracting
    self.rhsContracting = rhsContracting
  }

  package func lhsFree(rank: Int) -> [Int] { (0..<rank).filter { !lhsBatch.contains($0) && !lhsContracting.contains($0) } }
  package func rhsFree(rank: Int) -> [Int] { (0..<rank).filter { !rhsBatch.contains($0) && !rhsContracting.contains($0) } }
}

/// A convolution over one to three spatial axes: input `[N, S…, C]`, kernel `[s…, C / groups, O]`, output `[N, S′…, O]`.
///
/// The three arrays are the factors of one trilinear form; each ``ConvolutionRole`` computes the gradient of that form with respect
/// to one of them from the other two, so the set of three primitives is closed under differentiation.
public struct ConvolutionGeometry: Hashable, Sendable {
  public var input: Shape, kernel: Shape
  /// Per spatial axis, as are dilation and padding.
  public var stride: [Int], dilation: [Int]
  /// Before and after; negative crops.
  public var paddingLow: [Int], paddingHigh: [Int]
  public var groups: Int

  /// Strides and dilations are 1 and paddings 0 unless given.
  public init(
    input: Shape, kernel: Shape, stride: [Int]? = nil, dilation: [Int]? = nil, paddingLow: [Int]? = nil,
    paddingHigh: [Int]? = nil, groups: Int = 1
  ) {
    let axes = Swift.max(0, kernel.rank - 2)
    self.input = input
    self.kernel = kernel
    self.stride = stride ?? [Int](repeating: 1, count: axes)
    self.dilation = dilation ?? [Int](repeating: 1, count: axes)
    self.paddingLow = paddingLow ?? [Int](repeating: 0, count: axes)
    self.paddingHigh = paddingHigh ?? [Int](repeating: 0, count: axes)
    self.groups = groups
  }

  /// The number of spatial axes.
  public var spatialRank: Int { kernel.rank - 2 }

  /// The shape of the output.
  public var output: Shape {
    let spatial = (0..<spatialRank).map { axis in
      let window = (kernel[axis] - 1) * dilation[axis] + 1
      let room = input[axis + 1] + paddingLow[axis] + paddingHigh[axis] - window
      return room < 0 ? 0 : room / stride[axis] + 1
    }
    return Shape([input[0]] + spatial + [kernel[kernel.rank - 1]])
  }
}

/// Which of the three arrays of a convolution is computed: the output from (input, kernel), the input's gradient from
/// (output gradient, kernel), or the kernel's gradient from (input, output gradient).
public enum ConvolutionRole: UInt8, Hashable, Sendable { case output, input, kernel }

/// Discrete Fourier transforms over the last one to three axes, StableHLO's `fft`.
///
/// Forward X[k] = Σⱼ x[j] e^(-2πi jk/n) along each axis; the inverse has e^(+2πi jk/n) and divides by the number of elements.
public struct FourierTransform: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable {
    /// Complex to complex.
    case forward, inverse
    /// Real to complex; of the last axis only the first n / 2 + 1 elements, of which the others are conjugates.
    case realForward
    /// Complex to real, from the n / 2 + 1 elements that ``realForward`` gives. Imaginary parts that a real result cannot have,
    /// of element 0 and for even n of element n / 2, are not read.
    case realInverse
  }
  public var kind: Kind
  /// Of the signal, one for each axis transformed; at least 1.
  public var lengths: [Int]

  public init(_ kind: Kind, lengths: [Int]) {
    self.kind = kind
    self.lengths = lengths
  }

  /// The usual count of the operations of a transform, 5 N log₂ N and half of it for real signals, for all `elements` of an operand.
  package func floatingPointOperations(elements: Double) -> Double {
    let n = Double(lengths.reduce(1, *))
    let operand = Double((kind == .realInverse ? spectrum : lengths).reduce(1, *))
    let isReal = kind == .realForward || kind == .realInverse
    // The number of halvings of the length, without a logarithm from the C library.
    let halvings = Double(n.exponent) + (n.significand - 1)
    return (isReal ? 2.5 : 5) * (elements / operand) * n * halvings
  }

  /// The axes' lengths in the spectrum.
  var spectrum: [Int] {
    guard kind == .realForward || kind == .realInverse, let last = lengths.last else { return lengths }
    return lengths.dropLast() + [last / 2 + 1]
  }
}

/// A loop of known length. Operands: `constantCount` values every step sees, `carryCount` initial carries, then arrays sliced along
/// their first axis. The body takes constants, carries, slices and gives new carries, then values that are stacked.
public struct Scan: Hashable, Sendable {
  public var body: Graph
  public var constantCount: Int
  public var carryCount: Int
  public var length: Int
  /// Walk from the last slice to the first; stacked outputs stay at their slice's place.
  public var reverse: Bool

  public init(body: Graph, constantCount: Int, carryCount: Int, length: Int, reverse: Bool) {
    self.body = body
    self.constantCount = constantCount
    self.carryCount = carryCount
    self.length = length
    self.reverse = reverse
  }
}

/// A loop that runs while its condition holds. Operands: constants of the condition, constants of the body, carries. The condition
/// takes its constants and the carries and gives one scalar bool; the body takes its constants and the carries and gives carries.
public struct WhileLoop: Hashable, Sendable {
  public var condition: Graph
  public var body: Graph
  public var conditionConstantCount: Int
  public var bodyConstantCount: Int
  /// For transforms; engines need not look at it.
  public var bound: Bound?

  public init(condition: Graph, body: Graph, conditionConstantCount: Int, bodyConstantCount: Int, bound: Bound? = nil) {
    self.condition = condition
    self.body = body
    self.conditionConstantCount = conditionConstantCount
    self.bodyConstantCount = bodyConstantCount
    self.bound = bound
  }

  /// A promise that makes a loop reversible: its condition is false after at most `steps`.
  public struct Bound: Hashable, Sendable {
    public var steps: Int
    /// Keep √steps states for the backward pass and compute the others again, rather than keep them all.
    public var recomputes: Bool

    public init(steps: Int, recomputes: Bool) { (self.steps, self.recomputes) = (steps, recomputes) }
  }
}

/// A sub-program that carries rules of its own. Engines see only its body; transforms ask its rules first.
public struct Call: Hashable, Sendable {
  public var name: String
  public var rules: CallRules
  private var program: DeferredGraph

  public init(name: String, body: Graph, rules: CallRules) {
    (self.name, self.rules, program) = (name, rules, DeferredGraph(body))
  }

  /// A call whose body is made when somebody first asks for it: for programs that are costly or impossible to trace, and that the rules
  /// may well make unnecessary.
  ///
  /// - Parameter body: gives a closed program of those types. It runs outside any trace.
  package init(
    name: String, inputTypes: [TensorType], outputTypes: [TensorType], rules: CallRules, body: @escaping @Sendable () -> Graph
  ) {
    (self.name, self.rules) = (name, rules)
    program = DeferredGraph(inputTypes, outputTypes, body)
  }

  public var body: Graph {
    get { program.graph }
    set { program = DeferredGraph(newValue) }
  }
  public var inputTypes: [TensorType] { program.inputTypes }
  public var outputTypes: [TensorType] { program.outputTypes }
  package var isDeferred: Bool { program.isDeferred }
}

/// A graph that is there, or will be made once when it is needed.
private final class DeferredGraph: Hashable, Sendable {
  let inputTypes: [TensorType]
  let outputTypes: [TensorType]
  let isDeferred: Bool
  private let make: @Sendable () -> Graph
  private let made: Locked<Graph?>

  init(_ graph: Graph) {
    (inputTypes, outputTypes, isDeferred) = (graph.inputTypes, graph.outputTypes, false)
    make = { graph }
    made = Locked(graph)
  }

  init(_ inputTypes: [TensorType], _ outputTypes: [TensorType], _ make: @escaping @Sendable () -> Graph) {
    (self.inputTypes, self.outputTypes, isDeferred, self.make) = (inputTypes, outputTypes, true, make)
    made = Locked(nil)
  }

  var graph: Graph {
    if let known = made.withLock({ $0 }) { return known }
    // Not under the lock: making one graph may ask for others. Two threads may make the same one; the first stays.
    let new = GraphBuilder.$current.withValue(nil, operation: make)
    return made.withLock { known in
      if known == nil { known = new }
      return known!
    }
  }

  static func == (a: DeferredGraph, b: DeferredGraph) -> Bool {
    a === b || (!a.isDeferred && !b.isDeferred && a.graph == b.graph)
  }
  func hash(into hasher: inout Hasher) {
    if isDeferred { hasher.combine(ObjectIdentifier(self)) } else { hasher.combine(graph) }
  }
}

/// How a ``Call`` is differentiated. Two calls are the same only if they share the same object.
public final class CallRules: Hashable, Sendable {
  public typealias TangentRule = @Sendable (_ primals: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?])
  public typealias TransposeRule = @Sendable (_ operands: [Tensor?], _ cotangents: [Tensor?]) -> [Tensor?]

  /// Values and tangents; nil tangents are zero. Without a rule the body is differentiated.
  public let tangent: TangentRule?
  /// For calls linear in some operands: those are nil in `operands`; gives their cotangents.
  public let transpose: TransposeRule?
  /// The rules of the call that results from mapping over a leading axis of the flagged operands.
  public let batched: (@Sendable (_ mapped: [Bool], _ size: Int) -> CallRules)?
  /// Whether the tangent rule gives nothing but the derivative of the body, in a better way: then who has another kind of derivative to
  /// find may look into the body instead.
  public let isTransparent: Bool

  public init(
    tangent: TangentRule? = nil, transpose: TransposeRule? = nil,
    batched: (@Sendable (_ mapped: [Bool], _ size: Int) -> CallRules)? = nil, isTransparent: Bool = false
  ) {
    self.tangent = tangent
    self.transpose = transpose
    self.batched = batched
    self.isTransparent = isTransparent
  }

  public static func == (a: CallRules, b: CallRules) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Elements known at tracing time. Small ones are equal by content, so that the same literal is one value of a graph; large ones by
/// identity, so that hashing a graph does not read them.
public struct Constant: Hashable, Sendable {
  public let type: TensorType
  public let buffer: HostBuffer

  public init(_ type: TensorType, _ buffer: HostBuffer) {
    self.type = type
    self.buffer = buffer
  }

  static let contentLimit = 256

  public static func == (a: Constant, b: Constant) -> Bool {
    guard a.type == b.type else { return false }
    if a.buffer === b.buffer { return true }
    guard a.type.byteCount <= contentLimit else { return false }
    return UnsafeRawBufferPointer(start: a.buffer.pointer, count: a.type.byteCount)
      .elementsEqual(UnsafeRawBufferPointer(start: b.buffer.pointer, count: b.type.byteCount))
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(type)
    if type.byteCount <= Constant.contentLimit {
      hasher.combine(bytes: UnsafeRawBufferPointer(start: buffer.pointer, count: type.byteCount))
    } else {
      hasher.combine(ObjectIdentifier(buffer))
    }
  }

  /// The one value all elements share, when there is only one element or all have the same bytes (checked for small constants).
  public var uniformScalar: Double? {
    guard type.shape.elementCount == 1, !type.elementType.isComplex else { return nil }
    return buffer.doubles(type)[0]
  }
}

extension Operation {
  /// The name used in printed graphs and messages.
  public var name: String {
    switch self {
    case .constant: "constant"
    case .iota: "iota"
    case .empty: "empty"
    case .threefry: "threefry"
    case let .unary(f): "\(f)"
    case let .binary(f): "\(f)"
    case let .compare(c): "\(c)"
    case .select: "select"
    case .clamp: "clamp"
    case .convert: "convert"
    case .bitcast: "bitcast"
    case .complex: "complex"
    case .broadcast: "broadcast"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .slice: "slice"
    case .dynamicSlice: "dynamicSlice"
    case .dynamicUpdateSlice: "dynamicUpdateSlice"
    case .pad: "pad"
    case .concatenate: "concatenate"
    case .reverse: "reverse"
    case .gather: "gather"
    case let .scatter(mode, _): "scatter.\(mode)"
    case let .reduce(r, _): "reduce.\(r)"
    case let .argReduce(r, _): "argReduce.\(r)"
    case let .cumulate(r, _, _): "cumulate.\(r)"
    case .dot: "dot"
    case let .convolution(_, role): "convolution.\(role)"
    case let .fourier(transform): "fourier.\(transform.kind)"
    case let .linearAlgebra(f): f.name
    case .sort: "sort"
    case .scan: "scan"
    case .whileLoop: "while"
    case .conditional: "conditional"
    case let .call(call): "call.\(call.name)"
    case .barrier: "barrier"
    }
  }

  /// The sub-programs of control flow and calls.
  public var subgraphs: [Graph] {
    switch self {
    case let .scan(s): [s.body]
    case let .whileLoop(w): [w.condition, w.body]
    case let .conditional(branches): branches
    case let .call(c): [c.body]
    default: []
    }
  }
}
