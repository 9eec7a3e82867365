import CAllocationCounter
import Fluxion
import FluxionBenchmarks
import Testing

/// What the measured programs may take, at their real sizes: counts, which do not depend on the machine's mood.
///
/// A change that makes a number smaller lowers it here. `fluxion bench --json` prints kernels and arena bytes.
@Suite("budgets of the measured programs") struct BudgetTests {
  struct Budget: Sendable {
    /// Kernels started by a unit; those of loops of unknown length count once.
    var kernels: Int
    /// The most scratch memory in use at once, in KiB (1024 bytes, rounded up).
    var arena: Int
    /// Blocks of 16 KiB or more that a unit asks for after warm-up: none where results are small or written over the old state.
    var largeBlocks = 0
  }

  static let budgets: [String: Budget] = [
    "flow-matching-step-B256-H64": Budget(kernels: 9, arena: 857),
    "flow-matching-step-B256-H128": Budget(kernels: 9, arena: 2215),
    "flow-matching-step-B4096-H256": Budget(kernels: 11, arena: 45225),
    "neural-ode-solve-B128-H64": Budget(kernels: 12, arena: 74),
    "neural-ode-gradient-B128-H64": Budget(kernels: 35, arena: 9813, largeBlocks: 1),
    "euler-sampling-N10000-H128-S10": Budget(kernels: 31, arena: 10324, largeBlocks: 1),
    "pinn-laplacian-step-B1000-H50": Budget(kernels: 15, arena: 8018),
    "conv-denoiser-step-B16-C64-S32": Budget(kernels: 42, arena: 68568),
    "sinkhorn-n1000": Budget(kernels: 304, arena: 11755),
    "gcn-step-N2708-E10556-F1433": Budget(kernels: 24, arena: 2277),
    "rk4-loop-n16-S1000": Budget(kernels: 4000, arena: 1),
    "cg-poisson-n256": Budget(kernels: 1202, arena: 1286, largeBlocks: 1),
    "euler-maruyama-N1000-S1000": Budget(kernels: 1002, arena: 16),
    "small-products-B1000-n16": Budget(kernels: 1, arena: 1, largeBlocks: 1),
    "sparse-product-N20000-E200000-W32": Budget(kernels: 1, arena: 860, largeBlocks: 1),
    "hessian-vector-B256-H128": Budget(kernels: 3, arena: 2339, largeBlocks: 2),
  ]

  static let programs = Workloads.all.filter { budgets[$0.name] != nil }

  @Test("every program has a budget, and nothing else has") func complete() {
    #expect(Set(Self.budgets.keys).isSubset(of: Workloads.all.map(\.name)))
    for work in Workloads.all {
      #expect((work.prepare().program != nil) == (Self.budgets[work.name] != nil), "\(work.name)")
    }
  }

  @Test("kernels and memory stay within the budget", arguments: programs.indices) func cost(index: Int) throws {
    let work = Self.programs[index]
    let budget = try #require(Self.budgets[work.name])
    let cost = try #require(try work.prepare().program?()).cost
    #expect(cost.kernels <= budget.kernels, "\(work.name): \(cost.kernels) kernels")
    #expect((cost.peakMemory + 1023) / 1024 <= budget.arena, "\(work.name): \(cost.peakMemory) bytes")
  }

  @Test(
    "after warm-up a unit asks for no more large blocks than the budget", .enabled(if: allocations_are_counted()),
    arguments: programs.indices)
  func allocations(index: Int) throws {
    let work = Self.programs[index]
    let budget = try #require(Self.budgets[work.name])
    let session = work.prepare()
    for _ in 0..<2 { session.run() }
    let before = large_allocation_count()
    session.run()
    #expect(large_allocation_count() - before <= budget.largeBlocks, "\(work.name)")
  }
}
