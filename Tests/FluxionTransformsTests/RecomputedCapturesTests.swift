import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// What loops keep of each step for their backward pass, and what they make again from that.
@Suite("values that loops do not keep", .device(.reference)) struct RecomputedCapturesTests {
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    /// Arrays that are stacked.
    var kept: Int
    /// From state and weights to the next state.
    var step: @Sendable (Tensor, Tensor) -> Tensor
  }
  static let cases: [Case] = [
    Case(description: "1 - t² of a tanh that is kept", kept: 2) { tanh($0.matmul($1)).matmul($1) },
    Case(description: "1 - t² of a tanh that is not", kept: 2) { tanh($0.matmul($1)) },
    Case(description: "where a number was positive", kept: 3) { relu($0.matmul($1)).matmul($1) },
    Case(description: "a polynomial of what is kept", kept: 2) { x, w in
      let y = exp(x.matmul(w))
      return (y * y * y * y + 2 * y * y + y).matmul(w) * 0.01
    },
    Case(description: "a cosine", kept: 3) { sin($0.matmul($1)).matmul($1) },
  ]

  @Test("how many arrays a scan stacks, and its derivative", arguments: cases) func stacked(program: Case) {
    let length = 3
    func end(_ x: Tensor, _ w: Tensor, isLoop: Bool) -> Tensor {
      guard isLoop else { return (0..<length).reduce(x) { y, _ in program.step(y, w) }.squared().sum() }
      return scan(count: length, from: x) { y, _ in program.step(y, w) }.squared().sum()
    }
    let x = Tensor((0..<12).map { 0.3 - 0.07 * Double($0) }, shape: [4, 3])
    let w = Tensor((0..<9).map { 0.4 - 0.1 * Double($0) }, shape: [3, 3])
    let (graph, _) = traceGraph([x.type, w.type]) { inputs in
      gradient(of: { (p: [Tensor]) in end(p[0], p[1], isLoop: true) }, at: inputs)
    }
    let first = graph.nodes.first { if case .scan = $0.operation { true } else { false } }!
    let stacked = first.results.filter { graph.type(of: $0).shape == [length, 4, 3] }
    #expect(stacked.count == program.kept)
    let looped = gradient(of: { (p: [Tensor]) in end(p[0], p[1], isLoop: true) }, at: [x, w])
    let plain = gradient(of: { (p: [Tensor]) in end(p[0], p[1], isLoop: false) }, at: [x, w])
    for (a, b) in zip(looped, plain) { expectClose(a, b, Tolerance(relative: 1e-12, absolute: 1e-12), program.description) }
  }
}
