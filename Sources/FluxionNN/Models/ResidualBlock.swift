public import FluxionCore

/// Two convolutions with group normalisation and silu, an added function of time between them, and the input added at the end.
///
/// > J. Ho, A. Jain, P. Abbeel. "Denoising diffusion probabilistic models." *NeurIPS* 2020, appendix B.
public struct ResidualBlock: Module {
  public var norm1: GroupNorm
  public var convolution1: Convolution
  public var condition: Linear
  public var norm2: GroupNorm
  public var convolution2: Convolution
  /// A 1×1 convolution that fits the input where the number of channels changes.
  public var shortcut: Convolution?

  /// - Parameters:
  ///   - inputs: channels of the input.
  ///   - outputs: channels of the output.
  ///   - conditions: features of the embedded time (and label).
  ///   - elementType: of the weights.
  ///   - key: decides how they begin.
  public init(_ inputs: Int, _ outputs: Int, conditions: Int, as elementType: ElementType = .float32, key: Key) {
    let keys = key.split(4)
    norm1 = GroupNorm(inputs, as: elementType)
    convolution1 = Convolution(inputs, outputs, as: elementType, key: keys[0])
    condition = Linear(conditions, outputs, as: elementType, key: keys[1])
    norm2 = GroupNorm(outputs, as: elementType)
    convolution2 = Convolution(outputs, outputs, as: elementType, key: keys[2])
    shortcut = inputs == outputs ? nil : Convolution(inputs, outputs, size: 1, as: elementType, key: keys[3])
  }

  /// - Parameters:
  ///   - x: `[batch, height, width, inputs]`.
  ///   - embedding: `[batch, conditions]`.
  /// - Returns: `[batch, height, width, outputs]`.
  public func callAsFunction(_ x: Tensor, _ embedding: Tensor) -> Tensor {
    let shift = condition(silu(embedding))
    var y = convolution1(silu(norm1(x)))
    y += shift.reshaped(to: [y.shape[0], 1, 1, y.shape[3]])
    y = convolution2(silu(norm2(y)))
    return y + (shortcut.map { $0(x) } ?? x)
  }
}
