import FluxionCore

/// Runs programs on all devices of a mesh, divided by XLA's partitioner.
final class MeshEngine: Engine {
  let name = "xla"
  let shape: MeshShape
  let client: PJRTClient
  private let devices: [PJRTDevice]
  private let cache: CompileCache?
  /// Programs of one operation, for what runs outside any compiled function.
  private let singles = Locked<[Graph: MeshExecutable]>([:])

  init(_ shape: MeshShape, _ client: PJRTClient, _ devices: [PJRTDevice], _ cache: CompileCache?) {
    (self.shape, self.client, self.devices, self.cache) = (shape, client, devices, cache)
  }

  func compile(_ graph: Graph, options: CompilationOptions) throws(EngineError) -> any Executable {
    if options.findsNaN {
      throw EngineError(
        "XLA: the search for NaNs needs an engine that looks at every operation. Use --device cpu for it.")
    }
    return MeshExecutable(graph, donatable: options.donatedInputs, engine: self)
  }

  func evaluate(
    _ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultTypes: [TensorType]
  )
    throws(ExecutionError) -> [HostBuffer]
  {
    if case let .constant(constant) = operation { return [constant.buffer] }
    let graph = Graph(applying: operation, to: operandTypes, resultTypes)
    let program = singles.withLock { table in
      if let known = table[graph] { return known }
      let made = MeshExecutable(graph, donatable: [], engine: self)
      // As on the other engines: a loop that makes new shapes must not fill the memory.
      if table.count >= 1024 { table.removeAll() }
      table[graph] = made
      return made
    }
    return try program.run(operands, donated: [])
  }

  func place(_ buffer: HostBuffer, _ type: TensorType) throws(ExecutionError) -> HostBuffer {
    do throws(PJRTError) { return HostBuffer(on: try memory(buffer, type), byteCount: type.byteCount) } catch {
      throw error.atExecution
    }
  }

  /// The array on the mesh, as it lies there or replicated.
  func memory(_ buffer: HostBuffer, _ type: TensorType) throws(PJRTError) -> MeshMemory {
    if let memory = buffer.deviceMemory as? MeshMemory, isHere(memory) { return memory }
    return try memory(buffer, type, shape.layout(.replicated, of: type, "run"))
  }

  /// The array on the mesh in this layout; from another one it goes by way of the host.
  func memory(_ buffer: HostBuffer, _ type: TensorType, _ layout: Layout) throws(PJRTError) -> MeshMemory {
    if let memory = buffer.deviceMemory as? MeshMemory, isHere(memory), memory.layout == layout { return memory }
    return try MeshMemory(buffer, type, layout, client, devices)
  }

  private func isHere(_ memory: MeshMemory) -> Bool {
    memory.layout.mesh == shape && zip(memory.shards, devices).allSatisfy { $0 == nil || $0!.device.handle == $1.handle }
  }

  /// Compiles for all devices: as parts of one program, or as one program on each.
  func compile(_ text: String, dividing: Bool) throws(PJRTError) -> PJRTExecutable {
    var options = CompileOptions(for: client)
    if dividing {
      options.partitionCount = devices.count
      options.deviceAssignment = [devices.map(\.id)]
    } else {
      options.replicaCount = devices.count
      options.deviceAssignment = devices.map { [$0.id] }
    }
    guard let cache else { return try PJRTExecutable(text, options: options, client: client) }
    return try cache.executable(text, options: options, client: client)
  }

  /// Starts a program with the shards of its arguments; gives those of its results, by result and then by device. On devices of other
  /// processes these start it.
  func run(_ program: PJRTExecutable, _ arguments: [MeshMemory], keeping kept: [Int64]) throws(PJRTError)
    -> [[PJRTBuffer?]]
  {
    // The plugin lists devices in an order of its own.
    let order = program.devices.map { device in devices.firstIndex { $0.handle == device.handle }! }
    let lists = try program.execute(order.map { place in arguments.map { $0.shards[place]! } }, keeping: kept)
    var results = [[PJRTBuffer?]](
      repeating: [PJRTBuffer?](repeating: nil, count: devices.count), count: program.resultCount)
    for (place, list) in zip(order, lists) {
      for (i, buffer) in list.enumerated() { results[i][place] = buffer }
    }
    return results
  }
}

/// A graph for the devices of a mesh: compiled for each way in which its arguments have been found to lie there.
final class MeshExecutable: Executable {
  private struct Variant: Sendable {
    let program: PJRTExecutable
    let module: StableHLOModule
    let constants: [MeshMemory]
    let resultLayouts: [Layout]
    let cost: CostReport
  }

  private let graph: Graph
  private let donatable: [Int]
  private let engine: MeshEngine
  private struct State {
    var variants: [[Layout]: Variant] = [:]
    var last: Variant?
  }
  private let state = Locked(State())

  init(_ graph: Graph, donatable: Set<Int>, engine: MeshEngine) {
    (self.graph, self.donatable, self.engine) = (graph, donatable.sorted(), engine)
  }

  /// For one device, of the program compiled last; nothing is known before the first run.
  var cost: CostReport { state.withLock { $0.last?.cost } ?? CostReport() }
  var lastCompiled: PJRTExecutable? { state.withLock { $0.last?.program } }

  func run(_ arguments: consuming [HostBuffer], donated: [Bool]) throws(ExecutionError) -> [HostBuffer] {
    do throws(PJRTError) {
      var memories: [MeshMemory] = []
      for (buffer, type) in zip(arguments, graph.inputTypes) { memories.append(try engine.memory(buffer, type)) }
      let variant = try variant(memories.map(\.layout))
      var kept: [Int64] = []
      for i in donatable where !(i < donated.count && donated[i]) { kept.append(Int64(i)) }
      let results = try engine.run(variant.program, memories + variant.constants, keeping: kept)
      return zip(zip(results, variant.resultLayouts), graph.outputTypes).map { result, type in
        HostBuffer(on: MeshMemory(result.0, result.1, type), byteCount: type.byteCount)
      }
    } catch {
      throw error.atExecution
    }
  }

  private func variant(_ layouts: [Layout]) throws(PJRTError) -> Variant {
    if let known = state.withLock({ $0.variants[layouts] }) { return known }
    var options = StableHLOOptions()
    options.donatedInputs = Set(donatable)
    options.hoistingThreshold = 1024
    options.inputShardings = layouts.map(\.attribute)
    options.mesh = engine.shape
    let module: StableHLOModule
    do throws(StableHLOError) { module = try stableHLO(for: graph, options: options) } catch {
      throw .invalidProgram(message: error.description)
    }
    let program = try engine.compile(module.text, dividing: true)
    var constants: [MeshMemory] = []
    for constant in module.hoistedConstants { constants.append(try engine.memory(constant.buffer, constant.type)) }
    // What continues a state lies as the state did.
    var resultLayouts = graph.outputTypes.map { engine.shape.layout(.replicated, of: $0, "run") }
    for (input, result) in module.aliases { resultLayouts[result] = layouts[input] }
    let made = Variant(
      program: program, module: module, constants: constants, resultLayouts: resultLayouts,
      cost: try XLAExecutable.cost(of: program))
    state.withLock { state in
      state.variants[layouts] = made
      state.last = made
    }
    return made
  }
}
