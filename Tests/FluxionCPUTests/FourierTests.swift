import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What rows of the operation table cannot say of transforms: every length, identities, numbers of SciPy, edges of half spectra, errors.
@Suite(.device(cpu)) struct FourierTests {
  /// All small lengths, primes on both sides of where Bluestein's way begins, and products of many primes.
  static let lengths = Array(1...64) + [67, 97, 127, 128, 251, 360, 512, 1000, 1009, 1024]

  /// e^(-2πi k/n) by the C library, of the reduced place: another route than the tables of the engine.
  private func roots(_ n: Int) -> [SIMD2<Double>] { (0..<n).map { SIMD2(cospi(2, $0, n), -sinpi(2, $0, n)) } }
  private func cospi(_ m: Int, _ k: Int, _ n: Int) -> Double { cos(Double(m) * Double.pi * Double(k) / Double(n)) }
  private func sinpi(_ m: Int, _ k: Int, _ n: Int) -> Double { sin(Double(m) * Double.pi * Double(k) / Double(n)) }

  /// Elements `places` of the plain transform of one line.
  private func plain(_ x: [SIMD2<Double>], _ places: [Int]) -> [SIMD2<Double>] {
    let n = x.count
    let w = roots(n)
    return places.map { k in
      var (re, im, place) = (0.0, 0.0, 0)
      for z in x {
        let r = w[place]
        re += z.x * r.x - z.y * r.y
        im += z.x * r.y + z.y * r.x
        place += k
        if place >= n { place -= n }
      }
      return SIMD2(re, im)
    }
  }
  private func signal(_ shape: Shape, seed: UInt64, _ type: ElementType = .complex128) -> Tensor {
    var arrays = TestArrays(seed: seed)
    return arrays.tensor(shape, .range(-1, 1), as: type)
  }
  private func numbers(_ z: Tensor) -> [SIMD2<Double>] { zip(z.real.doubles(), z.imaginary.doubles()).map { SIMD2($0, $1) } }
  /// ‖a - b‖ / ‖b‖.
  private func distance(_ a: [SIMD2<Double>], _ b: [SIMD2<Double>]) -> Double {
    var (difference, size) = (0.0, 0.0)
    for (p, q) in zip(a, b) {
      let d = p - q
      difference += d.x * d.x + d.y * d.y
      size += q.x * q.x + q.y * q.y
    }
    return size == 0 ? difference.squareRoot() : (difference / size).squareRoot()
  }

  @Test("every length agrees with the plain sum, in both precisions and all four kinds", arguments: lengths)
  func everyLength(n: Int) {
    // Measured up to 3 ε in the mean of squares; ε of the plain sum itself grows with n in double precision.
    for (type, epsilon, allowed) in [(ElementType.complex64, 0x1p-23, 4.0), (.complex128, 0x1p-52, 8.0 + Double(n) / 16)] {
      // Five rows: some of the lanes stay empty, and odd real rows do not pair up.
      let z = signal([5, n], seed: UInt64(n), type)
      let spectrum = z.fft()
      let real = z.real
      let half = real.rfft()
      for row in [0, 4] {
        let x = numbers(z[row])
        let expected = plain(x, Array(0..<n))
        #expect(distance(numbers(spectrum[row]), expected) <= allowed * epsilon, "fft of \(n), \(type)")
        let reals = plain(x.map { SIMD2($0.x, 0) }, Array(0..<n / 2 + 1))
        #expect(distance(numbers(half[row]), reals) <= allowed * epsilon, "rfft of \(n), \(type)")
      }
      #expect(distance(numbers(spectrum.ifft()), numbers(z)) <= 6 * epsilon, "ifft of fft of \(n), \(type)")
      let back = half.irfft(length: n)
      #expect(distance(zip(back.doubles(), back.doubles()).map { SIMD2($0, $1) }, zip(real.doubles(), real.doubles()).map { SIMD2($0, $1) }) <= 6 * epsilon)
      // One row alone goes another way: as a matrix, or by Bluestein's way.
      #expect(distance(numbers(z[1].fft()), numbers(spectrum[1])) <= 8 * epsilon, "one row of \(n), \(type)")
      #expect(distance(numbers(real[1].rfft()), numbers(half[1])) <= 8 * epsilon, "one real row of \(n), \(type)")
      #expect(distance(numbers(complex(half[1].irfft(length: n), 0.0)), numbers(complex(back[1], 0.0))) <= 8 * epsilon, "back of \(n), \(type)")
    }
  }

  @Test("long lengths agree with the plain sum at places picked at random", arguments: [2 * 3 * 5 * 7 * 11 * 13, 1 << 15, 10007, 3 * 10007, 177147])
  func longLengths(n: Int) {
    var arrays = TestArrays(seed: 7)
    let places = (0..<12).map { _ in Int.random(in: 0..<n, using: &arrays) }
    for (type, epsilon) in [(ElementType.complex64, 0x1p-23), (.complex128, 0x1p-52)] {
      let z = signal([n], seed: UInt64(n), type)
      let x = numbers(z)
      let size = Double(n).squareRoot()
      for (spectrum, expected) in [(z.fft(), plain(x, places)), (z.real.rfft(), plain(x.map { SIMD2($0.x, 0) }, places.map { $0 / 2 }))] {
        let found = numbers(spectrum)
        for (i, place) in places.enumerated() {
          let d = found[spectrum.elementCount == n ? place : place / 2] - expected[i]
          // Relative to the size of a typical element. The plain sum's own angles are off by up to n ε / 2.
          let allowed = type == .complex64 ? 8 * epsilon : 1e-10
          #expect((d.x * d.x + d.y * d.y).squareRoot() <= allowed * size, "place \(place) of \(n), \(type)")
        }
      }
      #expect(distance(numbers(z.fft().ifft()), x) <= 8 * epsilon)
      let real = z.real
      #expect(distance(numbers(complex(real.rfft().irfft(length: n), 0.0)), numbers(complex(real, 0.0))) <= 8 * epsilon)
    }
  }

  @Test("f32 errors grow like the logarithm of the length")
  func errorGrowth() {
    for n in [64, 1000, 4096, 65536, 1 << 18] {
      let z = signal([n], seed: 3, .complex64)
      let exact = z.converted(to: .complex128).fft()
      // Measured: 0.6 ε at 64 to 1.3 ε at 2¹⁸.
      #expect(distance(numbers(z.fft()), numbers(exact)) <= 0.25 * log2(Double(n)) * 0x1p-23, "\(n)")
    }
  }

  @Test("several axes agree with the interpreter", arguments: [[6, 5], [3, 4, 7], [16, 33], [2, 1009], [5, 9, 20], [127, 3]])
  func severalAxes(lengths: [Int]) {
    for type in [ElementType.complex64, .complex128] {
      let z = signal(Shape([3] + lengths), seed: 11, type)
      let axes = Array(1...lengths.count)
      let tolerance = Tolerance(relative: 0, absolute: (type == .complex64 ? 0x1p-23 : 0x1p-52) * 40 * Double(lengths.reduce(1, *)).squareRoot())
      func both(_ f: (Tensor) -> Tensor, _ x: Tensor, _ name: String) {
        expectClose(f(x), Device.reference.active { f(x) }, tolerance, "\(name) of \(lengths)")
      }
      if lengths.contains(where: { $0 > 500 }) {
        // The interpreter would take long; the inverse must do.
        #expect(distance(numbers(z.fft(alongAxes: axes).ifft(alongAxes: axes)), numbers(z)) < 1e-6)
        continue
      }
      both({ $0.fft(alongAxes: axes) }, z, "fft")
      both({ $0.ifft(alongAxes: axes) }, z, "ifft")
      both({ $0.rfft(alongAxes: axes) }, z.real, "rfft")
      both({ $0.irfft(lengths: lengths, alongAxes: axes) }, z.real.rfft(alongAxes: axes) * 1.0, "irfft")
      both({ $0.irfft(alongAxes: axes) }, z, "irfft of what is no spectrum")
    }
  }

  @Test("results do not depend on the rows beside them nor on the number of axes moved")
  func rowsAreIndependent() {
    let z = signal([37, 48], seed: 5)
    let columns = z.fft(alongAxis: 0)
    expectClose(columns, z.transposed([1, 0]).fft().transposed([1, 0]), Tolerance(absolute: 1e-13))
    let many = signal([1000, 12], seed: 6)
    expectClose(many.fft()[500..<503], many[500..<503].fft(), Tolerance(absolute: 1e-14))
  }

  @Test("Parseval: orthonormal transforms keep the sum of squares")
  func parseval() {
    let z = signal([3, 4, 35], seed: 9)
    func energy(_ z: Tensor) -> Double { abs(z).squared().sum().item() }
    #expect(Swift.abs(energy(z.fft(alongAxes: nil, normalisation: .orthonormal)) / energy(z) - 1) < 1e-14)
    let x = z.real
    let half = x.rfft(normalisation: .orthonormal)
    // Every inner element stands for its conjugate, too; 35 is odd, so only element 0 stands alone.
    let total = 2 * energy(half) - energy(half.sliced(0..<1, alongAxis: -1))
    #expect(Swift.abs(total / energy(x) - 1) < 1e-14)
    for kind in TrigonometricTransform.allCases {
      #expect(Swift.abs(energy(x.dct(kind, normalisation: .orthonormal)) / energy(x) - 1) < 1e-13, "dct \(kind)")
      #expect(Swift.abs(energy(x.dst(kind, alongAxis: 1, normalisation: .orthonormal)) / energy(x) - 1) < 1e-13, "dst \(kind)")
    }
  }

  @Test("transforms and their inverses undo each other", arguments: FourierNormalisation.allCases)
  func roundTrips(normalisation: FourierNormalisation) {
    let x = signal([4, 9], seed: 10, .float64)
    let exact = Tolerance(absolute: 1e-13)
    for kind in TrigonometricTransform.allCases {
      for axis in [0, 1] {
        expectClose(x.dct(kind, alongAxis: axis, normalisation: normalisation).idct(kind, alongAxis: axis, normalisation: normalisation), x, exact, "dct \(kind)")
        expectClose(x.dst(kind, alongAxis: axis, normalisation: normalisation).idst(kind, alongAxis: axis, normalisation: normalisation), x, exact, "dst \(kind)")
      }
    }
    expectClose(x.fft(alongAxes: nil, normalisation: normalisation).ifft(alongAxes: nil, normalisation: normalisation).real, x, exact)
    expectClose(x.rfft(normalisation: normalisation).irfft(length: 9, normalisation: normalisation), x, exact)
    expectClose(x.ihfft(normalisation: normalisation).hfft(length: 9, normalisation: normalisation), x, exact)
    expectClose(x.fftShifted().inverseFFTShifted(), x, .exact)
  }

  @Test("a forward transform is divided as its normalisation says")
  func normalisations() {
    let x = Tensor([1.0, 1, 1, 1])
    #expect(x.fft()[0].real.item() == 4)
    #expect(x.fft(normalisation: .orthonormal)[0].real.item() == 2)
    #expect(x.fft(normalisation: .forward)[0].real.item() == 1)
    #expect(x.ifft()[0].real.item() == 1)
    #expect(x.ifft(normalisation: .orthonormal)[0].real.item() == 2)
    #expect(x.ifft(normalisation: .forward)[0].real.item() == 4)
  }

  // MARK: Numbers of NumPy 2.4.6 and SciPy 1.17.1

  private let five = Tensor([0.5, -1.25, 2.0, 3.5, -0.75])
  private let six = Tensor([0.5, -1.25, 2.0, 3.5, -0.75, 1.5])
  private let half = complex(Tensor([1.0, -0.5, 3, 0]), Tensor([2.0, 0.25, -1, 0.75]))
  private let close = Tolerance(absolute: 1e-13)

  @Test("cosine and sine transforms of SciPy")
  func scipyTransforms() {
    expectClose(five.dct(.I), [8.25, -5.467514421272201, -4.25, 7.967514421272201, -0.75], close)
    expectClose(six.dct(.I), [9.0, -2.7360679774997894, -8.135254915624213, 1.7360679774997902, 8.63525491562421, -3.0], close)
    expectClose(five.dct(), [8.0, -3.2063186060406115, -5.795084971874736, 10.504500035535141, 0.2049150281252623], close)
    expectClose(six.dct(.II), [11.0, -3.4154155690722465, -6.062177826491071, 1.414213562373095, 11.499999999999998, -2.7083087878856986], close)
    expectClose(six.dct(.III), [6.525491653028478, -6.838834764831843, -6.413119217332683, -1.0150840129428254, 10.838834764831844, -0.09728842275296934], close)
    expectClose(five.dct(.IV), [4.531880955486889, -8.561339397715043, 3.5355339059327378, 8.18318951753775, -3.5987403410759935], close)
    expectClose(six.dct(.IV), [5.9340428224340975, -7.792950503769141, -2.6889358815724105, 7.530434648697331, 7.05478011321432, -6.391346775759348], close)
    expectClose(five.dst(.I), [7.647114317029974, -6.06217782649107, -4.5, 10.392304845413264, -0.14711431702997402], close)
    expectClose(six.dst(.II), [8.832033144843642, -3.5, -7.778174593052023, 0.8660254037844386, 9.539139926030192, -4.0], close)
    expectClose(five.dst(.III), [7.9830174552096285, -3.697053084910458, -3.7499999999999996, 9.287223028659934, -2.392847511460154], close)
    expectClose(six.dst(.IV), [8.750851994735354, 2.2496733087014222, -6.209071031345033, -6.427554926369459, 9.350880707404857, 1.2476233255481337], close)
    let orthonormal = FourierNormalisation.orthonormal
    expectClose(five.dct(.I, normalisation: orthonormal), [2.0366116523516817, -1.7499999999999998, -1.5392135623730951, 3.0, -0.21338834764831852], close)
    expectClose(six.dct(.II, normalisation: orthonormal), [2.2453655975512463, -0.9859455490991502, -1.7499999999999996, 0.40824829046386296, 3.3197640478403474, -0.7818214038672184], close)
    expectClose(six.dct(.III, normalisation: orthonormal), [1.943533759169849, -1.914414968274993, -1.7915214753015682, -0.23324293612678781, 3.1886886625232944, 0.031701829401794564], close)
    expectClose(five.dct(.IV, normalisation: orthonormal), [1.433106590407872, -2.7073332318513694, 1.118033988749895, 2.5877517400233687, -1.1380216185331347], close)
    expectClose(six.dst(.I, normalisation: orthonormal), [2.494193106398923, -1.0263478714125711, -1.7200852321864673, 0.22169917670447517, 3.153618166805569, -0.8046486947080957], close)
    expectClose(five.dst(.II, normalisation: orthonormal), [2.3673025527749463, -2.3924444932106113, -0.9530889904018518, 2.5176793574453082, -0.223606797749979], close)
    expectClose(six.dst(.III, normalisation: orthonormal), [2.474481569191772, -0.0072533281752720224, -2.1482012295838517, 0.8487417355115912, 2.6608672161903812, -1.528575465712785], close)
    expectClose(six.dct(.II, normalisation: .forward), [0.9166666666666666, -0.28461796408935386, -0.5051814855409225, 0.1178511301977579, 0.958333333333333, -0.22569239899047486], close)
    expectClose(five.dst(.I, normalisation: .forward), [0.6372595264191645, -0.5051814855409225, -0.375, 0.8660254037844386, -0.012259526419164501], close)
  }

  @Test("half spectra of NumPy: even and odd lengths, cut and filled up; imaginary parts that cannot be are not read")
  func halfSpectra() {
    let even = [1.0, -0.20016031572055698, -0.610843918243516, 1.333333333333333, 0.11084391824351605, -0.6331730176127761]
    expectClose(half.irfft(), even, close)
    expectClose(half.irfft(length: 7), [0.8571428571428571, -0.0072144187347606805, -0.6236823548688832, 0.34270156804103513, 1.2692720545460563, -0.5715440089763167, -0.26667569714998784], close)
    expectClose(half.irfft(length: 5), [1.2000000000000002, -0.6926153428374526, 0.2934226603776177, 1.1718249238722351, -0.9726322414124002], close)
    expectClose(half.irfft(length: 10), [0.6000000000000001, 0.2226720603876077, -0.25813988357485534, -0.4314505856168551, 0.0040528527445358176, 0.8, 0.7285709393803906, -0.2775664087580924, -0.5744839085500711, 0.18634493398733973], close)
    let cleared = complex(half.real, half.imaginary * Tensor([0.0, 1, 1, 0]))
    expectClose(cleared.irfft(), half.irfft(), .exact)
    expectClose(half.hfft(), [6.0, -3.799038105676658, 0.6650635094610964, 8.0, -3.6650635094610964, -1.200961894323342], close)
    expectClose(half.hfft(length: 7, normalisation: .orthonormal), [2.267786838055363, -0.705557575363644, -1.512163311080202, 3.358178202412875, 0.9067031229484597, -1.650108408082199, -0.019087557826062015], close)
    expectClose(six.ihfft().imaginary, [0, 0, -0.7938566201357352, 0], close)
    expectClose(complex(Tensor([3.0]), Tensor([4.0])).irfft(length: 1), [3], .exact)
  }

  @Test("signals of SciPy")
  func signals() {
    expectClose(six.convolved(with: five, extent: .same), [3.5625, -1.5, -5.5, 16.625, 7.375, -2.25], close)
    expectClose(six.convolved(with: five[0..<3], extent: .valid), [3.5625, -3.25, -0.75, 8.6875], close)
    expectClose(six.correlated(with: five, extent: .same), [-4.875, 1.25, 18.625, 0.125, 0.375, 5.6875], close)
    let correlation = half.correlated(with: half[0..<2])
    expectClose(correlation.real, [0, 5.3125, -1.75, 1.1875, 1.5], close)
    expectClose(correlation.imaginary, [-1.25, 0, 1, -7.375, 0.75], close)
  }

  @Test("frequencies of NumPy, and lengths that are fast")
  func frequencies() {
    expectClose(fftFrequencies(6, spacing: 0.5, as: .float64), [0, 1.0 / 3, 2.0 / 3, -1, -2.0 / 3, -1.0 / 3], Tolerance(absolute: 1e-16))
    expectClose(fftFrequencies(5, as: .float64), [0, 0.2, 0.4, -0.4, -0.2], Tolerance(absolute: 1e-16))
    expectClose(rfftFrequencies(7, spacing: 2), [0, 0.07142857142857142, 0.14285714285714285, 0.21428571428571427], .ulps(1))
    #expect([1, 7, 11, 13, 97, 1009, 2049].map { fastTransformLength($0) } == [1, 8, 12, 15, 100, 1024, 2160])
  }

  @Test("element types and errors in words")
  func typesAndErrors() {
    #expect(Tensor([Int32(1), 2]).fft().elementType == .complex64)
    #expect(five.rfft().elementType == .complex128)
    #expect(half.irfft().elementType == .float64)
    func message(_ body: @escaping @Sendable (Tensor) -> Tensor, _ x: Tensor) -> String {
      do {
        _ = try trace({ (xs: [Tensor]) in body(xs[0]) }, like: [x])
        return "no error"
      } catch {
        return "\(error.operation): \(error.message)"
      }
    }
    #expect(message({ $0.rfft() }, half) == "rfft: the signal must be real, but it is c128[4]. Use fft, or take its .real part.")
    #expect(message({ $0.fft(alongAxes: [0, 0]) }, five).hasPrefix("fft: axes [0, 0] of [5] must be at least one, each named once"))
    #expect(message({ $0.irfft() }, half[0..<1]).hasPrefix("irfft: the lengths [0] must be at least 1."))
    #expect(message({ $0.dct(.I) }, five[0..<1]) == "dct: an axis of 1 elements is too short for type I. It needs 2.")
    #expect(
      message({ $0.convolved(with: Tensor([1.0, 2, 3]), extent: .valid) }, five[0..<2])
        == "convolved: lengths [2] and [3] must be at least 1, and for the valid part the first at least the second.")
    #expect(
      message({ transposedConvolution($0, Tensor.ones([2, 1, 1], as: .float64), outputPadding: [1]) }, Tensor.ones([1, 3, 1], as: .float64))
        == "transposedConvolution: output paddings [1] must be less than the strides [1]. Pad the result for more.")
    #expect(message({ convolution($0, $0) }, five).hasPrefix("convolution.output: the input must be [N, S…, C] and the kernel [s…, C / groups, O]"))
    #expect(message({ $0.patches(window: [2]) }, five[0]).hasPrefix("patches: windows [], strides [] and dilations []"))
    #expect(
      message({ $0.windowReduced(by: .sum, window: [2, 2]) }, five)
        == "windowReduced: windows [2, 2] on [5] need one entry for each axis, as do strides and dilations; all must be at least 1.")
  }

  @Test("elements that share an extreme share its derivative")
  func ties() {
    let ones = Tensor.ones([1, 12, 1], as: .float64)
    // By slices, edge to edge, and by doubling: the weights of every window sum to 1.
    for (window, stride) in [(3, 3), (12, 12), (10, 1)] {
      let slope = gradient(of: { maxPool($0, window: [window], stride: [stride]).sum() }, at: ones)
      let windows = (12 - window) / stride + 1
      #expect(Swift.abs(slope.sum().item() - Double(windows)) < 1e-14, "windows of \(window)")
    }
    let whole = gradient(of: { maxPool($0, window: [12]).sum() }, at: ones)
    expectClose(whole, Tensor.full(1.0 / 12, [1, 12, 1], as: .float64), .ulps(1))
  }

  @Test("integers and truth values in windows")
  func otherTypes() {
    let x = Tensor([Int32(3), -7, 5, 0, 2])
    expectClose(x.windowReduced(by: .maximum, window: [2], padding: .explicit(low: [1], high: [1])), [3, 3, 5, 5, 2, 2], .exact)
    expectClose(x.windowReduced(by: .product, window: [2], stride: [2]), [-21, 0], .exact)
    let isPositive = x .> 0
    expectClose(isPositive.windowReduced(by: .any, window: [2]), [1, 1, 1, 1], .exact)
    expectClose(isPositive.windowReduced(by: .all, window: [2], padding: .explicit(low: [1], high: [0])), [1, 0, 0, 0, 0], .exact)
  }
}
