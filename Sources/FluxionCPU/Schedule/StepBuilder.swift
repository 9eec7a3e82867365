import CFluxionKernels
import FluxionCore

/// Turns groups of nodes into steps over numbered buffers. Buffer v is the memory of value v; further ones follow.
struct StepBuilder {
  let graph: Graph
  let roles: ValueRoles
  let isTopLevel: Bool
  let context: CompilationContext
  var steps: [Step] = []
  var buffers: [Buffer] = []
  private(set) var results: [ResultSource] = []
  private(set) var resultBuffers: [Int] = []
  var groupSteps: [(first: Int, last: Int)] = []
  /// Further places in which a value is wanted, seen with its shape.
  var places: [Int: [MemoryForm]] = [:]

  /// Where a result of the whole program comes from.
  enum ResultSource {
    case slot(Int)
    case argument(Int)
    case constant(HostBuffer)
  }

  init(_ graph: Graph, isTopLevel: Bool, context: CompilationContext) throws(EngineError) {
    self.graph = graph
    self.isTopLevel = isTopLevel
    self.context = context
    roles = ValueRoles(graph, keepsEveryResult: context.searchesForNaN)
    let grouping = Grouping(roles, fuses: !context.searchesForNaN)
    makeBuffers()
    placeResults()
    try makeSteps(grouping)
  }

  // MARK: Buffers

  private mutating func makeBuffers() {
    buffers.reserveCapacity(graph.types.count)
    for (v, type) in graph.types.enumerated() {
      buffers.append(Buffer(byteCount: type.byteCount, storage: v < graph.inputCount ? .argument(v) : .arena))
    }
    for node in graph.nodes {
      if case let .constant(constant) = node.operation {
        buffers[node.firstResult.int].storage = .constant(constant.buffer)
      }
    }
  }

  mutating func newBuffer(_ byteCount: Int, _ storage: Buffer.Storage = .arena) -> Int {
    buffers.append(Buffer(byteCount: byteCount, storage: storage))
    return buffers.count - 1
  }

  /// Gives each output a result slot. The whole program hands inputs, constants and repeated outputs over as they are; a body, whose
  /// results are its caller's memory, copies them.
  private mutating func placeResults() {
    for output in graph.outputs {
      let base = roles.form(output)!.base
      let bytes = graph.types[output.int].byteCount
      switch buffers[base].storage {
      case .arena where buffers[base].byteCount == bytes:
        buffers[base].storage = .result(resultBuffers.count)
        results.append(.slot(resultBuffers.count))
        resultBuffers.append(base)
        continue
      case let .result(slot) where isTopLevel && buffers[base].byteCount == bytes:
        results.append(.slot(slot))
        continue
      case let .argument(i) where isTopLevel && buffers[base].byteCount == bytes:
        results.append(.argument(i))
        continue
      case let .constant(buffer) where isTopLevel && buffers[base].byteCount == bytes:
        results.append(.constant(buffer))
        continue
      default: break
      }
      let copy = newBuffer(bytes, .result(resultBuffers.count))
      results.append(.slot(resultBuffers.count))
      resultBuffers.append(copy)
      places[base, default: []].append(MemoryForm(base: copy, strides: graph.types[base].shape.rowMajorStrides, offset: 0))
    }
  }

  // MARK: Steps

  private mutating func makeSteps(_ grouping: Grouping) throws(EngineError) {
    let concatenations = context.searchesForNaN ? [:] : concatenationsInPlace(grouping)
    groupSteps = [(Int, Int)](repeating: (-1, -1), count: grouping.groups.count)
    for (g, group) in grouping.groups.enumerated() where group.isAlive {
      let first = steps.count
      switch group.kind {
      case .fused: try appendTiles(group, Int32(g), grouping.groupOf, group.nodes)
      case .product: try appendProduct(group, Int32(g), grouping.groupOf)
      case .single:
        if let parts = concatenations[g] {
          for part in parts { appendCopy(of: part, node: group.anchor) }
          steps.append(Step(work: .assembled, node: group.anchor, reads: [], writes: [], order: 0))
        } else {
          try appendSingle(group.anchor)
        }
      case .barrier:
        steps.append(Step(work: .barrier, node: group.anchor, reads: [], writes: [], order: group.last))
      }
      for s in first + 1..<Swift.max(first + 1, steps.count) { steps[s].predecessors.append(s - 1) }
      groupSteps[g] = (first, steps.count - 1)
      for s in first..<steps.count { steps[s].order = group.last }
    }
    for (g, group) in grouping.groups.enumerated() where group.isAlive {
      let own = groupSteps[g].first
      for p in group.predecessors { steps[own].predecessors.append(groupSteps[Int(p)].last) }
    }
    // What tile programs did not write a second time: results, which begin as their bases do.
    for (base, targets) in places.sorted(by: { $0.key < $1.key }) {
      for target in targets.map(\.base) {
        let made = roles.maker(ValueID(base))
        var step = Step(
          work: .copy(from: base, to: target, byteCount: buffers[target].byteCount), node: made ?? -1, reads: [base],
          writes: [target], order: graph.nodes.count)
        if base < graph.types.count, grouping.groupOf[base] >= 0 {
          step.predecessors = [groupSteps[Int(grouping.groupOf[base])].last]
        }
        steps.append(step)
      }
    }
    if !context.searchesForNaN { openWindows(grouping) }
    if !concatenations.isEmpty { dropUnreadStores() }
  }

  mutating func program(
    _ group: Group, _ g: Int32, _ groupOf: [Int32], _ nodes: [Int]
  ) throws(EngineError) -> TileProgram {
    var writer = TileWriter(roles, group: g, groupOf: groupOf, extents: group.extents)
    for n in nodes {
      let node = graph.nodes[n]
      if case let .reduce(reduction, axes) = node.operation {
        try append(reduction, axes, n, &writer)
        continue
      }
      for i in 0..<node.resultCount {
        let v = ValueID(node.firstResult.int + i)
        guard roles.isStored(v) else { continue }
        let type = graph.types[v.int]
        let map = ElementMap(identityOf: type.shape)
        let value = try writer.value(v, map)
        let strides = map.strides(type.shape.rowMajorStrides).strides
        writer.program.store(value, in: v.int, type.elementType, strides)
        // A copy of the value's beginning only is left to a step of its own.
        let wanted = places[v.int] ?? []
        for place in wanted where buffers[place.base].byteCount >= type.byteCount {
          let steps = map.strides(place.strides).strides
          writer.program.store(value, in: place.base, type.elementType, steps, offset: place.offset * type.elementType.byteCount)
        }
        places[v.int] = wanted.filter { buffers[$0.base].byteCount < type.byteCount }
      }
    }
    return writer.program
  }

  private func append(_ reduction: Reduction, _ axes: [Int], _ n: Int, _ writer: inout TileWriter) throws(EngineError) {
    let source = roles.operands(of: n)[0]
    let operand = graph.types[source.int]
    let map = ElementMap(identityOf: operand.shape)
    let value = try writer.value(source, map)
    // Strides of the result, 0 along the reduced axes.
    var strides = [Int](repeating: 0, count: operand.shape.rank)
    var step = 1
    for axis in stride(from: operand.shape.rank - 1, through: 0, by: -1) where !axes.contains(axis) {
      strides[axis] = step
      step *= operand.shape[axis]
    }
    let kernel = roles.exponents(of: n) == nil ? reduction.kernel : FX_REDUCE_SUM_EXP
    writer.program.reduce(value, by: kernel, in: graph.nodes[n].firstResult.int, operand.elementType, map.strides(strides).strides)
  }

  mutating func appendTiles(
    _ group: Group, _ g: Int32, _ groupOf: [Int32], _ nodes: [Int]
  ) throws(EngineError) {
    let program = try program(group, g, groupOf, nodes)
    guard program.extents.count <= 8 else { throw tooManyAxes(nodes[0]) }
    var step = Step(work: .tiles(program), node: nodes.last!, reads: program.readBuffers, writes: [], order: 0)
    step.writes = program.outputs.map { Int($0.view.slot) } + program.reductions.map { Int($0.view.slot) }
    step.inPlace = inPlacePairs(program, program.outputs.indices.map { $0 }, excluding: [])
    step.work = .tiles(program)
    steps.append(step)
  }

  func inPlacePairs(_ program: TileProgram, _ outputs: [Int], excluding: [Int]) -> [(output: Int, input: Int)] {
    var pairs: [(output: Int, input: Int)] = []
    let reads = program.readBuffers.filter { !excluding.contains($0) }
    // Results that come last are the least likely to be in the way of an operand that is still to be read, so they choose first.
    for o in outputs.sorted(by: { program.outputs[$0].value > program.outputs[$1].value }) {
      let target = Int(program.outputs[o].view.slot)
      for b in reads where buffers[b].byteCount == buffers[target].byteCount && program.mayOverwrite(b, with: o) {
        pairs.append((target, b))
      }
    }
    return pairs
  }

  private func tooManyAxes(_ n: Int) -> EngineError {
    EngineError("\(graph.nodes[n].operation.name): the cpu engine works on at most 8 axes longer than 1 at a time.")
  }
}
