import CFluxionKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Builds plans by hand. Slots: arguments, results, then arena buffers; regions of sub-plans follow in the arena.
final class PlanBuilder {
  let memory: Memory
  private let arguments: Int, results: Int
  private var slots: [fx_slot] = [], steps: [fx_step] = [], arena = 0, scratch = 0
  var checksNaN = false
  private var nextID: Int32 = 0

  init(_ memory: Memory, arguments: Int, results: Int) {
    self.memory = memory
    self.arguments = arguments
    self.results = results
    slots = (0..<arguments).map { _ in fx_slot(kind: FX_SLOT_ARGUMENT.rawValue, reserved: 0, offset: 0, pointer: nil) }
      + (0..<results).map { _ in fx_slot(kind: FX_SLOT_RESULT.rawValue, reserved: 0, offset: 0, pointer: nil) }
  }
  func result(_ i: Int) -> Int { arguments + i }
  private func reserve(_ bytes: Int) -> Int {
    defer { arena += (bytes + 63) / 64 * 64 }
    return arena
  }
  func buffer(_ bytes: Int) -> Int {
    slots.append(fx_slot(kind: FX_SLOT_ARENA.rawValue, reserved: 0, offset: UInt64(reserve(bytes)), pointer: nil))
    return slots.count - 1
  }
  func constant<T>(_ values: [T]) -> Int {
    slots.append(fx_slot(kind: FX_SLOT_CONSTANT.rawValue, reserved: 0, offset: 0, pointer: UnsafeRawPointer(memory.array(values))))
    return slots.count - 1
  }
  func region(_ plan: UnsafePointer<fx_plan>) -> UInt64 { UInt64(reserve(Int(plan.pointee.arena_bytes))) }

  func add<T>(_ kind: fx_step_kind, _ payload: UnsafeMutablePointer<T>, id: Int32 = -1, check: fx_check? = nil) {
    let bytes = fx_prepare(kind, payload)
    precondition(bytes != UInt64.max, String(cString: fx_prepare_problem()))
    scratch = max(scratch, Int(bytes))
    nextID += 1
    steps.append(fx_step(kind: kind.rawValue, id: id < 0 ? nextID : id, payload: UnsafeRawPointer(payload), check: check.map { UnsafePointer(memory.value($0)) }))
  }
  /// out = program over `count` f32 elements of the given slots (all dense); the last value is stored.
  func map(_ count: Int, _ inputs: [Int], _ program: [fx_instruction], to out: Int, id: Int32 = -1, check: Bool = false) {
    let views = inputs.map { view($0, FX_F32, [1]) }
    let payload = fused(memory, [count], inputs: views, inputs.indices.map { load(FX_F32, $0) } + program, outputs: [(view(out, program.isEmpty ? FX_F32 : fx_type(UInt32(program.last!.type)), [1]), inputs.count + program.count - 1)])
    var checked: fx_check?
    if check {
      let reads = inputs.map { fx_check_operand(slot: UInt32($0), type: FX_F32.rawValue, offset: 0, count: Int64(count)) }
      let writes = [fx_check_operand(slot: UInt32(out), type: FX_F32.rawValue, offset: 0, count: Int64(count))]
      checked = fx_check(inputs: UnsafePointer(memory.array(reads)), outputs: UnsafePointer(memory.array(writes)), input_count: UInt32(reads.count), output_count: 1)
    }
    add(FX_STEP_FUSED, payload, id: id, check: checked)
  }
  func finish() -> UnsafePointer<fx_plan> {
    var plan = fx_plan()
    plan.table_offset = UInt64(reserve(Int(fx_table_bytes(UInt32(slots.count)))))
    plan.scratch_offset = UInt64(reserve(scratch))
    (plan.slots, plan.steps) = (UnsafePointer(memory.array(slots)), UnsafePointer(memory.array(steps)))
    (plan.slot_count, plan.argument_count, plan.result_count, plan.step_count) = (UInt32(slots.count), UInt32(arguments), UInt32(results), UInt32(steps.count))
    plan.flags = checksNaN ? UInt32(FX_PLAN_CHECK_NAN) : 0
    plan.arena_bytes = UInt64(arena)
    return UnsafePointer(memory.value(plan))
  }
}

func slotList(_ memory: Memory, _ slots: [Int]) -> UnsafePointer<UInt32> { UnsafePointer(memory.array(slots.map(UInt32.init))) }

@discardableResult
func execute(_ plan: UnsafePointer<fx_plan>, _ arguments: [any Addressable], _ results: [any Addressable], _ memory: Memory) -> fx_status {
  var status = fx_status()
  fx_run(plan, arguments.map { Optional(UnsafeRawPointer($0.address)) }, results.map { Optional($0.address) }, memory.raw(Int(plan.pointee.arena_bytes)), &status)
  return status
}

private let f = FX_F32

extension Kernels {
  struct ControlFlow {
    /// while (x[0] < limit) { x = x * 2; count += 1 }, carried by exchange or in place.
    func doubling(_ memory: Memory, inPlace: Bool, limit: Float, maximum: Int64 = 0) -> UnsafePointer<fx_plan> {
      let condition = PlanBuilder(memory, arguments: 3, results: 1)   // limit, x, count
      condition.map(1, [1, 0], [op(FX_LT, FX_BOOL, 0, 1, from: f)], to: condition.result(0))
      let body = PlanBuilder(memory, arguments: 2, results: 2)
      body.map(4, [0], [op(FX_ADD, f, 0, 0)], to: body.result(0))
      body.map(1, [1], [constant(1), op(FX_ADD, f, 0, 1)], to: body.result(1))
      let outer = PlanBuilder(memory, arguments: 2, results: 2)
      let c = condition.finish(), b = body.finish()
      var loop = fx_while()
      (loop.condition, loop.body) = (c, b)
      (loop.condition_arena, loop.body_arena) = (outer.region(c), outer.region(b))
      loop.condition_constants = slotList(memory, [outer.constant([limit])])
      loop.condition_constant_count = 1
      loop.predicate = UInt32(outer.buffer(1))
      loop.max_iterations = maximum
      let mode = inPlace ? FX_CARRY_IN_PLACE.rawValue : FX_CARRY_SWAP.rawValue
      loop.carries = UnsafePointer(memory.array([
        fx_carry(initial: 0, output: UInt32(outer.result(0)), other: UInt32(outer.buffer(16)), mode: mode, bytes: 16),
        fx_carry(initial: 1, output: UInt32(outer.result(1)), other: UInt32(outer.buffer(4)), mode: mode, bytes: 4),
      ]))
      loop.carry_count = 2
      outer.add(FX_STEP_WHILE, memory.value(loop), id: 77)
      return outer.finish()
    }

    @Test("while loops, for every parity of iterations", arguments: [false, true]) func whileLoop(inPlace: Bool) {
      for (limit, expected) in [(Float(0.5), 0), (2, 1), (4, 2), (100, 7), (1e6, 20)] {
        let memory = Memory(), plan = doubling(memory, inPlace: inPlace, limit: limit)
        let x = memory.array([Float(1), 2, 3, 4]), count = memory.array([Float(0)]), out = memory.array([Float](repeating: -1, count: 4)), steps = memory.array([Float(-1)])
        #expect(execute(plan, [x, count], [out, steps], memory).code == 0)
        let factor = Float(1 << expected)
        #expect(read(out, 4) == [factor, 2 * factor, 3 * factor, 4 * factor] && steps[0] == Float(expected), "limit \(limit)")
        #expect(read(x, 4) == [1, 2, 3, 4])
      }
    }

    @Test("a loop without end stops at its limit") func iterationLimit() {
      let memory = Memory(), plan = doubling(memory, inPlace: false, limit: .infinity, maximum: 10)
      let out = memory.array([Float](repeating: 0, count: 4)), steps = memory.array([Float(0)])
      let status = execute(plan, [memory.array([Float](repeating: 0, count: 4)), memory.array([Float(0)])], [out, steps], memory)
      #expect(status.code == Int32(FX_ITERATION_LIMIT.rawValue) && status.step_id == 77 && status.iteration == 10 && status.loop_depth == 1)
    }

    /// carry = carry * k + x[i]; y[i] = carry; and the counter goes to z[i].
    func recurrence(_ memory: Memory, length: Int, reverse: Bool, width: Int) -> UnsafePointer<fx_plan> {
      let body = PlanBuilder(memory, arguments: 4, results: 3)   // k, carry, x, counter -> carry, y, z
      body.map(width, [1, 2], [constant(0.5), op(FX_MUL, f, 0, 2), op(FX_ADD, f, 3, 1)], to: body.result(0))
      body.map(width, [4], [], to: body.result(1))
      body.add(FX_STEP_FUSED, fused(memory, [1], inputs: [view(3, FX_I64, [0])], [load(FX_I64, 0), op(FX_CONVERT, f, 0, from: FX_I64)], outputs: [(view(body.result(2), f, [1]), 1)]))
      let b = body.finish()
      let outer = PlanBuilder(memory, arguments: 2, results: 3)
      var scan = fx_scan()
      scan.body = b
      scan.body_arena = outer.region(b)
      scan.length = Int64(length)
      scan.reverse = reverse ? 1 : 0
      (scan.constant_count, scan.carry_count, scan.input_count, scan.output_count) = (1, 1, 1, 2)
      scan.constants = slotList(memory, [outer.constant([Float(0.5)])])
      scan.carries = UnsafePointer(memory.array([fx_carry(initial: 0, output: UInt32(outer.result(0)), other: UInt32(outer.buffer(width * 4)), mode: 0, bytes: UInt64(width * 4))]))
      scan.inputs = UnsafePointer(memory.array([fx_scan_slice(slot: 1, offset: 0, stride: Int64(width * 4))]))
      scan.outputs = UnsafePointer(memory.array([fx_scan_slice(slot: UInt32(outer.result(1)), offset: 0, stride: Int64(width * 4)), fx_scan_slice(slot: UInt32(outer.result(2)), offset: 0, stride: 4)]))
      scan.counter = UInt32(outer.buffer(8))
      outer.add(FX_STEP_SCAN, memory.value(scan), id: 5)
      return outer.finish()
    }

    @Test("scans, forwards and backwards") func scan() {
      for length in [0, 1, 2, 5, 100] {
        for reverse in [false, true] {
          let memory = Memory(), width = 3, plan = recurrence(memory, length: length, reverse: reverse, width: width)
          var generator = Generator(61)
          let x = generator.floats(length * width + 1)
          let carry = memory.array([Float](repeating: -1, count: width)), y = memory.array([Float](repeating: -1, count: length * width)), z = memory.array([Float](repeating: -1, count: length))
          #expect(execute(plan, [memory.array([Float(1), 2, 3]), memory.array(x)], [carry, y, z], memory).code == 0)
          var state: [Float] = [1, 2, 3], expected = [Float](repeating: 0, count: length * width)
          for i in reverse ? Array((0..<length).reversed()) : Array(0..<length) {
            state = (0..<width).map { state[$0] * 0.5 + x[i * width + $0] }
            for j in 0..<width { expected[i * width + j] = state[j] }
          }
          #expect(read(carry, width) == state && read(y, length * width) == expected && read(z, length) == (0..<length).map(Float.init), "\(length) \(reverse)")
        }
      }
    }

    @Test("branches nested in a scan, and a failing one") func nested() {
      let memory = Memory()
      // scan over i32 indices: carry = conditional(index, carry + 1, carry * 2, call(scan of two doublings))
      let addOne = PlanBuilder(memory, arguments: 1, results: 1), double = PlanBuilder(memory, arguments: 1, results: 1)
      addOne.map(2, [0], [constant(1), op(FX_ADD, f, 0, 1)], to: 1)
      double.map(2, [0], [op(FX_ADD, f, 0, 0)], to: 1)
      let plus = addOne.finish(), twice = double.finish()
      let four = PlanBuilder(memory, arguments: 1, results: 1)
      var inner = fx_scan()
      inner.body = twice
      inner.body_arena = four.region(twice)
      inner.length = 2
      inner.carry_count = 1
      inner.carries = UnsafePointer(memory.array([fx_carry(initial: 0, output: 1, other: UInt32(four.buffer(8)), mode: 0, bytes: 8)]))
      inner.counter = UInt32.max
      four.add(FX_STEP_SCAN, memory.value(inner))
      let fourfold = four.finish()

      let body = PlanBuilder(memory, arguments: 2, results: 1)   // carry, index -> carry
      var choice = fx_conditional()
      (choice.index, choice.index_type, choice.branch_count, choice.result_count) = (1, FX_I32.rawValue, 3, 1)
      choice.branches = UnsafePointer(memory.array([plus, twice, fourfold].map { fx_branch(plan: $0, arena: body.region($0), arguments: slotList(memory, [0])) }))
      choice.results = slotList(memory, [body.result(0)])
      body.add(FX_STEP_CONDITIONAL, memory.value(choice), id: 42)
      let bodyPlan = body.finish()
      let outer = PlanBuilder(memory, arguments: 2, results: 1)
      var scan = fx_scan()
      scan.body = bodyPlan
      scan.body_arena = outer.region(bodyPlan)
      scan.length = 5
      (scan.carry_count, scan.input_count) = (1, 1)
      scan.carries = UnsafePointer(memory.array([fx_carry(initial: 0, output: 2, other: UInt32(outer.buffer(8)), mode: 0, bytes: 8)]))
      scan.inputs = UnsafePointer(memory.array([fx_scan_slice(slot: 1, offset: 0, stride: 4)]))
      scan.counter = UInt32.max
      outer.add(FX_STEP_SCAN, memory.value(scan), id: 9)
      let plan = outer.finish()

      let picks = memory.array([Int32(0), 1, 2, 0, 1]), x = memory.array([Float(1), 2]), out = memory.array([Float(0), 0])
      #expect(execute(plan, [x, picks], [out], memory).code == 0)
      let expected: [Float] = [34, 50]   // ((x + 1) * 2 * 4 + 1) * 2
      #expect(read(out, 2) == expected)
      picks[3] = 3
      let status = execute(plan, [x, picks], [out], memory)
      #expect(status.code == Int32(FX_INDEX_OUT_OF_BOUNDS.rawValue) && status.step_id == 42 && status.index == 3 && status.bound == 3 && status.iteration == 3 && status.loop_depth == 1)
    }

    @Test("NaN is found where it is made") func nanCheck() {
      let memory = Memory(), count = 1000
      for poison in [false, true] {
        let plan = PlanBuilder(memory, arguments: 1, results: 1)
        plan.checksNaN = true
        let middle = plan.buffer(count * 4)
        plan.map(count, [0], [constant(1), op(FX_SUB, f, 0, 1)], to: middle, id: 1, check: true)
        plan.map(count, [middle], [op(FX_LOG, f, 0)], to: middle, id: 2, check: true)   // in place
        plan.map(count, [middle], [op(FX_EXP, f, 0)], to: 1, id: 3, check: true)
        var x = [Float](repeating: 5, count: count)
        x[7] = 0
        x[8] = -3
        if poison { x[9] = .nan }
        let status = execute(plan.finish(), [memory.array(x)], [memory.array([Float](repeating: 0, count: count))], memory)
        if poison { #expect(status.code == 0) } else { #expect(status.code == Int32(FX_NAN_FOUND.rawValue) && status.step_id == 2 && status.count == 2) }
      }
    }

    @Test("one plan on several threads at once, with arenas of their own") func concurrency() async {
      fx_set_thread_count(2)
      let memory = Memory(), width = 20000, length = 20
      let address = Int(bitPattern: recurrence(memory, length: length, reverse: false, width: width))
      let sums = await withTaskGroup(of: [Float].self) { group in
        for _ in 0..<8 {
          group.addTask {
            let plan = UnsafePointer<fx_plan>(bitPattern: address)!, memory = Memory()
            var generator = Generator(67)
            let carry = memory.array([Float](repeating: -1, count: width)), y = memory.array([Float](repeating: -1, count: length * width)), z = memory.array([Float](repeating: -1, count: length))
            execute(plan, [memory.array(generator.floats(width)), memory.array(generator.floats(length * width))], [carry, y, z], memory)
            return read(carry, width)
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(sums.allSatisfy { $0 == sums[0] } && sums[0].allSatisfy { $0.magnitude < 5 })
    }
  }

  struct Threads {
    @Test("every chunk runs once, also in nested and concurrent calls") func chunks() async {
      for threads: Int32 in [1, 2, 5] {
        fx_set_thread_count(threads)
        #expect(fx_thread_count() == threads)
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<6 {
            group.addTask {
              for chunks in [0, 1, 2, 100] as [Int64] {
                let memory = Memory(), counts = memory.array([Int32](repeating: 0, count: 100 * 100))
                fx_parallel_for(chunks, { context, outer in
                  struct Inner { var counts: UnsafeMutablePointer<Int32>; var outer: Int64 }
                  var inner = Inner(counts: context!.assumingMemoryBound(to: Int32.self), outer: outer)
                  fx_parallel_for(100, { context, i in
                    let inner = context!.assumingMemoryBound(to: Inner.self).pointee
                    inner.counts[Int(inner.outer * 100 + i)] += 1
                  }, &inner)
                }, counts)
                #expect(read(counts, 10000) == (0..<10000).map { $0 < chunks * 100 ? 1 : 0 })
              }
            }
          }
        }
      }
      fx_set_thread_count(2)
    }

    @Test("results do not depend on the number of threads") func sameBits() {
      func compute() -> ([Float], [Float], [Float]) {
        let memory = Memory(), (rows, columns) = (3000, 257)
        var generator = Generator(71)
        let x = memory.array(generator.floats(rows * columns)), w = memory.array(generator.floats(columns * 100))
        let total = memory.array([Float(0)]), sums = memory.array([Float](repeating: 0, count: columns)), product = memory.array([Float](repeating: 0, count: rows * 100))
        run(FX_STEP_FUSED, fused(memory, [rows, columns], inputs: [view(0, f, [257, 1])], [load(f, 0), op(FX_SIN, f, 0)],
                                 reductions: [Reduction(op: FX_REDUCE_SUM, value: 1, view: view(1, f, [0, 0])), Reduction(op: FX_REDUCE_SUM, value: 1, view: view(2, f, [0, 1]))]), [x, total, sums], memory)
        let step = memory.value(fx_gemm())
        step.pointee.type = f.rawValue
        (step.pointee.a, step.pointee.b, step.pointee.c) = (0, 1, 2)
        (step.pointee.m, step.pointee.n, step.pointee.k) = (Int64(rows), 100, Int64(columns))
        (step.pointee.lda, step.pointee.ldb, step.pointee.ldc) = (Int64(columns), 100, 100)
        run(FX_STEP_GEMM, step, [x, w, product], memory)
        return (read(total, 1), read(sums, columns), read(product, rows * 100))
      }
      withEachISA { isa in
        fx_set_thread_count(1)
        let one = compute()
        for threads: Int32 in [2, 3] {
          fx_set_thread_count(threads)
          let many = compute()
          #expect(one == many, "\(isa), \(threads) threads")
        }
        fx_set_thread_count(2)
      }
    }

    @Test("a kernel set is chosen for a thread and the chunks that it hands out, and for no other thread") func kernelSets() {
      let standard = fx_cpu().isa_in_use
      for threads: Int32 in [1, 4] {
        fx_set_thread_count(threads)
        withEachISA { isa in
          let memory = Memory(), seen = memory.array([Int32](repeating: -1, count: 64))
          fx_parallel_for(64, { seen, chunk in
            usleep(50)   // long enough for the workers to join
            seen!.assumingMemoryBound(to: Int32.self)[Int(chunk)] = fx_cpu().isa_in_use
          }, seen)
          #expect(read(seen, 64).allSatisfy { $0 == fx_cpu().isa_in_use }, "\(isa), \(threads) threads")
          let elsewhere = memory.array([Int32(-1)])
          var thread = pthread_t()
          pthread_create(&thread, nil, { $0!.storeBytes(of: fx_cpu().isa_in_use, as: Int32.self); return nil }, elsewhere)
          pthread_join(thread, nil)
          #expect(elsewhere.pointee == standard)
        }
      }
      fx_set_thread_count(2)
    }

    @Test("memory comes back aligned") func allocation() {
      for bytes in [0, 1, 64, 65, 1000, 65536, 65537, 1 << 20] {
        let blocks = (0..<40).map { _ in fx_allocate(bytes)! }
        #expect(Set(blocks).count == 40 && blocks.allSatisfy { Int(bitPattern: $0) % 64 == 0 })
        for block in blocks { block.storeBytes(of: 1, as: UInt8.self); fx_free(block, bytes) }
      }
    }
  }
}
