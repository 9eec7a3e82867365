import CFluxionKernels
import FluxionCore

// Loops and branches: the structs that tie plans together.

extension PlanWriter {
  mutating func writeNested(_ work: NestedWork, _ step: Step) throws(EngineError) {
    let node = graph.nodes[step.node]
    let operands = node.operands.map { slot(builder.roles.form($0)!.base) }
    let results = node.results.map { slot($0.int) }
    let arenas = work.arenas.map { UInt64(layout.offsets[$0]) }
    for (plan, arena) in zip(work.plans, arenas) {
      context.places[plan.place].parent = place
      context.places[plan.place].arenaOffset = Int(arena)
      if case .conditional = node.operation { continue }
      context.places[plan.place].loop = node.operation.name
      if case let .scan(scan) = node.operation, scan.reverse { context.places[plan.place].reversedLength = scan.length }
    }
    func carries(_ first: Int, _ count: Int) -> UnsafePointer<fx_carry> {
      let place = storage.allocate(count, of: fx_carry.self)
      for i in 0..<count {
        place[i].initial = operands[first + i]
        place[i].output = results[i]
        place[i].other = work.carriesInPlace[i] ? UInt32.max : slot(work.carryPartners[i])
        place[i].mode = (work.carriesInPlace[i] ? FX_CARRY_IN_PLACE : FX_CARRY_SWAP).rawValue
        place[i].bytes = UInt64(graph.types[node.firstResult.int + i].byteCount)
      }
      return UnsafePointer(place)
    }
    switch node.operation {
    case let .scan(scan):
      let (k, c) = (scan.constantCount, scan.carryCount)
      var made = fx_scan()
      made.body = UnsafePointer(work.plans[0].plan)
      made.body_arena = arenas[0]
      made.length = Int64(scan.length)
      made.reverse = scan.reverse ? 1 : 0
      (made.constant_count, made.carry_count) = (UInt32(k), UInt32(c))
      made.input_count = UInt32(operands.count - k - c)
      made.output_count = UInt32(results.count - c)
      made.counter = UInt32.max
      made.constants = UnsafePointer(storage.store(Array(operands[0..<k])))
      made.carries = carries(k, c)
      made.inputs = UnsafePointer(
        storage.store(
          (k + c..<operands.count).map { fx_scan_slice(slot: operands[$0], offset: 0, stride: sliceBytes(scan.body.types[$0])) }))
      made.outputs = UnsafePointer(
        storage.store(
          (c..<results.count).map {
            fx_scan_slice(slot: results[$0], offset: 0, stride: sliceBytes(scan.body.types[scan.body.outputs[$0].int]))
          }))
      try append(FX_STEP_SCAN, made, step)
      add(work.plans[0].cost, times: scan.length)
    case let .whileLoop(loop):
      let (kc, kb) = (loop.conditionConstantCount, loop.bodyConstantCount)
      var made = fx_while()
      made.condition = UnsafePointer(work.plans[0].plan)
      made.body = UnsafePointer(work.plans[1].plan)
      (made.condition_arena, made.body_arena) = (arenas[0], arenas[1])
      made.condition_constants = UnsafePointer(storage.store(Array(operands[0..<kc])))
      made.body_constants = UnsafePointer(storage.store(Array(operands[kc..<kc + kb])))
      (made.condition_constant_count, made.body_constant_count) = (UInt32(kc), UInt32(kb))
      made.carry_count = UInt32(results.count)
      made.predicate = slot(work.predicate)
      made.carries = carries(kc + kb, results.count)
      try append(FX_STEP_WHILE, made, step)
      for plan in work.plans { add(plan.cost, times: 1) }
    default:
      var made = fx_conditional()
      made.index = operands[0]
      made.index_type = UInt32(graph.types[node.operands[0].int].elementType.rawValue)
      made.branch_count = UInt32(work.plans.count)
      made.result_count = UInt32(results.count)
      let arguments = UnsafePointer(storage.store(Array(operands.dropFirst())))
      made.branches = UnsafePointer(
        storage.store(
          zip(work.plans, arenas).map { fx_branch(plan: UnsafePointer($0.plan), arena: $1, arguments: arguments) }))
      made.results = UnsafePointer(storage.store(results))
      try append(FX_STEP_CONDITIONAL, made, step)
      if let dearest = work.plans.max(by: { $0.cost.floatingPointOperations < $1.cost.floatingPointOperations }) {
        add(dearest.cost, times: 1)
      }
    }
  }

  private func sliceBytes(_ type: TensorType) -> Int64 { Int64(type.byteCount) }
}
