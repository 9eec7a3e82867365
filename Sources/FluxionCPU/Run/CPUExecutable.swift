import CFluxionKernels
import FluxionCore

/// A program for the processor: flat data that is never written again, walked by the runtime.
///
/// Each run has a workspace of its own, taken from a pool, so that runs of one program may overlap and a steady state allocates nothing
/// but results, and of those only what is large or still held.
///
/// Safety of `@unchecked Sendable`: the plan is written before the initialiser returns and only read afterwards; workspaces are behind
/// the pool's lock.
final class CPUExecutable: Executable, @unchecked Sendable {
  private let plan: UnsafePointer<fx_plan>
  private let storage: PlanStorage
  private let failures: FailureReport
  private let argumentCount: Int
  private let results: [StepBuilder.ResultSource]
  private let resultByteCounts: [Int]
  /// Whether the results are the slots in order.
  private let isPlain: Bool
  /// For every slot the argument whose memory it may take, if that is donated.
  private let donors: [Int?]
  private let workspaces: WorkspacePool
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
    isPlain =
      compiled.results.count == compiled.resultByteCounts.count
      && compiled.results.enumerated().allSatisfy { i, source in if case .slot(i) = source { true } else { false } }
    var donors = [Int?](repeating: nil, count: compiled.resultByteCounts.count)
    for (argument, result) in compiled.donations { donors[result] = argument }
    self.donors = donors
    workspaces = WorkspacePool(arenaByteCount: compiled.arenaByteCount, slotCount: compiled.resultByteCounts.count)
    var cost = compiled.cost
    cost.peakMemory = compiled.arenaByteCount
    self.cost = cost
  }

  func run(_ arguments: consuming [HostBuffer], donated: [Bool]) throws(ExecutionError) -> [HostBuffer] {
    var outputs: [HostBuffer] = []
    outputs.reserveCapacity(results.count)
    try run(arguments, donated: donated, results: &outputs)
    return outputs
  }

  func run(_ arguments: borrowing [HostBuffer], donated: [Bool], results outputs: inout [HostBuffer]) throws(ExecutionError) {
    precondition(arguments.count == argumentCount, "a program of \(argumentCount) inputs was given \(arguments.count)")
    let workspace = try workspaces.take()
    defer { workspaces.give(workspace) }
    for (slot, byteCount) in resultByteCounts.enumerated() {
      if let donor = donors[slot], donor < donated.count, donated[donor] {
        outputs.append(arguments[donor])
      } else {
        outputs.append(try workspace.buffer(slot, byteCount))
      }
    }
    try execute(arguments, outputs, workspace.arena)
    if isPlain { return }
    let slots = outputs
    outputs.removeAll(keepingCapacity: true)
    for source in results {
      switch source {
      case let .slot(i): outputs.append(slots[i])
      case let .argument(i): outputs.append(arguments[i])
      case let .constant(buffer): outputs.append(buffer)
      }
    }
  }

  private func execute(_ arguments: borrowing [HostBuffer], _ outputs: borrowing [HostBuffer], _ arena: UnsafeMutableRawPointer)
    throws(ExecutionError)
  {
    let count = arguments.count
    let error = withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: count + outputs.count + 1) {
      pointers -> ExecutionError? in
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

/// What one run of a program writes to besides its results, and small results that were let go of.
final class Workspace {
  let arena: UnsafeMutableRawPointer
  private let byteCount: Int
  /// The last two small results of each slot: one may be part of a state that the next run replaces. Memory that a user has let go of
  /// is still held here, hence only little of it.
  private var small: [HostBuffer?]
  private static let smallByteCount = 4096

  init(arenaByteCount: Int, slotCount: Int) throws(ExecutionError) {
    guard let made = fx_allocate(arenaByteCount) else { throw .outOfMemory(byteCount: arenaByteCount) }
    arena = made
    byteCount = arenaByteCount
    small = Array(repeating: nil, count: 2 * slotCount)
  }

  deinit { fx_free(arena, byteCount) }

  /// Memory for a result: that of an earlier one if nobody refers to it any longer.
  func buffer(_ slot: Int, _ byteCount: Int) throws(ExecutionError) -> HostBuffer {
    guard byteCount <= Self.smallByteCount else { return try HostBuffer(allocating: byteCount) }
    for i in 2 * slot..<2 * slot + 2 where isKnownUniquelyReferenced(&small[i]) { return small[i]! }
    let made = try HostBuffer(allocating: byteCount)
    small[2 * slot + 1] = small[2 * slot]
    small[2 * slot] = made
    return made
  }
}

/// Workspaces of one program. Kept between runs, at most as many as ever ran at the same time.
///
/// Safety of `@unchecked Sendable`: the list is behind the lock, and a workspace belongs to one run at a time.
final class WorkspacePool: @unchecked Sendable {
  private let arenaByteCount: Int
  private let slotCount: Int
  private let free = Locked<[Workspace]>([])

  init(arenaByteCount: Int, slotCount: Int) {
    self.arenaByteCount = Swift.max(64, arenaByteCount)
    self.slotCount = slotCount
  }

  func take() throws(ExecutionError) -> Workspace {
    if let known = free.withLock({ $0.popLast() }) { return known }
    return try Workspace(arenaByteCount: arenaByteCount, slotCount: slotCount)
  }

  func give(_ workspace: Workspace) { free.withLock { $0.append(workspace) } }
}
