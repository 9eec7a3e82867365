import CFluxionKernels
@testable import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Foundation
import Testing

/// What the compiler makes of known programs: how many kernels, how much memory, which buffers are reused.
@Suite struct PlanTests {
  private func compiled(_ types: [TensorType], options: CompilationOptions = CompilationOptions(), _ body: ([Tensor]) -> [Tensor]) throws -> any Executable {
    let (graph, captures) = traceGraph(types, body)
    #expect(captures.isEmpty)
    return try CPUEngine().compile(graph, options: options)
  }

  private let matrix = TensorType([32, 64], .float32)

  @Test("a chain of elementwise operations is one kernel") func chain() throws {
    let program = try compiled([matrix, matrix]) { x in
      let y = tanh(x[0] * 2 + x[1])
      return [select(y .> 0, y, y * 0.1).squared() - x[1]]
    }
    #expect(program.cost.kernels == 1)
  }

  @Test("a layer is a product with its bias and activation") func layers() throws {
    let program = try compiled([matrix, TensorType([64, 48], .float32), TensorType([48], .float32), TensorType([48, 8], .float32)]) { x in
      let hidden = tanh(x[0].matmul(x[1]) + x[2])
      return [relu(hidden.matmul(x[3]))]
    }
    #expect(program.cost.kernels == 2)
  }

  @Test("the addition of a row to a product leaves the program behind it; of a column, or beside another reading, it stays")
  func addedRow() throws {
    func program(row strides: [Int], readsTwice: Bool = false) -> TileProgram {
      var made = TileProgram(extents: [6, 20])
      made.inputs = [made.view(9, .float32, offset: 8, strides), made.view(7, .float32, offset: 0, [20, 1])]
      let f32 = ElementType.float32.kernelType
      let row = made.append(fx_make_instruction(FX_LOAD, f32, f32, 0, 0, 0))
      let product = made.append(fx_make_instruction(FX_LOAD, f32, f32, 1, 0, 0))
      let two = made.append(fx_make_constant(f32, fx_scalar()))
      let sum = made.append(fx_make_instruction(FX_ADD, f32, f32, row, product, 0))
      let scaled = made.append(fx_make_instruction(FX_MUL, f32, f32, readsTwice ? product : two, sum, 0))
      made.store(scaled, in: 7, .float32, [20, 1])
      return made
    }
    var kept = program(row: [1, 0])
    #expect(kept.takeAddedRow(of: 7) == nil && kept.instructions.count == 5)
    kept = program(row: [0, 1], readsTwice: true)
    #expect(kept.takeAddedRow(of: 7) == nil && kept.instructions.count == 5)
    var made = program(row: [0, 1])
    let taken = made.takeAddedRow(of: 7)
    let row = try #require(taken)
    #expect(row.slot == 9 && row.offset == 8)
    #expect(made.instructions.map(\.op) == [FX_CONSTANT, FX_LOAD, FX_MUL].map { UInt16($0.rawValue) })
    #expect(made.readBuffers == [7] && made.instructions[1].a == 0)
    #expect((made.instructions[2].a, made.instructions[2].b) == (0, 1) && made.outputs[0].value == 2)
  }

  @Test("softmax is three kernels: maximum, sum of exponentials, quotient") func softmaxKernels() throws {
    let program = try compiled([matrix]) { x in
      let shifted = x[0] - x[0].max(alongAxis: 1, keepingAxes: true)
      let e = exp(shifted)
      return [e / e.sum(alongAxis: 1, keepingAxes: true)]
    }
    #expect(program.cost.kernels <= 3)
  }

  @Test("log-sum-exp of scaled distances writes no array of their size", arguments: [0, 1])
  func logSumExp(axis: Int) throws {
    let n = 600
    let types = [TensorType([n, n], .float32), TensorType([n], .float32)]
    func formula(_ x: [Tensor]) -> [Tensor] {
      [((x[1].reshaped(to: axis == 1 ? [1, n] : [n, 1]) - x[0]) / 0.05 - 3).logSumExp(alongAxis: axis)]
    }
    let program = try compiled(types, formula)
    #expect(program.cost.kernels == 2 - axis)
    #expect(program.cost.peakMemory < n * n)
    let distances = (0..<n * n).map { Float($0 % 1009) / 1009 }
    let potential = (0..<n).map { Float($0 % 13) / 13 }
    let results = try program.run([HostBuffer(copying: distances), HostBuffer(copying: potential)], donated: [])
    let result = withExtendedLifetime(results) { Array(results[0].values(as: Float.self)) }
    for i in stride(from: 0, to: n, by: 37) {
      let exponents = (0..<n).map { j in (Double(potential[j]) - Double(axis == 1 ? distances[i * n + j] : distances[j * n + i])) / Double(Float(0.05)) - 3 }
      let top = exponents.max()!
      let expected = top + log(exponents.reduce(0) { $0 + exp($1 - top) })
      // Exponents up to 23 are rounded to f32 three times: 3 · 23 · 2⁻²⁴.
      #expect(abs(Double(result[i]) - expected) < 5e-6, "axis \(axis), \(i)")
    }
  }

  @Test("exponents are scaled, turned round, or alike in all but the axis: their log-sum-exp is the interpreter's")
  func logSumExpForms() throws {
    let type = TensorType([7, 40], .float32)
    var elements = (0..<280).map { Float(($0 * 37) % 101) - 50 }
    for j in 0..<40 { elements[j] = -.infinity }
    elements[40 + 3] = .infinity
    elements[80 + 5] = .nan
    let x = Tensor(elements).reshaped(to: [7, 40])
    let formulas: [(String, (Tensor) -> Tensor)] = [
      ("plain", { $0.logSumExp(alongAxis: 1) }), ("down", { $0.logSumExp(alongAxis: 0) }),
      ("scaled down", { ($0 * -0.5 + 2).logSumExp(alongAxis: 1) }), ("turned round", { (3 - $0 / 4).logSumExp(alongAxis: 0) }),
      ("negated", { (-$0).logSumExp(alongAxis: 1) }), ("all", { $0.logSumExp() }), ("kept", { $0 - $0.logSumExp(alongAxis: 1, keepingAxes: true) }),
      ("not the greatest of these", { x in
        let top = x.max(alongAxis: 1, keepingAxes: true), shift = select(isFinite(top), top, 0) + 1
        return exp(x - shift).sum(alongAxis: 1, keepingAxes: true) * shift
      }),
      ("another scale", { x in
        let top = (2 * x).max(alongAxis: 1, keepingAxes: true), shift = select(isFinite(top), top, 0)
        return exp(3 * x - shift).sum(alongAxis: 1, keepingAxes: true) + shift
      }),
    ]
    for (name, formula) in formulas {
      let program = try compiled([type]) { [formula($0[0])] }
      let results = try program.run([HostBuffer(copying: elements)], donated: [])
      let result = withExtendedLifetime(results) { Array(results[0].values(as: Float.self)) }
      let expected = Device.reference.active { formula(x).elements(as: Float.self) }
      #expect(result.count == expected.count)
      for (r, e) in zip(result, expected) {
        #expect(r == e || r.isNaN && e.isNaN || abs(r - e) <= 2e-6 * Swift.max(1, abs(e)), "\(name): \(r) for \(e)")
      }
    }
  }

  @Test("in a loop's body too the greatest exponent is taken of the exponents", arguments: [0, 1])
  func greatestExponentInLoops(axis: Int) throws {
    let (graph, _) = traceGraph([TensorType([40, 40], .float32)]) { x in
      let start = Tensor.zeros([40])
      return [
        scan(count: 3, from: start) { (p: Tensor, _) -> Tensor in
          ((p.expanded(at: axis == 1 ? 0 : 1) - x[0]) / 0.05 - 3).logSumExp(alongAxis: axis)
        }
      ]
    }
    let loops = graph.simplified().nodes.compactMap { node -> Graph? in if case let .scan(s) = node.operation { s.body } else { nil } }
    let body = try #require(loops.first)
    let sum = try #require(body.exponentialSums().first)
    let definitions = Definitions(body)
    var maker = definitions.maker(sum.greatest)
    if case .reshape? = maker?.operation { maker = definitions.maker(maker!.operands[0]) }
    #expect(maker?.operation == .reduce(.maximum, axes: sum.axes) && maker?.operands == [sum.exponents])
  }

  @Test("an update of Adam is one kernel, and writes where it reads") func update() throws {
    var options = CompilationOptions()
    options.donatedInputs = [0, 1, 2]
    let program = try compiled([matrix, matrix, matrix, matrix], options: options) { x in
      let m = x[1] * 0.9 + x[3] * 0.1
      let v = x[2] * 0.999 + x[3].squared() * 0.001
      return [x[0] - m / (sqrt(v) + 1e-8) * 0.001, m, v]
    }
    #expect(program.cost.kernels == 1)
    var arguments: [HostBuffer] = []
    for i in 0..<4 { arguments.append(HostBuffer(copying: [Float](repeating: Float(i) + 0.5, count: 32 * 64))) }
    let places = arguments.map(\.pointer)
    let plain = try program.run(arguments, donated: [])
    #expect(Set(plain.map(\.pointer)).isDisjoint(with: places))
    let results = try program.run(consume arguments, donated: [true, true, true, false])
    #expect(results.map(\.pointer) == Array(places.prefix(3)))
    for (a, b) in zip(results, plain) { #expect(a.values(as: Float.self).elementsEqual(b.values(as: Float.self))) }
  }

  @Test(
    "a stencil that one further kernel reads is computed again there, where code is made for it",
    arguments: [ElementType.float32, .float64])
  func stencil(type: ElementType) throws {
    let grid = TensorType([128, 150], type)
    let (graph, _) = traceGraph([grid, grid]) { x in
      let (u, r) = (x[0], x[1])
      let framed = u.padded(low: [1, 1], high: [1, 1])
      func window(_ i: Int, _ j: Int) -> Tensor { framed.sliced(start: [i, j], limit: [i + 128, j + 150]) }
      let q = 4 * u - window(0, 1) - window(2, 1) - window(1, 0) - window(1, 2)
      let step = 1 / (u * q).sum()
      return [r - step * q, r + step * u]
    }
    let program = try CPUEngine().compile(graph, options: CompilationOptions())
    let frame = 130 * 152 * type.byteCount
    #expect((program.cost.peakMemory < frame + grid.byteCount) == fx_makes_code(), "\(program.cost.peakMemory) bytes")
    let arguments = (0..<2).map { Key($0).normal([128, 150], as: type) }
    let tolerance = Tolerance(relative: type == .float32 ? 1e-5 : 1e-13, absolute: type == .float32 ? 1e-6 : 1e-14)
    let expected = try results(of: graph, arguments, on: .reference)
    for (a, b) in zip(try results(of: graph, arguments, on: cpu), expected) { expectClose(a, b, tolerance) }
  }

  @Test("an argument that is not given up is not overwritten") func kept() throws {
    var options = CompilationOptions()
    options.donatedInputs = [0]
    let program = try compiled([matrix], options: options) { x in [x[0] + 1] }
    let buffer = HostBuffer(copying: [Float](repeating: 3, count: 32 * 64))
    let result = try program.run([buffer], donated: [false])
    #expect(result[0].pointer != buffer.pointer)
    #expect(buffer.values(as: Float.self)[7] == 3)
  }

  @Test("an argument read after the result is written is not overwritten") func lateReading() throws {
    var options = CompilationOptions()
    options.donatedInputs = [0]
    // The result is the product's, which reads its operands while it writes.
    let square = TensorType([16, 16], .float32)
    let (graph, _) = traceGraph([square]) { x in [x[0].matmul(x[0])] }
    let program = try CPUEngine().compile(graph, options: options)
    let values = (0..<256).map { Float($0 % 7) }
    let expected = try program.run([HostBuffer(copying: values)], donated: [])[0]
    var arguments = [HostBuffer(copying: values)]
    let place = arguments[0].pointer
    let result = try program.run(take(&arguments), donated: [true])[0]
    #expect(result.pointer != place)
    #expect(result.values(as: Float.self).elementsEqual(expected.values(as: Float.self)))
  }

  private func take(_ arguments: inout [HostBuffer]) -> [HostBuffer] {
    defer { arguments = [] }
    return arguments
  }

  @Test("memory does not grow with the length of a chain") func chainMemory() throws {
    func peak(_ length: Int) throws -> Int {
      try compiled([TensorType([64, 64], .float32)]) { x in
        var y = x[0]
        for _ in 0..<length { y = tanh(y.matmul(x[0])) }
        return [y]
      }.cost.peakMemory
    }
    // Two buffers in turn, and the table of pointers, which grows by a few bytes for each.
    #expect(try peak(40) <= (try peak(4)) + 40 * 64)
  }

  @Test("reverse mode through a checkpoint keeps less than without") func checkpointMemory() throws {
    func peak(_ checkpointed: Bool) throws -> Int {
      let type = TensorType([128, 64], .float32)
      return try compiled([type, TensorType([64, 64], .float32)]) { x in
        let w = x[1]
        @Sendable func block(_ h: Tensor, _ w: Tensor) -> Tensor {
          var h = h
          for _ in 0..<6 { h = sin(tanh(h.matmul(w)) * 1.5) }
          return h
        }
        return [
          gradient(of: { (w: Tensor) -> Tensor in
            var h = x[0]
            for _ in 0..<4 { h = checkpointed ? checkpoint { (p: [Tensor]) in block(p[0], p[1]) }([h, w]) : block(h, w) }
            return h.sum()
          }, at: w)
        ]
      }.cost.peakMemory
    }
    #expect(try peak(true) * 2 < (try peak(false)))
  }

  @Test("the cost report counts 2mnk for a product") func cost() throws {
    let program = try compiled([TensorType([8, 16], .float32), TensorType([16, 4], .float32)]) { x in [x[0].matmul(x[1])] }
    #expect(program.cost.floatingPointOperations == Double(2 * 8 * 16 * 4))
    #expect(program.cost.bytesMoved == Double(4 * (8 * 16 + 16 * 4 + 8 * 4)))
  }

  @Test("a scan's invariant work is done before it") func hoisted() throws {
    let (graph, _) = traceGraph([TensorType([100, 8], .float32), TensorType([8, 8], .float32)]) { x in
      [scan(over: x[0], from: Tensor.zeros([8])) { (c: Tensor, s: Tensor) -> Tensor in c * 0.5 + s.matmul(exp(x[1])) }]
    }
    let simple = graph.simplified()
    let loops = simple.nodes.compactMap { node -> Scan? in if case let .scan(s) = node.operation { s } else { nil } }
    #expect(loops.count == 1)
    #expect(!loops[0].body.nodes.contains { if case .unary(.exp) = $0.operation { true } else { false } })
  }

  @Test("a program of the size of a training step compiles in milliseconds") func compileTime() throws {
    let types = [TensorType([64, 32], .float32)] + (0..<4).map { _ in TensorType([32, 32], .float32) }
    let (graph, _) = traceGraph(types) { x in
      let weights = Array(x.dropFirst())
      let gradients = gradient(of: { (w: [Tensor]) -> Tensor in
        var h = x[0]
        for w in w { h = tanh(h.matmul(w) + 0.1) }
        return h.squared().mean()
      }, at: weights)
      return zip(weights, gradients).map { w, g in w - g * 0.01 / (sqrt(g.squared() * 0.1) + 1e-3) }
    }
    let start = ContinuousClock.now
    _ = try CPUEngine().compile(graph, options: CompilationOptions())
    // A hundred times what it takes; this is to catch a quadratic pass, not a slow machine.
    #expect(ContinuousClock.now - start < .milliseconds(500))
  }
}
