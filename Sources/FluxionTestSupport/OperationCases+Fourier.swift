internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

// Spectra are compared, and differentiated, as real and imaginary parts one after the other along a new first axis.

/// A thousand numbers of order one may be added in any order.
private let fourierTolerance = Tolerance(ulps: 4, epsilons: 512)
private let lineSamples: [OperationCase.Sample] = [
  .init(.one, [1]), .init(.vector, [6]), .init(.vector, [7]), .init(.empty, [0, 4]), .init(.matrix, [3, 10]), .init(.large, [40, 66]),
]
private let pairSamples = pairs(lineSamples)
private let shiftSamples: [OperationCase.Sample] = [
  .init(.matrix, [4, 5]), .init(.one, [1, 1]), .init(.empty, [3, 0]), .init(.large, [31, 40]),
]

/// Real and imaginary parts of one shape.
private func pairs(_ samples: [OperationCase.Sample]) -> [OperationCase.Sample] {
  samples.map { OperationCase.Sample($0.shapeClass, shapes: [$0.shapes[0], $0.shapes[0]]) }
}

private func parts(_ z: Tensor) -> Tensor { stacked([z.real, z.imaginary]) }
private func whole(_ x: [Tensor]) -> Tensor { complex(x[0], x[1]) }

// cos and sin of π m/n; the angle is reduced in integers, so that it is rounded by little.
private func cosOfPart(_ m: Int, _ n: Int) -> Double { cos(Double.pi * Double(m % (2 * n)) / Double(n)) }
private func sinOfPart(_ m: Int, _ n: Int) -> Double { sin(Double.pi * Double(m % (2 * n)) / Double(n)) }

/// A spectrum by its definition.
private struct Spectrum {
  var re: PlainArray, im: PlainArray
  init(_ re: PlainArray, _ im: PlainArray? = nil) { (self.re, self.im) = (re, im ?? PlainArray(re.shape) { _ in 0 }) }

  /// Σⱼ z[j] e^(sign · 2πi jk/n) along an axis.
  func transformed(_ axis: Int, _ sign: Double, scale: Double = 1) -> Spectrum {
    let n = re.shape[axis]
    func line(_ real: Bool) -> PlainArray {
      PlainArray(re.shape) { k in
        var total = 0.0
        for j in 0..<n {
          var place = k
          place[axis] = j
          let angle = sign * 2 * Double.pi * Double(j * k[axis] % n) / Double(n)
          total += real ? re[place] * cos(angle) - im[place] * sin(angle) : re[place] * sin(angle) + im[place] * cos(angle)
        }
        return total * scale
      }
    }
    return Spectrum(line(true), line(false))
  }
  /// Elements 0 ..< count of an axis.
  func cut(_ axis: Int, _ count: Int) -> Spectrum {
    var shape = re.shape
    shape[axis] = count
    return Spectrum(PlainArray(shape) { re[$0] }, PlainArray(shape) { im[$0] })
  }
  /// All n elements of a real signal's spectrum from its half along the last axis.
  func completed(_ n: Int) -> Spectrum {
    var shape = re.shape
    shape[shape.count - 1] = n
    func place(_ i: [Int]) -> [Int] { i.dropLast() + [2 * i.last! <= n ? i.last! : n - i.last!] }
    return Spectrum(
      PlainArray(shape) { re[place($0)] },
      PlainArray(shape) { i in
        let k = i.last!
        return k == 0 || 2 * k == n ? 0 : 2 * k < n ? im[place(i)] : -im[place(i)]
      })
  }
  var stacked: PlainArray { PlainArray([2] + re.shape, re.values + im.values) }
}

private func last(_ x: PlainArray) -> Int { x.shape.count - 1 }
private func length(_ x: PlainArray) -> Int { x.shape[x.shape.count - 1] }

extension OperationCase {
  static let fourierCases: [OperationCase] = [
    spectrum("fft", pairSamples, { $0.fft() }) { x in Spectrum(x[0], x[1]).transformed(last(x[0]), -1).stacked },
    spectrum("ifft", pairSamples, { $0.ifft() }) { x in
      Spectrum(x[0], x[1]).transformed(last(x[0]), 1, scale: 1 / Double(length(x[0]))).stacked
    },
    spectrum("fft.orthonormal", pairs([.init(.matrix, [4, 3]), .init(.one, [1, 1]), .init(.empty, [4, 0]), .init(.large, [26, 40])]), { $0.fft(alongAxis: 0, normalisation: .orthonormal) }) { x in
      Spectrum(x[0], x[1]).transformed(0, -1, scale: 1 / Double(x[0].shape[0]).squareRoot()).stacked
    },
    spectrum("fft.length", [.init(.vector, [5], [5]), .init(.one, [1], [1])], { $0.fft(length: 8, normalisation: .forward) }) { x in
      func filled(_ a: PlainArray) -> PlainArray { PlainArray([8]) { $0[0] < a.shape[0] ? a[$0] : 0 } }
      return Spectrum(filled(x[0]), filled(x[1])).transformed(0, -1, scale: 1 / 8).stacked
    },
    spectrum("fft2", pairs([.init(.nonSquare, [2, 3, 5]), .init(.one, [1, 1, 1]), .init(.empty, [2, 0, 5]), .init(.large, [9, 11, 12])]), { $0.fft(alongAxes: [0, 2]) }) { x in
      Spectrum(x[0], x[1]).transformed(0, -1).transformed(2, -1).stacked
    },
    spectrum("ifft3", pairs([.init(.tensor, [3, 4, 2]), .init(.one, [1, 1, 1]), .init(.large, [10, 9, 12])]), { $0.ifft(alongAxes: nil) }) { x in
      Spectrum(x[0], x[1]).transformed(0, 1).transformed(1, 1).transformed(2, 1, scale: 1 / Double(x[0].values.count)).stacked
    },
    spectrum("fft4", pairs([.init(.tensor, [2, 3, 2, 2]), .init(.one, [1, 1, 1, 1]), .init(.large, [5, 6, 5, 7])]), { $0.fft(alongAxes: [3, 0, 2, 1]) }) { x in
      Spectrum(x[0], x[1]).transformed(0, -1).transformed(1, -1).transformed(2, -1).transformed(3, -1).stacked
    },
    OperationCase(
      "rfft", lineSamples, [.range(-2, 2)], tolerance: fourierTolerance, { x in parts(x[0].rfft()) },
      expected: { x in Spectrum(x[0]).transformed(last(x[0]), -1).cut(last(x[0]), length(x[0]) / 2 + 1).stacked }),
    OperationCase(
      "rfft2", [.init(.nonSquare, [2, 3, 6]), .init(.nonSquare, [2, 4, 5]), .init(.one, [1, 1, 1]), .init(.empty, [0, 4, 5]), .init(.large, [6, 14, 13])], [.range(-2, 2)], tolerance: fourierTolerance,
      { x in parts(x[0].rfft(alongAxes: [1, 2])) },
      expected: { x in Spectrum(x[0]).transformed(1, -1).transformed(2, -1).cut(2, x[0].shape[2] / 2 + 1).stacked }),
    OperationCase(
      "rfft3", [.init(.tensor, [3, 2, 4])], [.range(-2, 2)], tolerance: fourierTolerance,
      { x in parts(x[0].rfft(alongAxes: [2, 1, 0], normalisation: .orthonormal)) },
      expected: { x in
        Spectrum(x[0]).transformed(2, -1).transformed(1, -1).transformed(0, -1, scale: 1 / 24.0.squareRoot()).cut(0, 2).stacked
      }),
    spectrum("irfft", [.init(.vector, [4], [4]), .init(.matrix, [3, 6], [3, 6]), .init(.empty, [0, 5], [0, 5]), .init(.large, [34, 31], [34, 31])], { $0.irfft() }) { x in
      let n = 2 * (length(x[0]) - 1)
      return Spectrum(x[0], x[1]).completed(n).transformed(last(x[0]), 1, scale: 1 / Double(n)).re
    },
    spectrum("irfft.odd", [.init(.one, [1], [1]), .init(.vector, [4], [4]), .init(.matrix, [3, 5], [3, 5]), .init(.large, [33, 31], [33, 31])], { $0.irfft(length: 2 * $0.shape.last! - 1) }) { x in
      let n = 2 * length(x[0]) - 1
      return Spectrum(x[0], x[1]).completed(n).transformed(last(x[0]), 1, scale: 1 / Double(n)).re
    },
    spectrum("irfft3", [.init(.tensor, [2, 3, 3], [2, 3, 3])], { $0.irfft(lengths: [2, 3, 5], alongAxes: [0, 1, 2]) }) { x in
      Spectrum(x[0], x[1]).transformed(0, 1).transformed(1, 1).completed(5).transformed(2, 1, scale: 1 / 30).re
    },
    spectrum("hfft", [.init(.vector, [4], [4])], { $0.hfft() }) { x in
      Spectrum(x[0], x[1]).completed(6).transformed(0, -1).re
    },
    OperationCase(
      "ihfft", [.init(.vector, [6])], [.range(-2, 2)], tolerance: fourierTolerance, { x in parts(x[0].ihfft()) },
      expected: { x in Spectrum(x[0]).transformed(0, 1, scale: 1 / 6).cut(0, 4).stacked }),
    OperationCase(
      "fftShifted", shiftSamples, [.range(-2, 2)], complex: .linear, { x in x[0].fftShifted() },
      expected: { x in
        let (n, m) = (x[0].shape[0], x[0].shape[1])
        return PlainArray([n, m]) { i in x[0][(i[0] + (n + 1) / 2) % n, (i[1] + (m + 1) / 2) % m] }
      }),
    OperationCase(
      "inverseFFTShifted", shiftSamples, [.range(-2, 2)], complex: .linear, { x in x[0].inverseFFTShifted() },
      expected: { x in
        let (n, m) = (x[0].shape[0], x[0].shape[1])
        return PlainArray([n, m]) { i in x[0][(i[0] + n / 2) % n, (i[1] + m / 2) % m] }
      }),
    OperationCase(
      "fftFrequencies", [.init(.vector, [6]), .init(.vector, [5]), .init(.one, [1])], [.range(-2, 2)], tolerance: fourierTolerance,
      { x in x[0] * fftFrequencies(x[0].count, spacing: 0.5, as: x[0].elementType) },
      expected: { x in
        let n = x[0].shape[0]
        return PlainArray([n]) { i in x[0][i] * Double(2 * i[0] < n ? i[0] : i[0] - n) / Double(n) * 2 }
      }),
    OperationCase(
      "rfftFrequencies", [.init(.vector, [4]), .init(.one, [1])], [.range(-2, 2)], tolerance: fourierTolerance,
      { x in x[0] * rfftFrequencies(2 * x[0].count - 1, as: x[0].elementType) },
      expected: { x in PlainArray(x[0].shape) { i in x[0][i] * Double(i[0]) / Double(2 * x[0].shape[0] - 1) } }),
  ] + complexCases + trigonometricCases + signalCases

  // MARK: Complex operands

  private static func complexSpectrum(
    _ name: String, _ samples: [Sample], isReal: Bool = false, _ f: @escaping @Sendable (Tensor) -> Tensor,
    expected: @escaping @Sendable (Spectrum) -> Spectrum
  ) -> OperationCase {
    OperationCase(
      name, samples, [.range(-2, 2)],
      complex: .formula { x in
        let s = expected(Spectrum(x[0].real, x[0].imaginaryPart))
        return [PlainArray(s.re.shape, s.re.values, imaginary: s.im.values)]
      }, elementTypes: [], resultType: isReal ? .realPart : .same, tolerance: fourierTolerance, { x in f(x[0]) }, expected: { x in x[0] })
  }

  private static let complexCases: [OperationCase] = [
    complexSpectrum("fft.complex", lineSamples, { $0.fft() }) { $0.transformed(last($0.re), -1) },
    complexSpectrum("ifft.complex", lineSamples, { $0.ifft() }) { $0.transformed(last($0.re), 1, scale: 1 / Double(length($0.re))) },
    complexSpectrum("fft2.complex", [.init(.nonSquare, [2, 3, 5]), .init(.one, [1, 1]), .init(.empty, [0, 3, 4]), .init(.large, [9, 11, 12])], { $0.fft(alongAxes: [-2, -1]) }) { z in
      z.transformed(last(z.re) - 1, -1).transformed(last(z.re), -1)
    },
    complexSpectrum("irfft.complex", [.init(.vector, [4]), .init(.matrix, [3, 6]), .init(.empty, [0, 5]), .init(.large, [34, 31])], isReal: true, { $0.irfft() }) { z in
      let n = 2 * (length(z.re) - 1)
      return Spectrum(z.completed(n).transformed(last(z.re), 1, scale: 1 / Double(n)).re)
    },
    complexSpectrum("hfft.complex", [.init(.vector, [4])], isReal: true, { $0.hfft() }) { Spectrum($0.completed(6).transformed(0, -1).re) },
  ]

  private static func spectrum(
    _ name: String, _ samples: [Sample], _ f: @escaping @Sendable (Tensor) -> Tensor,
    expected: @escaping @Sendable ([PlainArray]) -> PlainArray
  ) -> OperationCase {
    OperationCase(
      name, samples, [.range(-2, 2), .range(-2, 2)], tolerance: fourierTolerance,
      { x in
        let y = f(whole(x))
        return y.elementType.isComplex ? parts(y) : y
      }, expected: expected)
  }

  // MARK: Cosines and sines

  private static let trigonometricCases: [OperationCase] =
    TrigonometricTransform.allCases.flatMap { kind in
      [false, true].map { isSine in
        OperationCase(
          (isSine ? "dst." : "dct.") + "\(kind)",
          [.init(.vector, [2]), .init(.vector, [5]), .init(.matrix, [3, 8]), .init(.empty, [0, 4]), .init(.large, [33, 31])] + (kind == .I && !isSine ? [] : [.init(.one, [1])]),
          [.range(-2, 2)], complex: .linear, tolerance: fourierTolerance, { x in isSine ? x[0].dst(kind) : x[0].dct(kind) },
          expected: { x in trigonometric(x[0], kind, isSine) })
      }
    } + [
      OperationCase(
        "dct.orthonormal", [.init(.matrix, [5, 3])], [.range(-2, 2)], complex: .linear, tolerance: fourierTolerance,
        { x in x[0].dct(.II, alongAxis: 0, normalisation: .orthonormal) },
        expected: { x in
          PlainArray([5, 3]) { i in
            let weight = i[0] == 0 ? (1.0 / 5).squareRoot() : (2.0 / 5).squareRoot()
            return (0..<5).reduce(0) { $0 + x[0][$1, i[1]] * cos(Double.pi * Double(i[0] * (2 * $1 + 1)) / 10) } * weight
          }
        }),
      OperationCase(
        "idct", [.init(.vector, [6])], [.range(-2, 2)], complex: .linear, tolerance: fourierTolerance, { x in x[0].idct() },
        expected: { x in PlainArray([6], trigonometric(x[0], .III, false).values.map { $0 / 12 }) }),
      OperationCase(
        "dct.complex", [.init(.vector, [5], [5])], [.range(-2, 2), .range(-2, 2)], tolerance: fourierTolerance,
        { x in parts(whole(x).dct()) },
        expected: { x in
          PlainArray([2, 5], trigonometric(x[0], .II, false).values + trigonometric(x[1], .II, false).values)
        }),
      OperationCase(
        "idst", [.init(.vector, [5])], [.range(-2, 2)], complex: .linear, tolerance: fourierTolerance, { x in x[0].idst(.I) },
        expected: { x in PlainArray([5], trigonometric(x[0], .I, true).values.map { $0 / 12 }) }),
    ]

  /// The sums of the definitions.
  private static func trigonometric(_ x: PlainArray, _ kind: TrigonometricTransform, _ isSine: Bool) -> PlainArray {
    x.mappingLines(last(x)) { line in
      let n = line.count
      return (0..<n).map { k -> Double in
        var total = 0.0
        for j in 0..<n {
          let term: Double
          switch (kind, isSine) {
          case (.I, false): term = (j == 0 || j == n - 1 ? 1 : 2) * cosOfPart(j * k, n - 1)
          case (.II, false): term = 2 * cosOfPart(k * (2 * j + 1), 2 * n)
          case (.III, false): term = (j == 0 ? 1 : 2) * cosOfPart(j * (2 * k + 1), 2 * n)
          case (.IV, false): term = 2 * cosOfPart((2 * k + 1) * (2 * j + 1), 4 * n)
          case (.I, true): term = 2 * sinOfPart((k + 1) * (j + 1), n + 1)
          case (.II, true): term = 2 * sinOfPart((k + 1) * (2 * j + 1), 2 * n)
          case (.III, true): term = (j == n - 1 ? 1 : 2) * sinOfPart((j + 1) * (2 * k + 1), 2 * n)
          case (.IV, true): term = 2 * sinOfPart((2 * k + 1) * (2 * j + 1), 4 * n)
          }
          total += line[j] * term
        }
        return total
      }
    }
  }

  // MARK: Signals

  private static let signalCases: [OperationCase] = [
    OperationCase(
      "convolved.full", [.init(.vector, [5], [3]), .init(.one, [1], [1])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: fourierTolerance,
      { x in x[0].convolved(with: x[1]) },
      expected: { x in PlainArray([x[0].shape[0] + x[1].shape[0] - 1]) { signal(x, $0[0]) } }),
    OperationCase(
      "convolved.same", [.init(.vector, [6], [4])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: fourierTolerance,
      { x in x[0].convolved(with: x[1], extent: .same) }, expected: { x in PlainArray([6]) { signal(x, $0[0] + 1) } }),
    OperationCase(
      "convolved.valid", [.init(.vector, [7], [3])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: fourierTolerance,
      { x in x[0].convolved(with: x[1], extent: .valid) }, expected: { x in PlainArray([5]) { signal(x, $0[0] + 2) } }),
    OperationCase(
      "convolved.2D", [.init(.nonSquare, [3, 4], [2, 3])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: fourierTolerance,
      { x in x[0].convolved(with: x[1]) },
      expected: { x in
        PlainArray([4, 6]) { i in
          PlainArray.indices(of: [2, 3]).reduce(0) { total, p in
            let (r, c) = (i[0] - p[0], i[1] - p[1])
            return r < 0 || r > 2 || c < 0 || c > 3 ? total : total + x[0][r, c] * x[1][p]
          }
        }
      }),
    OperationCase(
      "convolved.rows", [.init(.broadcast, [2, 5], [3]), .init(.one, [1, 1], [1]), .init(.empty, [0, 5], [3]), .init(.large, [31, 33], [4])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: fourierTolerance,
      { x in x[0].convolved(with: x[1], alongAxes: [-1]) },
      expected: { x in
        let (n, m) = (x[0].shape[1], x[1].shape[0])
        return PlainArray([x[0].shape[0], n + m - 1]) { i in
          (0..<m).reduce(0) { i[1] - $1 < 0 || i[1] - $1 >= n ? $0 : $0 + x[0][i[0], i[1] - $1] * x[1][$1] }
        }
      }),
    OperationCase(
      "convolved.complex", [.init(.vector, [4], [4], [3], [3])], [Domain](repeating: .range(-2, 2), count: 4), tolerance: fourierTolerance,
      { x in parts(complex(x[0], x[1]).convolved(with: complex(x[2], x[3]))) },
      expected: { x in
        PlainArray([2, 6]) { i in
          func product(_ a: Int, _ b: Int) -> Double { signal([x[a], x[b]], i[1]) }
          return i[0] == 0 ? product(0, 2) - product(1, 3) : product(0, 3) + product(1, 2)
        }
      }),
    OperationCase(
      "correlated", [.init(.vector, [6], [3])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(conjugated: [1]), tolerance: fourierTolerance,
      { x in x[0].correlated(with: x[1]) },
      expected: { x in
        PlainArray([8]) { i in
          (0..<3).reduce(0) { i[0] - 2 + $1 < 0 || i[0] - 2 + $1 > 5 ? $0 : $0 + x[0][i[0] - 2 + $1] * x[1][$1] }
        }
      }),
  ]

  /// Element k of the full convolution.
  private static func signal(_ x: [PlainArray], _ k: Int) -> Double {
    (0..<x[1].shape[0]).reduce(0) { k - $1 < 0 || k - $1 >= x[0].shape[0] ? $0 : $0 + x[0][k - $1] * x[1][$1] }
  }
}
