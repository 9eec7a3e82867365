// What a reduction makes of the elements up to each, along one axis: O(n), in one pass. f32 is carried in f64 and rounded at each element,
// integers wrap; NaN stays. With `reverse` the reductions run from the last element to the first. An empty axis stays empty.

extension Tensor {
  private func cumulated(_ reduction: Reduction, _ a: Int, _ reverse: Bool, _ name: String) -> Tensor {
    let at = axis(a, name)
    let x = elementType == .bool ? converted(to: .int32) : resolved(meeting: nil)
    return apply1(.cumulate(reduction, axis: at, reverse: reverse), x)
  }

  /// Sums from the first element to each, along `axis`: yᵢ = Σ xⱼ over j ≤ i; with `reverse` over j ≥ i. Truth values are counted (`i32`).
  public func cumulativeSum(alongAxis axis: Int = 0, reverse: Bool = false) -> Tensor {
    cumulated(.sum, axis, reverse, "cumulativeSum")
  }

  /// Products from the first element to each, along `axis`. The derivative is exact where factors are 0, to every order.
  public func cumulativeProduct(alongAxis axis: Int = 0, reverse: Bool = false) -> Tensor {
    cumulated(.product, axis, reverse, "cumulativeProduct")
  }

  /// The largest element so far, along `axis`. The derivative is that of the element that set the record; of equal ones, of the first
  /// met. From a NaN on, all are NaN.
  public func cumulativeMaximum(alongAxis axis: Int = 0, reverse: Bool = false) -> Tensor {
    cumulated(.maximum, axis, reverse, "cumulativeMaximum")
  }

  /// The smallest element so far, along `axis`. Derivatives as in ``cumulativeMaximum(alongAxis:reverse:)``.
  public func cumulativeMinimum(alongAxis axis: Int = 0, reverse: Bool = false) -> Tensor {
    cumulated(.minimum, axis, reverse, "cumulativeMinimum")
  }

  /// log Σ eˣ of the elements so far, along `axis`, each sum scaled by its own largest term: nothing overflows, and small terms are not
  /// lost to large ones that come later. -∞ stands for no terms, with derivative 0.
  public func cumulativeLogSumExp(alongAxis axis: Int = 0, reverse: Bool = false) -> Tensor {
    associativeScan(over: asReal, alongAxis: axis, reverse: reverse) { a, b in
      let top = stopGradient(maximum(a, b))
      let shift = select(isFinite(top), top, 0)
      let sum = exp(a - shift) + exp(b - shift)
      // As in `logSumExp`: where both terms are 0 the logarithm's slope is infinite.
      let empty = sum .== 0
      return select(empty, Tensor(-Double.infinity, as: a.elementType), log(select(empty, 1, sum)) + shift)
    }
  }
}
