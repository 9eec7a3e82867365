public import FluxionCore

/// A transposed convolution over one to three spatial axes, which enlarges: a length of n becomes n · stride.
///
/// > V. Dumoulin, F. Visin. "A guide to convolution arithmetic for deep learning." 2016, section 4.
public struct TransposedConvolution: Module {
  /// `[size…, outputs / groups, inputs]`: that of the convolution it transposes, which goes from `outputs` to `inputs`.
  public var kernel: Tensor
  /// `[outputs]`.
  public var bias: Tensor?
  public var stride: Int
  public var groups: Int

  /// - Parameters:
  ///   - inputs: channels of the input; a multiple of `groups`.
  ///   - outputs: channels of the output; a multiple of `groups`.
  ///   - axes: the number of spatial axes, 1 to 3; two unless told.
  ///   - size: the kernel's length along each of them. A multiple of the stride lets every output see as many inputs.
  ///   - stride: how many times longer each spatial axis becomes.
  ///   - groups: into how many parts that do not mix the channels are divided.
  ///   - hasBias: false for none.
  ///   - initialisation: how kernel and bias begin; uniform within ±1/√n for n inputs of an output unless told.
  ///   - elementType: of kernel and bias.
  ///   - key: decides how they begin.
  public init(
    _ inputs: Int, _ outputs: Int, axes: Int = 2, size: Int = 4, stride: Int = 2, groups: Int = 1, hasBias: Bool = true,
    initialisation: Initialisation = .fanIn, as elementType: ElementType = .float32, key: Key
  ) {
    requireOfCaller((1...3).contains(axes), "TransposedConvolution", "there are one to three spatial axes, not \(axes).")
    requireOfCaller(
      groups > 0 && inputs % groups == 0 && outputs % groups == 0, "TransposedConvolution",
      "\(inputs) inputs and \(outputs) outputs cannot be divided into \(groups) groups.")
    let (k1, k2) = key.split()
    let lengths = [Int](repeating: size, count: axes)
    // Of the kernel's places an output sees one in strideᵃˣᵉˢ.
    let seen = lengths.reduce(1) { $0 * Swift.max(1, $1 / stride) }
    let fanIn = seen * (inputs / groups)
    kernel = initialisation.weights(
      Shape(lengths + [outputs / groups, inputs]), fanIn: fanIn, fanOut: lengths.reduce(1, *) * (outputs / groups), as: elementType,
      key: k1)
    bias = hasBias ? initialisation.bias(outputs, fanIn: fanIn, as: elementType, key: k2) : nil
    self.stride = stride
    self.groups = groups
  }

  /// - Parameter x: `[batch, spatial…, inputs]`.
  /// - Returns: `[batch, spatial · stride…, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = transposedConvolution(x, kernel, stride: [stride], padding: .same, groups: groups)
    guard let bias else { return y }
    return y + bias
  }
}
