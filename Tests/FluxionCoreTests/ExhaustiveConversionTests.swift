import FluxionCore
import FluxionTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Every one of the 2³² patterns of a type of 32 bits, converted to the types numbers are stored in. What is expected comes from the list
/// of a type's numbers, whose middles divide the patterns into runs of one result each, or from Swift's own conversions of integers.
/// `f32` to the small floats is tried each time; the rest where the environment says `FLUXION_MATRIX=full`.
@Suite("conversions of all patterns of 32 bits") struct ExhaustiveConversionTests {
  @Test("f32 to small floats", arguments: PlainFloatFormat.all) func floats(format: PlainFloatFormat) {
    expectConversions(from: .float32, to: format, runsOfFloats(in: format))
  }

  @Test("integers to small floats", .enabled(if: isFull), arguments: PlainFloatFormat.all, [ElementType.int32, .uint32])
  func integersToFloats(format: PlainFloatFormat, source: ElementType) {
    expectConversions(from: source, to: format, runsOfIntegers(isSigned: source == .int32, in: format))
  }

  @Test("f32 to integers", .enabled(if: isFull)) func floatsToIntegers() {
    func check<T: FixedWidthInteger & TensorElement>(_ target: T.Type) {
      let (lowest, highest) = (Float(T.min), Float(T.max))   // the latter rounded up where T has more than 24 bits
      expectConversions(from: .float32, to: T.self) { bits in
        let x = Float(bitPattern: bits)
        return x.isNaN ? 0 : x <= lowest ? T.min : x >= highest ? T.max : T(x)
      }
    }
    check(Int8.self)
    check(UInt8.self)
    check(Int16.self)
    check(UInt16.self)
    check(Int32.self)
    check(UInt32.self)
    check(Int64.self)
    check(UInt64.self)
  }

  @Test("integers to integers and wide floats", .enabled(if: isFull)) func integers() {
    func check<T: FixedWidthInteger & TensorElement>(_ target: T.Type) {
      expectConversions(from: .int32, to: T.self) { T(truncatingIfNeeded: Int32(bitPattern: $0)) }
      expectConversions(from: .uint32, to: T.self) { T(truncatingIfNeeded: $0) }
    }
    check(Int8.self)
    check(UInt8.self)
    check(Int16.self)
    check(UInt16.self)
    check(Int64.self)
    check(UInt64.self)
    expectConversions(from: .int32, to: Float.self) { Float(Int32(bitPattern: $0)) }
    expectConversions(from: .uint32, to: Float.self) { Float($0) }
    expectConversions(from: .int32, to: Double.self) { Double(Int32(bitPattern: $0)) }
    expectConversions(from: .uint32, to: Double.self) { Double($0) }
  }
}

private let isFull = getenv("FLUXION_MATRIX").map { String(cString: $0) } == "full"

// MARK: - Runs

/// Patterns that are all converted to the same number.
private struct Run {
  var patterns: ClosedRange<UInt32>
  /// The bits of the result. Where they are no number, any that are none will do, of this sign.
  var result: Int
}

/// All patterns of `f32`, ascending, by what they become.
private func runsOfFloats(in format: PlainFloatFormat) -> [Run] {
  let infinity = Float.infinity.bitPattern
  var runs: [Run] = []
  var first: UInt32 = 0
  for (number, middle) in format.middles.enumerated() {
    // The middle goes to the even one of the two; it is a number of f32.
    let last = Float(middle).bitPattern - (number % 2 == 0 ? 0 : 1)
    runs.append(Run(patterns: first...last, result: number))
    first = last + 1
  }
  runs.append(Run(patterns: first...infinity, result: format.beyond))
  runs.append(Run(patterns: infinity + 1...UInt32.max >> 1, result: format.sign - 1))
  let sign = UInt32(1) << 31
  return runs + runs.map { run in
    Run(patterns: run.patterns.lowerBound | sign...run.patterns.upperBound | sign, result: run.result | format.sign)
  }
}

/// All integers of 32 bits, by ascending patterns, and what they become.
private func runsOfIntegers(isSigned: Bool, in format: PlainFloatFormat) -> [Run] {
  /// Sizes up to `greatest` by what they become.
  func sizes(to greatest: Int) -> [(sizes: ClosedRange<Int>, result: Int)] {
    var runs: [(ClosedRange<Int>, Int)] = []
    var first = 0
    for (number, middle) in format.middles.enumerated() where middle >= Double(first) && first <= greatest {
      // A middle that is an integer goes to the even one of the two.
      let isBelow = middle == middle.rounded() && number % 2 == 1
      let last = Swift.min(greatest, Int(Swift.min(middle, 0x1p40)) - (isBelow ? 1 : 0))
      if last < first { continue }
      runs.append((first...last, number))
      first = last + 1
    }
    return first > greatest ? runs : runs + [(first...greatest, format.beyond)]
  }
  let positive = sizes(to: isSigned ? 1 << 31 - 1 : 1 << 32 - 1).map { Run(patterns: UInt32($0.lowerBound)...UInt32($0.upperBound), result: $1) }
  if !isSigned { return positive }
  let negative = sizes(to: 1 << 31).filter { $0.sizes.upperBound > 0 }.map { sizes, result in
    Run(patterns: UInt32(1 << 32 - sizes.upperBound)...UInt32(1 << 32 - Swift.max(1, sizes.lowerBound)), result: result | format.sign)
  }
  return positive + negative.reversed()
}

extension PlainFloatFormat {
  /// The bit that is the sign.
  fileprivate var sign: Int { 1 << (bitCount - 1) }
  /// The bits of what rounds beyond the greatest number: infinity, or no number where there is none.
  fileprivate var beyond: Int { magnitudes.count }
  /// What lies in the middle between each number without sign and the next; the last number's next would follow at the same distance.
  fileprivate var middles: [Double] {
    let next = 2 * magnitudes.last! - magnitudes[magnitudes.count - 2]
    return zip(magnitudes, magnitudes.dropFirst() + [next]).map { $0 + ($1 - $0) / 2 }
  }
}

// MARK: - Sweeps

/// Converts all patterns of `source`, a piece at a time, and hands out each result's bits.
private func sweep<T: FixedWidthInteger>(
  from source: ElementType, to target: ElementType, as: T.Type, _ body: (_ first: UInt32, UnsafeBufferPointer<T>) -> Bool
) {
  let count = 1 << 20
  let places = arange(count, as: .uint32)
  for piece in 0..<(1 << 32) / count {
    let first = UInt32(piece * count)
    let results = (places + Tensor(first)).bitcast(to: source).converted(to: target).hostBuffer("convert")
    let isRight = withExtendedLifetime(results) {
      body(first, UnsafeBufferPointer(start: results.pointer.assumingMemoryBound(to: T.self), count: count))
    }
    if !isRight { return }
  }
}

private func expectConversions(from source: ElementType, to format: PlainFloatFormat, _ runs: [Run]) {
  #expect(runs.first?.patterns.lowerBound == 0 && runs.last?.patterns.upperBound == .max)
  #expect(zip(runs, runs.dropFirst()).allSatisfy { $0.patterns.upperBound + 1 == $1.patterns.lowerBound })
  if format.bitCount == 8 {
    expectRuns(from: source, to: format, runs, as: UInt8.self)
  } else {
    expectRuns(from: source, to: format, runs, as: UInt16.self)
  }
}

private func expectRuns<T: FixedWidthInteger>(from source: ElementType, to format: PlainFloatFormat, _ runs: [Run], as: T.Type) {
  let isNumber = (0..<1 << format.bitCount).map { !format.value($0).isNaN }
  var run = 0
  sweep(from: source, to: format.type, as: T.self) { first, results in
    var i = 0
    while i < results.count {
      let behind = Int(runs[run].patterns.upperBound) - Int(first) + 1
      let (end, bits) = (Swift.min(results.count, behind), T(truncatingIfNeeded: runs[run].result))
      var differences: T = 0
      for k in i..<end { differences |= results[k] ^ bits }
      if differences != 0 {
        let expected = runs[run].result
        func isRight(_ result: Int) -> Bool {
          isNumber[expected] ? result == expected : !isNumber[result] && result & format.sign == expected & format.sign
        }
        if let wrong = (i..<end).first(where: { !isRight(Int(results[$0])) }) {
          recordIssue(source, first + UInt32(wrong), format.type, results[wrong], "the bits \(String(bits, radix: 16))")
          return false
        }
      }
      if end == behind { run += 1 }
      i = end
    }
    return true
  }
}

/// The same where each pattern has a result of its own.
private func expectConversions<T: TensorElement>(from source: ElementType, to target: T.Type, _ expected: (UInt32) -> T) {
  func check<Bits: FixedWidthInteger>(as: Bits.Type, _ bits: (T) -> Bits) {
    sweep(from: source, to: T.elementType, as: Bits.self) { first, results in
      for k in results.indices where results[k] != bits(expected(first + UInt32(k))) {
        recordIssue(source, first + UInt32(k), T.elementType, results[k], "\(expected(first + UInt32(k)))")
        return false
      }
      return true
    }
  }
  switch MemoryLayout<T>.size {
  case 1: check(as: UInt8.self) { unsafeBitCast($0, to: UInt8.self) }
  case 2: check(as: UInt16.self) { unsafeBitCast($0, to: UInt16.self) }
  case 4: check(as: UInt32.self) { unsafeBitCast($0, to: UInt32.self) }
  default: check(as: UInt64.self) { unsafeBitCast($0, to: UInt64.self) }
  }
}

private func recordIssue(_ source: ElementType, _ pattern: UInt32, _ target: ElementType, _ result: some FixedWidthInteger, _ expected: String) {
  let (from, to) = (String(pattern, radix: 16), String(result, radix: 16))
  Issue.record("\(source) of the bits \(from) became the bits \(to) of \(target), not \(expected)")
}
