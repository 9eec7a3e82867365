import FluxionCore
import FluxionTestSupport
import Testing

/// Integers of every width against Swift's own: all pairs of 8-bit numbers, many of the wider ones, on every engine, at once and compiled.
@Suite("integers of every width") struct IntegerTests {
  private func operands<T: FixedWidthInteger & TensorElement>(_ type: T.Type) -> ([T], [T]) {
    if T.bitWidth == 8 {
      let all = (0..<256).map { T(truncatingIfNeeded: $0) }
      return (all.flatMap { [T](repeating: $0, count: 256) }, (0..<256).flatMap { _ in all })
    }
    var arrays = TestArrays(seed: UInt64(T.bitWidth))
    let ends: [T] = [.min, .max, 0, 1, 2, ~0, T.min &+ 1, T.max - 1, T.max / 2, 7, T(truncatingIfNeeded: -7)]
    var (x, y): ([T], [T]) = ([], [])
    for a in ends { for b in ends { (x, y) = (x + [a], y + [b]) } }
    for i in 0..<2000 {
      x.append(T(truncatingIfNeeded: arrays.next()))
      // Every third a small number: exponents, shifts and divisors.
      y.append(i % 3 == 0 ? T(truncatingIfNeeded: arrays.next() % 70) : T(truncatingIfNeeded: arrays.next()))
    }
    return (x, y)
  }

  private func expectAll(_ x: [Tensor], _ expected: [some FixedWidthInteger & TensorElement], _ name: String, _ f: @escaping ([Tensor]) -> Tensor) {
    func check<T: FixedWidthInteger & TensorElement>(_ result: Tensor, _ wanted: [T], _ where: String) {
      guard result.elementType == T.elementType else { Issue.record("\(name) gives \(result.elementType), not \(T.elementType)"); return }
      let given = result.elements(as: T.self)
      guard given != wanted else { return }
      let place = zip(given, wanted).enumerated().first { $0.1.0 != $0.1.1 }?.offset ?? -1
      let operands = x.map { $0.elementCount > place && place >= 0 ? "\($0.flattened()[place])" : "" }.joined(separator: ", ")
      Issue.record("\(name) of \(T.elementType) \(`where`) at \(place) (\(operands)): \(place >= 0 ? "\(given[place]), not \(wanted[place])" : "another count")")
    }
    for device in [Device.reference, .default] {
      check(device.active { f(x) }, expected, "at once on \(device.engine.name)")
      let program = traceGraph(x.map(\.type)) { [f($0)] }
      check(device.active { program.graph(x + program.captures)[0] }, expected, "compiled on \(device.engine.name)")
    }
  }

  private func arithmetic<T: FixedWidthInteger & TensorElement>(_ type: T.Type) {
    let (a, b) = operands(type)
    let (x, y) = (Tensor(a), Tensor(b))
    func binary(_ name: String, _ f: @escaping (Tensor, Tensor) -> Tensor, _ plain: (T, T) -> T) {
      expectAll([x, y], zip(a, b).map { plain($0, $1) }, name) { f($0[0], $0[1]) }
    }
    func unary(_ name: String, _ f: @escaping (Tensor) -> Tensor, _ plain: (T) -> T) { expectAll([x], a.map(plain), name) { f($0[0]) } }
    binary("add", { $0 + $1 }) { $0 &+ $1 }
    binary("subtract", { $0 - $1 }) { $0 &- $1 }
    binary("multiply", { $0 * $1 }) { $0 &* $1 }
    binary("divide", { $0 / $1 }) { $1 == 0 ? ~0 : $0.dividedReportingOverflow(by: $1).partialValue }
    binary("remainder", { $0 % $1 }) { $1 == 0 ? $0 : $0.remainderReportingOverflow(dividingBy: $1).partialValue }
    binary("minimum", { minimum($0, $1) }) { Swift.min($0, $1) }
    binary("maximum", { maximum($0, $1) }) { Swift.max($0, $1) }
    binary("and", { $0 .& $1 }) { $0 & $1 }
    binary("or", { $0 .| $1 }) { $0 | $1 }
    binary("xor", { $0 .^ $1 }) { $0 ^ $1 }
    let width = T(T.bitWidth)
    func isShift(_ n: T) -> Bool { n >= 0 && n < width }
    binary("shiftLeft", { $0 &<< $1 }) { isShift($1) ? $0 << $1 : 0 }
    binary("shiftRightLogical", { $0 &>> $1 }) { isShift($1) ? T(truncatingIfNeeded: T.Magnitude(truncatingIfNeeded: $0) >> T.Magnitude(truncatingIfNeeded: $1)) : 0 }
    binary("shiftRightArithmetic", { arithmeticShiftRight($0, $1) }) { a, n in
      // The highest bit fills, of unsigned types too.
      let fills = a.leadingZeroBitCount == 0
      if !isShift(n) { return fills ? ~0 : 0 }
      let bits = T(truncatingIfNeeded: T.Magnitude(truncatingIfNeeded: a) >> T.Magnitude(truncatingIfNeeded: n))
      return fills && n > 0 ? bits | (~0 << (width - n)) : bits
    }
    binary("power", { pow($0, $1) }) { base, n in
      if n < 0 { return base == 1 ? 1 : base &+ 1 == 0 ? (n & 1 == 0 ? 1 : base) : 0 }
      var (result, square, rest): (T, T, T) = (1, base, n)
      while rest > 0 {
        if rest & 1 == 1 { result = result &* square }
        square = square &* square
        rest >>= 1
      }
      return result
    }
    unary("negate", { -$0 }) { 0 &- $0 }
    unary("abs", { abs($0) }) { $0 < 0 ? 0 &- $0 : $0 }
    unary("sign", { sign($0) }) { $0.signum() }
    unary("square", { $0.squared() }) { $0 &* $0 }
    unary("not", { .!$0 }) { ~$0 }
    unary("populationCount", { populationCount($0) }) { T($0.nonzeroBitCount) }
    unary("countLeadingZeros", { countLeadingZeros($0) }) { T($0.leadingZeroBitCount) }
    unary("clamp", { clamp($0, Tensor(T.max / 4), Tensor(T.max / 2)) }) { Swift.min(Swift.max($0, T.max / 4), T.max / 2) }
    for device in [Device.reference, .default] {
      device.active {
        #expect((x .< y).doubles() == zip(a, b).map { $0 < $1 ? 1 : 0 })
        #expect((x .>= y).doubles() == zip(a, b).map { $0 >= $1 ? 1 : 0 })
        #expect((x .!= y).doubles() == zip(a, b).map { $0 != $1 ? 1 : 0 })
      }
    }
  }

  private func collections<T: FixedWidthInteger & TensorElement>(_ type: T.Type) {
    let (a, b) = operands(type)
    let x = Tensor(Array(a.prefix(2000)), shape: [40, 50]), y = Tensor(Array(b.prefix(2000)), shape: [50, 40])
    let (p, q) = (Array(a.prefix(2000)), Array(b.prefix(2000)))
    func rows(_ f: ([T]) -> T) -> [T] { (0..<40).map { f(Array(p[50 * $0..<50 * $0 + 50])) } }
    expectAll([x], rows { $0.reduce(0, &+) }, "sum") { $0[0].sum(alongAxis: 1) }
    expectAll([x], rows { $0.reduce(1, &*) }, "product") { $0[0].product(alongAxes: [1]) }
    expectAll([x], rows { $0.min()! }, "min") { $0[0].min(alongAxis: 1) }
    expectAll([x], rows { $0.max()! }, "max") { $0[0].max(alongAxis: 1) }
    let greatest = (0..<40).map { r -> Int32 in
      let line = Array(p[50 * r..<50 * r + 50])
      return Int32(line.firstIndex(of: line.max()!)!)
    }
    expectAll([x], [p.reduce(0, &+)], "sum of all") { $0[0].sum() }
    expectAll([x], greatest, "argmax") { $0[0].argmax(alongAxis: 1) }
    expectAll([x], (0..<40).flatMap { p[50 * $0..<50 * $0 + 50].sorted() }, "sorted") { $0[0].sorted(alongAxis: 1) }
    expectAll([x], (0..<40).flatMap { p[50 * $0..<50 * $0 + 50].sorted(by: >) }, "sorted descending") { $0[0].sorted(alongAxis: 1, descending: true) }
    let products = (0..<1600).map { i -> T in
      var sum = T(0)
      for k in 0..<50 {
        let product: T = p[i / 40 * 50 + k] &* q[k * 40 + i % 40]
        sum = sum &+ product
      }
      return sum
    }
    expectAll([x, y], products, "matmul") { $0[0].matmul($0[1]) }
    let places = (0..<60).map { Int32($0 * 7 % 40) }
    expectAll([x], places.flatMap { p[50 * Int($0)..<50 * Int($0) + 50] }, "gathered") { $0[0].gathered(Tensor(places)) }
    var bins = [T](repeating: 0, count: 7)
    for (i, v) in p.enumerated() { bins[i % 7] = bins[i % 7] &+ v }
    let ids = Tensor((0..<2000).map { Int32($0 % 7) })
    expectAll([x], bins, "scattered sums") { segmentSum($0[0].flattened(), ids: ids, count: 7) }
    let highest = (0..<8).map { bin in p.enumerated().filter { $0.offset % 7 == bin }.map(\.element).max() ?? T.min }
    expectAll([x], highest, "segmentMax") { segmentMax($0[0].flattened(), ids: ids, count: 8) }
    var total = T(0)
    expectAll([x], p.map { total = total &+ $0; return total }, "cumulativeSum") { $0[0].flattened().cumulativeSum() }
    var record = p[0]
    expectAll([x], p.map { record = Swift.max(record, $0); return record }, "cumulativeMaximum") { $0[0].flattened().cumulativeMaximum() }
    expectAll([x], Array(p.reversed()), "reversed") { $0[0].flattened().reversed(alongAxis: 0) }
    expectAll([x], p.map { $0 > 3 ? $0 : 9 }, "select") { select($0[0] .> 3, $0[0], 9).flattened() }
    expectAll([x], (0..<2000).map { T(truncatingIfNeeded: $0) &+ p[$0] }, "iota") { arange(2000, as: T.elementType) + $0[0].flattened() }
  }

  @Test func int8() { arithmetic(Int8.self); collections(Int8.self) }
  @Test func uint8() { arithmetic(UInt8.self); collections(UInt8.self) }
  @Test func int16() { arithmetic(Int16.self); collections(Int16.self) }
  @Test func uint16() { arithmetic(UInt16.self); collections(UInt16.self) }
  @Test func int32() { arithmetic(Int32.self); collections(Int32.self) }
  @Test func uint32() { arithmetic(UInt32.self); collections(UInt32.self) }
  @Test func int64() { arithmetic(Int64.self); collections(Int64.self) }
  @Test func uint64() { arithmetic(UInt64.self); collections(UInt64.self) }
}
