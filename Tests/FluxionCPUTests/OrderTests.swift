import FluxionCPU
import FluxionCore
import FluxionTestSupport
import Testing

/// Parts of an order, and places of extremes, by ways that do not look at everything: exactly what the reference gives.
@Suite struct OrderTests {
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var body: @Sendable (Tensor) -> [Tensor]
  }
  static let cases: [Case] = [
    Case(description: "the greatest five") { let top = $0.topK(5); return [top.values, top.places] },
    Case(description: "the least of each column") { let top = $0.topK(3, alongAxis: 0, smallest: true); return [top.values, top.places] },
    Case(description: "the middle") { [$0.kthSmallest(150), $0.kthSmallest(149)] },
    Case(description: "the last") { [$0.kthSmallest(299)] },
    Case(description: "some places, every other one") { x in
      let order = x.argsort()
      return [order.sliced(start: [0, 20], limit: [x.shape[0], 60], stride: [1, 2]), order.sliced(90..<91, alongAxis: 1)]
    },
    Case(description: "a slice, and all of it") { x in
      let sorted = x.sorted()
      return [sorted.sliced(0..<2, alongAxis: 1), sorted.reversed(alongAxis: 1)]
    },
    Case(description: "no places") { [$0.topK(0).values] },
    Case(description: "places of extremes") { [$0.argmax(alongAxis: 1), $0.argmin(alongAxis: 1)] },
  ]

  /// Rows of 300: random, with ties, with NaN, infinities and zeros of both signs, ascending, all equal.
  private static func numbers(_ type: ElementType) -> Tensor {
    var arrays = TestArrays(seed: 11)
    let random = arrays.tensor([1, 300], .range(-100, 100), as: .float64).doubles()
    var rows = random + random.map { ($0 / 30).rounded() } + (0..<300).map { Double($0) - 150 } + [Double](repeating: 7, count: 300)
    let odd: [Double] = [0, -0.0, .infinity, -.infinity]
    rows += random.enumerated().map { $0 % 7 == 3 ? odd[$0 / 7 % 4] : $1 / 1e3 }
    rows += random.enumerated().map { type.isFloatingPoint && ($0 == 200 || $0 == 231) ? .nan : $1 }
    if !type.isFloatingPoint { rows = rows.map { $0.isFinite ? abs($0.rounded()) : 50 } }
    return Tensor(rows, shape: [6, 300]).converted(to: type)
  }

  @Test("parts of an order", arguments: cases, [ElementType.float32, .float64, .int32, .int64, .uint8])
  func parts(program: Case, type: ElementType) throws {
    let x = Self.numbers(type)
    let (graph, _) = traceGraph([x.type]) { program.body($0[0]) }
    for (made, wanted) in zip(try results(of: graph, [x], on: cpu), try results(of: graph, [x], on: .reference)) {
      #expect(made.type == wanted.type)
      #expect(made.doubles().map(\.bitPattern) == wanted.doubles().map(\.bitPattern), "\(program) of \(type)")
    }
  }

  @Test("sizes of complex numbers, infinite and beyond") func sizes() throws {
    let parts: [Float] = [3, -4, .infinity, .nan, 1e30, 1e-30, 0, -0.0, -.infinity, 3e38, .leastNonzeroMagnitude, 5]
    let pairs = parts.flatMap { a in parts.map { (a, $0) } }
    let z = complex(Tensor(pairs.map(\.0)), Tensor(pairs.map(\.1)))
    let (graph, _) = traceGraph([z.type]) { [abs($0[0])] }
    let made = try results(of: graph, [z], on: cpu)[0].doubles(), wanted = try results(of: graph, [z], on: .reference)[0].doubles()
    for (i, pair) in pairs.enumerated() {
      let same = made[i] == wanted[i] || made[i].isNaN && wanted[i].isNaN
      #expect(same || abs(made[i] - wanted[i]) <= wanted[i] * Double(Float.ulpOfOne), "\(pair): \(made[i]), not \(wanted[i])")
    }
  }
}
