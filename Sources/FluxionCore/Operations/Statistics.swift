// What describes a sample: quantiles, spread, and how variables go together. `alongAxes: nil` means all axes.

/// What a quantile is where it falls between two elements.
public enum QuantileMethod: Hashable, Sendable, Codable, CaseIterable {
  /// On the straight line between them.
  case linear
  case lower, higher
  /// The nearer one; of two equally near that with the even place.
  case nearest
  /// Halfway.
  case midpoint
}

extension Tensor {
  /// The element that a part q of the others lies below: the one at place q (n - 1) of the sorted elements.
  ///
  /// Derivatives go to the elements chosen and, for `.linear`, to q. NaN where there is a NaN, and where there is no element.
  ///
  /// - Parameters:
  ///   - q: from 0 to 1: a scalar, or several of any shape; their axes come first in the result. Outside the range the nearest end is
  ///     taken.
  ///   - axes: those whose elements are taken together; nil stands for all.
  ///   - method: what lies between two elements.
  ///   - keepingAxes: whether those axes stay, with length 1.
  ///
  /// > R. J. Hyndman, Y. Fan. "Sample quantiles in statistical packages." *The American Statistician* 50(4), 1996: definition 7.
  public func quantile(
    _ q: Tensor, alongAxes axes: [Int]? = nil, method: QuantileMethod = .linear, keepingAxes: Bool = false
  ) -> Tensor {
    orderStatistic(q, axes, method, keepingAxes, skipsNaN: false)
  }
  public func quantile(_ q: Tensor, alongAxis axis: Int, method: QuantileMethod = .linear, keepingAxes: Bool = false) -> Tensor {
    quantile(q, alongAxes: [axis], method: method, keepingAxes: keepingAxes)
  }

  /// The ``quantile(_:alongAxes:method:keepingAxes:)`` at q / 100.
  public func percentile(
    _ q: Tensor, alongAxes axes: [Int]? = nil, method: QuantileMethod = .linear, keepingAxes: Bool = false
  ) -> Tensor {
    quantile(q.resolved(meeting: asReal.elementType).asReal / 100, alongAxes: axes, method: method, keepingAxes: keepingAxes)
  }

  /// The middle element, or the mean of the two middle ones.
  public func median(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    quantile(0.5, alongAxes: axes, keepingAxes: keepingAxes)
  }
  public func median(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor { median(alongAxes: [axis], keepingAxes: keepingAxes) }

  /// The quantile of the elements that are not NaN; NaN where there are none.
  public func nanQuantile(
    _ q: Tensor, alongAxes axes: [Int]? = nil, method: QuantileMethod = .linear, keepingAxes: Bool = false
  ) -> Tensor {
    orderStatistic(q, axes, method, keepingAxes, skipsNaN: true)
  }
  public func nanMedian(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    nanQuantile(0.5, alongAxes: axes, keepingAxes: keepingAxes)
  }

  private func orderStatistic(
    _ q: Tensor, _ axes: [Int]?, _ method: QuantileMethod, _ keepingAxes: Bool, skipsNaN: Bool
  ) -> Tensor {
    let x = asReal
    let reduced = (axes ?? Array(0..<rank)).map { axis($0, "quantile") }
    let kept = (0..<rank).filter { !reduced.contains($0) }
    let lines = x.transposed(kept + reduced).reshaped(to: Shape(kept.map { shape[$0] } + [reduced.reduce(1) { $0 * shape[$1] }]))
    let keptShape = keepingAxes ? Shape((0..<rank).map { reduced.contains($0) ? 1 : shape[$0] }) : Shape(kept.map { shape[$0] })
    let n = lines.shape[kept.count]
    let parts = q.resolved(meeting: x.elementType).converted(to: x.elementType)
    guard n > 0 else { return Tensor.full(.nan, parts.shape + keptShape, as: x.elementType) }
    let sorted = lines.sorted()
    // Lines of parts, each line of x with every part: [kept…, parts].
    let last: Tensor
    if skipsNaN {
      last = ((.!isNaN(sorted)).sum(alongAxis: -1, keepingAxes: true) - 1).converted(to: x.elementType)
    } else {
      last = Tensor(Double(n - 1), as: x.elementType)
    }
    let wanted = parts.flattened().broadcast(to: Shape(Array(lines.shape.dropLast())) + [parts.elementCount])
    let inRange = clamp(wanted, 0, 1)
    let place = inRange * maximum(last, 0)
    let (low, high) = (floor(place), ceil(place))
    func element(_ place: Tensor) -> Tensor { sorted.lookedUp(stopGradient(place).converted(to: .int32)) }
    var value: Tensor
    switch method {
    case .lower: value = element(low)
    case .higher: value = element(high)
    case .nearest: value = element(round(place))
    case .midpoint: value = (element(low) + element(high)) * 0.5
    case .linear:
      let (a, b) = (element(low), element(high))
      // Equal infinities have no difference, and a weight of 0 must not meet an infinite one. Between places a straight line; its slope
      // in q is the right one also where both places are the same.
      let t = place - stopGradient(low)
      value = a + binary(.multiplyNoNaN, t, select(a .== b, 0, b - a))
    }
    let ending = sorted.sliced(skipsNaN ? 0..<1 : n - 1..<n, alongAxis: -1)
    value = select(isNaN(ending), Tensor(.nan, as: x.elementType), value)
    return value.movingAxis(-1, to: 0).reshaped(to: parts.shape + keptShape)
  }

  /// The largest element minus the smallest.
  public func peakToPeak(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    max(alongAxes: axes, keepingAxes: keepingAxes) - min(alongAxes: axes, keepingAxes: keepingAxes)
  }

  /// Mean weighted by `weights`, which are broadcast against the elements: Σ w x / Σ w.
  public func average(weights: Tensor, alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let (x, w) = matched(asReal, weights, "average")
    return (x * w).sum(alongAxes: axes, keepingAxes: keepingAxes) / w.sum(alongAxes: axes, keepingAxes: keepingAxes)
  }

  /// (x - mean) / √(variance + ε): mean 0 and deviation 1 along the axes.
  public func standardised(alongAxes axes: [Int]? = nil, epsilon: Double = 0) -> Tensor {
    let centred = asReal - asReal.mean(alongAxes: axes, keepingAxes: true)
    return centred / sqrt(centred.squaredSizes.mean(alongAxes: axes, keepingAxes: true) + epsilon)
  }

  /// The most frequent element along `axis`, the smallest of several. The derivative goes to its first occurrence in sorted order.
  public func mode(alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "mode")
    let sorted = movingAxis(at, to: rank - 1).sorted()
    let occurrences = searchSorted(sorted, sorted, side: .right) - searchSorted(sorted, sorted, side: .left)
    return sorted.lookedUp(occurrences.argmax().expanded(at: -1)).squeezed([rank - 1])
  }

  /// The covariance of variables given as rows, `[…, variables, observations]`, with `n - correction` in the denominator:
  /// `[…, variables, variables]`. For complex variables E[x x̄ᵀ].
  public func covariance(correction: Int = 1) -> Tensor {
    guard rank >= 2 else { return reject1("covariance", "needs [variables, observations], not shape \(shape).", like: type) }
    let centred = asReal - asReal.mean(alongAxis: -1, keepingAxes: true)
    let other = centred.elementType.isComplex ? centred.conjugate() : centred
    return centred.matmul(other.T) / Double(shape[rank - 1] - correction)
  }

  /// Pearson's correlation coefficients of variables given as rows, `[…, variables, observations]`: `[…, variables, variables]`.
  public func correlation() -> Tensor {
    let c = covariance(correction: 0)
    let deviation = sqrt(c.elementType.isComplex ? c.diagonal().real : c.diagonal())
    return c / (deviation.expanded(at: -1) * deviation.expanded(at: -2))
  }
}

// MARK: - Without NaN

extension Tensor {
  private func withoutNaN(_ replacement: Double) -> Tensor {
    elementType.isDifferentiable ? select(isNaN(self), Tensor(replacement, as: elementType), self) : self
  }
  private func known(_ axes: [Int]?, _ keepingAxes: Bool) -> Tensor {
    (.!isNaN(asReal)).sum(alongAxes: axes, keepingAxes: keepingAxes).converted(to: asReal.elementType.realPart)
  }

  /// The sum of the elements that are not NaN; 0 where there are none.
  public func nanSum(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    withoutNaN(0).sum(alongAxes: axes, keepingAxes: keepingAxes)
  }
  /// The product of the elements that are not NaN; 1 where there are none.
  public func nanProduct(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    withoutNaN(1).product(alongAxes: axes, keepingAxes: keepingAxes)
  }
  /// The mean of the elements that are not NaN; NaN where there are none.
  public func nanMean(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    asReal.nanSum(alongAxes: axes, keepingAxes: keepingAxes) / known(axes, keepingAxes)
  }
  /// The variance of the elements that are not NaN, with `n - correction` in the denominator, of complex numbers that of |x - x̄|; NaN
  /// where there are too few.
  public func nanVariance(alongAxes axes: [Int]? = nil, correction: Int = 0, keepingAxes: Bool = false) -> Tensor {
    let centred = asReal - nanMean(alongAxes: axes, keepingAxes: true)
    let degrees = known(axes, keepingAxes) - Double(correction)
    let squares = select(isNaN(asReal), 0, centred).squaredSizes.sum(alongAxes: axes, keepingAxes: keepingAxes)
    return squares / select(degrees .> 0, degrees, Tensor(.nan, as: degrees.elementType))
  }
  public func nanStandardDeviation(alongAxes axes: [Int]? = nil, correction: Int = 0, keepingAxes: Bool = false) -> Tensor {
    sqrt(nanVariance(alongAxes: axes, correction: correction, keepingAxes: keepingAxes))
  }
  /// The largest element that is not NaN; NaN where there is none.
  public func nanMax(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    extremeWithoutNaN(axes, keepingAxes, -.infinity) { $0.max(alongAxes: axes, keepingAxes: keepingAxes) }
  }
  /// The smallest element that is not NaN; NaN where there is none.
  public func nanMin(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    extremeWithoutNaN(axes, keepingAxes, .infinity) { $0.min(alongAxes: axes, keepingAxes: keepingAxes) }
  }
  private func extremeWithoutNaN(_ axes: [Int]?, _ keepingAxes: Bool, _ filler: Double, _ extreme: (Tensor) -> Tensor) -> Tensor {
    guard elementType.isFloatingPoint else { return extreme(self) }
    return select(known(axes, keepingAxes) .== 0, Tensor(.nan, as: elementType), extreme(withoutNaN(filler)))
  }
}
