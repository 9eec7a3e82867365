import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// A line of the fixtures.
private struct ComplexPoint {
  let function: String
  let z: (re: Double, im: Double), expected: (re: Double, im: Double), exponent: (re: Double, im: Double)?

  init(_ line: Substring) {
    let words = line.split(separator: " ")
    let numbers = words.dropFirst().map { Double($0)! }
    function = String(words[0])
    (z, expected) = ((numbers[0], numbers[1]), (numbers[2], numbers[3]))
    exponent = numbers.count > 4 ? (numbers[4], numbers[5]) : nil
  }
}

private let points = Dictionary(grouping: complexFixtures.split(separator: "\n").map { ComplexPoint($0) }, by: \.function)

private let functions: [String: @Sendable (Tensor) -> Tensor] = [
  "exp": { exp($0) }, "expm1": { expm1($0) }, "log": { log($0) }, "log1p": { log1p($0) }, "sqrt": { sqrt($0) }, "rsqrt": { rsqrt($0) },
  "cbrt": { cbrt($0) }, "reciprocal": { reciprocal($0) }, "sin": { sin($0) }, "cos": { cos($0) }, "tan": { tan($0) }, "asin": { asin($0) },
  "acos": { acos($0) }, "atan": { atan($0) }, "sinh": { sinh($0) }, "cosh": { cosh($0) }, "tanh": { tanh($0) }, "asinh": { asinh($0) },
  "acosh": { acosh($0) }, "atanh": { atanh($0) }, "logistic": { sigmoid($0) }, "sign": { sign($0) },
]

/// Functions of complex numbers on every engine.
@Suite("complex numbers") struct ComplexTests {
  private func onAll(_ body: (Device) -> Void) { for device in [Device.reference, .default] { device.active { body(device) } } }

  private func column(_ numbers: [(re: Double, im: Double)]) -> Tensor { complex(Tensor(numbers.map(\.re)), Tensor(numbers.map(\.im))) }
  private func pairs(_ z: Tensor) -> [(re: Double, im: Double)] { Array(zip(z.real.doubles(), z.imaginary.doubles())).map { ($0, $1) } }

  /// Off by few units in the last place of the whole number: parts near zero come from larger ones.
  private func expectNear(_ w: Tensor, _ expected: [(re: Double, im: Double)], ulps: Double, signs: Bool = true, _ place: (Int) -> String) {
    for (i, (a, e)) in zip(pairs(w), expected).enumerated() {
      let size = max(abs(e.re), abs(e.im))
      let ulp = w.elementType == .complex64 ? Double(Float(size).ulp) : size.ulp
      func isNear(_ a: Double, _ e: Double) -> Bool { a == e || a.isNaN && e.isNaN || abs(a - e) <= ulps * ulp }
      #expect(isNear(a.re, e.re) && isNear(a.im, e.im), "\(place(i)) is \(a), and should be \(e)")
      // On a cut the sign of a part that is not zero says which side was taken; a zero keeps its own.
      guard signs else { continue }
      if e.re == 0 && a.re == 0 { #expect(a.re.sign == e.re.sign, "\(place(i)): sign of the real part") }
      if e.im == 0 && a.im == 0 { #expect(a.im.sign == e.im.sign, "\(place(i)): sign of the imaginary part") }
    }
  }

  @Test("functions", arguments: functions.keys.sorted())
  func function(name: String) throws {
    let rows = try #require(points[name])
    let f = functions[name]!
    let z = column(rows.map(\.z))
    onAll { device in
      let w = f(z)
      #expect(w.elementType == .complex128)
      expectNear(w, rows.map(\.expected), ulps: 6) { "\(name)\(rows[$0].z) on \(device.engine.name)" }
      let traced = try? trace({ (x: [Tensor]) in f(x[0]) }, like: [z])
      expectNear(traced!([z])[0], rows.map(\.expected), ulps: 6) { "\(name)\(rows[$0].z) compiled on \(device.engine.name)" }
      // Single precision, against double precision at the same numbers.
      let single = column(rows.map(\.z).filter { abs($0.re) < 1e30 && abs($0.im) < 1e30 }).converted(to: .complex64)
      let wide = Device.reference.active { f(single.converted(to: .complex128)).converted(to: .complex64) }
      #expect(f(single).elementType == .complex64)
      expectNear(f(single), pairs(wide), ulps: 3) { "\(name)\(pairs(single)[$0]) in single precision on \(device.engine.name)" }
    }
  }

  @Test func powers() throws {
    let rows = try #require(points["power"])
    onAll { device in
      let w = pow(column(rows.map(\.z)), column(rows.map { $0.exponent! }))
      expectNear(w, rows.map(\.expected), ulps: 24, signs: false) { "\(rows[$0].z) to the \(rows[$0].exponent!) on \(device.engine.name)" }
      let zero = column([(0, 0), (0, 0), (0, 0)])
      let settled = pow(zero, column([(0, 0), (2, 1), (-1, 0)]))
      expectNear(settled, [(1, 0), (0, 0), (.nan, .nan)], ulps: 0, signs: false) { "0 to power \($0)" }
    }
  }

  /// The values at infinities of C's Annex G.
  @Test func infinities() {
    let inf = Double.infinity
    func check(_ name: String, _ f: (Tensor) -> Tensor, _ z: (re: Double, im: Double), _ w: (re: Double, im: Double)) {
      onAll { device in expectNear(f(column([z])), [w], ulps: 1) { _ in "\(name)\(z) on \(device.engine.name)" } }
    }
    check("exp", { exp($0) }, (inf, 0), (inf, 0))
    check("exp", { exp($0) }, (-inf, inf), (0, 0))
    check("log", { log($0) }, (0, 0), (-inf, 0))
    check("log", { log($0) }, (-0.0, 0), (-inf, Double.pi))
    check("log", { log($0) }, (-inf, inf), (inf, 0.75 * Double.pi))
    check("sqrt", { sqrt($0) }, (-inf, 1), (0, inf))
    check("sqrt", { sqrt($0) }, (.nan, inf), (inf, inf))
    check("sinh", { sinh($0) }, (inf, 0), (inf, 0))
    check("cosh", { cosh($0) }, (-inf, 0), (inf, -0.0))
    check("tanh", { tanh($0) }, (inf, 1), (1, 0))
    check("tanh", { tanh($0) }, (-inf, 2), (-1, -0.0))
    check("asin", { asin($0) }, (inf, inf), (0.25 * Double.pi, inf))
    check("acos", { acos($0) }, (-inf, 1), (Double.pi, -inf))
    check("asinh", { asinh($0) }, (1, inf), (inf, 0.5 * Double.pi))
    check("acosh", { acosh($0) }, (-inf, 2), (inf, Double.pi))
    check("atanh", { atanh($0) }, (1, 0), (inf, 0))
    check("atanh", { atanh($0) }, (inf, -1), (0, -0.5 * Double.pi))
    check("reciprocal", { reciprocal($0) }, (inf, -inf), (0, 0))
    check("sigmoid", { sigmoid($0) }, (-1000, 1), (0, 0))
    check("abs", { complex(abs($0), abs($0)) }, (.nan, inf), (inf, inf))
    onAll { _ in
      #expect(isFinite(column([(1, 2), (inf, 0), (0, .nan)])).doubles() == [1, 0, 0])
      #expect(isNaN(column([(1, 2), (inf, 0), (0, .nan)])).doubles() == [0, 0, 1])
    }
  }

  @Test func arithmetic() {
    let a = complex(Tensor([1.0, -2, 0]), Tensor([2.0, 0.5, 0]))
    let b = complex(Tensor([3.0, 0, 2]), Tensor([-1.0, 4, 0]))
    onAll { _ in
      expectClose(a * b, complex(Tensor([5.0, -2, 0]), Tensor([5.0, -8, 0])), .exact)
      expectClose(a / b, complex(Tensor([0.1, 0.125, 0]), Tensor([0.7, 0.5, 0])), .ulps(2))
      expectClose(a.conjugate() + b, complex(Tensor([4.0, -2, 2]), Tensor([-3.0, 3.5, 0])), .exact)
      expectClose(abs(complex(Tensor([3.0, 1e300, -5]), Tensor([4.0, 1e300, 12]))), [5, 1e300 * 2.0.squareRoot(), 13], .ulps(1))
      #expect((a .== a).doubles() == [1, 1, 1])
      #expect((a .!= b).doubles() == [1, 1, 1])
      expectClose(pow(a, complex(Tensor([3.0, 3, 3]), Tensor([0.0, 0, 0]))), a * a * a, Tolerance(ulps: 8, epsilons: 8))
      // Parts whose squares overflow.
      let large = complex(Tensor([1e200, 3e-200]), Tensor([1e200, 4e-200]))
      expectClose(large / large, complex(Tensor([1.0, 1]), Tensor([0.0, 0])), .ulps(1))
    }
  }

  @Test func sums() {
    let x = complex(Tensor([[1.0, 2], [3, 4]].flatMap { $0 }, shape: [2, 2]), Tensor([0.5, -1, 2, 0], shape: [2, 2]))
    onAll { _ in
      expectClose(x.sum(alongAxis: 0), complex(Tensor([4.0, 6]), Tensor([2.5, -1])), .exact)
      expectClose(x.product(), x[0, 0] * x[0, 1] * x[1, 0] * x[1, 1], .ulps(2))
      // (1 + i/2)(1 + i/2) + (2 - i)(3 + 2i), and so on.
      let square = x.matmul(x)
      expectClose(square.real, [8.75, 10.5, 14, 24], .exact)
      expectClose(square.imaginary, [2, -4, 11.5, 1], .exact)
      let ids = Tensor([Int32(1), 0, 1])
      let updates = complex(Tensor([2.0, 3, -1]), Tensor([1.0, 0, 2]))
      // Row 1 becomes (2 + i)(-1 + 2i) times what it was.
      let scattered = complex(Tensor([1.0, 1]), Tensor([0.0, 1])).scattered(updates, at: ids, mode: .multiply)
      expectClose(scattered.real, [3, -7], .exact)
      expectClose(scattered.imaginary, [0, -1], .exact)
    }
  }

  /// Large enough for the BLAS library, in panels, batched and transposed.
  @Test(arguments: [ElementType.complex64, .complex128]) func products(type: ElementType) {
    var arrays = TestArrays(seed: 11)
    let a = arrays.tensor([3, 150, 70], .range(-1, 1), as: type)
    let b = arrays.tensor([3, 40, 70], .range(-1, 1), as: type)
    func product() -> Tensor { a.matmul(b.swappingAxes(-1, -2)) }
    let expected = Device.reference.active { product() }
    expectClose(Device.default.active { product() }, expected, Tolerance(epsilons: 512))
    let graph = try! trace({ (x: [Tensor]) in x[0].matmul(x[1].swappingAxes(-1, -2)).conjugate() }, like: [a, b])
    expectClose(Device.default.active { graph([a, b])[0] }, expected.conjugate(), Tolerance(epsilons: 512))
  }
}
