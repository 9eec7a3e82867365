import FluxionCore

// Nodes with kernels of their own; loops and branches, whose bodies are compiled here.

extension StepBuilder {
  mutating func appendSingle(_ n: Int) throws(EngineError) {
    let node = graph.nodes[n]
    if node.operation.isControlFlow { return try appendNested(n) }
    if case .empty = node.operation {
      steps.append(Step(work: .barrier, node: n, reads: [], writes: node.results.map(\.int), order: 0))
      return
    }
    var step = Step(work: .single, node: n, reads: [], writes: node.results.map(\.int), order: 0)
    for x in roles.operands(of: n) {
      let base = roles.form(x)!.base
      if !step.reads.contains(base) { step.reads.append(base) }
    }
    let overwritten: [(Int, Int)]   // (result, operand) that may share memory
    switch node.operation {
    case _ where roles.sparseProduct(of: n) != nil: overwritten = []
    case .scatter, .dynamicUpdateSlice, .cumulate: overwritten = [(0, 0)]
    case .sort: overwritten = node.operands.indices.map { ($0, $0) }
    default: overwritten = []
    }
    for (result, operand) in overwritten {
      addInPlace(&step, output: node.firstResult.int + result, operand: node.operands[operand], among: node.operands)
    }
    steps.append(step)
  }

  /// The places along `axis` that slices, the only readers, take of the node's results; nil if others read them, or none is taken.
  func placesRead(of node: Node, axis: Int) -> Range<Int>? {
    let results = Set(node.results)
    if graph.outputs.contains(where: results.contains) { return nil }
    var wanted: Range<Int>?
    for reader in graph.nodes where reader.operands.contains(where: results.contains) {
      guard case let .slice(start, limit, _) = reader.operation else { return nil }
      if start[axis] == limit[axis] { continue }
      let taken = start[axis]..<limit[axis]
      wanted = wanted.map { Swift.min($0.lowerBound, taken.lowerBound)..<Swift.max($0.upperBound, taken.upperBound) } ?? taken
    }
    return wanted
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
