import CFluxionKernels
@testable import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Steps over rows of the same things that run block of rows by block of rows.
@Suite(.serialized) struct BandTests {
  /// A program, the shapes of its arguments, and the kernels that it may take.
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var shapes: [[Int]]
    var kernels: Int
    var donates: Set<Int> = []
    var body: @Sendable ([Tensor]) -> [Tensor]
  }

  static let cases: [Case] = [
    Case(description: "layers", shapes: [[260, 40], [40, 64], [64], [64, 64], [64, 3]], kernels: 1) { x in
      let h = tanh(x[0].matmul(x[1]) + x[2])
      return [x[0].sliced(0..<3, alongAxis: 1) + sigmoid(h.matmul(x[3]) + x[2]).matmul(x[4])]
    },
    Case(description: "a row added to a product that is read by itself", shapes: [[260, 40], [40, 64], [64], [64, 20], [20]], kernels: 1) { x in
      let p = x[0].matmul(x[1])
      return [tanh((p + x[2]) * p).matmul(x[3]) + x[4]]
    },
    Case(description: "a sum with a row, kept for later", shapes: [[260, 40], [40, 64], [64], [64, 20]], kernels: 1) { x in
      let z = x[0].matmul(x[1]) + x[2]
      return [tanh(z).matmul(x[3]), z]
    },
    // Sums over the rows are made block by block of the pass that makes what they sum.
    Case(description: "gradients of weights", shapes: [[200, 64], [64, 64], [64, 64], [200, 64]], kernels: 1) { x in
      let h = tanh(x[0].matmul(x[1])), g = tanh(h.matmul(x[2]))
      let d = (g - x[3]) * (1 - g * g), second = h.swappedLastAxes.matmul(d)
      let e = d.matmul(x[2].swappedLastAxes) * (1 - h * h)
      return [second, x[0].swappedLastAxes.matmul(e), d.sum(alongAxis: 0), e.squared().sum(alongAxis: 0)]
    },
    // Groups of so many rows that each adds to its sums several times.
    Case(description: "gradients over many rows", shapes: [[2700, 24], [24, 24], [24, 24], [2700, 24]], kernels: 1) { x in
      let h = tanh(x[0].matmul(x[1])), g = tanh(h.matmul(x[2]))
      let d = (g - x[3]) * (1 - g * g), e = d.matmul(x[2].swappedLastAxes) * (1 - h * h)
      return [h.swappedLastAxes.matmul(d), x[0].swappedLastAxes.matmul(e), e.sum(alongAxis: 0)]
    },
    // The weights that all rows read take their new values when all rows have been summed.
    Case(
      description: "a step in the weights' memory", shapes: [[700, 40], [40, 64], [64, 9], [1]], kernels: 2, donates: [1, 2]
    ) { x in
      let h = tanh(x[0].matmul(x[1])), d = tanh(h.matmul(x[2]))
      let e = d.matmul(x[2].swappedLastAxes) * (1 - h * h)
      let rate = 0.01 * exp(x[3])
      return [x[1] - rate * x[0].swappedLastAxes.matmul(e), x[2] - rate * h.swappedLastAxes.matmul(d)]
    },
    // The second gradient is added to the first, each panel of rows by one thread.
    Case(description: "gradients of a weight that is used twice", shapes: [[256, 48], [48, 48]], kernels: 1) { x in
      let h = tanh(x[0].matmul(x[1])), g = tanh(h.matmul(x[1]))
      let first = h.swappedLastAxes.matmul(g)
      return [first, x[0].swappedLastAxes.matmul(h * g) + first.squared()]
    },
    // What is finished for one sum is read all over for the other: that is no place for it.
    Case(description: "a sum that needs another", shapes: [[256, 48], [48, 48]], kernels: 2) { x in
      let h = tanh(x[0].matmul(x[1])), first = x[0].swappedLastAxes.matmul(h)
      return [first, h.swappedLastAxes.matmul(x[0]) + first.swappedLastAxes]
    },
    // What one sum is made of is another one, which is there when all rows have been summed: the variance of a batch.
    Case(description: "a sum of what needs another sum", shapes: [[512, 64], [64, 64]], kernels: 3) { x in
      let h = 1e-3 * tanh(x[0].matmul(x[1])), sum = h.sum(alongAxis: 0)
      return [sum, (h - sum).squared().sum(alongAxis: 0)]
    },
    Case(description: "a sum over points with directions", shapes: [[200, 2, 48], [48, 48]], kernels: 2) { x in
      let d = tanh(x[0].matmul(x[1]))
      let h = tanh(d.squared().sum(alongAxis: 1)).matmul(x[1])
      return [h, x[0].reshaped(to: [400, 48]).swappedLastAxes.matmul(d.reshaped(to: [400, 48])), d.sum(alongAxes: [0, 1])]
    },
    Case(description: "a sum before what it is needed for", shapes: [[512, 64], [64, 64]], kernels: 3) { x in
      let h = tanh(x[0].matmul(x[1])), mean = h.sum(alongAxis: 0) * (1 / 512.0)
      return [tanh((h - mean).matmul(x[1])).matmul(x[1])]
    },
    Case(description: "weights read in their transposed form", shapes: [[256, 64], [64, 70], [64, 70]], kernels: 1) { x in
      [tanh(tanh(x[0].matmul(x[1])).matmul(x[2].swappedLastAxes)).matmul(x[1]) * 0.5]
    },
    // Arithmetic behind a product that is machine code: a number for each row, a row for all, parts of longer rows.
    Case(
      description: "numbers, rows and parts of rows", shapes: [[260, 40], [40, 64], [260, 1], [64], [260, 80], [64, 64]], kernels: 2
    ) { x in
      let h = x[0].matmul(x[1]), part = x[4].sliced(3..<67, alongAxis: 1)
      return [((h * x[2] + 0.5) * h - x[2]).matmul(x[5]), ((h * h + h) * x[3] - 0.25 * x[3]).matmul(x[5]), ((h - part) * part * 0.5 + h).matmul(x[5])]
    },
    Case(description: "a row for all", shapes: [[260, 40], [40, 64], [64], [64, 64]], kernels: 1) { x in
      let h = x[0].matmul(x[1])
      return [((h * h + h) * x[2] - 0.25 * h).matmul(x[3])]
    },
    // Narrow ones have tiles of several rows, and machine code as well.
    Case(description: "short rows", shapes: [[1100, 40], [40, 3], [1100, 1], [3], [1100, 5], [3, 64]], kernels: 1) { x in
      let h = x[0].matmul(x[1]), part = x[4].sliced(1..<4, alongAxis: 1)
      return [((h * x[2] + 0.5) * h - x[2]).matmul(x[5]), ((h * h + h) * x[3] - 0.25 * x[3]).matmul(x[5]), ((h - part) * part * 0.5 + h).matmul(x[5])]
    },
    // What depends on a row's place.
    Case(description: "numbers of rows", shapes: [[260, 2], [2, 64], [64, 64]], kernels: 1) { x in
      let places = arange(520, as: .float64).reshaped(to: [260, 2]), rows = arange(260, as: .float64).reshaped(to: [260, 1])
      return [tanh((x[0] + cos(places) * sin(rows)).matmul(x[1])).matmul(x[2])]
    },
    // Rows of one are two rows of the other, and a sum that keeps the rows.
    Case(description: "points with directions", shapes: [[200, 2, 48], [48, 48], [48, 40]], kernels: 2) { x in
      let d = x[0].matmul(x[1])
      let h = tanh(d.squared().sum(alongAxis: 1)).matmul(x[1])
      return [(d * h.expanded(at: 1)).matmul(x[2]), h.matmul(x[2])]
    },
    // Every row of the Gram matrix needs all rows of h.
    Case(description: "rows that read all rows", shapes: [[160, 48], [48, 64]], kernels: 4) { x in
      let h = tanh(x[0].matmul(x[1]))
      let gram = sigmoid(h.matmul(h.swappedLastAxes))
      return [tanh(gram.matmul(h)).matmul(x[1].swappedLastAxes)]
    },
    Case(description: "a result in an argument's memory", shapes: [[256, 64], [64, 64], [64, 64]], kernels: 2, donates: [0]) { x in
      let h = tanh(x[0].matmul(x[1]))
      return [x[0] + tanh(h.matmul(x[2])).matmul(x[1]), h.sum(alongAxis: 0)]
    },
    Case(description: "a result in the memory of what all rows read", shapes: [[192, 192], [192, 192]], kernels: 4, donates: [0, 1]) { x in
      let h = tanh(x[0].matmul(x[1]))
      return [h.matmul(x[0]), tanh(h.matmul(x[1])) + x[1]]
    },
    Case(description: "a loop", shapes: [[256, 64], [64, 64], [64, 64]], kernels: 30) { x in
      let (last, all) = scan(over: Tensor.zeros([5], as: .float64), from: x[0]) { (h: Tensor, zero: Tensor) -> (Tensor, Tensor) in
        let next = h + zero + 0.1 * tanh(tanh(h.matmul(x[1])).matmul(x[2]))
        return (next, next.sum(alongAxis: 1))
      }
      return [last, all]
    },
  ]

  @Test("results are those of the reference, to the bit the same for every number of threads", arguments: cases)
  func results(program: Case) throws {
    let threads = fx_thread_count()
    defer { fx_set_thread_count(threads) }
    var arrays = TestArrays(seed: 3)
    let inputs = program.shapes.map { arrays.tensor(Shape($0), .range(-0.3, 0.3), as: .float64) }
    let expected = Device.reference.active { program.body(inputs) }.map { Array($0.hostBuffer("test").values(as: Double.self)) }
    var options = CompilationOptions()
    options.donatedInputs = program.donates
    let executable = try CPUEngine().compile(traceGraph(inputs.map(\.type), program.body).graph, options: options)
    #expect(executable.cost.kernels <= program.kernels)
    var first: [[Double]]?
    for count in [1, 2, 3, 2, 3] as [Int32] {
      fx_set_thread_count(count)
      for _ in 0..<5 {
        let arguments = inputs.map { HostBuffer(copying: Array($0.hostBuffer("test").values(as: Double.self))) }
        let buffers = try executable.run(consume arguments, donated: inputs.indices.map { program.donates.contains($0) })
        let results = buffers.map { Array($0.values(as: Double.self)) }
        if first == nil { first = results }
        #expect(results == first, "\(count) threads")
      }
    }
    for (result, wanted) in zip(try #require(first), expected) {
      #expect(result.count == wanted.count)
      // Sums of up to 192 products of numbers below 1, a few one after another.
      #expect(zip(result, wanted).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }
}
