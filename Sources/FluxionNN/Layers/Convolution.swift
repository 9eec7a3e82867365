public import FluxionCore

/// A convolution (cross-correlation) over one to three spatial axes: of signals `[batch, length, channels]`, images
/// `[batch, height, width, channels]` or volumes `[batch, depth, height, width, channels]`.
public struct Convolution: Module {
  /// How the border is treated. Under all but ``valid`` a length of n becomes ⌈n / stride⌉.
  public enum Padding: String, Codable, Sendable, CaseIterable {
    /// Zeros.
    case same
    /// Only whole windows.
    case valid
    /// The other end of the axis.
    case circular
    /// The mirror image.
    case reflect
    /// The outermost elements.
    case replicate

    var amount: ConvolutionPadding {
      switch self {
      case .same: .same
      case .valid: .valid
      case .circular: .extended(.circular)
      case .reflect: .extended(.reflect)
      case .replicate: .extended(.replicate)
      }
    }
  }

  /// `[size…, inputs / groups, outputs]`.
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
  ///   - axes: the number of spatial axes, 1 to 3; two unless told.
  ///   - size: the kernel's length along each of them.
  ///   - stride: elements from one place of the kernel to the next.
  ///   - dilation: elements from one of the kernel's own to the next.
  ///   - groups: into how many parts that do not mix the channels are divided.
  ///   - padding: how the border is treated.
  ///   - hasBias: false for none.
  ///   - initialisation: how kernel and bias begin; uniform within ±1/√n for n inputs of an output unless told.
  ///   - elementType: of kernel and bias.
  ///   - key: decides how they begin.
  public init(
    _ inputs: Int, _ outputs: Int, axes: Int = 2, size: Int = 3, stride: Int = 1, dilation: Int = 1, groups: Int = 1,
    padding: Padding = .same, hasBias: Bool = true, initialisation: Initialisation = .fanIn, as elementType: ElementType = .float32,
    key: Key
  ) {
    requireOfCaller((1...3).contains(axes), "Convolution", "there are one to three spatial axes, not \(axes).")
    requireOfCaller(
      groups > 0 && inputs % groups == 0 && outputs % groups == 0, "Convolution",
      "\(inputs) inputs and \(outputs) outputs cannot be divided into \(groups) groups.")
    let (k1, k2) = key.split()
    let lengths = [Int](repeating: size, count: axes)
    let window = lengths.reduce(1, *)
    let fanIn = window * (inputs / groups)
    kernel = initialisation.weights(
      Shape(lengths + [inputs / groups, outputs]), fanIn: fanIn, fanOut: window * (outputs / groups), as: elementType, key: k1)
    bias = hasBias ? initialisation.bias(outputs, fanIn: fanIn, as: elementType, key: k2) : nil
    self.stride = stride
    self.dilation = dilation
    self.groups = groups
    self.padding = padding
  }

  /// - Parameter x: `[batch, spatial…, inputs]`.
  /// - Returns: `[batch, spatial′…, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = convolution(x, kernel, stride: [stride], padding: padding.amount, dilation: [dilation], groups: groups)
    guard let bias else { return y }
    return y + bias
  }
}
