// Reductions over axes and what is made of them. `alongAxes: nil` means all axes; negative axes count from the last.

extension Tensor {
  package func reduced(_ reduction: Reduction, _ axes: [Int]?, keepingAxes: Bool) -> Tensor {
    if axes == nil, !keepingAxes, let result = atOnce(reduction, self) { return result }
    let places = (axes?.map { axis($0, "\(reduction)") } ?? Array(0..<rank)).sorted()
    let x = resolved(meeting: nil)
    let result = places.isEmpty ? x : apply1(.reduce(reduction, axes: places), x)
    guard keepingAxes else { return result }
    var dimensions = shape.dimensions
    for p in places { dimensions[p] = 1 }
    return result.reshaped(to: Shape(dimensions))
  }

  /// The sum of all elements, or along some axes. Truth values are counted (`i32`).
  public func sum(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    (elementType == .bool ? converted(to: .int32) : self).reduced(.sum, axes, keepingAxes: keepingAxes)
  }
  public func sum(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor { sum(alongAxes: [axis], keepingAxes: keepingAxes) }

  public func product(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.product, axes, keepingAxes: keepingAxes)
  }
  /// The smallest element; NaN if there is one. Equal extremes share the derivative.
  public func min(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.minimum, axes, keepingAxes: keepingAxes)
  }
  public func min(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor { min(alongAxes: [axis], keepingAxes: keepingAxes) }
  /// The largest element; NaN if there is one. Equal extremes share the derivative.
  public func max(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.maximum, axes, keepingAxes: keepingAxes)
  }
  public func max(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor { max(alongAxes: [axis], keepingAxes: keepingAxes) }
  public func all(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.all, axes, keepingAxes: keepingAxes)
  }
  public func any(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.any, axes, keepingAxes: keepingAxes)
  }

  private func extent(_ axes: [Int]?) -> Int {
    axes.map { $0.reduce(1) { $0 * shape[axis($1, "mean")] } } ?? elementCount
  }

  /// The arithmetic mean.
  public func mean(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    asReal.sum(alongAxes: axes, keepingAxes: keepingAxes) / Double(extent(axes))
  }
  public func mean(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor { mean(alongAxes: [axis], keepingAxes: keepingAxes) }

  /// The variance: mean squared distance from the mean, divided by `n - correction`. Of complex numbers Σ|x - x̄|², real.
  public func variance(alongAxes axes: [Int]? = nil, correction: Int = 0, keepingAxes: Bool = false) -> Tensor {
    let x = asReal
    let centred = x - x.mean(alongAxes: axes, keepingAxes: true)
    return centred.squaredSizes.sum(alongAxes: axes, keepingAxes: keepingAxes) / Double(extent(axes) - correction)
  }

  public func standardDeviation(alongAxes axes: [Int]? = nil, correction: Int = 0, keepingAxes: Bool = false) -> Tensor {
    sqrt(variance(alongAxes: axes, correction: correction, keepingAxes: keepingAxes))
  }

  /// |x|² of each element: real, and smooth at 0.
  package var squaredSizes: Tensor { elementType.isComplex ? real.squared() + imaginary.squared() : squared() }

  /// The Euclidean norm √Σ|x|². At 0 its derivative is taken as 0.
  public func norm(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    sqrt(asReal.squaredSizes.sum(alongAxes: axes, keepingAxes: keepingAxes))
  }
  public func norm(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor { norm(alongAxes: [axis], keepingAxes: keepingAxes) }

  /// log Σ eˣ without overflow; -∞ where all elements are -∞ or there are none, with derivative 0 there.
  public func logSumExp(alongAxes axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let x = asReal
    let places = (axes ?? Array(0..<rank)).map { axis($0, "logSumExp") }
    // Of no elements there is no largest one.
    let isEmpty = places.contains { x.shape[$0] == 0 }
    let top = isEmpty ? Tensor(0, as: x.elementType) : stopGradient(x.max(alongAxes: axes, keepingAxes: true))
    let shift = select(isFinite(top), top, 0)
    let sum = exp(x - shift).sum(alongAxes: axes, keepingAxes: true)
    // Where every term is 0 the logarithm's slope is infinite; the value -∞ is put in without a derivative.
    let empty = sum .== 0
    let result = select(empty, Tensor(-Double.infinity, as: x.elementType), log(select(empty, 1, sum)) + shift)
    if keepingAxes { return result }
    return result.reshaped(to: x.shape.removing(axes: places))
  }
  public func logSumExp(alongAxis axis: Int, keepingAxes: Bool = false) -> Tensor {
    logSumExp(alongAxes: [axis], keepingAxes: keepingAxes)
  }

  /// eˣ / Σ eˣ along `axis`.
  public func softmax(alongAxis axis: Int = -1) -> Tensor {
    let x = asReal
    guard x.elementCount > 0 else { return x }
    let e = exp(x - stopGradient(x.max(alongAxis: axis, keepingAxes: true)))
    return e / e.sum(alongAxis: axis, keepingAxes: true)
  }
  public func logSoftmax(alongAxis axis: Int = -1) -> Tensor {
    asReal - logSumExp(alongAxis: axis, keepingAxes: true)
  }

  /// The place (`i32`) of the first smallest element along `axis`.
  public func argmin(alongAxis a: Int = -1) -> Tensor { apply1(.argReduce(.minimum, axis: axis(a, "argmin")), self) }
  /// The place (`i32`) of the first largest element along `axis`.
  public func argmax(alongAxis a: Int = -1) -> Tensor { apply1(.argReduce(.maximum, axis: axis(a, "argmax")), self) }
}
