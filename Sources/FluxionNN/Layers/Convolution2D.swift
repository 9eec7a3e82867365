public import FluxionCore

/// A 2-D convolution (cross-correlation) of images `[batch, height, width, channels]`.
public struct Convolution2D: Module {
  /// How the border of an image is treated.
  public enum Padding: String, Codable, Sendable {
    /// With stride s a height of n becomes ⌈n / s⌉.
    case same
    /// Only whole windows.
    case valid
  }

  /// `[height, width, inputs / groups, outputs]`.
  public var kernel: Tensor
  /// `[outputs]`.
  public var bias: Tensor?
  public var stride: Int
  public var dilation: Int
  public var groups: Int
  public var padding: Padding

  /// - Parameters:
  ///   - inputs: channels of the input; a multiple of `groups`.
  ///   - outputs: channels of the output; a multiple of `groups`.
  ///   - size: height and width of the kernel.
  ///   - stride: pixels from one place of the kernel to the next.
  ///   - dilation: pixels from one of the kernel's columns or rows to the next.
  ///   - groups: into how many parts that do not mix the channels are divided.
  ///   - padding: how the border is treated.
  ///   - hasBias: false for none.
  ///   - initialisation: how kernel and bias begin; uniform within ±1/√n for n inputs of an output unless told.
  ///   - elementType: of kernel and bias.
  ///   - key: decides how they begin.
  public init(
    _ inputs: Int, _ outputs: Int, size: Int = 3, stride: Int = 1, dilation: Int = 1, groups: Int = 1, padding: Padding = .same,
    hasBias: Bool = true, initialisation: Initialisation = .fanIn, as elementType: ElementType = .float32, key: Key
  ) {
    requireOfCaller(
      groups > 0 && inputs % groups == 0 && outputs % groups == 0, "Convolution2D",
      "\(inputs) inputs and \(outputs) outputs cannot be divided into \(groups) groups.")
    let (k1, k2) = key.split()
    let window = size * size
    let fanIn = window * (inputs / groups)
    kernel = initialisation.weights(
      [size, size, inputs / groups, outputs], fanIn: fanIn, fanOut: window * (outputs / groups), as: elementType, key: k1)
    bias = hasBias ? initialisation.bias(outputs, fanIn: fanIn, as: elementType, key: k2) : nil
    self.stride = stride
    self.dilation = dilation
    self.groups = groups
    self.padding = padding
  }

  /// - Parameter x: `[batch, height, width, inputs]`.
  /// - Returns: `[batch, height′, width′, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = convolution(
      x, kernel, stride: [stride, stride], padding: padding == .same ? .same : .valid, dilation: [dilation, dilation], groups: groups)
    guard let bias else { return y }
    return y + bias
  }
}
