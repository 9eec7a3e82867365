import FluxionCore
import FluxionTransforms
import Testing

private struct Pair: Codable, Sendable {
  var a: Tensor
  var b: Tensor
  var scale = 2.0
}

/// Compiled functions: what they give, when they compile again, and what becomes of the state's memory.
@Suite struct CompiledTests {
  private let x = Tensor([1.0, 2, 3])

  @Test func everyNumberOfArguments() {
    #expect(compiled { (x: Tensor) -> Tensor in x + 1 }(x).doubles() == [2, 3, 4])
    #expect(compiled { (x: Tensor, y: Tensor) -> Tensor in x * y }(x, x).doubles() == [1, 4, 9])
    #expect(compiled { (x: Tensor, y: Tensor, z: Tensor) -> Tensor in x * y - z }(x, x, x).doubles() == [0, 2, 6])
    #expect(compiled { (x: Tensor, y: Tensor, z: Tensor, w: Tensor) -> Tensor in x * y - z * w }(x, x, x, x).doubles() == [0, 0, 0])
    let (sum, product) = compiled { (x: Tensor, y: Tensor) in (x + y, x * y) }(x, x)
    #expect(sum.doubles() == [2, 4, 6] && product.doubles() == [1, 4, 9])
  }

  /// The state that comes back is the one the step made, for every number of further arguments.
  @Test func stateIsTheNewOne() {
    var s = Pair(a: x, b: x)
    compiled { (s: inout Pair) in s.a = s.a * 2 }(&s)
    #expect(s.a.doubles() == [2, 4, 6])
    let one = compiled { (s: inout Pair, y: Tensor) -> Tensor in
      s.a = s.a + y
      return s.a.sum()
    }(&s, x)
    #expect(s.a.doubles() == [3, 6, 9] && one.item() == 18)
    let two = compiled { (s: inout Pair, y: Tensor, z: Tensor) -> Tensor in
      s.b = s.a * y - z
      return s.b.sum()
    }(&s, x, x)
    #expect(s.b.doubles() == [2, 10, 24] && two.item() == 36)
    let three = compiled { (s: inout Pair, y: Tensor, z: Tensor, w: Tensor) -> Tensor in
      (s.a, s.b) = (s.b, y + z + w)
      return s.a.sum()
    }(&s, x, x, x)
    #expect(s.a.doubles() == [2, 10, 24] && s.b.doubles() == [3, 6, 9] && three.item() == 36)
  }

  @Test func stateIsWrittenWhereItStood() {
    let step = compiled { (s: inout Pair, y: Tensor) -> Tensor in
      s.b = s.b * 0.9 + y
      s.a = s.a - s.b * 0.1
      return s.a.sum()
    }
    var s = Pair(a: Tensor(repeating: 1, shape: [1024]), b: Tensor(repeating: 0, shape: [1024]))
    let y = Tensor(repeating: 1, shape: [1024])
    _ = step(&s, y)
    let places = [s.a.memoryAddress, s.b.memoryAddress]
    for _ in 0..<4 { _ = step(&s, y) }
    if Device.current.engine.name == "cpu" { #expect([s.a.memoryAddress, s.b.memoryAddress] == places) }
    // A state that someone else holds is left alone.
    let kept = s
    let before = kept.a.doubles()
    _ = step(&s, y)
    #expect(kept.a.doubles() == before && s.a.doubles() != before)
  }

  @Test func settingsAreAnotherProgram() {
    let f = compiled { (p: Pair) -> Tensor in p.a * p.scale }
    #expect(f(Pair(a: x, b: x)).doubles() == [2, 4, 6])
    #expect(f(Pair(a: x, b: x, scale: 3)).doubles() == [3, 6, 9])
    #expect(f(Pair(a: Tensor([1.0]), b: x)).doubles() == [2])
  }

  @Test func capturedTensorsAreArguments() throws {
    let weights = Tensor((0..<400).map { Double($0) })
    let f = compiled { (x: Tensor) -> Tensor in (x * weights).sum() }
    #expect(f(Tensor.ones([400], as: .float64)).item() == 79_800)
    let program = try f.program(for: Tensor.ones([400], as: .float64))
    #expect(program.graph.inputCount == 2)
    #expect(program.cost.kernels >= 1 && program.cost.floatingPointOperations >= 400)
  }

  @Test func failuresAreThrownOnRequest() {
    let f = compiled { (x: Tensor, i: Tensor) -> Tensor in x.gathered(i) }
    #expect(throws: ExecutionError.self) { try f.attempt((x, Tensor([Int32(3)]))) }
    #expect(f(x, Tensor([Int32(-1)])).doubles() == [3])
  }

  @Test func insideAnotherTraceItIsRecorded() {
    let square = compiled { (x: Tensor) -> Tensor in x * x }
    #expect(gradient(of: { square($0).sum() }, at: x).doubles() == [2, 4, 6])
  }
}
