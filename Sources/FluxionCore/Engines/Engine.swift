/// What runs graphs. Result types are decided before an engine is asked; engines compute and never infer.
public protocol Engine: AnyObject, Sendable {
  /// A short name, such as `cpu`.
  var name: String { get }

  /// Prepares a graph to be run many times.
  func compile(_ graph: Graph, options: CompilationOptions) throws(EngineError) -> any Executable

  /// Runs one primitive at once.
  func evaluate(_ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultTypes: [TensorType])
    throws(ExecutionError) -> [HostBuffer]

  /// `buffer` where this engine's programs read it without a transfer: for what many runs use. The host's engines have it already.
  func place(_ buffer: HostBuffer, _ type: TensorType) throws(ExecutionError) -> HostBuffer

  /// Runs one function of real numbers at once, if there is a short way to do it. `type` is that of operand and result.
  func evaluate(_ function: Unary, _ x: HostBuffer, _ type: TensorType) -> HostBuffer?

  /// The same for two operands of type `type`, of which one may be a single number.
  func evaluate(_ function: Binary, _ a: HostBuffer, _ b: HostBuffer, _ type: TensorType, aIsScalar: Bool, bIsScalar: Bool)
    -> HostBuffer?

  /// The same for a reduction of all elements, of which there is at least one. `type` is the operand's.
  func evaluate(_ reduction: Reduction, _ x: HostBuffer, _ type: TensorType) -> HostBuffer?
}

extension Engine {
  public func place(_ buffer: HostBuffer, _ type: TensorType) throws(ExecutionError) -> HostBuffer { buffer }
}

/// A graph prepared by an engine; may be run from several tasks at the same time.
public protocol Executable: Sendable {
  /// Runs on `arguments`, or starts to: results may be buffers on a device that are not ready yet, and a failure of the work that makes
  /// them is told when they are waited for.
  ///
  /// - Parameters:
  ///   - arguments: one buffer per input of the graph, row-major.
  ///   - donated: inputs whose memory may be overwritten, because the caller holds their only reference and gives it up. Taken over
  ///     from the array: the engine may reuse such a buffer for a result.
  func run(_ arguments: consuming [HostBuffer], donated: [Bool]) throws(ExecutionError) -> [HostBuffer]

  /// The same for who calls over and over: `results` is a list without elements that has been used before, and receives the results.
  func run(_ arguments: borrowing [HostBuffer], donated: [Bool], results: inout [HostBuffer]) throws(ExecutionError)

  var cost: CostReport { get }
}

extension Executable {
  public func run(_ arguments: borrowing [HostBuffer], donated: [Bool], results: inout [HostBuffer]) throws(ExecutionError) {
    results = try run(copy arguments, donated: donated)
  }
}

public struct CompilationOptions: Hashable, Sendable {
  /// Look for the first operation that makes a NaN; slow, for debugging.
  public var findsNaN = false
  /// Inputs that will be donated whenever their references are unique.
  public var donatedInputs: Set<Int> = []
  public init() {}
}

/// What one run of a compiled program takes.
public struct CostReport: Hashable, Sendable, Codable {
  /// Floating-point operations; loops of unknown length are counted once.
  public var floatingPointOperations: Double = 0
  /// Bytes read and written by its kernels.
  public var bytesMoved: Double = 0
  /// Kernels started.
  public var kernels = 0
  /// The most scratch memory in use at once, besides arguments and results.
  public var peakMemory = 0
  public init() {}
}
