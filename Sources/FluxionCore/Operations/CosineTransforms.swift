// Discrete cosine and sine transforms, from Fourier transforms of real signals of the same length.

/// Which cosines or sines a transform is made of, in the usual numbering.
public enum TrigonometricTransform: Int, Hashable, Sendable, CaseIterable {
  case I = 1
  case II, III, IV

  /// The type that undoes this one but for a factor.
  var inverse: TrigonometricTransform {
    switch self {
    case .I: .I
    case .II: .III
    case .III: .II
    case .IV: .IV
    }
  }
}

extension Tensor {
  /// The discrete cosine transform along an axis of n elements:
  ///
  ///     I    y[k] = x[0] + (-1)ᵏ x[n-1] + 2 Σ x[j] cos(π jk / (n-1))    (j from 1 to n-2)
  ///     II   y[k] = 2 Σ x[j] cos(π k (2j+1) / 2n)
  ///     III  y[k] = x[0] + 2 Σ x[j] cos(π j (2k+1) / 2n)                (j from 1)
  ///     IV   y[k] = 2 Σ x[j] cos(π (2k+1)(2j+1) / 4n)
  ///
  /// Type III is the inverse of II, I and IV are their own, each but for the factor N = 2n, of type I N = 2(n-1), that
  /// ``idct(_:alongAxis:normalisation:)`` divides by. Orthonormal transforms divide by √N and weigh the constant cosines so that the
  /// matrix is orthogonal (as SciPy does).
  ///
  /// > J. Makhoul. "A fast cosine transform in one and two dimensions." *IEEE Trans. ASSP* 28(1), 1980: type II from one transform
  /// > of length n.
  ///
  /// Complex numbers are transformed by parts; integers become `f32`.
  public func dct(
    _ kind: TrigonometricTransform = .II, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward
  ) -> Tensor { trigonometric("dct", kind, axis, normalisation, isInverse: false, isSine: false) }

  /// The inverse of ``dct(_:alongAxis:normalisation:)``.
  public func idct(
    _ kind: TrigonometricTransform = .II, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward
  ) -> Tensor { trigonometric("idct", kind, axis, normalisation, isInverse: true, isSine: false) }

  /// The discrete sine transform along an axis of n elements:
  ///
  ///     I    y[k] = 2 Σ x[j] sin(π (k+1)(j+1) / (n+1))
  ///     II   y[k] = 2 Σ x[j] sin(π (k+1)(2j+1) / 2n)
  ///     III  y[k] = (-1)ᵏ x[n-1] + 2 Σ x[j] sin(π (j+1)(2k+1) / 2n)    (j to n-2)
  ///     IV   y[k] = 2 Σ x[j] sin(π (2k+1)(2j+1) / 4n)
  ///
  /// Inverses are as for ``dct(_:alongAxis:normalisation:)``, with N = 2(n+1) for type I.
  public func dst(
    _ kind: TrigonometricTransform = .II, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward
  ) -> Tensor { trigonometric("dst", kind, axis, normalisation, isInverse: false, isSine: true) }

  /// The inverse of ``dst(_:alongAxis:normalisation:)``.
  public func idst(
    _ kind: TrigonometricTransform = .II, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward
  ) -> Tensor { trigonometric("idst", kind, axis, normalisation, isInverse: true, isSine: true) }

  private func trigonometric(
    _ name: String, _ kind: TrigonometricTransform, _ axis: Int, _ normalisation: FourierNormalisation, isInverse: Bool, isSine: Bool
  ) -> Tensor {
    let x = asReal
    let at = x.axis(axis, name)
    if x.elementType.isComplex {
      func transformed(_ part: Tensor) -> Tensor {
        part.trigonometric(name, kind, axis, normalisation, isInverse: isInverse, isSine: isSine)
      }
      return complex(transformed(x.real), transformed(x.imaginary))
    }
    let n = x.shape[at]
    guard n >= 1, isSine || kind != .I || n >= 2 else {
      return reject1(
        name, "an axis of \(n) elements is too short for type \(kind). It needs \(kind == .I && !isSine ? 2 : 1).", like: x.type)
    }
    let type = isInverse ? kind.inverse : kind
    let count = kind == .I ? 2 * (isSine ? n + 1 : n - 1) : 2 * n
    let isOrthonormal = normalisation == .orthonormal
    var lines = x.movingAxis(at, to: x.rank - 1)
    // The ends that are constant or alternating weigh √2 in an orthogonal matrix: those of the input, then those of the result.
    let ends = endsOf(type, n, isSine)
    if isOrthonormal { lines = lines.weighted(ends.input, 2.0.squareRoot()) }
    lines = isSine ? lines.sineTransform(type) : lines.cosineTransform(type)
    if isOrthonormal { lines = lines.weighted(ends.output, 0.5.squareRoot()) }
    let factor = normalisation.factor(isInverse: isInverse, count)
    return (factor == 1 ? lines : lines * factor).movingAxis(x.rank - 1, to: at)
  }

  /// The elements at `places` of the last axis multiplied by `weight`.
  private func weighted(_ places: [Int], _ weight: Double) -> Tensor {
    guard !places.isEmpty else { return self }
    let i = arange(shape[rank - 1])
    let isEnd = places.map { i .== Tensor(integerLiteral: $0) }.reduce(Tensor(false)) { $0 .| $1 }
    return self * select(isEnd, Tensor(weight, as: elementType), Tensor(1, as: elementType))
  }

  // MARK: Along the last axis, without factors

  private func cosineTransform(_ type: TrigonometricTransform) -> Tensor {
    let (n, last) = (shape[rank - 1], rank - 1)
    switch type {
    case .I:
      let mirrored = n == 2 ? self : concatenated(self, sliced(1..<n - 1, alongAxis: last).reversed(alongAxis: last), alongAxis: last)
      return mirrored.rfft().real
    case .II:
      // Even places, then odd ones backwards; one spectrum gives both halves of the result.
      let v = n == 1 ? self : concatenated(every(2, from: 0), every(2, from: 1).reversed(alongAxis: last), alongAxis: last)
      let w = v.rfft() * roots(n / 2 + 1, Double(2 * n), elementType)
      let low = w.real * 2.0
      return low.joined(high(w, n))
    case .III:
      // w[k] = (x[k] - i x[n-k]) / 2 with x[n] = 0, turned back; see type II.
      let half = n / 2 + 1
      let low = sliced(0..<half, alongAxis: last)
      let mirrored = n == 1 ? self * 0.0 : mirroredTail(half)
      let v = (complex(low, -mirrored) * roots(half, Double(2 * n), elementType).conjugate()).irfft(length: n) * Double(n)
      guard n > 1 else { return v }
      let evens = (n + 1) / 2
      return interleaved(v.sliced(0..<evens, alongAxis: last), v.sliced(evens..<n, alongAxis: last).reversed(alongAxis: last))
    case .IV:
      guard n % 2 == 0 else { return cosineTransformOfOddLength() }
      // Pairs x[2j], x[n-1-2j] as complex numbers: one transform of half the length.
      let z = complex(every(2, from: 0), every(2, from: 1).reversed(alongAxis: last))
      let turn = roots(n / 2, Double(n), elementType, shift: 0.125)
      let c = (z * turn).fft() * turn * 2.0
      return interleaved(c.real, (-c.imaginary).reversed(alongAxis: last))
    }
  }

  private func sineTransform(_ type: TrigonometricTransform) -> Tensor {
    let (n, last) = (shape[rank - 1], rank - 1)
    switch type {
    case .I:
      var ends = [Int](repeating: 0, count: rank)
      ends[last] = 1
      let mirrored = concatenated(padded(low: ends, high: ends), -reversed(alongAxis: last), alongAxis: last)
      return -mirrored.rfft().imaginary.sliced(1..<n + 1, alongAxis: last)
    case .II: return (self * alternating(n, elementType)).cosineTransform(.II).reversed(alongAxis: last)
    case .III, .IV: return reversed(alongAxis: last).cosineTransform(type) * alternating(n, elementType)
    }
  }

  /// Odd lengths have no pairs: from a transform of twice the length.
  private func cosineTransformOfOddLength() -> Tensor {
    let n = shape[rank - 1]
    let turned = self.asComplex * roots(n, Double(2 * n), elementType)
    let y = turned.fft(length: 2 * n).sliced(0..<n, alongAxis: rank - 1)
    return (y * roots(n, Double(2 * n), elementType, shift: 0.5)).real * 2.0
  }

  // MARK: Parts

  private func every(_ step: Int, from start: Int) -> Tensor {
    var (first, steps) = ([Int](repeating: 0, count: rank), [Int](repeating: 1, count: rank))
    first[rank - 1] = start
    steps[rank - 1] = step
    return sliced(start: first, limit: shape.dimensions, stride: steps)
  }
  private func joined(_ other: Tensor?) -> Tensor { other.map { concatenated(self, $0, alongAxis: rank - 1) } ?? self }
  /// 0, then the last elements backwards, `count` in all.
  private func mirroredTail(_ count: Int) -> Tensor {
    let n = shape[rank - 1]
    var low = [Int](repeating: 0, count: rank)
    low[rank - 1] = 1
    return sliced(n - count + 1..<n, alongAxis: rank - 1).reversed(alongAxis: rank - 1)
      .padded(low: low, high: [Int](repeating: 0, count: rank))
  }
}

/// Where cosines or sines are constant or alternate: places of the input, places of the result.
private func endsOf(_ type: TrigonometricTransform, _ n: Int, _ isSine: Bool) -> (input: [Int], output: [Int]) {
  switch type {
  case .I: isSine ? ([], []) : ([0, n - 1], [0, n - 1])
  case .II: ([], [isSine ? n - 1 : 0])
  case .III: ([isSine ? n - 1 : 0], [])
  case .IV: ([], [])
  }
}

/// The upper elements of a type II transform: y[n-k] = -2 Im w[k].
private func high(_ w: Tensor, _ n: Int) -> Tensor? {
  let count = (n + 1) / 2
  guard count > 1 else { return nil }
  return w.imaginary.sliced(1..<count, alongAxis: w.rank - 1).reversed(alongAxis: w.rank - 1) * -2.0
}

/// e^(-iπ (k + shift) / n) for k < count, from angles in double precision.
private func roots(_ count: Int, _ n: Double, _ type: ElementType, shift: Double = 0) -> Tensor {
  let angle = (arange(count, as: .float64) + shift) * (Double.pi / n)
  return complex(cos(angle).converted(to: type), (-sin(angle)).converted(to: type))
}

/// 1, -1, 1 …
private func alternating(_ n: Int, _ type: ElementType) -> Tensor {
  (1 - arange(n) % 2 * 2).converted(to: type)
}

/// a[0], b[0], a[1], b[1] …; `a` may have one more.
private func interleaved(_ a: Tensor, _ b: Tensor) -> Tensor {
  let last = a.rank - 1
  let n = a.shape[last] + b.shape[last]
  func spread(_ x: Tensor, _ start: Int) -> Tensor {
    let zeros = [Int](repeating: 0, count: a.rank)
    var (low, high, interior) = (zeros, zeros, zeros)
    low[last] = start
    interior[last] = 1
    high[last] = n - start - (2 * x.shape[last] - 1)
    return x.padded(low: low, high: high, interior: interior)
  }
  return spread(a, 0) + spread(b, 1)
}
