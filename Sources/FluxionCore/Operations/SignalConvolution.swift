/// Which part of the convolution of two signals is kept.
public enum SignalExtent: Hashable, Sendable, CaseIterable {
  /// All places where they overlap: n + m - 1.
  case full
  /// As many as the first signal has, from the middle.
  case same
  /// Those where they overlap wholly: n - m + 1.
  case valid
}

extension Tensor {
  /// The convolution (a ∗ b)[k] = Σⱼ a[j] b[k - j] of two signals, by the convolution theorem: O(n log n) for lengths that together
  /// are n, where sums would take the product of the lengths. For kernels of a few dozen elements
  /// ``convolution(_:_:stride:padding:dilation:inputDilation:groups:)`` takes less time.
  ///
  /// - Parameters:
  ///   - other: the second signal. Axes that are not convolved are broadcast.
  ///   - extent: which places are kept; under `.valid` `other` may be longer along no axis.
  ///   - axes: along which to convolve, counted from the last if negative (of both signals); all unless given.
  /// - Note: rounding errors are relative to the largest elements of the result, not to each.
  public func convolved(with other: Tensor, extent: SignalExtent = .full, alongAxes axes: [Int]? = nil) -> Tensor {
    let (a, b) = promotedPair(asReal, other.asReal)
    func refuse(_ message: String) -> Tensor { reject1("convolved", message, like: a.type) }
    guard axes != nil || a.rank == b.rank else {
      return refuse("signals \(a.shape) and \(b.shape) have different axes. Name those to convolve along.")
    }
    // From the last, so that both signals mean the same ones.
    let places = axes?.map { $0 < 0 ? $0 : $0 - a.rank } ?? (0..<a.rank).map { $0 - a.rank }
    guard places.allSatisfy({ -$0 <= a.rank && -$0 <= b.rank && $0 < 0 }), Set(places).count == places.count, !places.isEmpty else {
      return refuse("axes \(places) are not distinct axes of both \(a.shape) and \(b.shape).")
    }
    let (n, m) = (places.map { a.shape[a.rank + $0] }, places.map { b.shape[b.rank + $0] })
    guard (n + m).allSatisfy({ $0 > 0 }), extent != .valid || zip(n, m).allSatisfy({ $0 >= $1 }) else {
      return refuse("lengths \(n) and \(m) must be at least 1, and for the valid part the first at least the second.")
    }
    let lengths = zip(n, m).map { fastTransformLength($0 + $1 - 1) }
    var result: Tensor
    if a.elementType.isComplex {
      result = (a.fft(lengths: lengths, alongAxes: places) * b.fft(lengths: lengths, alongAxes: places)).ifft(alongAxes: places)
    } else {
      let product = a.rfft(lengths: lengths, alongAxes: places) * b.rfft(lengths: lengths, alongAxes: places)
      result = product.irfft(lengths: lengths, alongAxes: places)
    }
    for (i, place) in places.enumerated() {
      let range: Range<Int> =
        switch extent {
        case .full: 0..<n[i] + m[i] - 1
        case .same: (m[i] - 1) / 2..<(m[i] - 1) / 2 + n[i]
        case .valid: m[i] - 1..<n[i]
        }
      result = result.sliced(range, alongAxis: place)
    }
    return result
  }

  /// The correlation Σⱼ a[j + k] b̄[j] of two signals: the convolution with `other` conjugated and reversed. Lag 0 of the full
  /// extent is at place m - 1, for m elements of `other`.
  public func correlated(with other: Tensor, extent: SignalExtent = .full, alongAxes axes: [Int]? = nil) -> Tensor {
    let b = other.asReal
    let places = axes.map { $0.map { $0 < 0 ? $0 : $0 - rank } } ?? (0..<b.rank).map { $0 - b.rank }
    guard places.allSatisfy({ $0 < 0 && -$0 <= b.rank }) else {
      return reject1("correlated", "axes \(places) are not axes of both \(shape) and \(b.shape).", like: type)
    }
    let reversed = apply1(.reverse(axes: places.map { b.rank + $0 }), b)
    return convolved(with: b.elementType.isComplex ? reversed.conjugate() : reversed, extent: extent, alongAxes: axes)
  }
}
