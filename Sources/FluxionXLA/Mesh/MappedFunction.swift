public import FluxionCore

extension DeviceMesh {
  /// The function run by every device on its own shards, with what devices tell each other written out: ``allReduce(_:over:)`` and its
  /// like. Nothing is divided by the compiler.
  ///
  /// ```swift
  /// let step = mesh.mapped(arguments: [.replicated, .split("data")], results: [.replicated]) { (model: MLP, batch: Tensor) -> MLP in
  ///   allMean(gradient(of: loss(batch), at: model), over: "data")
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - arguments: of each argument, how its tensors are divided between devices: inside, they have the shapes of the shards.
  ///   - results: of each result, how the tensors the devices give make a whole. A replicated one must be the same on all devices,
  ///     which is not checked: the first's is taken.
  ///   - body: traced once for each structure and shape of arguments.
  /// - Returns: the function on whole values. It throws what running it may, and traps for shardings that do not fit.
  public func mapped<each A: Structured, each R: Structured>(
    arguments: [Sharding], results: [Sharding], _ body: @escaping @Sendable (repeat each A) -> (repeat each R)
  ) -> @Sendable (repeat each A) throws(ExecutionError) -> (repeat each R) {
    let programs = Locked<[MappedProgram.Key: MappedProgram]>([:])
    return { (values: repeat each A) throws(ExecutionError) in
      requireOfCaller(
        GraphBuilder.current == nil, "mapped",
        "a mapped function is a program of its own: call it outside of traced functions.")
      var leaves: [Tensor] = []
      var structures: [TreeStructure] = []
      var layouts: [Layout] = []
      for value in repeat each values {
        let (own, structure) = flatten(value)
        requireOfCaller(
          structures.count < arguments.count, "mapped",
          "there are more arguments than the \(arguments.count) shardings given.")
        let sharding = arguments[structures.count]
        leaves += own
        layouts += own.map { self.shape.layout(sharding, of: $0.type, "mapped") }
        structures.append(structure)
      }
      requireOfCaller(
        structures.count == arguments.count, "mapped",
        "\(arguments.count) shardings are given for \(structures.count) arguments.")
      let key = MappedProgram.Key(structures: structures, types: leaves.map(\.type))
      let program: MappedProgram
      if let known = programs.withLock({ $0[key] }) {
        program = known
      } else {
        let trace = MappedTrace(self.shape)
        var resultStructures: [TreeStructure] = []
        let shards = zip(layouts, leaves).map { $0.shard(of: $1.type) }
        let (graph, captures) = MappedTrace.$current.withValue(trace) {
          traceGraph(shards) { inputs in
            let reader = TreeReader(structures, inputs)
            let made = (repeat reader.next((each A).self))
            var outputs: [Tensor] = []
            for result in repeat each body(repeat each made) {
              let (own, structure) = flatten(result)
              outputs += own
              resultStructures.append(structure)
            }
            return outputs
          }
        }
        do throws(PJRTError) {
          program = try MappedProgram(graph, captures, trace, resultStructures, results, self)
        } catch {
          throw error.atExecution
        }
        programs.withLock { $0[key] = program }
      }
      let made: [Tensor]
      do throws(PJRTError) { made = try program.run(leaves, layouts) } catch { throw error.atExecution }
      let reader = TreeReader(program.structures, made)
      return (repeat reader.next((each R).self))
    }
  }

  fileprivate func memory(_ tensor: Tensor, _ layout: Layout) throws(PJRTError) -> MeshMemory {
    try engine.memory(tensor.hostBuffer("mapped"), tensor.type, layout)
  }
}

/// Puts structured values together from their tensors, one after another.
private final class TreeReader {
  private let structures: [TreeStructure]
  private let leaves: [Tensor]
  private var (index, offset) = (0, 0)
  init(_ structures: [TreeStructure], _ leaves: [Tensor]) { (self.structures, self.leaves) = (structures, leaves) }

  func next<T: Structured>(_: T.Type) -> T {
    let structure = structures[index]
    defer { (index, offset) = (index + 1, offset + structure.leafCount) }
    return unflatten(T.self, structure, Array(leaves[offset..<offset + structure.leafCount]))
  }
}

/// A mapped function for arguments of one kind: the same program on every device.
private final class MappedProgram: Sendable {
  struct Key: Hashable {
    let structures: [TreeStructure]
    let types: [TensorType]
  }
  let structures: [TreeStructure]
  private let program: PJRTExecutable
  private let mesh: DeviceMesh
  /// Captures and large constants.
  private let fixed: [MeshMemory]
  private let resultTypes: [TensorType]
  private let resultLayouts: [Layout]

  init(
    _ graph: Graph, _ captures: [Tensor], _ trace: MappedTrace, _ structures: [TreeStructure], _ shardings: [Sharding],
    _ mesh: DeviceMesh
  ) throws(PJRTError) {
    requireOfCaller(
      structures.count == shardings.count, "mapped",
      "\(shardings.count) shardings are given for \(structures.count) results.")
    var layouts: [Layout] = []
    for (structure, sharding) in zip(structures, shardings) {
      for _ in 0..<structure.leafCount {
        layouts.append(mesh.shape.resultLayout(sharding, shard: graph.outputTypes[layouts.count]))
      }
    }
    var options = StableHLOOptions()
    options.hoistingThreshold = 1024
    options.collectives = trace.collectives
    let module: StableHLOModule
    do throws(StableHLOError) { module = try stableHLO(for: graph, options: options) } catch {
      throw .invalidProgram(message: error.description)
    }
    program = try mesh.engine.compile(module.text, dividing: false)
    var fixed: [MeshMemory] = []
    for capture in captures { fixed.append(try mesh.engine.memory(capture.hostBuffer("mapped"), capture.type)) }
    for constant in module.hoistedConstants { fixed.append(try mesh.engine.memory(constant.buffer, constant.type)) }
    (self.fixed, self.structures, self.mesh, resultLayouts) = (fixed, structures, mesh, layouts)
    resultTypes = zip(layouts, graph.outputTypes).map { $0.whole(of: $1) }
  }

  func run(_ leaves: [Tensor], _ layouts: [Layout]) throws(PJRTError) -> [Tensor] {
    var memories: [MeshMemory] = []
    for (leaf, layout) in zip(leaves, layouts) { memories.append(try mesh.memory(leaf, layout)) }
    let results = try mesh.engine.run(program, memories + fixed, keeping: [])
    return zip(zip(results, resultLayouts), resultTypes).map { result, type in
      Tensor(type, buffer: HostBuffer(on: MeshMemory(result.0, result.1, type), byteCount: type.byteCount))
    }
  }
}

extension MeshShape {
  /// How the shards that devices give make a whole.
  fileprivate func resultLayout(_ sharding: Sharding, shard: TensorType) -> Layout {
    guard case let .axes(named) = sharding.form else {
      trapAtCaller(
        ProgramError(
          "mapped", "a result's sharding names the axes: .spread does not say along which the shards are put together.")
      )
    }
    var whole = shard.shape.dimensions
    for (axis, names) in named.enumerated() where axis < whole.count {
      for name in names { whole[axis] *= sizes[self.axis(name, "mapped")] }
    }
    return layout(sharding, of: TensorType(Shape(whole), shard.elementType), "mapped")
  }
}
