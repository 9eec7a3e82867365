import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

private struct Part: Codable, Sendable {
  var weight: Tensor
  var bias: Tensor?
  var width = 3
}
private enum Mode: String, Codable, Sendable { case plus, minus }
private struct Model<Inner: Codable & Sendable>: Codable, Sendable {
  var isOn = true
  var parts: [Part]
  var inner: Inner
  var tables: [String: [Part]]
  var extra: Part?
  var mode = Mode.plus
  var note = "a text that is longer than fits beside the others"
  var rates = [0.5, 0.25]
  var scale = 2.0
}

/// What a compiled step does to a state, called over and over while the state is changed in between: what the function itself does.
@Suite struct StateTests {
  private typealias State = Model<Model<[Tensor?]>>

  private func numbers(_ n: Int, from first: Double) -> Tensor { Tensor((0..<n).map { first + Double($0) }) }
  private func part(_ first: Double) -> Part { Part(weight: numbers(4, from: first), bias: numbers(2, from: first + 10)) }
  private var state: State {
    let inner = Model<[Tensor?]>(
      parts: [part(1)], inner: [numbers(3, from: 2), nil, numbers(3, from: 3)], tables: ["one": [part(4)]], extra: nil, mode: .minus)
    return State(parts: [part(5), part(6)], inner: inner, tables: ["m": [part(7)], "a": [part(8), part(9)]], extra: part(10))
  }

  /// Every tensor and every setting counts.
  private static func step(_ s: inout State, _ x: Tensor) -> Tensor {
    let factor = s.scale * s.inner.scale / 8 * (s.isOn ? 1 : 0.5) + s.rates[0] * Double(s.note.count) / 1000
    let shift = s.mode == .plus ? x : -x
    var place = 0.0
    s = mapTensors(s) {
      place += 1
      return $0 * factor + shift * place
    }
    swap(&s.parts[0].weight, &s.inner.parts[0].weight)
    return namedTensors(of: s).map { $0.tensor.sum() }.reduce(Tensor([0.0], shape: []), +)
  }

  /// What rounding in another order may come to in double precision after the few hundred operations here.
  private static let rounding = Tolerance(relative: 1e-12, absolute: 1e-12)

  private func expectSame(_ a: State, _ b: State, _ comment: Comment) {
    let (x, y) = (flatten(a), flatten(b))
    #expect(x.structure == y.structure, comment)
    for (s, t) in zip(x.leaves, y.leaves) { expectClose(s, t, Self.rounding) }
  }

  private static let changes: [(name: String, change: @Sendable (inout State, State) -> Void)] = [
    ("nothing", { _, _ in }),
    ("parts swapped", { s, _ in s.parts.swapAt(0, 1) }),
    ("a part taken from the first state", { s, first in s.parts[1] = first.parts[1] }),
    ("a tensor replaced", { s, _ in s.parts[1].weight = Tensor([9.0, 8, 7, 6]) }),
    ("two leaves one tensor", { s, _ in s.parts[1].weight = s.parts[0].weight }),
    ("another shape", { s, _ in s.extra!.weight = Tensor([1.0, 2], shape: [2, 1]) }),
    ("an optional tensor gone", { s, _ in s.parts[0].bias = nil }),
    ("an optional tensor come", { s, _ in s.parts[0].bias = Tensor([1.0]) }),
    ("an optional part gone", { s, _ in s.extra = nil }),
    ("an optional part come", { s, first in s.inner.extra = first.extra }),
    ("an optional element come", { s, _ in s.inner.inner[1] = Tensor([1.0]) }),
    ("an array grown", { s, first in s.parts.append(first.parts[0]) }),
    ("an array emptied", { s, _ in s.inner.tables["one"] = [] }),
    ("an array shortened", { s, _ in s.parts.removeLast() }),
    ("a key come", { s, first in s.tables["k"] = first.parts }),
    ("a key gone", { s, _ in s.tables["m"] = nil }),
    ("a number changed", { s, _ in s.scale = 3 }),
    ("a number deep inside changed", { s, _ in s.tables["a"]![1].width = 5 }),
    ("a truth value changed", { s, _ in s.isOn = false }),
    ("a case changed", { s, _ in s.mode = .minus }),
    ("a text changed", { s, _ in s.note = "a text that is longer than fits beside them, and another" }),
    ("a list of numbers changed", { s, _ in s.rates[0] = 0.75 }),
    ("the same text anew", { s, _ in s.note = String(s.note.map { $0 }) }),
    ("put together again", { s, _ in s = mapTensors(s) { $0 } }),
    ("the first state", { s, first in s = first }),
  ]

  @Test("a step does what its function does, however the state is changed between calls") func changedBetweenCalls() {
    let compiledStep = compiled(Self.step)
    let x = Tensor([0.25], shape: [])
    let first = state
    let firstNumbers = flatten(first).leaves.map { $0.doubles() }
    var (s, expected) = (first, first)
    for (name, change) in Self.changes {
      change(&s, first)
      change(&expected, first)
      for _ in 0..<3 {
        let (loss, other) = (compiledStep(&s, x), Self.step(&expected, x))
        expectClose(loss, other, Self.rounding)
        expectSame(s, expected, "\(name)")
      }
      // Keeps the numbers from growing without bound.
      s = mapTensors(s) { $0 / 64 }
      expected = mapTensors(expected) { $0 / 64 }
    }
    #expect(flatten(first).leaves.map { $0.doubles() } == firstNumbers)
  }

  @Test("what someone else holds of a state stays as it is") func heldElsewhere() {
    let compiledStep = compiled(Self.step)
    let x = Tensor([0.25], shape: [])
    var s = state
    for _ in 0..<3 { _ = compiledStep(&s, x) }
    func expectUntouched<Held: Structured>(_ name: Comment, _ hold: (State) -> Held) {
      let held = hold(s)
      let before = flatten(held).leaves.map { $0.doubles() }
      var expected = s
      for _ in 0..<2 {
        _ = compiledStep(&s, x)
        _ = Self.step(&expected, x)
        #expect(flatten(held).leaves.map { $0.doubles() } == before, name)
        expectSame(s, expected, name)
      }
    }
    expectUntouched("the whole") { $0 }
    expectUntouched("an array") { $0.parts }
    expectUntouched("an element") { $0.parts[1] }
    expectUntouched("a tensor") { $0.parts[1].weight }
    expectUntouched("an optional tensor") { $0.parts[1].bias }
    expectUntouched("a dictionary") { $0.tables }
    expectUntouched("an array in a dictionary") { $0.tables["a"] }
    expectUntouched("the inner part") { $0.inner }
    expectUntouched("an array of optionals") { $0.inner.inner }
  }

  @Test("a state of its own is written where it stands") func inPlace() {
    let compiledStep = compiled { (s: inout State, x: Tensor) -> Tensor in
      s = mapTensors(s) { $0 * 0.5 + x }
      return s.parts[0].weight.sum()
    }
    var s = state
    s = mapTensors(s) { $0 + 1 }
    for _ in 0..<2 { _ = compiledStep(&s, Tensor([1.0], shape: [])) }
    let places = flatten(s).leaves.map(\.memoryAddress)
    for _ in 0..<3 { _ = compiledStep(&s, Tensor([1.0], shape: [])) }
    if Device.current.engine.name == "cpu" { #expect(flatten(s).leaves.map(\.memoryAddress) == places) }
  }

  @Test("steps of one function side by side") func concurrent() async {
    let compiledStep = compiled(Self.step)
    let start = state
    var expected = start
    for _ in 0..<20 { _ = Self.step(&expected, Tensor([1e-3], shape: [])) }
    let result = expected
    await withTaskGroup(of: State.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var s = start
          for _ in 0..<20 { _ = compiledStep(&s, Tensor([1e-3], shape: [])) }
          return s
        }
      }
      for await s in group { expectSame(s, result, "side by side") }
    }
  }

  @Test("a step that changes settings, and one inside a trace") func changingSettings() {
    var s = state
    let grow = compiled { (s: inout State) in
      s.scale += 1
      s.parts.append(s.parts[0])
    }
    for i in 1...3 {
      grow(&s)
      #expect(s.scale == 2 + Double(i) && s.parts.count == 2 + i)
      expectClose(s.parts[1 + i].weight, s.parts[0].weight, .exact)
    }
    let half = compiled { (s: inout [Tensor], x: Tensor) -> Tensor in
      s = s.map { $0 * x }
      return s[0].sum()
    }
    let slope = gradient(of: { (x: Tensor) -> Tensor in
      var t = [Tensor([3.0, 4]), x]
      return half(&t, x) + half(&t, x)
    }, at: Tensor([2.0], shape: []))
    // 7 x + 7 x²
    #expect(slope.item() == 7 + 28)
  }

  @Test func numbersAsWritten() {
    let double = compiled { (s: inout [Tensor]) in s = s.map { $0 * 2 } }
    var s: [Tensor] = [1.5]
    for expected in [3.0, 6, 12] {
      double(&s)
      #expect(s[0].item() == expected)
    }
  }

  @Test("values of every kind as plain arguments and results") func plainArguments() {
    let f = compiled { (s: State, x: Tensor, list: [Tensor]) -> (Tensor, Part, [Tensor]) in
      (s.parts[1].weight * s.scale + x, s.parts[0], list.map { $0 * x })
    }
    var s = state
    for scale in [2.0, 2, 3, 2] {
      s.scale = scale
      for x in [Tensor([1.0], shape: []), Tensor([2.0], shape: [])] {
        let (a, b, c) = f(s, x, [x, Tensor([1.0, 2])])
        #expect(a.doubles() == s.parts[1].weight.doubles().map { $0 * scale + x.item() })
        #expect(b.weight.doubles() == s.parts[0].weight.doubles() && b.width == 3)
        #expect(c.map { $0.doubles() } == [[x.item() * x.item()], [x.item(), 2 * x.item()]])
      }
    }
  }
}
