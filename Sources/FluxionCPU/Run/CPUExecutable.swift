import CFluxionKernels
import FluxionCore

/// A program for the processor: flat data that is never written again, walked by the runtime.
///
/// Each run has an arena of its own, taken from a pool, so that runs of one program may overlap and a steady state allocates nothing
/// but results.
///
/// Safety of `@unchecked Sendable`: the plan is written before the initialiser returns and only read afterwards; arenas are behind
/// the pool's lock.
final class CPUExecutable: Executable, @unchecked Sendable {
  private let plan: UnsafePointer<fx_plan>
  private let storage: PlanStorage
  private let failures: FailureReport
  private let argumentCount: Int
  private let results: [StepBuilder.ResultSource]
  private let resultByteCounts: [Int]
  private let donations: [(argument: Int, result: Int)]
  private let arenas: ArenaPool
  let cost: CostReport

  init(_ graph: Graph, options: CompilationOptions) throws(EngineError) {
    let prepared = graph.simplified(searchesForNaN: options.findsNaN)
    let context = CompilationContext(searchesForNaN: options.findsNaN)
    let compiled = try CompiledPlan(prepared, donatedInputs: options.donatedInputs, context: context)
    plan = UnsafePointer(compiled.plan)
    storage = context.storage
    failures = FailureReport(origins: context.origins, places: context.places)
    argumentCount = graph.inputCount
    results = compiled.results
    resultByteCounts = compiled.resultByteCounts
    donations = compiled.donations
    arenas = ArenaPool(byteCount: compiled.arenaByteCount)
    var cost = compiled.cost
    cost.peakMemory = compiled.arenaByteCount
    self.cost = cost
  }

  func run(_ arguments: consuming [HostBuffer], donated: [Bool]) throws(ExecutionError) -> [HostBuffer] {
    precondition(arguments.count == argumentCount, "a program of \(argumentCount) inputs was given \(arguments.count)")
    var outputs: [HostBuffer] = []
    outputs.reserveCapacity(resultByteCounts.count)
    if donations.isEmpty || donated.isEmpty {
      for byteCount in resultByteCounts { outputs.append(try HostBuffer(allocating: byteCount)) }
    } else {
      try makeOutputs(&outputs, arguments, donated)
    }
    try execute(arguments, outputs)
    if results.count == outputs.count, isPlain { return outputs }
    return results.map { source in
      switch source {
      case let .slot(i): outputs[i]
      case let .argument(i): arguments[i]
      case let .constant(buffer): buffer
      }
    }
  }

  /// Whether results are the slots in order.
  private var isPlain: Bool {
    for (i, source) in results.enumerated() {
      guard case let .slot(s) = source, s == i else { return false }
    }
    return true
  }

  /// Memory for the results: that of donated arguments, where the plan allows it, else new.
  private func makeOutputs(_ outputs: inout [HostBuffer], _ arguments: borrowing [HostBuffer], _ donated: [Bool])
    throws(ExecutionError)
  {
    var source = [Int](repeating: -1, count: resultByteCounts.count)
    for (argument, result) in donations where argument < donated.count && donated[argument] { source[result] = argument }
    for (result, byteCount) in resultByteCounts.enumerated() {
      outputs.append(source[result] >= 0 ? arguments[source[result]] : try HostBuffer(allocating: byteCount))
    }
  }

  private func execute(_ arguments: borrowing [HostBuffer], _ outputs: borrowing [HostBuffer]) throws(ExecutionError) {
    let arena = try arenas.take()
    defer { arenas.give(arena) }
    let count = arguments.count
    let error = withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: count + outputs.count + 1) { pointers -> ExecutionError? in
      for i in 0..<count { pointers[i] = arguments[i].pointer }
      for i in 0..<outputs.count { pointers[count + i] = outputs[i].pointer }
      let base = pointers.baseAddress!
      var status = fx_status()
      let code = base.withMemoryRebound(to: UnsafeRawPointer?.self, capacity: count + 1) { given in
        fx_run(plan, given, base + count, arena, &status)
      }
      return code == FX_OK ? nil : failures.error(status, arena)
    }
    if let error { throw error }
  }
}

/// Arenas of one program. Kept between runs, at most as many as ever ran at the same time.
///
/// Safety of `@unchecked Sendable`: the list is behind the lock, and an arena belongs to one run at a time.
final class ArenaPool: @unchecked Sendable {
  private let byteCount: Int
  private let free = Locked<FreeList>(FreeList())

  private struct FreeList: @unchecked Sendable {
    var arenas: [UnsafeMutableRawPointer] = []
  }

  init(byteCount: Int) { self.byteCount = byteCount }

  deinit {
    for arena in free.withLock({ $0.arenas }) { fx_free(arena, byteCount) }
  }

  func take() throws(ExecutionError) -> UnsafeMutableRawPointer {
    let known = free.withLock { list -> FreeArena in FreeArena(pointer: list.arenas.popLast()) }
    if let pointer = known.pointer { return pointer }
    guard let made = fx_allocate(Swift.max(64, byteCount)) else {
      throw .outOfMemory(byteCount: byteCount)
    }
    return made
  }

  func give(_ arena: UnsafeMutableRawPointer) {
    let kept = FreeArena(pointer: arena)
    free.withLock { $0.arenas.append(kept.pointer!) }
  }

  /// Carries an arena through the lock's closure.
  private struct FreeArena: @unchecked Sendable { let pointer: UnsafeMutableRawPointer? }
}
