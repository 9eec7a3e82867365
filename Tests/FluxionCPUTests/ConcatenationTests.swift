import FluxionCPU
import FluxionCore
import FluxionTestSupport
import Testing

/// Concatenations whose parts are written right where they belong.
@Suite struct ConcatenationTests {
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var shapes: [[Int]]
    var kernels: Int
    var body: @Sendable ([Tensor]) -> [Tensor]
  }

  static let cases: [Case] = [
    Case(description: "rows", shapes: [[5, 7], [300, 7]], kernels: 3) { x in
      [sin(concatenated([exp(x[0]), x[1] * 2], alongAxis: 0))]
    },
    Case(description: "columns", shapes: [[500, 9], [500, 1]], kernels: 3) { x in
      [sin(concatenated([exp(x[0]), x[1] * 2], alongAxis: 1))]
    },
    Case(description: "a middle axis", shapes: [[6, 5, 70], [6, 1, 70]], kernels: 3) { x in
      [sin(concatenated([exp(x[0]), x[1] * 2, x[0] - x[1]], alongAxis: 1))]
    },
    // The argument is copied, the product as well.
    Case(description: "parts that no tile program makes", shapes: [[100, 8], [8, 3]], kernels: 5) { x in
      [sin(concatenated([x[0], x[0].matmul(x[1]), exp(x[0]), cos(x[0])], alongAxis: 1))]
    },
    Case(description: "few parts that a tile program makes", shapes: [[100, 8], [8, 3]], kernels: 4) { x in
      [sin(concatenated([x[0], x[0].matmul(x[1]), exp(x[0]), x[0].sum(alongAxis: 1, keepingAxes: true)], alongAxis: 1))]
    },
    Case(description: "numbers, and nothing", shapes: [[100, 8], [100, 0]], kernels: 3) { x in
      [sin(concatenated([x[1], exp(x[0]), Tensor.full(3, [100, 1], as: .float64)], alongAxis: 1))]
    },
    Case(description: "a part that is a result, and read elsewhere", shapes: [[200, 4]], kernels: 2) { x in
      let y = exp(x[0])
      return [y, sin(concatenated([y, x[0] * y], alongAxis: 1)), y.sum(alongAxis: 0)]
    },
    Case(description: "a part twice", shapes: [[200, 4]], kernels: 2) { x in
      let y = exp(x[0])
      return [sin(concatenated([y, y], alongAxis: 0))]
    },
    Case(description: "a part of another shape", shapes: [[12, 20], [240]], kernels: 3) { x in
      [sin(concatenated([exp(x[0]).reshaped(to: [240, 1]), cos(x[1]).reshaped(to: [240, 1])], alongAxis: 1))]
    },
    // Rows of the part lie in one row of the whole, with gaps.
    Case(description: "a part that does not fit", shapes: [[6, 35], [6, 1]], kernels: 5) { x in
      let y = sin(concatenated([exp(x[0]).reshaped(to: [5, 42]), Tensor.full(1, [5, 1], as: .float64)], alongAxis: 1))
      return [y, x[1] * 2]
    },
    Case(description: "a concatenation of concatenations", shapes: [[90, 3], [90, 2]], kernels: 4) { x in
      let inner = concatenated([exp(x[0]), cos(x[1])], alongAxis: 1)
      return [sin(concatenated([inner, exp(x[1])], alongAxis: 1))]
    },
    Case(description: "the result itself", shapes: [[90, 3], [90, 2]], kernels: 3) { x in
      [concatenated([exp(x[0]), cos(x[1])], alongAxis: 1)]
    },
    Case(description: "what follows a product", shapes: [[80, 30], [30, 20], [80, 1]], kernels: 2) { x in
      let h = tanh(x[0].matmul(x[1]))
      return [sin(concatenated([h, h * x[2]], alongAxis: 1))]
    },
    // All of it is one band: the parts of a block's rows lie in the block.
    Case(description: "before layers", shapes: [[260, 2], [260, 1], [3, 64], [64, 64]], kernels: 1) { x in
      let t = sigmoid(x[1]), inputs = concatenated([(1 - t) * x[0] + t * sin(x[0]), t], alongAxis: 1)
      return [tanh(tanh(inputs.matmul(x[2])).matmul(x[3]))]
    },
    Case(description: "an argument before layers", shapes: [[260, 2], [260, 1], [3, 64], [64, 64]], kernels: 1) { x in
      [tanh(tanh(concatenated([x[0], cos(x[1])], alongAxis: 1).matmul(x[2])).matmul(x[3]))]
    },
  ]

  @Test("results are those of the reference", arguments: cases)
  func meaning(program: Case) throws {
    var arrays = TestArrays(seed: 5)
    let inputs = program.shapes.map { arrays.tensor(Shape($0), .range(-1, 1), as: .float64) }
    let (graph, _) = traceGraph(inputs.map(\.type), program.body)
    let expected = try results(of: graph, inputs, on: .reference)
    for (result, wanted) in zip(try results(of: graph, inputs, on: cpu), expected) {
      expectClose(result, wanted, Tolerance(relative: 1e-13, absolute: 1e-13), program.description)
    }
    let cost = try CPUEngine().compile(graph, options: CompilationOptions()).cost
    #expect(cost.kernels == program.kernels)
  }
}
