import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// The text of errors in the user's program, by the throwing way to trace.
@Suite("shape errors") struct ShapeErrorTests {
  private func message(_ x: Tensor, _ y: Tensor = 0.0, _ body: (Tensor, Tensor) -> Tensor) -> String {
    do {
      _ = try trace({ (xs: [Tensor]) in body(xs[0], xs[1]) }, like: [x, y])
      return "no error"
    } catch {
      return "\(error.operation): \(error.message)"
    }
  }

  @Test func broadcasting() {
    #expect(
      message(Tensor.zeros([3, 4]), Tensor.zeros([3, 5])) { $0 + $1 }
        == "add: shapes [3, 4] and [3, 5] cannot be broadcast together. Axes must be equal or 1, counted from the last.")
    #expect(
      message(Tensor.zeros([3])) { x, _ in x.broadcast(to: [2, 4]) }
        == "broadcast: shape [3] cannot be broadcast to [2, 4]: axis 0 has 3, which is neither 1 nor 4.")
    #expect(
      message(Tensor.zeros([3, 3])) { x, _ in x.broadcast(to: [3]) }
        == "broadcast: shape [3, 3] cannot be broadcast to [3], which has fewer axes.")
  }
  @Test func products() {
    #expect(
      message(Tensor.zeros([3, 4]), Tensor.zeros([5, 2])) { $0.matmul($1) }
        == "dot: the contracted axes differ: left [3, 4] axis 1 has 4, right [5, 2] axis 0 has 5.")
    #expect(
      message(Tensor.zeros([3, 4]), Tensor.zeros([4, 2])) { einsum("ij,kj->ik", $0, $1) }
        == "einsum: axis j of \"ij,kj->ik\" has both 4 and 2 elements.")
    #expect(
      message(Tensor.zeros([1, 4, 4, 3]), Tensor.zeros([2, 2, 4, 1])) { convolution($0, $1) }.hasPrefix(
        "convolution.output: 1 groups over 3 input channels need a kernel with 3 input channels"))
  }
  @Test func elementTypes() {
    #expect(
      message(Tensor.zeros([3], as: .bool)) { x, _ in floor(x) }
        == "floor: bool elements are not supported. Convert them first, for example with .converted(to: .float32).")
    #expect(message(Tensor.zeros([3])) { x, _ in x .& x } == "and: f32 elements are not supported. Logical operations take bool or integers.")
    #expect(message(Tensor.zeros([3])) { x, _ in x.all() } == "reduce.all: the elements must be bool, but they are f32. Compare them first.")
    #expect(
      message(Tensor.zeros([3], as: .complex64)) { x, _ in maximum(x, x) }
        == "maximum: c64 elements are not supported. Complex numbers have no order; compare their parts or absolute values.")
    #expect(message(Tensor.zeros([3], as: .complex64)) { x, _ in digamma(x) } == "digamma: complex elements are not supported. Take .real and .imaginary.")
    #expect(message(Tensor.zeros([3], as: .complex64)) { x, _ in x .< x } == "less: complex numbers have no order; compare their parts or absolute values.")
    #expect(message(Tensor.zeros([3]), Tensor.zeros([2])) { x, i in x.gathered(i) } == "index: an index must have an integer type, not f32.")
  }
  @Test func shaping() {
    #expect(
      message(Tensor.zeros([3, 4])) { x, _ in x.reshaped(to: [5]) } == "reshape: shape [3, 4] has 12 elements and cannot become [5], which has 5.")
    #expect(
      message(Tensor.zeros([3, 4])) { x, _ in x.reshaped(to: [5, -1]) } == "reshape: shape [3, 4] has 12 elements and cannot become [5, -1].")
    #expect(
      message(Tensor.zeros([3])) { x, _ in x.sliced(1..<5, alongAxis: 0) } == "slice: the range 1..<5 of axis 0 is not within 0..<3.")
    #expect(
      message(Tensor.zeros([3, 2]), Tensor.zeros([3])) { concatenated($0, $1, alongAxis: 0) }
        == "concatenate: operands (f32[3,2], f32[3]) must agree on all axes but 0.")
    #expect(message(Tensor.zeros([0])) { x, _ in x.max() } == "reduce.maximum: an empty axis of [0] has no maximum.")
    #expect(message(Tensor.zeros([3])) { x, _ in x.padded(low: [-2], high: [-2]) } == "pad: padding (-2, -2) crops more than axis 0 of [3] has.")
    #expect(message(Tensor.zeros([3])) { x, _ in x.topK(4).values } == "topK: 4 elements cannot be taken from an axis of 3.")
    #expect(message(Tensor.zeros([2, 3])) { x, _ in x.squeezed([0]) } == "squeezed: axes [0] of shape [2, 3] do not all have length 1.")
  }
  @Test func matrices() {
    for (name, body) in [
      ("cholesky", { cholesky($0) }), ("eigh", { eigh($0).values }), ("logDeterminant", { logDeterminant($0).logarithm }), ("matrixPower", { matrixPower($0, 2) }),
      ("determinant", { determinant($0) }), ("inverse", { inverse($0) }),
    ] as [(String, (Tensor) -> Tensor)] {
      #expect(message(Tensor.zeros([3, 4])) { x, _ in body(x) } == "\(name): the last two axes of [3, 4] must be equal.")
    }
  }
  @Test func windows() {
    #expect(
      message(Tensor.zeros([1, 5, 4])) { x, _ in maxPool(x, window: [3, 3]) }
        == "maxPool: windows [3, 3], strides [3, 3] and dilations [1] need one number of at least 1 for each of the 1 spatial axes of [1, 5, 4], or one for all.")
  }
  @Test func loops() {
    #expect(
      message(Tensor.zeros([3])) { x, _ in scan(count: 2, from: x) { c, _ in concatenated(c, c, alongAxis: 0) } }
        == "scan: carry 0 begins as f32[3] and is f32[6] after a step. A carry keeps its shape and element type.")
    #expect(
      message(Tensor.zeros([3])) { x, _ in whileLoop(from: x, while: { $0 .< 1 }, do: { $0 }) }
        == "while: the condition must give one scalar bool, but it gives (bool[3]).")
    #expect(
      message(Tensor.zeros([3])) { x, _ in cond(x.sum() .> 0, then: { x }, else: { x.sum() }) }
        == "conditional: the branches give different types: (f32[]) and (f32[3]).")
  }
  @Test func gradientOfManyNumbers() {
    #expect(
      message(Tensor.zeros([3])) { x, _ in gradient(of: { $0 * 2 }, at: x) }
        == "gradient: the function must give one real number, but it gives f32[3]. Reduce it, for example with .sum() or .mean().")
  }
  @Test func theFirstErrorIsKeptAndPlaced() {
    do {
      _ = try trace({ (x: Tensor) in x.reshaped(to: [7]) + x.matmul(x) }, like: Tensor.zeros([3, 4]))
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.operation == "reshape")
      #expect(error.callSite?.description == "ErrorTests.swift:\(#line - 4)")
    }
  }
}

/// Errors that show only when a program runs.
@Suite("execution errors", .device(.reference)) struct ExecutionErrorTests {
  private func error(_ x: Tensor, findsNaN: Bool = false, _ function: @escaping @Sendable (Tensor) -> Tensor) -> ExecutionError? {
    do {
      let program = FluxionTransforms.compiled(function)
      if findsNaN { _ = try findingNaNs { try program.attempt(x) } } else { _ = try program.attempt(x) }
      return nil
    } catch let error as ExecutionError {
      return error
    } catch {
      return nil
    }
  }

  @Test func indices() {
    #expect(
      error(Tensor([Int32(0), 3])) { arange(3).gathered($0) }
        == .indexOutOfBounds(operation: "gather", index: 3, bound: 3, callSite: nil))
    #expect(error(Tensor([Int32(0), -3])) { arange(3).gathered($0) } == nil, "negative indices count from the end")
    #expect(
      error(Tensor([Int32(0), -4])) { arange(3).gathered($0) }
        == .indexOutOfBounds(operation: "gather", index: -1, bound: 3, callSite: nil))
    #expect(
      error(Tensor([Int32(5)])) { arange(3).scattered(Tensor([Int32(1)]), at: $0, mode: .add) }
        == .indexOutOfBounds(operation: "scatter.add", index: 5, bound: 3, callSite: nil))
    // Ids are not counted from the end.
    let x = Tensor([1.0, 2])
    let reductions: [@Sendable (Tensor) -> Tensor] = [
      { segmentSum(x, ids: $0, count: 3) }, { segmentProduct(x, ids: $0, count: 3) }, { segmentMax(x, ids: $0, count: 3) },
      { segmentMin(x, ids: $0, count: 3) }, { segmentMean(x, ids: $0, count: 3) }, { segmentVariance(x, ids: $0, count: 3) },
      { segmentLogSumExp(x, ids: $0, count: 3) }, { segmentSoftmax(x, ids: $0, count: 3) },
    ]
    for reduction in reductions {
      let found = error(Tensor([Int32(0), -1]), reduction)
      guard case let .indexOutOfBounds(_, index, bound, _)? = found else {
        Issue.record("no error, but \(String(describing: found))")
        continue
      }
      #expect(index == -1 && bound == 3)
    }
    #expect(
      error(Tensor([Int32(0), -1])) { $0.bincount(3) } == .indexOutOfBounds(operation: "scatter.add", index: -1, bound: 3, callSite: nil))
    #expect(
      error(Tensor(Int32(2))) { arange(4).dynamicSlice(start: [$0], sizes: [3]) }
        == .indexOutOfBounds(operation: "dynamicSlice", index: 4, bound: 4, callSite: nil))
    #expect(error(Tensor(Int32(1))) { arange(4).dynamicSlice(start: [$0], sizes: [3]) } == nil)
    #expect(
      error(Tensor(Int32(-1))) { arange(4).replacingWindow(at: [$0], with: Tensor([Int32(9)])) }
        == .indexOutOfBounds(operation: "dynamicUpdateSlice", index: -1, bound: 4, callSite: nil))
    #expect(
      error(Tensor(Int32(2))) { i in switchCase(i, [{ i }, { i + 1 }]) }
        == .indexOutOfBounds(operation: "conditional", index: 2, bound: 2, callSite: nil))
    let text = "\(ExecutionError.indexOutOfBounds(operation: "gather", index: 3, bound: 3, callSite: CallSite("Net.swift:7")))"
    #expect(text == "gather at Net.swift:7: index 3 is out of bounds for an axis of length 3. Indices run from 0 to 2.")
  }

  @Test func firstNaN() {
    #expect(error(Tensor([1.0, 2]), findsNaN: true) { log($0).sum() } == nil)
    let found = error(Tensor([4, -1e-9, 1]), findsNaN: true) { exp(sqrt($0) + 1) }
    guard case let .madeNaN(operation, count, elements, detail, site) = found else {
      Issue.record("no NaN was found: \(String(describing: found))")
      return
    }
    #expect(operation == "sqrt" && count == 1 && elements == 3)
    #expect(detail == "input min -1e-09, max 4.0")
    #expect(site?.description == "ErrorTests.swift:\(#line - 7)")
  }

  @Test func firstNaNInALoop() {
    let found = error(Tensor(3.0), findsNaN: true) { x in scan(count: 9, from: x) { c, _ in log(c) } }
    // log log log 3 is negative at the third step, and its logarithm NaN at the fourth.
    guard case let .madeNaN(operation, _, _, detail, _) = found else {
      Issue.record("no NaN was found: \(String(describing: found))")
      return
    }
    #expect(operation == "log")
    #expect(detail.hasSuffix("at step 3 of scan"))
  }

  @Test func firstNaNOfABackwardPass() {
    // The value is 0; its slope is 0/0.
    let found = error(Tensor([0.0, 0.0]), findsNaN: true) { x in gradient(of: { v in (v / v.sum()).sum() }, at: x) }
    guard case let .madeNaN(operation, _, _, _, site) = found else {
      Issue.record("no NaN was found: \(String(describing: found))")
      return
    }
    #expect(operation == "divide")
    #expect(site?.description == "ErrorTests.swift:\(#line - 6)")
  }

  @Test func constantsMayBeNaN() {
    #expect(error(Tensor([1.0, 2]), findsNaN: true) { select($0 .> 1, $0, Tensor(Double.nan)) } == nil)
  }
}

/// Mistakes that end the program: the message names the caller's file and line. The mistakes stand in functions of their own, as the
/// body of an exit test is compiled as another file.
@Suite("traps") struct TrapTests {
  @Test func shapesNameTheLine() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { addsShapesThatDiffer() }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[0]): add: shapes [3] and [4] cannot be broadcast together.")
  }
  @Test func indicesNameTheLine() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { gathersBeyondTheEnd() }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[1]): gather: index 5 is out of bounds for an axis of length 3.")
  }
  @Test func subscriptsNameTheLine() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { subscriptsBeyondTheEnd() }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[2]): subscript: index 7 is out of bounds for axis 1 of shape [3, 4], which has 4.")
  }
  @Test func readingWhileTracing() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { readsATracedValue() }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[3]): doubles: the value is not known while the program is being traced.")
  }
  @Test func backwardThroughWhile() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { differentiatesAWhileLoop() }
    expectMessage(
      result, "ErrorTests.swift:\(linesOfMistakes[4]): whileLoop: a loop of unknown length cannot be differentiated backwards")
  }
  @Test func nansNameTheLine() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { findingNaNs { takesTheLogarithm() } }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[5]): nan: first made by log; 1 of 1 elements")
  }
  @Test func compiledProgramsNameTheLineOfTheCall() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { runsAProgramBeyondTheEnd() }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[6]): gather: index 9 is out of bounds for an axis of length 3.")
  }
  @Test func escapedTracers() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { usesATracerOfAnotherTrace() }
    expectMessage(result, "ErrorTests.swift:\(linesOfMistakes[7]): multiply: a tensor of another trace, which is over or runs beside this one")
  }
  @Test func differingStructures() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { addsStructuresThatDiffer() }
    expectMessage(
      result,
      "ErrorTests.swift:\(linesOfMistakes[8]): mapTensors: the two values of Dictionary<String, Tensor> differ in structure: \"a\" against \"b\".")
  }

  private func expectMessage(_ result: ExitTest.Result, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains(expected), sourceLocation: sourceLocation)
  }
}

/// A result that is printed keeps its function's frame on the stack: a call that is the last thing done would replace it.
private let linesOfMistakes = (0..<9).map { firstMistake + 4 * $0 }
private let firstMistake = #line + 3
@inline(never)
private func addsShapesThatDiffer() {
  _ = Tensor.zeros([3]) + Tensor.zeros([4])
}
@inline(never)
private func gathersBeyondTheEnd() {
  _ = arange(3).gathered(Tensor([Int32(5)]))
}
@inline(never)
private func subscriptsBeyondTheEnd() {
  _ = Tensor.zeros([3, 4])[1, 7]
}
@inline(never)
private func readsATracedValue() {
  _ = gradient(of: { x in x * x.item() }, at: Tensor(1.0))
}
@inline(never)
private func differentiatesAWhileLoop() {
  print(gradient(of: { x in whileLoop(from: x, while: { $0 .< 9 }, do: { $0 * 2 }) }, at: Tensor(1.0)))
}
@inline(never)
private func takesTheLogarithm() {
  _ = log(Tensor([-1.0]))
}
@inline(never)
private func runsAProgramBeyondTheEnd() {
  _ = compiled { (i: Tensor) in arange(3).gathered(i) }(Tensor(Int32(9)))
}
@inline(never)
private func usesATracerOfAnotherTrace() {
  _ = gradient(of: { [kept = keptTracer()] x in x * kept }, at: Tensor(1.0))
}
@inline(never)
private func addsStructuresThatDiffer() {
  _ = mapTensors(["a": Tensor(1.0)], ["b": Tensor(1.0)]) { $0 + $1 }
}

/// A tensor of a trace that is over.
private func keptTracer() -> Tensor {
  var kept: Tensor?
  _ = traceGraph([TensorType([], .float64)]) { inputs in
    kept = inputs[0]
    return inputs
  }
  return kept!
}
