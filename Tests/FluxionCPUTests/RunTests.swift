import CAllocationCounter
import CFluxionKernels
@testable import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// How compiled programs run: side by side, on any number of threads, without allocating, and how they fail.
@Suite(.serialized) struct RunTests {
  private func compiled(_ types: [TensorType], options: CompilationOptions = CompilationOptions(), _ body: ([Tensor]) -> [Tensor]) throws -> any Executable {
    try CPUEngine().compile(traceGraph(types, body).graph, options: options)
  }

  private func network(_ x: [Tensor]) -> [Tensor] {
    let h = tanh(x[0].matmul(x[1]))
    let y = h.matmul(x[1].swappedLastAxes)
    let (last, all) = scan(over: y, from: Tensor.zeros([y.shape[1]], as: y.elementType)) { (c: Tensor, s: Tensor) -> (Tensor, Tensor) in
      let next = tanh(c + s)
      return (next, next * 2)
    }
    return [last, all.sum(alongAxis: 0), y - y.mean()]
  }

  private var arguments: [Tensor] {
    var arrays = TestArrays(seed: 5)
    return [arrays.tensor([300, 40], .range(-1, 1), as: .float32), arrays.tensor([40, 56], .range(-1, 1), as: .float32)]
  }

  @Test("a reduction of few numbers, asked for at once, is the compiled one to the last bit") func eagerReductions() throws {
    let reductions: [(String, (Tensor) -> Tensor)] = [
      ("sum", { $0.sum() }), ("product", { $0.product() }), ("maximum", { $0.max() }), ("minimum", { $0.min() }),
    ]
    var arrays = TestArrays(seed: 7)
    for count in [1, 7, 64, 1000, 1025] {
      let x = arrays.tensor([count], .range(-1, 2), as: .float32)
      for (name, reduce) in reductions {
        let program = try compiled([x.type]) { [reduce($0[0])] }
        let results = try program.run([x.hostBuffer("test")], donated: [])
        let expected = withExtendedLifetime(results) { results[0].values(as: Float.self)[0] }
        let found = cpu.active { reduce(x).elements(as: Float.self)[0] }
        #expect(found.bitPattern == expected.bitPattern, "\(name) of \(count)")
        let independent = Device.reference.active { reduce(x).elements(as: Float.self)[0] }
        // One rounding for each element, of partial results that the sum of sizes bounds.
        let size = 1 + x.elements(as: Float.self).reduce(0) { $0 + abs($1) }
        #expect(abs(found - independent) <= Float(count) * 0x1p-24 * size, "\(name) of \(count)")
      }
    }
  }

  @Test("runs of one program side by side agree with runs one after another") func concurrent() async throws {
    let inputs = arguments
    let program = try compiled(inputs.map(\.type), network)
    let buffers = inputs.map { $0.hostBuffer("test") }
    let expected = try program.run(buffers, donated: []).map { Array($0.values(as: Float.self)) }
    try await withThrowingTaskGroup(of: [[Float]].self) { group in
      for _ in 0..<16 {
        group.addTask {
          var last: [[Float]] = []
          for _ in 0..<10 { last = try program.run(buffers, donated: []).map { Array($0.values(as: Float.self)) } }
          return last
        }
      }
      for try await result in group { #expect(result == expected) }
    }
  }

  @Test("one thread and two give the same bits") func threads() throws {
    let inputs = arguments
    let program = try compiled(inputs.map(\.type), network)
    let buffers = inputs.map { $0.hostBuffer("test") }
    let before = fx_thread_count()
    defer { fx_set_thread_count(before) }
    fx_set_thread_count(1)
    let one = try program.run(buffers, donated: []).map { Array($0.values(as: UInt32.self)) }
    fx_set_thread_count(2)
    let two = try program.run(buffers, donated: []).map { Array($0.values(as: UInt32.self)) }
    #expect(one == two)
  }

  @Test("a run allocates its results and the list of them, however long its loops", .enabled(if: allocations_are_counted()))
  func allocations() throws {
    /// Blocks asked for by fifty runs of a loop whose body has several kernels.
    func blocks(steps: Int) throws -> Int {
      let program = try compiled([TensorType([steps, 16], .float32), TensorType([16, 16], .float32)]) { x in
        [scan(over: x[0], from: Tensor.zeros([16])) { (c: Tensor, s: Tensor) -> Tensor in tanh((c + s).matmul(x[1]) + c.max()) }]
      }
      let buffers = [HostBuffer(copying: [Float](repeating: 0, count: steps * 16)), HostBuffer(copying: [Float](repeating: 0, count: 256))]
      for _ in 0..<3 { _ = try program.run(buffers, donated: []) }
      let before = allocation_count()
      for _ in 0..<50 { _ = try program.run(buffers, donated: []) }
      return allocation_count() - before
    }
    let long = try blocks(steps: 1000)
    #expect(try blocks(steps: 10) == long)
    #if !DEBUG
      // The list, the buffer object, its block; code that is not optimised asks for more.
      #expect(long <= 50 * 3)
    #endif
  }

  // MARK: Control flow

  @Test("loops and branches inside each other", arguments: [ElementType.float32, .float64]) func nested(type: ElementType) throws {
    func body(_ x: [Tensor]) -> [Tensor] {
      let result = scan(over: x[0], from: x[1]) { (c: Tensor, s: Tensor) -> Tensor in
        let grown = whileLoop(from: c, while: { $0.sum() .< 10 }) { $0 * 1.5 + abs(s).sum() + 0.1 }
        return cond(s.sum() .> 0, then: { scan(over: grown, from: Tensor(0, as: type)) { (a: Tensor, b: Tensor) -> Tensor in a * 0.5 + b } + c * 0.01 }, else: { c - s })
      }
      return [result]
    }
    var arrays = TestArrays(seed: 9)
    let inputs = [arrays.tensor([7, 3], .range(-1, 1), as: type), arrays.tensor([3], .range(0, 1), as: type)]
    let graph = traceGraph(inputs.map(\.type), body).graph
    let expected = try results(of: graph, inputs, on: .reference)
    expectClose(try results(of: graph, inputs, on: cpu)[0], expected[0], Tolerance(relative: 1e-5, absolute: 1e-5))
  }

  @Test("carries that change places, and carries updated in place") func carries() throws {
    struct State: Codable {
      var a: Tensor, b: Tensor, table: Tensor
    }
    func body(_ x: [Tensor]) -> [Tensor] {
      let last = scan(over: x[0], from: State(a: x[1], b: x[2], table: x[3])) { (s: State, i: Tensor) -> State in
        State(a: s.b, b: s.a + 1, table: s.table.replacingWindow(at: [i], with: (s.a.sum() + s.b.sum()).reshaped(to: [1])))
      }
      return [last.a, last.b, last.table]
    }
    let inputs = [
      Tensor([Int32](0..<5)), Tensor([Float(1), 2, 3]), Tensor([Float(10), 20, 30]), Tensor([Float](repeating: 0, count: 5)),
    ]
    let graph = traceGraph(inputs.map(\.type), body).graph
    let expected = try results(of: graph, inputs, on: .reference)
    for (a, b) in zip(try results(of: graph, inputs, on: cpu), expected) { expectClose(a, b, .ulps(4)) }
  }

  // MARK: Failures

  private func failure(_ inputs: [Tensor], options: CompilationOptions = CompilationOptions(), _ body: ([Tensor]) -> [Tensor]) throws -> ExecutionError? {
    let program = try withCallSites { try compiled(inputs.map(\.type), options: options, body) }
    do {
      _ = try program.run(inputs.map { $0.hostBuffer("test") }, donated: [])
      return nil
    } catch { return error }
  }

  @Test("an index out of bounds names operation, index and bound") func gatherBounds() throws {
    let error = try failure([Tensor([Float(1), 2, 3]), Tensor([Int32(1), 3])]) { x in
      [apply1(.gather(batch: 0), x[0], x[1].reshaped(to: [2, 1]))]
    }
    guard case let .indexOutOfBounds(operation, index, bound, _)? = error else {
      Issue.record("no error, but \(String(describing: error))")
      return
    }
    #expect(operation == "gather" && index == 3 && bound == 3)
  }

  @Test("a window that leaves the array is an error, inside a loop as well") func windowBounds() throws {
    let error = try failure([Tensor([Float](repeating: 1, count: 6)), Tensor([Int32(0), 2, 5])]) { x in
      [scan(over: x[1], from: Tensor.zeros([2])) { (c: Tensor, i: Tensor) -> Tensor in c + apply1(.dynamicSlice(sizes: [2]), x[0], i) }]
    }
    guard case let .indexOutOfBounds(operation, index, bound, _)? = error else {
      Issue.record("no error, but \(String(describing: error))")
      return
    }
    // The window 5 ..< 7 misses element 6 of 6.
    #expect(operation == "dynamicSlice" && index == 6 && bound == 6)
  }

  @Test("a branch that does not exist is an error") func branchBounds() throws {
    let error = try failure([Tensor(Int32(2))]) { x in [switchCase(x[0], [{ Tensor(1.0, as: .float32) }, { Tensor(2.0, as: .float32) }])] }
    guard case let .indexOutOfBounds(operation, index, bound, _)? = error else {
      Issue.record("no error, but \(String(describing: error))")
      return
    }
    #expect(operation == "conditional" && index == 2 && bound == 2)
  }

  @Test("the search for NaNs names the first operation that makes one") func nan() throws {
    var options = CompilationOptions()
    options.findsNaN = true
    let x = Tensor([Float(4), -1, 2])
    let error = try failure([x], options: options) { x in
      let scaled = x[0] * 2
      let root = sqrt(scaled)
      return [exp(root) + 1]
    }
    guard case let .madeNaN(operation, count, elements, inputs, _)? = error else {
      Issue.record("no error, but \(String(describing: error))")
      return
    }
    #expect(operation == "sqrt" && count == 1 && elements == 3)
    #expect(inputs == "input min -2.0, max 8.0")
    #expect(try failure([Tensor([Float(4), 1, 2])], options: options) { x in [exp(sqrt(x[0] * 2)) + 1] } == nil)
    // A NaN that was given, or stands in the program, is not made.
    #expect(try failure([x], options: options) { x in [select(x[0] .> 0, x[0], Tensor(Float.nan))] } == nil)
    #expect(try failure([Tensor([Float.nan])], options: options) { x in [sqrt(x[0])] } == nil)
  }

  @Test("a NaN made in a loop is found there") func nanInLoop() throws {
    var options = CompilationOptions()
    options.findsNaN = true
    let error = try failure([Tensor([Float(1), 2, -3, 4])], options: options) { x in
      [scan(over: x[0], from: Tensor(Float(0))) { (c: Tensor, s: Tensor) -> Tensor in c + log(s) }]
    }
    guard case let .madeNaN(operation, _, _, detail, _)? = error else {
      Issue.record("no error, but \(String(describing: error))")
      return
    }
    #expect(operation == "log")
    #expect(detail == "input -3.0, at step 2 of scan")
  }

  #if !DEBUG
    @Test("an element type without kernels is one clear error") func unsupportedType() {
      // Tracing refuses it already, so the program is written by hand; debug builds prove each graph legal and stop at it.
      let type = TensorType([2], .complex64)
      let node = Node(operation: .unary(.erf), operands: [ValueID(0)], firstResult: ValueID(1), resultCount: 1)
      let graph = Graph(inputCount: 1, nodes: [node], outputs: [ValueID(1)], types: [type, type])
      #expect {
        _ = try CPUEngine().compile(graph, options: CompilationOptions())
      } throws: { error in "\(error)".contains("erf") && "\(error)".contains("c64") }
    }
  #endif

  @Test("more memory than there is: one clear error, and the program lives on") func outOfMemory() throws {
    // 2⁶¹ bytes as a result.
    let column = Tensor.ones([1 << 20, 1])
    #expect(throws: ExecutionError.outOfMemory(byteCount: 1 << 61)) {
      let graph = traceGraph([TensorType([1 << 20, 1], .float32)]) { x in [x[0] + Tensor.zeros([1, 1 << 39])] }.graph
      _ = try CPUEngine().compile(graph, options: CompilationOptions()).run([column.hostBuffer("run")], donated: [])
    }
    #expect((column.sum()).item() == Double(1 << 20))
  }

  // MARK: Random words

  @Test("random words are the reference's, for one key and for many") func random() throws {
    let one = traceGraph([TensorType([2], .uint32)]) { x in
      let key = Key(words: x[0])
      let (high, low) = key.threefry([3, 5])
      return [key.bits([7, 2]), high, low, key.fold(9).words, key.splitWords(4)]
    }.graph
    let key = [Tensor([UInt32(7), 99])]
    for (a, b) in zip(try results(of: one, key, on: cpu), try results(of: one, key, on: .reference)) {
      #expect(a.elements(as: UInt32.self) == b.elements(as: UInt32.self))
    }
    let many = traceGraph([TensorType([3, 2], .uint32), TensorType([3], .uint32)]) { x in
      let both = apply(.threefry([2, 4]), [x[0], x[1]])
      return [both[0], both[1], both[0] .^ both[1]]
    }.graph
    let keys = [Tensor([UInt32(7), 99, 1, 2, 3, 4], shape: [3, 2]), Tensor([UInt32(0), 5, .max])]
    for (a, b) in zip(try results(of: many, keys, on: cpu), try results(of: many, keys, on: .reference)) {
      #expect(a.elements(as: UInt32.self) == b.elements(as: UInt32.self))
    }
  }
}
