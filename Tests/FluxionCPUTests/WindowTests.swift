@testable import FluxionCPU
import FluxionCore
import FluxionTestSupport
import Testing

/// Slices and updates at places found at run time, whose elements are read and written where they are.
@Suite struct WindowTests {
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var shapes: [[Int]]
    /// Those that move or compute something: not those that only find a window.
    var kernels: Int
    /// Takes arrays, then 2 and 3 as numbers that the program does not know.
    var body: @Sendable ([Tensor]) -> [Tensor]
  }

  private static func row(_ array: Tensor, _ i: Tensor) -> Tensor {
    let rest = Array(array.shape.dimensions.dropFirst())
    return array.dynamicSlice(start: [i] + rest.map { _ in Tensor(Int32(0)) }, sizes: [1] + rest).reshaped(to: Shape(rest))
  }
  private static func setting(_ array: Tensor, _ i: Tensor, _ row: Tensor) -> Tensor {
    array.replacingWindow(at: [i] + [Tensor](repeating: Tensor(Int32(0)), count: row.rank), with: row.expanded(at: 0))
  }

  static let cases: [Case] = [
    Case(description: "rows read", shapes: [[6, 40], [40]], kernels: 1) { x in [row(x[0], x[2]) * x[1] + row(x[0], x[3])] },
    Case(description: "rows of a product", shapes: [[6, 12, 40], [40, 9]], kernels: 1) { x in [row(x[0], x[2]).matmul(x[1])] },
    Case(description: "several rows", shapes: [[9, 4]], kernels: 1) { x in
      [sin(x[0].dynamicSlice(start: [x[1], Tensor(Int32(0))], sizes: [4, 4]))]
    },
    Case(description: "part of a row", shapes: [[9, 4, 5]], kernels: 1) { x in
      [sin(x[0].dynamicSlice(start: [x[1], x[1], Tensor(Int32(0))], sizes: [1, 2, 5]))]
    },
    Case(description: "columns, which do not follow one another", shapes: [[9, 4]], kernels: 2) { x in
      [sin(x[0].dynamicSlice(start: [Tensor(Int32(0)), x[1]], sizes: [9, 2]))]
    },
    Case(description: "rows of what is computed", shapes: [[9, 4]], kernels: 3) { x in
      let y = exp(x[0])
      return [sin(row(y, x[1])), y.sum(alongAxis: 0)]
    },
    Case(description: "a row as it is", shapes: [[9, 4]], kernels: 1) { x in [row(x[0], x[1])] },
    Case(description: "rows read while the array is written", shapes: [[9, 4]], kernels: 2) { x in
      let y = row(x[0], x[1])
      return [setting(x[0], x[2], sin(y)), cos(y)]
    },

    Case(description: "a row written", shapes: [[6, 40], [40]], kernels: 1) { x in [setting(x[0], x[2], exp(x[1]))] },
    Case(description: "a product written", shapes: [[6, 12, 9], [12, 40], [40, 9]], kernels: 1) { x in
      [setting(x[0], x[3], tanh(x[1].matmul(x[2])))]
    },
    Case(description: "a row written and read", shapes: [[6, 40], [40]], kernels: 3) { x in
      let y = exp(x[1])
      return [setting(x[0], x[2], y), y.reversed(alongAxis: 0).cumulativeSum(alongAxis: 0)]
    },
    Case(description: "a row that is a result as well", shapes: [[6, 40], [40]], kernels: 2) { x in
      let y = exp(x[1])
      return [setting(x[0], x[2], y), y]
    },
    Case(description: "a row in two places", shapes: [[6, 40], [40]], kernels: 2) { x in
      let y = exp(x[1])
      return [setting(setting(x[0], x[2], y), x[3], y)]
    },
    Case(description: "two rows in one place, the first read later", shapes: [[6, 40], [40]], kernels: 5) { x in
      let y = exp(x[1]), once = setting(x[0], x[2], y), twice = setting(once, x[2], sin(x[1]))
      return [twice, (twice.sum() + y).reversed(alongAxis: 0).cumulativeSum(alongAxis: 0)]
    },
    Case(description: "what the array held is read before", shapes: [[6, 40], [40]], kernels: 3) { x in
      let a = exp(x[0])
      return [setting(a, x[2], cos(x[1]) * row(a, x[3]))]
    },
    Case(description: "what the array held is read with the row", shapes: [[6, 40], [40]], kernels: 4) { x in
      let a = exp(x[0]), y = cos(x[1])
      return [setting(a, x[2], y), (a * y).cumulativeSum(alongAxis: 0)]
    },
    Case(description: "the argument is read with the row", shapes: [[6, 40], [40]], kernels: 4) { x in
      let y = cos(x[1])
      return [setting(x[0], x[2], y), (x[0] * y).cumulativeSum(alongAxis: 0)]
    },
    Case(description: "the array is gone before the row is read", shapes: [[6, 40], [40]], kernels: 7) { x in
      let y = exp(x[1]), s = setting(x[0].cumulativeSum(alongAxis: 0), x[2], y).sum()
      return [((x[0] * s).cumulativeSum(alongAxis: 0) * y).cumulativeSum(alongAxis: 0)]
    },
    Case(description: "a place that depends on the row", shapes: [[6, 40], [40]], kernels: 4) { x in
      let y = cos(x[1])
      return [setting(x[0], minimum(x[2], y.sum().converted(to: .int32) + 100), y)]
    },
    Case(description: "columns written", shapes: [[6, 40], [6, 1]], kernels: 2) { x in
      [x[0].replacingWindow(at: [Tensor(Int32(0)), x[2]], with: exp(x[1]))]
    },
    Case(description: "layers written in a band", shapes: [[4, 260, 64], [4, 260, 64], [260, 64], [64, 64]], kernels: 1) { x in
      let h = tanh(x[2].matmul(x[3])), g = tanh(h.matmul(x[3]))
      return [setting(x[0], x[4], h), setting(x[1], x[5], g), tanh(g.matmul(x[3]))]
    },
    Case(description: "layers read in a band", shapes: [[4, 260, 64], [4, 260, 64], [64, 64]], kernels: 1) { x in
      [tanh(tanh(row(x[0], x[3]).matmul(x[2]) * row(x[1], x[4])).matmul(x[2]))]
    },
    Case(description: "a record of a loop", shapes: [[5, 30], [30, 30]], kernels: 4) { x in
      struct Walk: Codable { var i: Tensor, y: Tensor, record: Tensor }
      let first = Walk(i: Tensor(Int32(0)), y: row(x[0], x[2]).expanded(at: 0), record: apply1(.empty(TensorType([7, 1, 30], .float64))))
      let end = whileLoop(from: first, while: { $0.i .< x[3] + 4 }) { w in
        let y = tanh(w.y.matmul(x[1]))
        return Walk(i: w.i + 1, y: y, record: setting(w.record, w.i, y))
      }
      return [end.y, end.record]
    },
  ]

  private static func inputs(_ program: Case) -> [Tensor] {
    var arrays = TestArrays(seed: 5)
    return program.shapes.map { arrays.tensor(Shape($0), .range(-1, 1), as: .float64) } + [Tensor(Int32(2)), Tensor(Int32(3))]
  }

  @Test("results are those of the reference", arguments: cases)
  func meaning(program: Case) throws {
    let inputs = Self.inputs(program)
    let (graph, _) = traceGraph(inputs.map(\.type), program.body)
    let expected = try results(of: graph, inputs, on: .reference)
    for (result, wanted) in zip(try results(of: graph, inputs, on: cpu), expected) {
      expectClose(result, wanted, Tolerance(relative: 1e-13, absolute: 1e-13), program.description)
    }
    let cost = try CPUEngine().compile(graph, options: CompilationOptions()).cost
    #expect(cost.kernels == program.kernels)
  }

  @Test("a place outside is refused") func outside() throws {
    for body in [{ [Self.row($0[0], $0[1])] }, { [Self.setting($0[0], $0[1], exp($0[2]))] }] as [([Tensor]) -> [Tensor]] {
      let inputs = [Tensor.ones([6, 4]), Tensor(Int32(6)), Tensor.ones([4])]
      let (graph, _) = traceGraph(inputs.map(\.type), body)
      #expect(throws: ExecutionError.self) { try results(of: graph, inputs, on: cpu) }
    }
  }

  @Test("room is not shared") func rooms() throws {
    let type = TensorType([3, 2], .float64)
    let inputs = [Tensor([1, 2]), Tensor([3, 4])]
    let (graph, _) = traceGraph(inputs.map(\.type)) { x in
      let a = apply1(.empty(type)), b = apply1(.empty(type))
      func filled(_ room: Tensor, _ x: Tensor) -> Tensor { (0..<3).reduce(room) { Self.setting($0, Tensor(Int32($1)), x * Double($1)) } }
      return [filled(a, x[0]), filled(b, x[1])]
    }
    #expect(graph.mergingCommonSubexpressions().nodes.count { $0.operation == .empty(type) } == 2)
    let made = try results(of: graph, inputs, on: cpu)
    #expect(made.map { $0.doubles() } == [[0, 0, 1, 2, 2, 4], [0, 0, 3, 4, 6, 8]])
  }
}
