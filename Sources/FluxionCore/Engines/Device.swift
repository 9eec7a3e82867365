import CFluxionLink

/// Where programs run: an engine, with the programs compiled for it so far.
public final class Device: Sendable {
  public let engine: any Engine
  private struct ProgramKey: Hashable {
    let graph: Graph
    let options: CompilationOptions
  }
  /// Compiled programs by structure. Held for a look-up only, never while compiling or running.
  private let programs = Locked<[ProgramKey: any Executable]>([:])

  public init(engine: any Engine) { self.engine = engine }

  /// The engine linked into this program (`FluxionCPU`, through `import Fluxion`), else the reference interpreter.
  public static let `default`: Device = {
    if let pointer = fluxion_linked_engine() {
      let object = Unmanaged<AnyObject>.fromOpaque(pointer).takeRetainedValue()
      if let engine = object as? any Engine { return Device(engine: engine) }
    }
    return .reference
  }()

  /// The slow, plain interpreter all engines are judged by.
  public static let reference = Device(engine: ReferenceEngine())

  @TaskLocal private static var override: Device?

  /// Where this task's operations run.
  public static var current: Device { override ?? .default }

  /// Runs `body` with its operations on this device.
  public func active<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Device.$override.withValue(self, operation: body)
  }

  /// As ``active(_:)``, for a body that waits.
  public func active<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    try await Device.$override.withValue(self, operation: body)
  }

  /// The program compiled for `graph`, compiling it the first time.
  public func executable(for graph: Graph, options: CompilationOptions = CompilationOptions()) throws(EngineError) -> any Executable {
    let key = ProgramKey(graph: graph, options: options)
    if let known = programs.withLock({ $0[key] }) { return known }
    let made = try engine.compile(graph, options: options)
    programs.withLock { table in
      // Programs are small, but a loop that makes a new one each time must not fill the memory.
      if table.count >= 4096 { table.removeAll() }
      table[key] = made
    }
    return made
  }

  /// Compiles (once) and runs, trapping at the caller's line on failure.
  package func run(_ graph: Graph, _ arguments: [Tensor]) -> [Tensor] {
    do throws(ExecutionError) { return try start(graph, arguments) } catch { trapAtCaller(error) }
  }

  /// Compiles (once) and runs, for hosts that survive a failure: waits for what the device still works on, so that nothing fails later.
  package func attempt(_ graph: Graph, _ arguments: [Tensor]) throws(ExecutionError) -> [Tensor] {
    let results = try start(graph, arguments)
    for result in results { try result.hostBuffer("run").wait() }
    return results
  }

  private func start(_ graph: Graph, _ arguments: [Tensor]) throws(ExecutionError) -> [Tensor] {
    var options = CompilationOptions()
    options.findsNaN = NaNSearch.isActive
    let program: any Executable
    do throws(EngineError) {
      program = try executable(for: graph, options: options)
    } catch {
      throw .engine("compile: \(error)")
    }
    let results = try program.run(arguments.map { $0.hostBuffer("run") }, donated: [])
    return zip(graph.outputTypes, results).map { Tensor($0, buffer: $1) }
  }

  package func evaluate(_ operation: Operation, _ operands: [Tensor], _ resultTypes: [TensorType]) -> [Tensor] {
    if NaNSearch.isActive { return run(Graph(applying: operation, to: operands.map(\.type), resultTypes), operands) }
    do throws(ExecutionError) {
      let results = try engine.evaluate(
        operation, operands.map { $0.hostBuffer(operation.name) }, operands.map(\.type), resultTypes)
      return zip(resultTypes, results).map { Tensor($0, buffer: $1) }
    } catch {
      trapAtCaller(error)
    }
  }
}

extension Device {
  /// The tensor where this device's programs read it without a transfer: for data that many calls use. On the host's own engines that
  /// is the tensor itself.
  ///
  /// - Throws: `ExecutionError` when the device has no memory for it.
  public func placed(_ tensor: Tensor) throws(ExecutionError) -> Tensor {
    Tensor(tensor.type, buffer: try engine.place(tensor.hostBuffer("placed"), tensor.type))
  }
}

extension Graph {
  /// One primitive as a program: the search for NaNs belongs to programs, and some engines run nothing else.
  package convenience init(applying operation: Operation, to operands: [TensorType], _ results: [TensorType]) {
    let places = (0..<operands.count + results.count).map { ValueID($0) }
    let node = Node(
      operation: operation, operands: Array(places.prefix(operands.count)), firstResult: ValueID(operands.count),
      resultCount: results.count)
    self.init(inputCount: operands.count, nodes: [node], outputs: Array(places.dropFirst(operands.count)), types: operands + results)
  }
}

/// Whether programs are checked for the first NaN they make.
package enum NaNSearch {
  @TaskLocal package static var isActive = false
}

/// Runs `body` looking for NaNs: the first operation, forward or backward, whose result holds a NaN that its operands did not have
/// ends the program, naming the operation and the line of the user's program that asked for it. Slow; for debugging.
///
/// With `attempt(_:)` on a compiled function the finding is thrown instead.
public func findingNaNs<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
  let outcome = NaNSearch.$isActive.withValue(true) {
    withCallSites { () -> Result<Value, Failure> in
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
  }
  return try outcome.get()
}
