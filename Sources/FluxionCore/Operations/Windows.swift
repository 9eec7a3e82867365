// Reductions over windows that slide along the axes, and pooling.
//
// Windows are boxes, so the axes are reduced one after the other. Along one axis of length L with windows of w elements there are
// three ways, all of operations that have derivatives of every order:
// - w ≤ 8: w slices combined element by element, which engines compute in one pass: w operations for each result;
// - windows that meet edge to edge (stride = w): the axis split in two, and a reduction over the second: one operation an element;
// - otherwise doubling: windows of 1, 2, 4 … elements each from two of half the length, and w from those by its binary digits: at
//   most 2⌈log₂ w⌉ passes over all L places, whatever the stride. (No running sums: differences of those cancel.)
//
// Where several elements of a window share its extreme, they share its derivative: the weights sum to 1. Edge to edge they are
// equal; by slices and doubling each pair of equals halves what it gets.

extension Tensor {
  /// Each window of elements reduced to one. Windows go over all axes; 1 leaves an axis as it is.
  ///
  /// - Parameters:
  ///   - reduction: sum, product, minimum or maximum of numbers, all or any of truth values.
  ///   - window: elements in a window, one number for each axis.
  ///   - stride: places from one window to the next, one for each axis or one for all; 1 unless given.
  ///   - dilation: places from one element of a window to the next, like `stride`.
  ///   - padding: what is added around: under `.valid`, `.same` and `.explicit` what does not change the reduction (0, 1, ±∞).
  /// - Returns: along each axis ⌊(n + low + high - span) / stride⌋ + 1 elements, with a span of (window - 1)·dilation + 1; none if
  ///   that is longer than the axis.
  public func windowReduced(
    by reduction: Reduction, window: [Int], stride: [Int]? = nil, dilation: [Int]? = nil, padding: ConvolutionPadding = .valid
  ) -> Tensor {
    let x = resolved(meeting: nil)
    guard let (stride, dilation, low, high) = placement("windowReduced", window, stride, dilation, padding) else {
      return reject1(
        "windowReduced",
        "windows \(window) on \(shape) need one entry for each axis, as do strides and dilations; all must be at least 1.", like: type)
    }
    var result = x
    if case let .extended(mode) = padding {
      result = x.padded(low: low, high: high, mode: mode)
    } else if (low + high).contains(where: { $0 != 0 }) {
      result = x.padded(low: low, high: high, with: reduction.identity(elementType))
    }
    for axis in 0..<rank { result = result.windows(reduction, axis, window[axis], stride[axis], dilation[axis]) }
    return result
  }

  private func placement(
    _ operation: String, _ window: [Int], _ stride: [Int]?, _ dilation: [Int]?, _ padding: ConvolutionPadding
  ) -> (stride: [Int], dilation: [Int], low: [Int], high: [Int])? {
    let (stride, dilation) = (perAxis(stride, rank), perAxis(dilation, rank))
    guard [window, stride, dilation].allSatisfy({ $0.count == rank && $0.allSatisfy { $0 >= 1 } }) else { return nil }
    let spans = zip(window, dilation).map { ($0 - 1) * $1 + 1 }
    let (low, high) = padding.amounts(shape.dimensions, spans: spans, stride: stride)
    guard low.count == rank, high.count == rank else { return nil }
    return (stride, dilation, low, high)
  }

  /// The windows along one axis.
  private func windows(_ reduction: Reduction, _ axis: Int, _ w: Int, _ stride: Int, _ dilation: Int) -> Tensor {
    let length = shape[axis]
    let room = length - (w - 1) * dilation - 1
    let count = room < 0 ? 0 : room / stride + 1
    func part(_ x: Tensor, from start: Int, _ count: Int, _ step: Int) -> Tensor {
      var (first, limit, steps) = ([Int](repeating: 0, count: rank), x.shape.dimensions, [Int](repeating: 1, count: rank))
      first[axis] = count == 0 ? 0 : start
      limit[axis] = count == 0 ? 0 : start + (count - 1) * step + 1
      steps[axis] = step
      return x.sliced(start: first, limit: limit, stride: steps)
    }
    if w == 1 || count == 0 { return part(self, from: 0, count, stride) }
    if w <= 8 {
      return (1..<w).reduce(part(self, from: 0, count, stride)) { reduction.combined($0, part(self, from: $1 * dilation, count, stride)) }
    }
    if dilation == 1 && stride == w {
      var split = shape.dimensions
      split.replaceSubrange(axis...axis, with: [count, w])
      return part(self, from: 0, count * w, 1).reshaped(to: Shape(split)).reduced(reduction, [axis + 1], keepingAxes: false)
    }
    // `power` reduces `size` elements from each place on; `result` the first `done` of each window.
    var (power, size) = (self, 1)
    var result: Tensor?
    var done = 0
    while true {
      if w & size != 0 {
        let places = length - (done + size - 1) * dilation
        let next = part(power, from: done * dilation, places, 1)
        result = result.map { reduction.combined(part($0, from: 0, places, 1), next) } ?? next
        done += size
      }
      if done == w { break }
      let places = power.shape[axis] - size * dilation
      power = reduction.combined(part(power, from: 0, places, 1), part(power, from: size * dilation, places, 1))
      size *= 2
    }
    return part(result!, from: 0, count, stride)
  }
}

extension Reduction {
  fileprivate func combined(_ a: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .sum: a + b
    case .product: a * b
    case .minimum: binary(.minimum, a, b)
    case .maximum: binary(.maximum, a, b)
    case .all: a .& b
    case .any: a .| b
    }
  }

  /// What can be added to a reduction without changing it.
  fileprivate func identity(_ type: ElementType) -> Tensor {
    switch self {
    case .sum: return Tensor(0, as: type)
    case .product: return Tensor(1, as: type)
    case .all: return Tensor(true)
    case .any: return Tensor(false)
    case .minimum, .maximum:
      if type == .bool { return Tensor(self == .minimum) }
      guard type.isInteger else { return Tensor(self == .minimum ? Double.infinity : -Double.infinity, as: type) }
      // The least integer; the greatest has all its bits exchanged.
      let isUnsigned = type.description.hasPrefix("u")
      let least = Tensor(isUnsigned ? 0 : -Double(sign: .plus, exponent: 8 * type.byteCount - 1, significand: 1), as: type)
      return self == .maximum ? least : least.unary(.not)
    }
  }
}

// MARK: - Pooling

/// A window on the spatial axes of `[N, S…, C]` as one on all axes.
private func spatial(_ x: Tensor, _ numbers: [Int]?) -> [Int]? {
  numbers.map { [1] + perAxis($0, Swift.max(0, x.rank - 2)) + [1] }
}
private func spatial(_ padding: ConvolutionPadding) -> ConvolutionPadding {
  guard case let .explicit(low, high) = padding else { return padding }
  return .explicit(low: [0] + low + [0], high: [0] + high + [0])
}
private func pooled(
  _ name: String, _ x: Tensor, _ reduction: Reduction, _ window: [Int], _ stride: [Int]?, _ padding: ConvolutionPadding,
  _ dilation: [Int]?
) -> Tensor {
  guard x.rank >= 3 else { return reject1(name, "needs [N, S…, C] with at least one spatial axis, not \(x.shape).", like: x.type) }
  let n = x.rank - 2
  guard [window, stride ?? window, dilation ?? [1]].allSatisfy({ [1, n].contains($0.count) && $0.allSatisfy { $0 >= 1 } }) else {
    return reject1(
      name, "windows \(window), strides \(stride ?? window) and dilations \(dilation ?? [1]) need one number of at least 1 for each of the \(n) spatial axes of \(x.shape), or one for all.",
      like: x.type)
  }
  return x.windowReduced(
    by: reduction, window: spatial(x, window)!, stride: spatial(x, stride ?? window), dilation: spatial(x, dilation),
    padding: spatial(padding))
}

/// The largest element of each window on the spatial axes: x `[N, S…, C]`, result `[N, S′…, C]`. What is padded never wins.
///
/// - Parameters:
///   - x: the input, channels last.
///   - window: elements in a window, one number for each spatial axis or one for all.
///   - stride: places from one window to the next; the window unless given, so that windows meet edge to edge.
///   - padding: what is added around the input.
///   - dilation: places from one element of a window to the next, like `window`. 1 unless given.
public func maxPool(
  _ x: Tensor, window: [Int], stride: [Int]? = nil, padding: ConvolutionPadding = .valid, dilation: [Int]? = nil
) -> Tensor {
  pooled("maxPool", x, .maximum, window, stride, padding, dilation)
}
/// The smallest element of each window; see ``maxPool(_:window:stride:padding:dilation:)``.
public func minPool(
  _ x: Tensor, window: [Int], stride: [Int]? = nil, padding: ConvolutionPadding = .valid, dilation: [Int]? = nil
) -> Tensor {
  pooled("minPool", x, .minimum, window, stride, padding, dilation)
}
/// The sum of each window; see ``maxPool(_:window:stride:padding:dilation:)``.
public func sumPool(
  _ x: Tensor, window: [Int], stride: [Int]? = nil, padding: ConvolutionPadding = .valid, dilation: [Int]? = nil
) -> Tensor {
  pooled("sumPool", x, .sum, window, stride, padding, dilation)
}
/// The mean of each window; see ``maxPool(_:window:stride:padding:dilation:)``.
///
/// - Parameters:
///   - x: the input, channels last.
///   - window: elements in a window, one number for each spatial axis or one for all.
///   - stride: places from one window to the next; the window unless given, so that windows meet edge to edge.
///   - padding: what is added around the input.
///   - dilation: places from one element of a window to the next, like `window`. 1 unless given.
///   - countsPadding: whether zeros that were added count as elements; else a window at the border is the mean of those it has.
public func averagePool(
  _ x: Tensor, window: [Int], stride: [Int]? = nil, padding: ConvolutionPadding = .valid, dilation: [Int]? = nil,
  countsPadding: Bool = false
) -> Tensor {
  let x = x.asReal
  let sums = pooled("averagePool", x, .sum, window, stride, padding, dilation)
  var isAllCounted = countsPadding
  switch padding {
  case .valid, .extended: isAllCounted = true
  case .same, .explicit: break
  }
  guard !isAllCounted, sums.rank == x.rank else { return sums / Double(perAxis(window, x.rank - 2).reduce(1, *)) }
  let ones = Tensor.ones(Shape([1] + x.shape.dimensions[1..<x.rank - 1] + [1]), as: x.elementType.realPart)
  let counts = pooled("averagePool", ones, .sum, window, stride, padding, dilation)
  return sums / maximum(counts, 1)
}

// MARK: - Patches

extension Tensor {
  /// The windows themselves: this tensor `[N, S…, C]`, result `[N, S′…, window…, C]` (im2col). Zeros are added for padding.
  public func patches(
    window: [Int], stride: [Int]? = nil, dilation: [Int]? = nil, padding: ConvolutionPadding = .valid
  ) -> Tensor {
    let n = rank - 2
    let (window, steps, apart) = (perAxis(window, n), perAxis(stride, n), perAxis(dilation, n))
    guard n >= 1, [window, steps, apart].allSatisfy({ $0.count == n && $0.allSatisfy { $0 >= 1 } }) else {
      return reject1(
        "patches",
        "windows \(window), strides \(steps) and dilations \(apart) must be at least 1, one for each spatial axis of \(shape).",
        like: type)
    }
    let spans = (0..<n).map { (window[$0] - 1) * apart[$0] + 1 }
    let (low, high) = padding.amounts(Array(shape.dimensions[1...n]), spans: spans, stride: steps)
    var result: Tensor
    if case let .extended(mode) = padding {
      result = padded(low: [0] + low + [0], high: [0] + high + [0], mode: mode)
    } else {
      result = (low + high).allSatisfy { $0 == 0 } ? self : padded(low: [0] + low + [0], high: [0] + high + [0])
    }
    for axis in 0..<n {
      let count = Swift.max(0, (result.shape[axis + 1] - spans[axis]) / steps[axis] + 1)
      guard result.shape[axis + 1] >= spans[axis], count > 0 else {
        return reject1("patches", "a window that spans \(spans[axis]) does not fit in axis \(axis + 1) of \(result.shape).", like: type)
      }
      let parts = (0..<window[axis]).map { i -> Tensor in
        var (start, limit) = ([Int](repeating: 0, count: result.rank), result.shape.dimensions)
        var stride = [Int](repeating: 1, count: result.rank)
        start[axis + 1] = i * apart[axis]
        limit[axis + 1] = i * apart[axis] + (count - 1) * steps[axis] + 1
        stride[axis + 1] = steps[axis]
        return result.sliced(start: start, limit: limit, stride: stride)
      }
      result = stacked(parts, alongAxis: result.rank - 1)
    }
    return result
  }

  /// Patches put back where ``patches(window:stride:dilation:padding:)`` took them from, overlaps added (col2im): the transpose of that
  /// function. This tensor `[N, S′…, window…, C]`, result `[N, size…, C]`.
  public func foldedPatches(
    to size: [Int], stride: [Int]? = nil, dilation: [Int]? = nil, padding: ConvolutionPadding = .valid
  ) -> Tensor {
    let n = size.count
    let (steps, apart) = (perAxis(stride, n), perAxis(dilation, n))
    guard n >= 1, rank == 2 * n + 2, [steps, apart].allSatisfy({ $0.count == n && $0.allSatisfy { $0 >= 1 } }) else {
      return reject1(
        "foldedPatches", "patches [N, S…, window…, C] of \(n) spatial axes have \(2 * n + 2) axes, not those of \(shape).", like: type)
    }
    if case .extended = padding { return reject1("foldedPatches", "only a border of zeros can be taken off again.", like: type) }
    let window = Array(shape.dimensions[(n + 1)...(2 * n)])
    let spans = (0..<n).map { (window[$0] - 1) * apart[$0] + 1 }
    let (low, high) = padding.amounts(size, spans: spans, stride: steps)
    var result = self
    for axis in (0..<n).reversed() {
      let (count, length) = (result.shape[axis + 1], size[axis] + low[axis] + high[axis])
      let covered = (count - 1) * steps[axis] + 1
      guard count >= 1, length >= spans[axis], (length - spans[axis]) / steps[axis] + 1 == count else {
        return reject1(
          "foldedPatches", "\(count) windows along axis \(axis + 1) of \(shape) do not come from a length of \(size[axis]).",
          like: type)
      }
      let place = result.rank - 2
      let parts = (0..<window[axis]).map { i -> Tensor in
        let part = result.sliced(i..<i + 1, alongAxis: place).squeezed([place])
        let zeros = [Int](repeating: 0, count: part.rank)
        var (before, after, between) = (zeros, zeros, zeros)
        before[axis + 1] = i * apart[axis]
        between[axis + 1] = steps[axis] - 1
        after[axis + 1] = length - covered - before[axis + 1]
        return part.padded(low: before, high: after, interior: between)
      }
      result = parts.dropFirst().reduce(parts[0]) { $0 + $1 }
    }
    return result.padded(low: [0] + low.map { -$0 } + [0], high: [0] + high.map { -$0 } + [0])
  }
}
