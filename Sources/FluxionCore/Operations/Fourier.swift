// Discrete Fourier transforms along any axes. Conventions are NumPy's; the article "Fourier transforms and convolutions" tells them.

/// Where a transform and its inverse are divided by the number of elements n.
public enum FourierNormalisation: Hashable, Sendable, CaseIterable {
  /// The inverse by n.
  case backward
  /// Both by √n, so that sums of squares are kept.
  case orthonormal
  /// The forward transform by n.
  case forward

  /// For transforms that are named after the other direction.
  var exchanged: FourierNormalisation {
    switch self {
    case .backward: .forward
    case .orthonormal: .orthonormal
    case .forward: .backward
    }
  }

  /// The factor on a sum of `count` terms, as it stands without any division.
  func factor(isInverse: Bool, _ count: Int) -> Double {
    switch self {
    case .orthonormal: 1 / Double(count).squareRoot()
    case .backward: isInverse ? 1 / Double(count) : 1
    case .forward: isInverse ? 1 : 1 / Double(count)
    }
  }
}

extension Tensor {
  /// The discrete Fourier transform X[k] = Σⱼ x[j] e^(-2πi jk/n) along one axis; the result is complex.
  ///
  /// - Parameters:
  ///   - length: n; the axis is cut or filled up with zeros at its end. Its own length unless given.
  ///   - axis: the last unless given.
  ///   - normalisation: what the sum is divided by; nothing unless told.
  public func fft(length: Int? = nil, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward) -> Tensor {
    fft(lengths: length.map { [$0] }, alongAxes: [axis], normalisation: normalisation)
  }
  /// The inverse of ``fft(length:alongAxis:normalisation:)``: x[j] = (1/n) Σₖ X[k] e^(2πi jk/n).
  public func ifft(length: Int? = nil, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward) -> Tensor {
    ifft(lengths: length.map { [$0] }, alongAxes: [axis], normalisation: normalisation)
  }
  /// The transform of real numbers: elements 0 … n / 2 of the spectrum, of which the others are conjugates. Takes half the time.
  public func rfft(length: Int? = nil, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward) -> Tensor {
    rfft(lengths: length.map { [$0] }, alongAxes: [axis], normalisation: normalisation)
  }
  /// The inverse of ``rfft(length:alongAxis:normalisation:)``, a real signal from half its spectrum.
  ///
  /// The imaginary parts of element 0 and, for even lengths, of element n / 2, which a real signal does not have, are not read.
  ///
  /// - Parameters:
  ///   - length: of the signal: 2 (m - 1) for a spectrum of m elements unless given. An odd length must be given.
  ///   - axis: the last unless given.
  ///   - normalisation: as of the transform that is inverted.
  public func irfft(length: Int? = nil, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward) -> Tensor {
    irfft(lengths: length.map { [$0] }, alongAxes: [axis], normalisation: normalisation)
  }
  /// The real spectrum of a signal that is conjugate to its mirror image, from its elements 0 … n / 2.
  public func hfft(length: Int? = nil, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward) -> Tensor {
    asComplex.conjugate().irfft(length: length, alongAxis: axis, normalisation: normalisation.exchanged)
  }
  /// The inverse of ``hfft(length:alongAxis:normalisation:)``: half a signal from its real spectrum.
  public func ihfft(length: Int? = nil, alongAxis axis: Int = -1, normalisation: FourierNormalisation = .backward) -> Tensor {
    rfft(length: length, alongAxis: axis, normalisation: normalisation.exchanged).conjugate()
  }

  // MARK: Several axes

  /// Transforms along several axes, all unless named: NumPy's `fftn`, and `fft2` with `alongAxes: [-2, -1]`.
  ///
  /// - Parameters:
  ///   - lengths: of the signal, one for each of `axes`.
  ///   - axes: those transformed; nil stands for all.
  ///   - normalisation: what the sum is divided by; nothing unless told.
  public func fft(lengths: [Int]? = nil, alongAxes axes: [Int]?, normalisation: FourierNormalisation = .backward) -> Tensor {
    asComplex.transformed("fft", .forward, lengths, axes, normalisation)
  }
  public func ifft(lengths: [Int]? = nil, alongAxes axes: [Int]?, normalisation: FourierNormalisation = .backward) -> Tensor {
    asComplex.transformed("ifft", .inverse, lengths, axes, normalisation)
  }
  /// The last of `axes` keeps elements 0 … n / 2.
  public func rfft(lengths: [Int]? = nil, alongAxes axes: [Int]?, normalisation: FourierNormalisation = .backward) -> Tensor {
    guard !elementType.isComplex else {
      return reject1("rfft", "the signal must be real, but it is \(type). Use fft, or take its .real part.", like: type)
    }
    return asReal.transformed("rfft", .realForward, lengths, axes, normalisation)
  }
  public func irfft(lengths: [Int]? = nil, alongAxes axes: [Int]?, normalisation: FourierNormalisation = .backward) -> Tensor {
    asComplex.transformed("irfft", .realInverse, lengths, axes, normalisation)
  }

  /// Real numbers as complex ones.
  package var asComplex: Tensor {
    let x = asReal
    return x.elementType.isComplex ? x : x.converted(to: x.elementType == .float64 ? .complex128 : .complex64)
  }

  private func transformed(
    _ name: String, _ kind: FourierTransform.Kind, _ lengths: [Int]?, _ axes: [Int]?, _ normalisation: FourierNormalisation
  ) -> Tensor {
    let places = axes?.map { axis($0, name) } ?? Array(0..<rank)
    guard !places.isEmpty, Set(places).count == places.count, (lengths ?? places).count == places.count else {
      return reject1(
        name, "axes \(places) of \(shape) must be at least one, each named once, with a length for each if lengths are given.", like: type)
    }
    let isHalf = kind == .realInverse
    let sizes = places.enumerated().map { i, place -> Int in
      if let lengths { return lengths[i] }
      return isHalf && i == places.count - 1 ? 2 * (shape[place] - 1) : shape[place]
    }
    guard sizes.allSatisfy({ $0 >= 1 }) else {
      return reject1(
        name, "the lengths \(sizes) must be at least 1. Give a length for a spectrum of one element, and for none use zeros.", like: type)
    }
    var x = self
    for (i, place) in places.enumerated() { x = x.resized(isHalf && i == places.count - 1 ? sizes[i] / 2 + 1 : sizes[i], place) }
    let order = (0..<rank).filter { !places.contains($0) } + places
    x = x.transposed(order)
    // The primitive takes up to three axes, the last ones; the others are brought there in turn.
    let near = Swift.min(3, places.count)
    let far = Array(sizes.dropLast(near)), last = Array(sizes.suffix(near))
    if kind == .realInverse || kind == .inverse { x = x.transformedFar(.inverse, far, near) }
    x = apply1(.fourier(FourierTransform(kind, lengths: last)), x)
    if kind == .realForward || kind == .forward { x = x.transformedFar(.forward, far, near) }
    var back = order
    for (i, axis) in order.enumerated() { back[axis] = i }
    x = x.transposed(back)
    let count = sizes.reduce(1, *)
    let isInverse = kind == .inverse || kind == .realInverse
    let factor = normalisation.factor(isInverse: isInverse, count) * (isInverse ? Double(count) : 1)
    return factor == 1 ? x : x * factor
  }

  /// Transforms along axes of the given lengths that stand before the last `near`.
  private func transformedFar(_ kind: FourierTransform.Kind, _ lengths: [Int], _ near: Int) -> Tensor {
    var x = self
    for (i, n) in lengths.enumerated() {
      let place = rank - near - lengths.count + i
      let moved = x.movingAxis(place, to: rank - 1)
      x = apply1(.fourier(FourierTransform(kind, lengths: [n])), moved).movingAxis(rank - 1, to: place)
    }
    return x
  }

  /// Cut or filled up with zeros at the end of an axis.
  private func resized(_ length: Int, _ axis: Int) -> Tensor {
    let n = shape[axis]
    if n == length { return self }
    if n > length { return sliced(0..<length, alongAxis: axis) }
    var high = [Int](repeating: 0, count: rank)
    high[axis] = length - n
    return padded(low: [Int](repeating: 0, count: rank), high: high)
  }

  // MARK: Order

  /// Element 0 of a spectrum moved to the middle, place n / 2, along the axes (all unless named).
  public func fftShifted(alongAxes axes: [Int]? = nil) -> Tensor {
    (axes ?? Array(0..<rank)).reduce(self) { $0.rolled(by: $0.shape[axis($1, "fftShifted")] / 2, alongAxis: $1) }
  }
  /// The inverse of ``fftShifted(alongAxes:)``.
  public func inverseFFTShifted(alongAxes axes: [Int]? = nil) -> Tensor {
    (axes ?? Array(0..<rank)).reduce(self) { $0.rolled(by: -($0.shape[axis($1, "inverseFFTShifted")] / 2), alongAxis: $1) }
  }
}

/// The frequencies of the elements of a spectrum of length n, in cycles per unit: 0, 1, … then the negative ones, divided by n · spacing.
///
/// - Parameters:
///   - n: the length of the signal.
///   - spacing: from one element of the signal to the next.
///   - elementType: of the result.
public func fftFrequencies(_ n: Int, spacing: Double = 1, as elementType: ElementType = .float32) -> Tensor {
  guard n >= 1 else { return reject1("fftFrequencies", "a spectrum of \(n) elements has no frequencies.") }
  let place = arange(n, as: .float64)
  let signed = select(place .< Tensor(Double((n + 1) / 2), as: .float64), place, place - Double(n))
  return (signed / (Double(n) * spacing)).converted(to: elementType)
}
/// The frequencies of the n / 2 + 1 elements that ``Tensor/rfft(length:alongAxis:normalisation:)`` gives for a signal of length n.
public func rfftFrequencies(_ n: Int, spacing: Double = 1, as elementType: ElementType = .float32) -> Tensor {
  guard n >= 1 else { return reject1("rfftFrequencies", "a signal of \(n) elements has no spectrum.") }
  return (arange(n / 2 + 1, as: .float64) / (Double(n) * spacing)).converted(to: elementType)
}

/// The least length of at least `n` whose only prime factors are 2, 3 and 5: transforms of it are fast.
public func fastTransformLength(_ n: Int) -> Int {
  guard n > 1 else { return 1 }
  var best = 1
  while best < n { best *= 2 }
  var five = 1
  while five < best {
    var three = five
    while three < best {
      var length = three
      while length < n { length *= 2 }
      best = Swift.min(best, length)
      three *= 3
    }
    five *= 5
  }
  return best
}
