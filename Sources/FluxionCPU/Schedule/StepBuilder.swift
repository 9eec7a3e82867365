import CFluxionKernels
import FluxionCore

/// Turns groups of nodes into steps over numbered buffers. Buffer v is the memory of value v; further ones follow.
struct StepBuilder {
  let graph: Graph
  let roles: ValueRoles
  let isTopLevel: Bool
  let context: CompilationContext
  private(set) var steps: [Step] = []
  private(set) var buffers: [Buffer] = []
  private(set) var results: [ResultSource] = []
  private(set) var resultBuffers: [Int] = []
  private var groupSteps: [(first: Int, last: Int)] = []
  /// Further buffers in which a value is wanted.
  private var copies: [Int: [Int]] = [:]

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

  private mutating func newBuffer(_ byteCount: Int, _ storage: Buffer.Storage = .arena) -> Int {
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
      copies[base, default: []].append(copy)
    }
  }

  // MARK: Steps

  private mutating func makeSteps(_ grouping: Grouping) throws(EngineError) {
    groupSteps = [(Int, Int)](repeating: (-1, -1), count: grouping.groups.count)
    for (g, group) in grouping.groups.enumerated() where group.isAlive {
      let first = steps.count
      switch group.kind {
      case .fused: try appendTiles(group, Int32(g), grouping.groupOf, group.nodes)
      case .product: try appendProduct(group, Int32(g), grouping.groupOf)
      case .single: try appendSingle(group.anchor)
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
    // What tile programs did not write a second time.
    for (base, targets) in copies.sorted(by: { $0.key < $1.key }) {
      for target in targets {
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
  }

  private mutating func program(
    _ group: Group, _ g: Int32, _ groupOf: [Int32], _ nodes: [Int]
  ) throws(EngineError) -> TileProgram {
    var writer = TileWriter(roles, group: g, groupOf: groupOf, extents: group.extents)
    for n in nodes {
      let node = graph.nodes[n]
      if case let .reduce(reduction, axes) = node.operation {
        try append(reduction, axes, node, &writer)
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
        let wanted = copies[v.int] ?? []
        for copy in wanted where buffers[copy].byteCount == type.byteCount {
          writer.program.store(value, in: copy, type.elementType, strides)
        }
        copies[v.int] = wanted.filter { buffers[$0].byteCount != type.byteCount }
      }
    }
    return writer.program
  }

  private func append(_ reduction: Reduction, _ axes: [Int], _ node: Node, _ writer: inout TileWriter) throws(EngineError) {
    let operand = graph.types[node.operands[0].int]
    let map = ElementMap(identityOf: operand.shape)
    let value = try writer.value(node.operands[0], map)
    // Strides of the result, 0 along the reduced axes.
    var strides = [Int](repeating: 0, count: operand.shape.rank)
    var step = 1
    for axis in stride(from: operand.shape.rank - 1, through: 0, by: -1) where !axes.contains(axis) {
      strides[axis] = step
      step *= operand.shape[axis]
    }
    writer.program.reduce(value, by: reduction, in: node.firstResult.int, operand.elementType, map.strides(strides).strides)
  }

  private mutating func appendTiles(
    _ group: Group, _ g: Int32, _ groupOf: [Int32], _ nodes: [Int]
  ) throws(EngineError) {
    let program = try program(group, g, groupOf, nodes)
    guard program.extents.count <= 8 else { throw tooManyAxes(nodes[0]) }
    var step = Step(work: .tiles(program), node: nodes.last!, reads: program.readBuffers, writes: [], order: 0)
    step.writes = program.outputs.map { Int($0.view.slot) } + program.reductions.map { Int($0.view.slot) }
    step.inPlace = inPlacePairs(program, program.outputs.indices.map { $0 }, excluding: [])
    steps.append(step)
  }

  private func inPlacePairs(_ program: TileProgram, _ outputs: [Int], excluding: [Int]) -> [(output: Int, input: Int)] {
    var pairs: [(output: Int, input: Int)] = []
    let reads = program.readBuffers.filter { !excluding.contains($0) }
    for o in outputs {
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

  // MARK: Products

  private mutating func appendProduct(_ group: Group, _ g: Int32, _ groupOf: [Int32]) throws(EngineError) {
    let node = graph.nodes[group.anchor]
    guard case let .dot(d) = node.operation else { preconditionFailure("the anchor of a product is a dot") }
    let (a, b) = (node.operands[0], node.operands[1])
    let (x, y) = (graph.types[a.int].shape, graph.types[b.int].shape)
    let v = node.firstResult
    guard
      let lhs = MatrixForm(
        roles.form(a)!, x, batch: d.lhsBatch, rows: d.lhsFree(rank: x.rank), columns: d.lhsContracting),
      let rhs = MatrixForm(
        roles.form(b)!, y, batch: d.rhsBatch, rows: d.rhsContracting, columns: d.rhsFree(rank: y.rank))
    else { throw EngineError("dot: operands that are no matrices. This is a fault of the cpu engine.") }
    var product = Product(
      lhs: lhs, rhs: rhs, type: graph.types[v.int].elementType, rows: lhs.rows, columns: rhs.columns, inner: lhs.columns,
      batch: d.lhsBatch.map { x[$0] }, target: v.int, epilogue: nil)
    var step = Step(
      work: .product(product), node: group.anchor, reads: lhs.base == rhs.base ? [lhs.base] : [lhs.base, rhs.base],
      writes: [v.int], order: 0)

    let others = group.nodes.filter { $0 != group.anchor }
    guard !others.isEmpty else {
      steps.append(step)
      return
    }
    let copiesBefore = copies
    var epilogue = try program(group, g, groupOf, others)
    let fits = epilogue.mergeDimensions(dimensionGroups(of: v, batch: d.lhsBatch.count, left: d.lhsFree(rank: x.rank).count))
    guard fits, epilogue.extents.count <= 6, graph.types[v.int].shape.elementCount > 0 else {
      // As two steps: the product, then the rest.
      roles.store(v.int)
      copies = copiesBefore
      steps.append(step)
      return try appendTiles(group, g, groupOf, others)
    }
    let writes = epilogue.outputs.map { Int($0.view.slot) }
    var separate = Array(epilogue.outputs.indices)
    if !roles.isStored(v) {
      // The product itself is not kept: it is made where one of the results is to be, or in a place of its own.
      let pairs = inPlacePairs(epilogue, separate, excluding: [])
      let size = graph.types[v.int].byteCount
      if let o = separate.first(where: { o in
        let target = writes[o]
        return buffers[target].byteCount == size && !pairs.contains { $0.output == target && $0.input != v.int }
          && epilogue.mayOverwrite(v.int, with: o)
      }) {
        separate.removeAll { $0 == o }
        epilogue.rename(v.int, to: writes[o])
        product.target = writes[o]
        step.writes = []
      } else {
        step.writes = []
        step.temporaries = [v.int]
      }
    }
    step.inPlace = inPlacePairs(epilogue, separate, excluding: [lhs.base, rhs.base, product.target])
    product.epilogue = epilogue
    step.work = .product(product)
    step.node = others.last!
    step.writes += writes
    for b in epilogue.readBuffers where b != product.target && !step.reads.contains(b) { step.reads.append(b) }
    steps.append(step)
  }

  /// The iteration dimensions that make up each batch axis, the rows, and the columns of a product.
  private func dimensionGroups(of v: ValueID, batch: Int, left: Int) -> [[Int]] {
    let shape = graph.types[v.int].shape
    var groups: [[Int]] = []
    var rows: [Int] = []
    var columns: [Int] = []
    var d = 0
    for axis in 0..<shape.rank where shape[axis] != 1 {
      if axis < batch {
        groups.append([d])
      } else if axis < batch + left {
        rows.append(d)
      } else {
        columns.append(d)
      }
      d += 1
    }
    return groups + [rows, columns]
  }

  // MARK: Nodes with kernels of their own

  private mutating func appendSingle(_ n: Int) throws(EngineError) {
    let node = graph.nodes[n]
    if node.operation.isControlFlow { return try appendNested(n) }
    var step = Step(work: .single, node: n, reads: [], writes: node.results.map(\.int), order: 0)
    for x in node.operands {
      let base = roles.form(x)!.base
      if !step.reads.contains(base) { step.reads.append(base) }
    }
    let overwritten: [(Int, Int)]   // (result, operand) that may share memory
    switch node.operation {
    case .scatter, .dynamicUpdateSlice: overwritten = [(0, 0)]
    case .sort: overwritten = node.operands.indices.map { ($0, $0) }
    default: overwritten = []
    }
    for (result, operand) in overwritten {
      addInPlace(&step, output: node.firstResult.int + result, operand: node.operands[operand], among: node.operands)
    }
    steps.append(step)
  }

  /// An operand that is a whole buffer and read only once may be overwritten.
  private func addInPlace(_ step: inout Step, output: Int, operand: ValueID, among operands: [ValueID]) {
    let form = roles.form(operand)!
    guard form.offset == 0, buffers[form.base].byteCount == buffers[output].byteCount,
      operands.filter({ roles.form($0)!.base == form.base }).count == 1
    else { return }
    step.inPlace.append((output, form.base))
  }

  private mutating func appendNested(_ n: Int) throws(EngineError) {
    let node = graph.nodes[n]
    var step = Step(work: .barrier, node: n, reads: [], writes: node.results.map(\.int), order: 0)
    for x in node.operands {
      let base = roles.form(x)!.base
      if !step.reads.contains(base) { step.reads.append(base) }
    }
    var work = NestedWork(plans: [], arenas: [])
    switch node.operation {
    case let .scan(scan):
      let body = try CompiledPlan(scan.body, carries: scan.constantCount..<scan.constantCount + scan.carryCount, context: context)
      work.plans = [body]
      finishCarries(&work, &step, node, firstCarry: scan.constantCount, count: scan.carryCount)
    case let .whileLoop(loop):
      let count = node.resultCount
      work.plans = [
        try CompiledPlan(loop.condition, carries: 0..<0, context: context),
        try CompiledPlan(
          loop.body, carries: loop.bodyConstantCount..<loop.bodyConstantCount + count, context: context),
      ]
      finishCarries(
        &work, &step, node, firstCarry: loop.conditionConstantCount + loop.bodyConstantCount, count: count)
      work.predicate = newBuffer(1)
      step.temporaries.append(work.predicate)
    case let .conditional(branches):
      for branch in branches { work.plans.append(try CompiledPlan(branch, carries: 0..<0, context: context)) }
    default: throw unsupported(node.operation, .float32)
    }
    // Only one branch runs, so branches share their arena; condition and body of a loop do not.
    if case .conditional = node.operation {
      let shared = newBuffer(work.plans.map(\.arenaByteCount).max() ?? 0)
      work.arenas = work.plans.map { _ in shared }
      step.temporaries.append(shared)
    } else {
      for plan in work.plans {
        let arena = newBuffer(plan.arenaByteCount)
        work.arenas.append(arena)
        step.temporaries.append(arena)
      }
    }
    step.work = .nested(work)
    steps.append(step)
  }

  private mutating func finishCarries(_ work: inout NestedWork, _ step: inout Step, _ node: Node, firstCarry: Int, count: Int) {
    work.carriesInPlace = work.plans.last!.carriesInPlace
    for i in 0..<count {
      if work.carriesInPlace[i] {
        work.carryPartners.append(-1)
        addInPlace(
          &step, output: node.firstResult.int + i, operand: node.operands[firstCarry + i], among: node.operands)
      } else {
        let partner = newBuffer(buffers[node.firstResult.int + i].byteCount)
        work.carryPartners.append(partner)
        step.temporaries.append(partner)
      }
    }
  }
}

extension TileProgram {
  /// Views of one buffer made views of another.
  mutating func rename(_ old: Int, to new: Int) {
    for i in inputs.indices where inputs[i].slot == UInt32(truncatingIfNeeded: old) {
      inputs[i].slot = UInt32(truncatingIfNeeded: new)
    }
  }
}
