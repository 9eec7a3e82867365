extension Tensor {
  /// The elements in order along `axis`; NaN last.
  public func sorted(alongAxis a: Int = -1, descending: Bool = false) -> Tensor {
    apply1(.sort(axis: axis(a, "sorted"), descending: descending), self)
  }

  /// The places (`i32`) that would sort along `axis`; equal elements keep their order.
  public func argsort(alongAxis a: Int = -1, descending: Bool = false) -> Tensor {
    sortedWithPlaces(axis(a, "argsort"), descending: descending).places
  }

  /// The `count` largest elements along the last axis, largest first, and their places (`i32`).
  public func topK(_ count: Int) -> (values: Tensor, places: Tensor) {
    let last = axis(-1, "topK")
    guard count >= 0 && count <= shape[last] else {
      return (reject1("topK", "\(count) elements cannot be taken from an axis of \(shape[last]).", like: type), self)
    }
    let (values, places) = sortedWithPlaces(last, descending: true)
    return (values.sliced(0..<count, alongAxis: last), places.sliced(0..<count, alongAxis: last))
  }

  package func sortedWithPlaces(_ axis: Int, descending: Bool) -> (values: Tensor, places: Tensor) {
    let x = resolved(meeting: nil)
    let both = apply(.sort(axis: axis, descending: descending), [x, iota(x.shape, alongAxis: axis)])
    return (both[0], both.count > 1 ? both[1] : both[0])
  }
}
