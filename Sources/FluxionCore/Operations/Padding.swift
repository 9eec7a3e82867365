/// What is put around an array, of its own elements.
public enum PaddingMode: Hashable, Sendable, CaseIterable {
  /// The array again: `c d | a b c d | a b` (NumPy's `wrap`).
  case circular
  /// Mirrored at its outermost elements: `c b | a b c d | c b`.
  case reflect
  /// Mirrored at its edges: `b a | a b c d | d c`.
  case symmetric
  /// The outermost elements repeated: `a a | a b c d | d d` (NumPy's `edge`).
  case replicate
}

extension Tensor {
  /// `low` elements added before and `high` after each axis, taken from the array itself; negative ones crop first. Any number can be
  /// added: the pattern goes on.
  public func padded(low: [Int], high: [Int], mode: PaddingMode) -> Tensor {
    guard low.count == rank, high.count == rank else {
      return reject1("padded", "low \(low) and high \(high) need one entry for each axis of \(shape).", like: type)
    }
    var result = padded(low: low.map { Swift.min($0, 0) }, high: high.map { Swift.min($0, 0) })
    for axis in 0..<rank where low[axis] > 0 || high[axis] > 0 {
      guard result.shape[axis] > 0 else {
        return reject1("padded", "axis \(axis) of \(result.shape) has no elements to fill a border with.", like: type)
      }
      result = result.extended(Swift.max(0, low[axis]), Swift.max(0, high[axis]), alongAxis: axis, mode)
    }
    return result
  }

  /// Pieces of the array and of its mirror image, one after another.
  private func extended(_ low: Int, _ high: Int, alongAxis axis: Int, _ mode: PaddingMode) -> Tensor {
    let n = shape[axis]
    if mode == .replicate || (mode == .reflect && n == 1) {
      func repeated(_ place: Int, _ count: Int) -> [Tensor] {
        count == 0 ? [] : [sliced(place..<place + 1, alongAxis: axis).repeated(count, alongAxis: axis)]
      }
      return concatenated(repeated(0, low) + [self] + repeated(n - 1, high), alongAxis: axis)
    }
    let period = mode == .circular ? n : mode == .symmetric ? 2 * n : 2 * n - 2
    // The mirror image of place i stands at `period - i`, or one before that.
    let mirror = mode == .symmetric ? period - 1 : period
    var pieces: [Tensor] = []
    var at = -low
    while at < n + high {
      let place = ((at % period) + period) % period
      if place < n {
        let count = Swift.min(n - place, n + high - at)
        pieces.append(sliced(place..<place + count, alongAxis: axis))
        at += count
      } else {
        let count = Swift.min(period - place, n + high - at)
        let last = mirror - place
        pieces.append(sliced(last - count + 1..<last + 1, alongAxis: axis).reversed(alongAxis: axis))
        at += count
      }
    }
    return concatenated(pieces, alongAxis: axis)
  }
}
