public import FluxionCore

/// A traced and compiled program: its graph to be read, its cost, and what runs it.
public struct CompiledProgram: Sendable {
  /// The program as traced and transformed, before the engine's passes. Print it to read it.
  public let graph: Graph
  public let executable: any Executable
  /// What one run takes.
  public var cost: CostReport { executable.cost }
}

/// The programs one function has been compiled to so far.
final class ProgramCache: Sendable {
  struct Key: Hashable {
    let structures: [TreeStructure]
    let types: [TensorType]
    let device: ObjectIdentifier
    let findsNaN: Bool
  }
  final class Entry: Sendable {
    let program: CompiledProgram
    /// Tensors the function used from outside: further arguments of the program.
    let captures: [HostBuffer]
    let structures: [TreeStructure]
    let resultTypes: [TensorType]
    /// Whether the first result has the structure of the first argument: a state keeps its settings.
    let keepsStructure: Bool

    init(program: CompiledProgram, captures: [HostBuffer], structures: [TreeStructure], resultTypes: [TensorType], keepsStructure: Bool) {
      (self.program, self.captures, self.structures, self.resultTypes) = (program, captures, structures, resultTypes)
      self.keepsStructure = keepsStructure
    }
  }

  private let function: @Sendable (ArgumentReader) -> (leaves: [Tensor], structures: [TreeStructure])
  private let entries = Locked<[Key: Entry]>([:])
  /// Calls that have ended, at most as many as ever ran at the same time.
  private let calls = Locked<[ProgramCall]>([])

  init(_ function: @escaping @Sendable (ArgumentReader) -> (leaves: [Tensor], structures: [TreeStructure])) {
    self.function = function
  }

  /// The program for arguments of these structures and types, of which the first `donatedCount` are given up by the caller.
  func entry(_ structures: [TreeStructure], _ types: [TensorType], donatedCount: Int, _ device: Device, findsNaN: Bool)
    throws(EngineError) -> Entry
  {
    let key = Key(structures: structures, types: types, device: ObjectIdentifier(device), findsNaN: findsNaN)
    if let known = entries.withLock({ $0[key] }) { return known }
    let made = try make(types, structures, donatedCount, device, findsNaN)
    entries.withLock { $0[key] = made }
    return made
  }

  func entry(for arguments: Arguments, at placement: Placement?) throws(EngineError) -> Entry {
    try entry(
      arguments.structures, arguments.leaves.map(\.type), donatedCount: arguments.donatedCount, placement?.device ?? .current,
      findsNaN: NaNSearch.isActive)
  }

  private func make(
    _ types: [TensorType], _ structures: [TreeStructure], _ donatedCount: Int, _ device: Device, _ findsNaN: Bool
  ) throws(EngineError) -> Entry {
    var resultStructures: [TreeStructure] = []
    let (graph, captures) = traceGraph(types) { inputs in
      let (leaves, s) = function(ArgumentReader(structures, inputs))
      resultStructures = s
      return leaves
    }
    var options = CompilationOptions()
    options.findsNaN = findsNaN
    options.donatedInputs = Set(0..<donatedCount)
    let executable = try device.executable(for: graph, options: options)
    let placed: [HostBuffer]
    do throws(ExecutionError) {
      placed = try captures.map { (tensor) throws(ExecutionError) in try device.engine.place(tensor.hostBuffer("compiled"), tensor.type) }
    } catch {
      throw EngineError(error.description)
    }
    return Entry(
      program: CompiledProgram(graph: graph, executable: executable), captures: placed, structures: resultStructures,
      resultTypes: graph.outputTypes, keepsStructure: resultStructures.first == structures.first)
  }

  /// Runs `body` with a call to itself.
  func withCall<Result>(_ body: (ProgramCall) throws(ExecutionError) -> Result) throws(ExecutionError) -> Result {
    let call = calls.withLock { $0.popLast() } ?? ProgramCall()
    defer {
      call.end()
      calls.withLock { $0.append(call) }
    }
    return try body(call)
  }

  /// Records the function in the trace in force.
  func record(_ arguments: Arguments) -> ArgumentReader {
    let (leaves, structures) = function(ArgumentReader(arguments.structures, arguments.leaves))
    return ArgumentReader(structures, leaves)
  }
}
