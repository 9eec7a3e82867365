@testable import FluxionCPU
import FluxionCore
import FluxionTestSupport
import Testing

/// Every pass keeps the meaning of every program, and leaves it legal.
///
/// The single seeds at the end of lists are programs that an earlier engine got wrong.
@Suite struct PassTests {
  static let passes: [(name: String, run: @Sendable (Graph) -> Graph)] = [
    ("inlining calls", { $0.inliningCalls() }),
    ("dead code", { $0.removingDeadCode() }),
    ("composites", { $0.expandingComposites() }),
    ("algebra", { $0.simplifyingAlgebra() }),
    ("constant folding", { $0.foldingConstants() }),
    ("common subexpressions", { $0.mergingCommonSubexpressions() }),
    ("control flow", { $0.simplifyingControlFlow() }),
    ("sinking broadcasts", { $0.sinkingBroadcasts() }),
    ("hoisting", { $0.hoistingInvariants() }),
    ("products", { $0.arrangingProducts() }),
    ("greatest exponents", { $0.takingGreatestOfExponents() }),
    ("all", { $0.simplified() }),
  ]

  @Test("a pass keeps the meaning", arguments: 0..<60)
  func meaning(seed: Int) throws {
    let program = RandomGraph(seed: UInt64(seed), type: .float64)
    let before = try results(of: program.graph, program.arguments, on: .reference)
    for pass in PassTests.passes {
      let graph = pass.run(program.graph)
      try graph.verify()
      #expect(graph.inputTypes == program.graph.inputTypes)
      let after = try results(of: graph, program.arguments, on: .reference)
      for (a, b) in zip(after, before) {
        expectClose(a, b, Tolerance(relative: 1e-12, absolute: 1e-12), "\(pass.name), seed \(seed)")
      }
    }
  }

  @Test("the engine computes what the reference does, f64", arguments: Array(0..<150) + [43512, 48274])
  func double(seed: Int) throws {
    let program = RandomGraph(seed: UInt64(seed), type: .float64)
    let expected = try results(of: program.graph, program.arguments, on: .reference)
    for (a, b) in zip(try results(of: program.graph, program.arguments, on: cpu), expected) {
      expectClose(a, b, Tolerance(relative: 1e-11, absolute: 1e-11), "seed \(seed)")
    }
  }

  @Test("the engine computes what the reference does, f32", arguments: Array(1000..<1150) + [112900])
  func single(seed: Int) throws {
    let program = RandomGraph(seed: UInt64(seed), type: .float32)
    let expected = try results(of: program.graph, program.arguments, on: .reference)
    for (a, b) in zip(try results(of: program.graph, program.arguments, on: cpu), expected) {
      expectClose(a, b, Tolerance(relative: 2e-4, absolute: 2e-4), "seed \(seed)")
    }
  }

  @Test("fused and unfused agree", arguments: 2000..<2050)
  func unfused(seed: Int) throws {
    let program = RandomGraph(seed: UInt64(seed), type: .float64)
    var options = CompilationOptions()
    options.findsNaN = true
    let plain = try results(of: program.graph, program.arguments, on: cpu, options)
    for (a, b) in zip(try results(of: program.graph, program.arguments, on: cpu), plain) {
      expectClose(a, b, Tolerance(relative: 1e-11, absolute: 1e-11), "seed \(seed)")
    }
  }

  @Test("the extreme of scaled elements is the scaled extreme, bit for bit", arguments: [-3.7, -1, 0, 0.3, 1e30, 1e-30])
  func extremes(c: Double) throws {
    let tiny = Float.leastNonzeroMagnitude
    let rows: [[Float]] = [
      [1.5, -2.25, 3.1, 0.7], [.infinity, -1, 2, -.infinity], [.nan, 1, 2, 3], [1e38, -1e38, 1e-38, -1e-38], [tiny, 2 * tiny, -tiny, 0.5],
      [-.infinity, -.infinity, -.infinity, -.infinity],
    ]
    let (graph, _) = traceGraph([TensorType([6, 4], .float32)]) { x in
      let scaled = [x[0] * c, c * x[0], x[0] / c, x[0] + c, x[0] - c, c - x[0], (c - x[0]) / 0.05 + 2, c / x[0]]
      return scaled.flatMap { [$0.max(alongAxis: 1), $0.min(alongAxis: 1)] }
    }
    let arguments = [Tensor(TensorType([6, 4], .float32), buffer: HostBuffer(copying: rows.flatMap { $0 }))]
    let expected = try results(of: graph, arguments, on: .reference)
    for (i, (a, b)) in zip(try results(of: graph, arguments, on: cpu), expected).enumerated() {
      let (found, wanted) = withExtendedLifetime((a, b)) {
        (Array(a.hostBuffer("test").values(as: Float.self)), Array(b.hostBuffer("test").values(as: Float.self)))
      }
      for (x, y) in zip(found, wanted) { #expect(x == y || x.isNaN && y.isNaN, "result \(i), c \(c): \(x) for \(y)") }
    }
    // Only the extremes of c / x (and of x · 0 and x / 0, which are NaN for infinite x) are those of computed elements.
    let simple = graph.simplified()
    let reduced = simple.nodes.compactMap { node -> ValueID? in if case .reduce = node.operation { node.operands[0] } else { nil } }
    #expect(reduced.count { $0.int >= simple.inputCount } <= (c == 0 ? 8 : 2))
  }
}
