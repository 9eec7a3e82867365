import CFluxionKernels
import FluxionCore

/// Writes a plan: steps with buffers become structs of the runtime with slots.
struct PlanWriter {
  let graph: Graph
  let builder: StepBuilder
  let layout: ArenaLayout
  /// Outside the arena: results that take an argument's memory.
  let sharing: [(argument: Int, result: Int)]
  let context: CompilationContext
  private var slotOf: [Int32]
  private var slots: [fx_slot] = []
  private var steps: [fx_step] = []
  private var scratch = 0
  private(set) var cost = CostReport()
  /// The plan's number in the program.
  let place: Int

  var storage: PlanStorage { context.storage }

  init(_ builder: StepBuilder, _ layout: ArenaLayout, sharing: [(argument: Int, result: Int)], context: CompilationContext) {
    graph = builder.graph
    self.builder = builder
    self.layout = layout
    self.sharing = sharing
    self.context = context
    place = context.newPlace()
    slotOf = [Int32](repeating: -1, count: builder.buffers.count)
    for i in 0..<graph.inputCount {
      slotOf[i] = Int32(i)
      slots.append(fx_slot(kind: FX_SLOT_ARGUMENT.rawValue, reserved: 0, offset: 0, pointer: nil))
    }
    for (r, b) in builder.resultBuffers.enumerated() {
      slotOf[b] = Int32(graph.inputCount + r)
      slots.append(fx_slot(kind: FX_SLOT_RESULT.rawValue, reserved: 0, offset: 0, pointer: nil))
    }
  }

  /// The slot of a buffer, made the first time.
  mutating func slot(_ buffer: Int) -> UInt32 {
    if slotOf[buffer] >= 0 { return UInt32(slotOf[buffer]) }
    let made = slots.count
    slotOf[buffer] = Int32(made)
    if case let .constant(memory) = builder.buffers[buffer].storage {
      storage.constants.append(memory)
      slots.append(fx_slot(kind: FX_SLOT_CONSTANT.rawValue, reserved: 0, offset: 0, pointer: UnsafeRawPointer(memory.pointer)))
    } else {
      let offset = UInt64(Swift.max(0, layout.offsets[buffer]))
      slots.append(fx_slot(kind: FX_SLOT_ARENA.rawValue, reserved: 0, offset: offset, pointer: nil))
    }
    return UInt32(made)
  }

  // MARK: Steps

  mutating func write(_ step: Step) throws(EngineError) {
    switch step.work {
    case .barrier, .assembled: return
    case let .tiles(program): try append(FX_STEP_FUSED, fused(program, of: step), step)
    case let .product(product): try append(FX_STEP_GEMM, gemm(product, of: step), step)
    case let .copy(from, to, byteCount): try append(FX_STEP_COPY, copy(from, to, byteCount), step)
    case .single, .window: try writeSingle(step)
    case let .nested(work): try writeNested(work, step)
    }
    count(step)
  }

  /// Several steps as one, block of rows by block of rows.
  mutating func write(_ band: Band, _ members: [Step]) throws(EngineError) {
    var parts: [fx_band_part] = []
    for (place, step) in zip(band.members, members) {
      var part = fx_band_part()
      let folds = band.folds.contains(place)
      part.folds = folds ? 1 : 0
      var rows = 0
      switch step.work {
      case let .tiles(program):
        rows = program.extents[0]
        part.kind = FX_STEP_FUSED.rawValue
        part.payload = UnsafeMutableRawPointer(storage.store(fused(program, of: step, keepsShape: true)))
      case let .product(product):
        rows = folds ? product.inner : product.rows
        part.kind = FX_STEP_GEMM.rawValue
        part.payload = UnsafeMutableRawPointer(storage.store(try gemm(product, of: step)))
      default: preconditionFailure("bands are made of tile programs and products")
      }
      part.factor = Int64(rows / band.rows)
      parts.append(part)
    }
    var made = fx_band()
    made.rows = Int64(band.rows)
    made.parts = storage.store(parts)
    made.part_count = UInt32(parts.count)
    try append(FX_STEP_BAND, made, members.last!)
    for step in members { count(step) }
    cost.kernels -= members.count - 1
  }

  mutating func append<Payload>(_ kind: fx_step_kind, _ payload: Payload, _ step: Step) throws(EngineError) {
    let place = storage.store(payload)
    let needed = fx_prepare(kind, place)
    let node = step.node >= 0 ? graph.nodes[step.node] : nil
    if needed == UInt64.max {
      throw EngineError("\(node?.operation.name ?? "copy"): \(String(cString: fx_prepare_problem())).")
    }
    scratch = Swift.max(scratch, Int(needed))
    append(kind, UnsafeRawPointer(place), step)
  }

  private mutating func append(_ kind: fx_step_kind, _ payload: UnsafeRawPointer, _ step: Step) {
    var made = fx_step()
    made.kind = kind.rawValue
    made.payload = payload
    made.id = -1
    if step.node >= 0 {
      let node = graph.nodes[step.node]
      made.id = context.number(origin(of: node))
      if context.searchesForNaN && makesNaN(node) { made.check = check(step) }
    }
    steps.append(made)
  }

  mutating func origin(of node: Node) -> CompilationContext.Origin {
    let result = graph.types[node.firstResult.int]
    var made = CompilationContext.Origin(
      operation: node.operation.name, callSite: node.callSite, elements: result.shape.elementCount, plan: place)
    switch node.operation {
    case let .dynamicSlice(sizes): made.window = (graph.types[node.operands[0].int].shape.dimensions, sizes)
    case .dynamicUpdateSlice:
      made.window = (result.shape.dimensions, graph.types[node.operands[1].int].shape.dimensions)
    default: break
    }
    if context.searchesForNaN && !node.operation.isControlFlow {
      for v in node.operands {
        guard let form = builder.roles.form(v) else { continue }
        made.operands.append(CompilationContext.Operand(slot: slot(form.base), form: form, type: graph.types[v.int]))
      }
    }
    return made
  }

  /// Whether a NaN in the result would be the node's doing: not if it is bits, or stands in the program as a number.
  private func makesNaN(_ node: Node) -> Bool {
    if case .bitcast = node.operation { return false }
    return !node.operation.isControlFlow
      && !node.operands.contains { v in
        guard let base = builder.roles.form(v)?.base, let constant = builder.roles.scalarConstant(ValueID(base)) else { return false }
        return constant.isNaN
      }
  }

  private mutating func check(_ step: Step) -> UnsafePointer<fx_check>? {
    let inputs = step.reads.compactMap { operandToCheck($0) }
    let outputs = step.writes.compactMap { operandToCheck($0) }
    if outputs.isEmpty { return nil }
    var made = fx_check()
    made.inputs = UnsafePointer(storage.store(inputs))
    made.outputs = UnsafePointer(storage.store(outputs))
    made.input_count = UInt32(inputs.count)
    made.output_count = UInt32(outputs.count)
    return UnsafePointer(storage.store(made))
  }

  private mutating func operandToCheck(_ buffer: Int) -> fx_check_operand? {
    guard buffer < graph.types.count, graph.types[buffer].elementType.isDifferentiable else { return nil }
    let type = graph.types[buffer]
    return fx_check_operand(
      slot: slot(buffer), type: UInt32(type.elementType.rawValue), offset: 0, count: Int64(type.shape.elementCount))
  }

  private func sharesMemory(_ output: Int, _ input: Int) -> Bool {
    let place = layout.offsets[output]
    return place >= 0 ? place == layout.offsets[input] : sharing.contains { $0.result == output && $0.argument == input }
  }

  private mutating func fused(_ program: TileProgram, of step: Step, keepsShape: Bool = false) -> fx_fused {
    var program = program
    program.noteReaders(step.inPlace.filter { sharesMemory($0.output, $0.input) })
    var made = fx_fused()
    made.rank = UInt32(program.extents.count)
    made.keep_shape = keepsShape ? 1 : 0
    fill(&made.shape, program.extents)
    made.input_count = UInt32(program.inputs.count)
    made.instruction_count = UInt32(program.instructions.count)
    made.output_count = UInt32(program.outputs.count)
    made.reduction_count = UInt32(program.reductions.count)
    made.inputs = storage.store(program.inputs)
    made.instructions = storage.store(program.instructions)
    made.outputs = storage.store(program.outputs)
    made.reductions = storage.store(program.reductions)
    made.code_space = storage.codeSpace
    let constants = Int(fx_fused_constant_bytes(&made))
    if constants > 0 { made.constants = storage.allocate(constants, of: CChar.self) }
    for i in program.inputs.indices where made.inputs[i].slot != FX_INDEX_SLOT_NUMBER {
      made.inputs[i].slot = slot(Int(made.inputs[i].slot))
    }
    for i in program.outputs.indices { made.outputs[i].view.slot = slot(Int(made.outputs[i].view.slot)) }
    for i in program.reductions.indices { made.reductions[i].view.slot = slot(Int(made.reductions[i].view.slot)) }
    return made
  }

  private mutating func copy(_ from: Int, _ to: Int, _ byteCount: Int) -> fx_copy {
    var made = fx_copy()
    made.type = FX_BOOL.rawValue   // bytes
    made.rank = 1
    fill(&made.shape, [byteCount])
    made.source.slot = slot(from)
    made.target.slot = slot(to)
    fill(&made.source.strides, [1])
    fill(&made.target.strides, [1])
    return made
  }

  private mutating func gemm(_ p: Product, of step: Step) throws(EngineError) -> fx_gemm {
    var made = fx_gemm()
    made.type = UInt32(p.type.rawValue)
    let size = p.type.byteCount
    (made.a, made.b, made.c) = (slot(p.lhs.base), slot(p.rhs.base), slot(p.target))
    (made.a_offset, made.b_offset) = (Int64(p.lhs.offset * size), Int64(p.rhs.offset * size))
    (made.m, made.n, made.k) = (Int64(p.rows), Int64(p.columns), Int64(p.inner))
    (made.lda, made.ldb, made.ldc) = (Int64(p.lhs.leading), Int64(p.rhs.leading), Int64(Swift.max(1, p.columns)))
    made.transpose_a = p.lhs.isTransposed ? 1 : 0
    made.transpose_b = p.rhs.isTransposed ? 1 : 0
    if let row = p.row {
      made.accumulate = FX_GEMM_ONTO_ROW.rawValue
      (made.row, made.row_offset) = (slot(Int(row.slot)), row.offset)
    }
    // Batch axes longer than 1; without an epilogue, those that follow one another everywhere become one.
    var batch: [(length: Int, a: Int, b: Int, c: Int)] = []
    var distance = p.rows * p.columns
    var strides: [Int] = []
    for length in p.batch.reversed() {
      strides.append(distance)
      distance *= length
    }
    strides.reverse()
    for (i, length) in p.batch.enumerated() where length != 1 {
      let next = (length: length, a: p.lhs.batchStrides[i], b: p.rhs.batchStrides[i], c: strides[i])
      if p.epilogue == nil, let last = batch.last, last.a == next.a * length, last.b == next.b * length {
        batch[batch.count - 1] = (last.length * length, next.a, next.b, next.c)
      } else {
        batch.append(next)
      }
    }
    guard batch.count <= 4 else { throw EngineError("dot: more than four batch axes remain. This is a fault of the cpu engine.") }
    made.batch_rank = UInt32(batch.count)
    fill(&made.batch_shape, batch.map(\.length))
    fill(&made.a_batch, batch.map(\.a))
    fill(&made.b_batch, batch.map(\.b))
    fill(&made.c_batch, batch.map(\.c))
    if let epilogue = p.epilogue {
      let place = storage.store(fused(epilogue, of: step, keepsShape: true))
      made.epilogue = place
    }
    return made
  }

  // MARK: Finishing

  mutating func add(_ inner: CostReport, times: Int) {
    cost.floatingPointOperations += inner.floatingPointOperations * Double(times)
    cost.bytesMoved += inner.bytesMoved * Double(times)
    cost.kernels += inner.kernels * times
  }

  private mutating func count(_ step: Step) {
    switch step.work {
    case .nested, .window: return
    default: break
    }
    cost.kernels += 1
    for b in step.reads + step.writes { cost.bytesMoved += Double(builder.buffers[b].byteCount) }
    switch step.work {
    case let .tiles(program): cost.floatingPointOperations += operations(program)
    case let .product(p):
      let matrices = p.batch.reduce(1, *)
      cost.floatingPointOperations += 2 * Double(p.rows) * Double(p.columns) * Double(p.inner) * Double(matrices)
      if p.row != nil { cost.floatingPointOperations += Double(p.rows) * Double(p.columns) * Double(matrices) }
      if let epilogue = p.epilogue { cost.floatingPointOperations += operations(epilogue) }
    case .single:
      let node = graph.nodes[step.node]
      switch node.operation {
      case let .convolution(geometry, _):
        let window = geometry.kernel.dropLast().reduce(1, *)
        cost.floatingPointOperations += 2 * Double(geometry.output.elementCount) * Double(window)
      case let .fourier(f):
        cost.floatingPointOperations += f.floatingPointOperations(elements: Double(graph.types[node.operands[0].int].shape.elementCount))
      case .cumulate: cost.floatingPointOperations += Double(graph.types[node.operands[0].int].shape.elementCount)
      default: return
      }
    default: return
    }
  }

  /// One for each element and instruction that computes.
  private func operations(_ program: TileProgram) -> Double {
    let points = program.extents.reduce(1.0) { $0 * Double($1) }
    let computing = program.instructions.count { $0.op > UInt16(FX_CONSTANT.rawValue) } + program.reductions.count
    return points * Double(computing)
  }

  func finish() -> (UnsafeMutablePointer<fx_plan>, arenaByteCount: Int) {
    var plan = fx_plan()
    plan.slots = UnsafePointer(storage.store(slots))
    plan.steps = UnsafePointer(storage.store(steps))
    plan.slot_count = UInt32(slots.count)
    plan.argument_count = UInt32(graph.inputCount)
    plan.result_count = UInt32(builder.resultBuffers.count)
    plan.step_count = UInt32(steps.count)
    plan.flags = context.searchesForNaN ? UInt32(FX_PLAN_CHECK_NAN) : 0
    plan.table_offset = UInt64((layout.byteCount + 63) & ~63)
    plan.scratch_offset = plan.table_offset + fx_table_bytes(plan.slot_count)
    plan.arena_bytes = plan.scratch_offset + UInt64((scratch + 63) & ~63)
    context.places[place].tableOffset = Int(plan.table_offset)
    return (storage.store(plan), Int(plan.arena_bytes))
  }
}
