// Differences, slopes and areas of sampled functions.

extension Tensor {
  /// x[i+1] - x[i] along `axis`, `order` times over: each round is one shorter.
  public func differences(order: Int = 1, alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "differences")
    guard order >= 0 else { return reject1("differences", "an order of \(order) has no meaning.", like: type) }
    return (0..<order).reduce(self) { x, _ in
      let n = x.shape[at]
      return n == 0 ? x : x.sliced(1..<n, alongAxis: at) - x.sliced(0..<n - 1, alongAxis: at)
    }
  }

  /// The slope along `axis` of a function sampled at even steps: central differences inside, one-sided ones of first order at the ends.
  public func numericalGradient(spacing: Double = 1, alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "numericalGradient")
    return numericalGradient(at: arange(shape[at], as: asReal.elementType.realPart) * spacing, alongAxis: at)
  }

  /// The slope along `axis` of a function sampled at `places` (a vector): inside that of the parabola through three neighbours, at the
  /// ends one-sided differences.
  ///
  /// > B. Fornberg. "Generation of finite difference formulas on arbitrarily spaced grids." *Mathematics of Computation* 51(184), 1988.
  public func numericalGradient(at places: Tensor, alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "numericalGradient")
    let n = shape[at]
    guard n >= 2, places.shape == [n] else {
      return reject1(
        "numericalGradient", "an axis of \(n) needs at least two elements and as many places, not \(places.shape).", like: type)
    }
    let y = asReal.movingAxis(at, to: rank - 1)
    let h = places.differences()
    let slope = y.differences() / h
    let ends = (slope.sliced(0..<1, alongAxis: -1), slope.sliced(n - 2..<n - 1, alongAxis: -1))
    guard n > 2 else { return concatenated(ends.0, ends.1, alongAxis: rank - 1).movingAxis(rank - 1, to: at) }
    let (before, after) = (h.sliced(0..<n - 2, alongAxis: 0), h.sliced(1..<n - 1, alongAxis: 0))
    let (left, right) = (slope.sliced(0..<n - 2, alongAxis: -1), slope.sliced(1..<n - 1, alongAxis: -1))
    let inside = (left * after + right * before) / (before + after)
    return concatenated([ends.0, inside, ends.1], alongAxis: rank - 1).movingAxis(rank - 1, to: at)
  }

  /// The integral along `axis` of the straight lines through samples `spacing` apart.
  public func trapezoid(spacing: Double = 1, alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "trapezoid")
    return (asReal.neighbourMeans(at) * spacing).sum(alongAxis: at)
  }

  /// The integral along `axis` of the straight lines through samples at `places`: a vector, or shaped as the samples.
  public func trapezoid(at places: Tensor, alongAxis a: Int = -1) -> Tensor {
    let at = axis(a, "trapezoid")
    guard places.shape == shape || places.shape == [shape[at]] else {
      return reject1("trapezoid", "places of shape \(places.shape) do not fit axis \(at) of shape \(shape).", like: type)
    }
    let y = asReal.movingAxis(at, to: rank - 1)
    let x = places.rank == rank ? places.movingAxis(at, to: rank - 1) : places
    return (y.neighbourMeans(rank - 1) * x.differences()).sum(alongAxis: -1)
  }

  private func neighbourMeans(_ at: Int) -> Tensor {
    let n = Swift.max(shape[at], 1)
    return (sliced(Swift.min(1, shape[at])..<shape[at], alongAxis: at) + sliced(0..<n - 1, alongAxis: at)) * 0.5
  }
}
