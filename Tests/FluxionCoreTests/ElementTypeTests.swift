import FluxionCore
import FluxionTestSupport
import Testing

private let engines: [Device] = [.reference, .default]

/// The elements' bits, NaNs made one.
private func patterns(_ x: Tensor) -> [UInt64] {
  let isNaN = x.elementType.isFloatingPoint ? x.doubles().map(\.isNaN) : [Bool](repeating: false, count: x.elementCount)
  let buffer = x.hostBuffer("bits")
  let size = x.elementType.byteCount
  return isNaN.indices.map { i in
    if isNaN[i] { return .max }
    var bits: UInt64 = 0
    for k in 0..<size { bits |= UInt64(buffer.pointer.load(fromByteOffset: i * size + k, as: UInt8.self)) << UInt64(8 * k) }
    return bits
  }
}

private func sameNumbers(_ a: [Double], _ b: [Double]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { $0 == $1 && $0.sign == $1.sign || $0.isNaN && $1.isNaN }
}

@Suite("small floats") struct SmallFloatTests {
  /// A tensor of every pattern of a type.
  private func everything(_ format: PlainFloatFormat) -> Tensor {
    format.bitCount == 8
      ? Tensor((0...UInt8.max).map { $0 }).bitcast(to: format.type) : Tensor((0...UInt16.max).map { $0 }).bitcast(to: format.type)
  }

  @Test("all patterns, upwards", arguments: PlainFloatFormat.all) func upwards(format: PlainFloatFormat) {
    let expected = (0..<1 << format.bitCount).map { format.value($0) }
    for device in engines {
      device.active {
        let x = everything(format)
        #expect(sameNumbers(x.doubles(), expected))
        #expect(sameNumbers(x.converted(to: .float64).doubles(), expected))
        #expect(sameNumbers(x.converted(to: .float32).doubles(), expected))
        // And down again: the very bits.
        #expect(patterns(x.converted(to: .float32).converted(to: format.type)) == patterns(x))
        #expect(patterns(x.converted(to: .float64).converted(to: format.type)) == patterns(x))
      }
    }
  }

  @Test("numbers, middles and their neighbours, downwards", arguments: PlainFloatFormat.all) func downwards(format: PlainFloatFormat) {
    let wide = format.touchstones { x, up in up ? x.nextUp : x.nextDown }
    let narrow = format.touchstones { x, up in Double(up ? Float(x).nextUp : Float(x).nextDown) }.map { Float($0) }
    let (fromDouble, fromFloat) = (wide.map { format.rounded($0) }, narrow.map { format.rounded(Double($0)) })
    for device in engines {
      device.active {
        #expect(sameNumbers(Tensor(wide).converted(to: format.type).doubles(), fromDouble))
        #expect(sameNumbers(Tensor(narrow).converted(to: format.type).doubles(), fromFloat))
      }
    }
    let scalar = format.type.floatFormat!
    #expect(sameNumbers(wide.map { scalar.rounded($0) }, fromDouble))
  }

  @Test func swiftScalars() {
    #expect((0...UInt16.max).allSatisfy { Float(Float16(bitPattern: $0)).bitPattern == Float(PlainFloatFormat.float16.value(Int($0))).bitPattern
      || Float16(bitPattern: $0).isNaN })
    #expect((0...UInt16.max).allSatisfy { bits in
      let x = BFloat16(bitPattern: bits)
      return x.isNaN ? Float(bitPattern: UInt32(bits) << 16).isNaN : Float(x).bitPattern == UInt32(bits) << 16
    })
    #expect(Float8E4M3(464.0) == 448 && Float8E4M3(465.0).isNaN && Float8E4M3(-Double.infinity).isNaN)
    #expect(Float8E5M2(61439.0) == 57344 && Double(Float8E5M2(61440.0)) == .infinity)
    #expect(BFloat16(1.00390625).bitPattern == 0x3F80 && BFloat16(1.01171875).bitPattern == 0x3F82)
    #expect(Float8E4M3.greatestFiniteMagnitude == 448 && Double(Float8E4M3.leastNonzeroMagnitude) == 0x1p-9)
    #expect(BFloat16(-0.0) == 0 && BFloat16(bitPattern: 0x7FC0) != BFloat16(bitPattern: 0x7FC0) && BFloat16(1) < 2)
    #expect("\(BFloat16(0.1))" == "0.100097656")
    #expect(FloatFormat.float16.ulpOfOne == Double(Float16.ulpOfOne) && FloatFormat.float16.leastNormalMagnitude == Double(Float16.leastNormalMagnitude))
    #expect(FloatFormat.float16.greatestFiniteMagnitude == 65504 && FloatFormat.bfloat16.greatestFiniteMagnitude == Double(Float(bitPattern: 0x7F7F_0000)))
    #expect(Tensor([BFloat16(1.5), 2]).elements(as: BFloat16.self) == [1.5, 2])
    #expect(Tensor([Float16(1.5), 2]).elementType == .float16)
  }

  // MARK: - Arithmetic

  private static let operations: [(name: String, f: @Sendable (Tensor, Tensor) -> Tensor, plain: @Sendable (Double, Double) -> Double)] = [
    ("add", { $0 + $1 }, { $0 + $1 }), ("subtract", { $0 - $1 }, { $0 - $1 }), ("multiply", { $0 * $1 }, { $0 * $1 }),
    ("divide", { $0 / $1 }, { $0 / $1 }),
    // The sign of a zero among minima is left open: the sum makes it one.
    ("minimum", { minimum($0, $1) + 0 }, { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) + 0 }),
    ("remainder", { $0 % $1 }, { $0.truncatingRemainder(dividingBy: $1) }),
    ("nextAfter", { nextAfter($0, $1) }, { a, b in .nan }),
  ]

  /// The operation of all pairs of 8-bit numbers, and of many pairs of 16-bit ones: one rounding to `f32` and one to the type, on both
  /// engines.
  @Test("arithmetic of pairs", arguments: PlainFloatFormat.all) func pairs(format: PlainFloatFormat) {
    let (x, y): (Tensor, Tensor)
    if format.bitCount == 8 {
      let all = everything(format)
      (x, y) = (all.expanded(at: 1).broadcast(to: [256, 256]), all.broadcast(to: [256, 256]))
    } else {
      var arrays = TestArrays(seed: 5)
      let words = (0..<1 << 13).map { _ in UInt32(truncatingIfNeeded: arrays.next()) }
      x = Tensor(words.map { UInt16($0 & 0xFFFF) }).bitcast(to: format.type)
      // Half of them near the first, where sums cancel and quotients are close to 1.
      y = Tensor(words.map { $0 >> 31 == 0 ? UInt16($0 >> 16) : UInt16(truncatingIfNeeded: $0 &+ ($0 >> 16 & 0x83FF)) }).bitcast(to: format.type)
    }
    let (a, b) = (x.doubles(), y.doubles())
    for (name, f, plain) in Self.operations {
      let results = engines.map { device in device.active { f(x, y) } }
      #expect(results[0].elementType == format.type)
      #expect(patterns(results[0]) == patterns(results[1]), "\(name) of \(format.type) differs between the engines")
      let compiled = Device.default.active { traceGraph([x.type, y.type]) { [f($0[0], $0[1])] }.graph([x, y])[0] }
      #expect(patterns(results[0]) == patterns(compiled), "\(name) of \(format.type), compiled")
      if name == "nextAfter" {
        var line: [Double] = Array(format.magnitudes.reversed().map { -$0 }.dropLast())
        line += format.magnitudes
        if format.hasInfinity { line = [-.infinity] + line + [.infinity] }
        let steps = zip(a, b).map { a, b -> Double in
          if a.isNaN || b.isNaN { return .nan }
          if a == b { return b }
          let place = line.firstIndex { $0 >= a }!
          let next: Double = line[a < b ? place + 1 : place - 1]
          return next == 0 && a < 0 ? -0.0 : next
        }
        if format.bitCount == 8 { #expect(sameNumbers(results[0].doubles(), steps), "nextAfter of \(format.type)") }
      } else {
        let expected = zip(a, b).map { format.rounded(Double(Float(plain($0, $1)))) }
        #expect(sameNumbers(results[0].doubles(), expected), "\(name) of \(format.type)")
      }
    }
    for device in engines {
      device.active {
        #expect((x .< y).doubles() == zip(a, b).map { $0 < $1 ? 1 : 0 })
        #expect((x .== y).doubles() == zip(a, b).map { $0 == $1 ? 1 : 0 })
      }
    }
  }

  @Test("functions of every number", arguments: PlainFloatFormat.all) func functions(format: PlainFloatFormat) {
    let x = everything(format)
    let functions: [(String, @Sendable (Tensor) -> Tensor, @Sendable (Double) -> Double)] = [
      ("negate", { -$0 }, { -$0 }), ("abs", { abs($0) }, { Swift.abs($0) }), ("sqrt", { sqrt($0) }, { $0.squareRoot() }),
      ("square", { $0.squared() }, { $0 * $0 }), ("reciprocal", { reciprocal($0) }, { 1 / $0 }),
      ("floor", { floor($0) }, { $0.rounded(.down) }), ("round", { round($0) }, { $0.rounded(.toNearestOrEven) }),
    ]
    for (name, f, plain) in functions {
      let expected = x.doubles().map { format.rounded(Double(Float(plain($0)))) }
      for device in engines { #expect(sameNumbers(device.active { f(x) }.doubles(), expected), "\(name) of \(format.type)") }
    }
    #expect(isNaN(x).doubles() == x.doubles().map { $0.isNaN ? 1 : 0 })
    #expect(isFinite(x).doubles() == x.doubles().map { $0.isFinite ? 1 : 0 })
  }

  @Test("each operation rounds, also in one compiled program") func roundsEachTime() {
    // 256 + 1 is no bf16, and neither is 1/256 beside 1: unrounded, both sums would be seen in the result.
    let x = Tensor([256.0, 1]).converted(to: .bfloat16)
    for device in engines {
      let y = device.active { traceGraph([x.type]) { [($0[0] + 1) - $0[0]] }.graph([x])[0] }
      #expect(y.doubles() == [0, 1])
      let z = device.active { traceGraph([x.type]) { [($0[0] + 0.00390625) - $0[0]] }.graph([x])[0] }
      #expect(z.doubles() == [0, 0])
    }
  }

  @Test("sums and products are carried in f32 and rounded once") func sums() {
    let ones = Tensor.ones([1000], as: .bfloat16)   // one by one, sums of bf16 would stop at 256
    for device in engines {
      device.active {
        #expect(ones.sum().doubles() == [1000])
        #expect(ones.dot(ones).doubles() == [1000])
        #expect(Tensor.ones([70_000], as: .float16).sum().doubles() == [.infinity])
        #expect(Tensor.ones([3, 600], as: .float8e4m3).matmul(Tensor.ones([600, 2], as: .float8e4m3)).doubles().allSatisfy { $0.isNaN })
        #expect(Tensor.zeros([2], as: .bfloat16).scattered(ones, at: Tensor.zeros([1000], as: .int32), mode: .add).doubles() == [1000, 0])
        #expect(Tensor([2.0, 8, 4]).converted(to: .float8e5m2).max().doubles() == [8])
      }
    }
  }

  @Test func orderAndExtremes() {
    for format in PlainFloatFormat.all {
      let x = everything(format)
      let numbers = x.doubles().filter { !$0.isNaN }.sorted()
      for device in engines {
        device.active {
          let sorted = x.sorted().doubles()
          #expect(Array(sorted.prefix(numbers.count)) == numbers && sorted.dropFirst(numbers.count).allSatisfy(\.isNaN))
          #expect(x.argmax().doubles() == [Double(x.doubles().firstIndex(where: \.isNaN)!)])
          #expect(segmentMax(x[0..<1], ids: Tensor([Int32(1)]), count: 2).doubles()[0] == (format.hasInfinity ? -.infinity : -448))
        }
      }
    }
  }

  @Test func randomNumbers() {
    let key = Key(3)
    for (type, steps) in [(ElementType.float16, 1024.0), (.bfloat16, 128)] {
      let u = key.uniform([4000], as: type).doubles()
      #expect(u.allSatisfy { $0 >= 0 && $0 < 1 && ($0 * steps).rounded() == $0 * steps })
      #expect(Swift.abs(u.reduce(0, +) / 4000 - 0.5) < 0.02)
      let n = key.normal([4000], as: type).doubles()
      #expect(n.allSatisfy(\.isFinite) && Swift.abs(n.reduce(0) { $0 + $1 * $1 } / 4000 - 1) < 0.1)
      #expect(key.exponential([100], as: type).doubles().allSatisfy { $0 >= 0 && $0.isFinite })
      #expect(patterns(Device.reference.active { key.uniform([50], as: type) }) == patterns(key.uniform([50], as: type)))
    }
    let words = key.bits([6])
    #expect(key.bits([6], as: .uint8).doubles() == words.elements(as: UInt32.self).map { Double($0 & 0xFF) })
    #expect(key.bits([6], as: .uint16).doubles() == words.elements(as: UInt32.self).map { Double($0 & 0xFFFF) })
    let long = key.bits([6], as: .uint64).elements(as: UInt64.self)
    #expect(zip(long, words.elements(as: UInt32.self)).allSatisfy { UInt32(truncatingIfNeeded: $0 >> 32 ^ $0) == $1 })
  }
}

// MARK: - Conversions between all types

@Suite("conversions between element types") struct ConversionTests {
  /// Numbers at which conversions go wrong, of a type.
  private func samples(_ type: ElementType) -> Tensor {
    var bits: [UInt64] = []
    for k in 0..<8 * Swift.min(8, type.byteCount) {
      let one = UInt64(1) << UInt64(k)
      bits += [one, one - 1, ~one, one | one << 1]
    }
    var arrays = TestArrays(seed: UInt64(type.rawValue))
    for _ in 0..<64 { bits.append(arrays.next()) }
    switch (type, type.byteCount) {
    case (.bool, _): return Tensor([true, false])
    case (_, 1): return Tensor((0...UInt8.max).map { $0 }).bitcast(to: type)
    case (_, 2): return Tensor((0...UInt16.max).map { $0 }).bitcast(to: type)
    case (.float32, _):
      var values = bits.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
      values += bits.map { Float($0) }
      values += PlainFloatFormat.float8e4m3.touchstones { x, up in up ? x.nextUp : x.nextDown }.map { Float($0) }
      return Tensor(values)
    case (.float64, _):
      var values = bits.map { Double(bitPattern: $0) }
      values += bits.map { Double($0) }
      values += bits.map { -Double($0 >> 1) - 0.5 }
      return Tensor(values)
    case (_, 4): return Tensor(bits.map { UInt32(truncatingIfNeeded: $0) }).bitcast(to: type)
    case (.complex64, _): return complex(samples(.float32), Tensor(Float(1)).broadcast(to: samples(.float32).shape))
    case (.complex128, _): return complex(samples(.float64), Tensor(1.0 as Double).broadcast(to: samples(.float64).shape))
    default: return Tensor(bits).bitcast(to: type)
    }
  }

  @Test("both engines agree to the last bit", arguments: ElementType.allCases) func engines(source: ElementType) {
    let x = samples(source)
    for target in ElementType.allCases {
      let results = [Device.reference, .default].map { device in device.active { x.converted(to: target) } }
      #expect(results[0].elementType == target)
      let parts = results.map { r in r.elementType.isComplex ? [r.real, r.imaginary] : [r] }
      for (a, b) in zip(parts[0], parts[1]) { #expect(patterns(a) == patterns(b), "\(source) to \(target)") }
      // Chains that the compiler may shorten must not change numbers.
      for middle in [ElementType.int32, .float32, .float64, .bfloat16, .uint8] where !source.isComplex && !target.isComplex {
        let chain = [Device.reference, .default].map { device in
          device.active { traceGraph([x.type]) { [$0[0].converted(to: middle).converted(to: target)] }.graph([x])[0] }
        }
        #expect(patterns(chain[0]) == patterns(chain[1]), "\(source) to \(middle) to \(target)")
      }
    }
  }

  @Test("integers wrap, reals saturate: Swift's own conversions") func integers() {
    func check<T: FixedWidthInteger & TensorElement>(_ target: T.Type) {
      let words = samples(.int64).elements(as: Int64.self)
      let reals = samples(.float64).doubles() + samples(.float32).doubles() + [0.5, -0.5, 127.9, 128, -128.9, -129, 255.99, 65535.5, .nan]
      let clamped = reals.map { x -> T in x.isNaN ? 0 : x >= Double(T.max) ? T.max : x <= Double(T.min) ? T.min : T(x) }
      for device in [Device.reference, .default] {
        device.active {
          #expect(Tensor(words).converted(to: T.elementType).elements(as: T.self) == words.map { T(truncatingIfNeeded: $0) })
          #expect(Tensor(words).bitcast(to: .uint64).converted(to: T.elementType).elements(as: T.self) == words.map { T(truncatingIfNeeded: $0) })
          #expect(Tensor(reals).converted(to: T.elementType).elements(as: T.self) == clamped)
          let own = words.map { T(truncatingIfNeeded: $0) }
          #expect(Tensor(own).converted(to: .float64).doubles() == own.map { Double($0) })
          #expect(Tensor(own).converted(to: .float32).elements(as: Float.self) == own.map { Float($0) })
          #expect(Tensor(own).converted(to: .float16).elements(as: Float16.self) == own.map { Float16($0) })
        }
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

  @Test("a large integer is rounded once") func oneRounding() {
    // Just above the middle of two bf16 in the 57th bit: by way of f64 or f32 the last bit would be lost and the tie go to even.
    let close: Int64 = 1 << 62 | 1 << 54 | 1
    for device in [Device.reference, .default] {
      device.active {
        let up = 0x1p62 + 0x1p55
        #expect(Tensor([close, -close]).converted(to: .bfloat16).doubles() == [up, -up])
        #expect(Tensor([UInt64(close) << 1]).converted(to: .bfloat16).doubles() == [2 * up])
        #expect(Tensor([1 + 0x1p-8 + 0x1p-40]).converted(to: .bfloat16).doubles() == [1 + 0x1p-7])
        #expect(Tensor([1 + 0x1p-8]).converted(to: .bfloat16).doubles() == [1])
      }
    }
  }

  // MARK: - Promotion and literals

  @Test func promotion() {
    let real = ElementType.allCases.filter { !$0.isComplex }
    for a in ElementType.allCases {
      for b in ElementType.allCases {
        let common = ElementType.promoted(a, b)
        #expect(common == ElementType.promoted(b, a))
        guard real.contains(a), real.contains(b), a.kind == b.kind || a.isInteger && b.isInteger || a == .bool || b == .bool else { continue }
        let mixes64 = (a == .uint64 && b.kind == .signedInteger) || (b == .uint64 && a.kind == .signedInteger)
        #expect(mixes64 == (common == .float64 && a.isInteger && b.isInteger))
        if mixes64 { continue }
        for type in [a, b] {
          let x = samples(type)
          #expect(patterns(x.converted(to: common).converted(to: type)) == patterns(x), "\(common) does not hold \(type)")
        }
      }
    }
    #expect(ElementType.promoted(.int8, .uint8) == .int16 && ElementType.promoted(.int8, .uint32) == .int64)
    #expect(ElementType.promoted(.int64, .bfloat16) == .bfloat16 && ElementType.promoted(.float8e4m3, .float8e5m2) == .float16)
    #expect(ElementType.promoted(.float8e5m2, .bfloat16) == .bfloat16 && ElementType.promoted(.bfloat16, .float16) == .float32)
    #expect(ElementType.promoted(.float16, .complex64) == .complex64 && ElementType.promoted(.float64, .complex64) == .complex128)
  }

  @Test func literals() {
    for device in [Device.reference, .default] {
      device.active {
        let large = Tensor([UInt64.max - 1])
        #expect((large + 1).elements(as: UInt64.self) == [.max])
        #expect((Tensor([UInt64(0)]) + 9_007_199_254_740_993).elements(as: UInt64.self) == [9_007_199_254_740_993])
        #expect((Tensor([Int64(0)]) - 9_223_372_036_854_775_807).elements(as: Int64.self) == [-.max])
        #expect((Tensor([BFloat16(2)]) * 0.5).elementType == .bfloat16)
        #expect((Tensor([Int8(-3)]) * 2).elements(as: Int8.self) == [-6])
        #expect((Tensor([UInt8(3)]) * 0.5).elementType == .float32)
        #expect(arange(300, as: .uint8).doubles().last == 43 && arange(300, as: .bfloat16).doubles().last == 300)
        #expect(linspace(0, 1, 5, as: .float8e4m3).doubles() == [0, 0.25, 0.5, 0.75, 1])
        #expect(Tensor([10.0, 20, 30])[Tensor([UInt8(2)])].doubles() == [30])
      }
    }
    #expect("\(Tensor([BFloat16(0.1), -2]))" == "[0.1001,   -2.0]")
    #expect("\(Tensor([UInt64.max]))" == "[18446744073709551615]")
    #expect("\(Tensor([Float8E4M3(0.3)]).type)" == "f8e4m3[1]")
  }

  @Test("a number that an integer type lacks is refused") func outOfRange() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Tensor([UInt8(1)]) + 300 }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("300.0 is not a number of type u8, which holds 0 … 2^8 - 1."), "\(text)")
  }
}
