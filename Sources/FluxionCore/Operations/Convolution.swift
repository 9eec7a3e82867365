// Convolution over one to three spatial axes, and its transpose.

/// How much is added around the input of a convolution or window operation.
public enum ConvolutionPadding: Hashable, Sendable {
  /// Nothing: only whole windows.
  case valid
  /// So that a stride of 1 keeps each spatial length; with stride s it becomes ⌈n / s⌉. An odd element goes to the end.
  case same
  /// Before and after, for each spatial axis; negative crops.
  case explicit(low: [Int], high: [Int])
  /// As much as ``same``, filled in from the input instead of with zeros.
  case extended(PaddingMode)
}

extension ConvolutionPadding {
  /// What is added before and after axes of the given lengths under windows that cover `spans`.
  func amounts(_ lengths: [Int], spans: [Int], stride: [Int]) -> (low: [Int], high: [Int]) {
    switch self {
    case .valid:
      let none = [Int](repeating: 0, count: lengths.count)
      return (none, none)
    case let .explicit(low, high): return (low, high)
    case .same, .extended:
      let total = lengths.indices.map { axis -> Int in
        let outputs = (lengths[axis] + stride[axis] - 1) / stride[axis]
        return Swift.max(0, (outputs - 1) * stride[axis] + spans[axis] - lengths[axis])
      }
      return (total.map { $0 / 2 }, total.map { $0 - $0 / 2 })
    }
  }
}

/// One number for each of `count` axes: 1 if there are none, the only one for all.
func perAxis(_ numbers: [Int]?, _ count: Int) -> [Int] {
  // A rank that is too low is reported where shapes are checked.
  guard let numbers else { return [Int](repeating: 1, count: Swift.max(0, count)) }
  return numbers.count == 1 ? [Int](repeating: numbers[0], count: Swift.max(0, count)) : numbers
}

/// Convolution (cross-correlation) over one to three spatial axes, by rank: x `[N, S…, C]`, kernel `[s…, C / groups, O]`, result
/// `[N, S′…, O]`.
///
///     y[n, p, o] = Σᵢ Σ꜀ x[n, p·stride + i·dilation - low, c] k[i, c, o]
///
/// - Parameters:
///   - x: the input, channels last.
///   - kernel: the weights of a window.
///   - stride: places of the input from one window to the next; one number for each spatial axis, or one for all. 1 unless given.
///   - padding: what is added around the input.
///   - dilation: places from one element of the window to the next, like `stride`.
///   - inputDilation: the input's elements are first moved apart, with zeros between, which take part like others; see
///     ``transposedConvolution(_:_:stride:padding:outputPadding:dilation:groups:)``, which does not compute with them.
///   - groups: into how many parts that do not mix the channels are divided.
public func convolution(
  _ x: Tensor, _ kernel: Tensor, stride: [Int]? = nil, padding: ConvolutionPadding = .valid, dilation: [Int]? = nil,
  inputDilation: [Int]? = nil, groups: Int = 1
) -> Tensor {
  var (x, kernel) = promotedPair(x.asReal, kernel.asReal)
  if x.elementType.isComplex {
    return ofParts(x, kernel) {
      convolution($0, $1, stride: stride, padding: padding, dilation: dilation, inputDilation: inputDilation, groups: groups)
    }
  }
  let n = kernel.rank - 2
  let (stride, dilation) = (perAxis(stride, n), perAxis(dilation, n))
  var geometry = ConvolutionGeometry(input: x.shape, kernel: kernel.shape, stride: stride, dilation: dilation, groups: groups)
  // What does not fit is left to the shape rule, which words it.
  guard n >= 1, x.rank == kernel.rank, stride.count == n, dilation.count == n, (stride + dilation).allSatisfy({ $0 > 0 }) else {
    return apply1(.convolution(geometry, .output), x, kernel)
  }
  if let inputDilation {
    let apart = perAxis(inputDilation, n)
    guard apart.count == n, apart.allSatisfy({ $0 >= 1 }) else {
      return reject1(
        "convolution", "input dilations \(inputDilation) must be at least 1, one for each of the \(n) spatial axes.", like: x.type)
    }
    let none = [Int](repeating: 0, count: x.rank)
    x = x.padded(low: none, high: none, interior: [0] + apart.map { $0 - 1 } + [0])
    geometry.input = x.shape
  }
  let spans = (0..<n).map { (kernel.shape[$0] - 1) * dilation[$0] + 1 }
  let (low, high) = padding.amounts(Array(x.shape.dimensions[1...n]), spans: spans, stride: stride)
  if case let .extended(mode) = padding {
    x = x.padded(low: [0] + low + [0], high: [0] + high + [0], mode: mode)
    geometry.input = x.shape
  } else {
    (geometry.paddingLow, geometry.paddingHigh) = (low, high)
  }
  return apply1(.convolution(geometry, .output), x, kernel)
}

/// The transposed convolution: the gradient of ``convolution(_:_:stride:padding:dilation:inputDilation:groups:)`` with respect to its
/// input, used to enlarge images. y `[N, S…, O]`, kernel `[s…, C / groups, O]`, result `[N, S′…, C]`.
///
/// Every element of y adds the kernel, scaled by it, at its place: S′ = (S - 1)·stride + span - low - high + outputPadding, with a span
/// of (s - 1)·dilation + 1. With ``ConvolutionPadding/same`` S′ = S·stride.
///
/// - Parameters:
///   - y: the input, channels last.
///   - kernel: the weights of a window, as the convolution that is transposed has them.
///   - stride: places of the result from one window to the next; one number for each spatial axis, or one for all. 1 unless given.
///   - padding: of the convolution that is transposed: what is cut off the result.
///   - outputPadding: elements more at the end of each axis, less than the stride: several lengths give the same S when convolved.
///   - dilation: places from one element of the window to the next, like `stride`.
///   - groups: into how many parts that do not mix the channels are divided.
public func transposedConvolution(
  _ y: Tensor, _ kernel: Tensor, stride: [Int]? = nil, padding: ConvolutionPadding = .valid, outputPadding: [Int]? = nil,
  dilation: [Int]? = nil, groups: Int = 1
) -> Tensor {
  let (y, kernel) = promotedPair(y.asReal, kernel.asReal)
  if y.elementType.isComplex {
    return ofParts(y, kernel) {
      transposedConvolution($0, $1, stride: stride, padding: padding, outputPadding: outputPadding, dilation: dilation, groups: groups)
    }
  }
  func refuse(_ message: String) -> Tensor { reject1("transposedConvolution", message, like: y.type) }
  let n = kernel.rank - 2
  guard y.rank == kernel.rank && (1...3).contains(n) else {
    return refuse("needs [N, S…, O] and [s…, C / groups, O] with one to three spatial axes, not \(y.shape) and \(kernel.shape).")
  }
  let (stride, dilation) = (perAxis(stride, n), perAxis(dilation, n))
  let extra = outputPadding.map { perAxis($0, n) } ?? [Int](repeating: 0, count: n)
  guard stride.count == n, dilation.count == n, extra.count == n, (stride + dilation).allSatisfy({ $0 > 0 }) else {
    return refuse("strides \(stride), dilations \(dilation) and output paddings \(extra) need one entry for each of the \(n) spatial axes.")
  }
  guard zip(extra, stride).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
    return refuse("output paddings \(extra) must be less than the strides \(stride). Pad the result for more.")
  }
  let spans = (0..<n).map { (kernel.shape[$0] - 1) * dilation[$0] + 1 }
  let lengths = Array(y.shape.dimensions[1...n])
  var geometry = ConvolutionGeometry(input: y.shape, kernel: kernel.shape, stride: stride, dilation: dilation, groups: groups)
  let size: [Int]
  switch padding {
  case .extended: return refuse("a transposed convolution adds no border. Use .valid, .same or .explicit.")
  case .same:
    size = (0..<n).map { lengths[$0] * stride[$0] }
    (geometry.paddingLow, geometry.paddingHigh) = padding.amounts(size, spans: spans, stride: stride)
  case .valid, .explicit:
    let (low, high) = padding.amounts(lengths, spans: spans, stride: stride)
    guard low.count == n, high.count == n else {
      return refuse("paddings \(low) and \(high) need one entry for each of the \(n) spatial axes.")
    }
    (geometry.paddingLow, geometry.paddingHigh) = (low, high)
    size = (0..<n).map { axis -> Int in
      let steps: Int = (lengths[axis] - 1) * stride[axis]
      return steps + spans[axis] - low[axis] - high[axis] + extra[axis]
    }
  }
  guard size.allSatisfy({ $0 >= 0 }) else {
    return refuse("the padding \(geometry.paddingLow), \(geometry.paddingHigh) cuts off more than there is of \(y.shape).")
  }
  geometry.input = Shape([y.shape[0]] + size + [kernel.shape[n] * groups])
  return apply1(.convolution(geometry, .input), y, kernel)
}

/// A bilinear function of complex numbers from one of real numbers.
private func ofParts(_ a: Tensor, _ b: Tensor, _ f: (Tensor, Tensor) -> Tensor) -> Tensor {
  complex(f(a.real, b.real) - f(a.imaginary, b.imaginary), f(a.real, b.imaginary) + f(a.imaginary, b.real))
}
