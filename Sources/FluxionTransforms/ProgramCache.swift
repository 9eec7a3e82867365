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
  struct Entry: Sendable {
    let program: CompiledProgram
    /// Tensors the function used from outside: further arguments of the program.
    let captures: [HostBuffer]
    let structures: [TreeStructure]
    let resultTypes: [TensorType]
  }

  private let function: @Sendable (ArgumentReader) -> (leaves: [Tensor], structures: [TreeStructure])
  private let entries = Locked<[Key: Entry]>([:])

  init(_ function: @escaping @Sendable (ArgumentReader) -> (leaves: [Tensor], structures: [TreeStructure])) {
    self.function = function
  }

  func entry(for arguments: Arguments) throws(EngineError) -> Entry {
    let device = Device.current
    let types = arguments.leaves.map(\.type)
    let key = Key(
      structures: arguments.structures, types: types, device: ObjectIdentifier(device), findsNaN: NaNSearch.isActive)
    if let known = entries.withLock({ $0[key] }) { return known }
    let made = try make(types, arguments.structures, arguments.donatedCount, device)
    entries.withLock { $0[key] = made }
    return made
  }

  private func make(_ types: [TensorType], _ structures: [TreeStructure], _ donatedCount: Int, _ device: Device) throws(EngineError)
    -> Entry
  {
    var resultStructures: [TreeStructure] = []
    let (graph, captures) = traceGraph(types) { inputs in
      let (leaves, s) = function(ArgumentReader(structures, inputs))
      resultStructures = s
      return leaves
    }
    var options = CompilationOptions()
    options.findsNaN = NaNSearch.isActive
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
      resultTypes: graph.outputTypes)
  }

  /// Runs the program for `arguments`; inside another trace, records the function there instead.
  func run(_ arguments: Arguments) throws(ExecutionError) -> (structures: [TreeStructure], results: [Tensor]) {
    if GraphBuilder.current != nil {
      let (leaves, structures) = function(ArgumentReader(arguments.structures, arguments.leaves))
      return (structures, leaves)
    }
    let entry: Entry
    do throws(EngineError) { entry = try self.entry(for: arguments) } catch { throw .engine(error.description) }
    // What the caller gave up is owned by this array alone.
    var buffers = arguments.takeBuffers()
    var donated = [Bool](repeating: false, count: buffers.count + entry.captures.count)
    for i in 0..<arguments.donatedCount { donated[i] = isKnownUniquelyReferenced(&buffers[i]) }
    buffers += entry.captures
    let results = try entry.program.executable.run(buffers, donated: donated)
    return (entry.structures, zip(entry.resultTypes, results).map { Tensor($0, buffer: $1) })
  }
}
