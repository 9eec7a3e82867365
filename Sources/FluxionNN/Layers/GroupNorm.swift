public import FluxionCore

/// Group normalisation: the channels (last axis) are divided into groups; each is normalised over its channels and all places of one
/// example, then scaled and shifted by channel.
///
/// > Y. Wu, K. He. "Group normalization." *ECCV* 2018.
public struct GroupNorm: Module {
  /// γ `[channels]`, 1 at first.
  public var scale: Tensor
  /// β `[channels]`, 0 at first.
  public var bias: Tensor
  public var groups: Int
  /// ε, added to the variance; 10⁻⁵ unless told.
  public var epsilon: Double

  /// - Parameters:
  ///   - channels: the length of the last axis.
  ///   - groups: a divisor of `channels`. Unless told, the largest that is at most 8.
  ///   - epsilon: ε, added to the variance.
  ///   - elementType: of γ and β.
  public init(_ channels: Int, groups: Int? = nil, epsilon: Double = 1e-5, as elementType: ElementType = .float32) {
    let chosen = groups ?? (1...8).last { channels % $0 == 0 } ?? 1
    requireOfCaller(
      chosen > 0 && channels % chosen == 0, "GroupNorm",
      "\(channels) channels cannot be divided into \(chosen) groups.")
    scale = .ones([channels], as: elementType)
    bias = .zeros([channels], as: elementType)
    self.groups = chosen
    self.epsilon = epsilon
  }

  /// - Parameter x: `[batch, …, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let channels = scale.elementCount
    let grouped = x.reshaped(to: [x.count, -1, groups, channels / groups])
    let centred = grouped - grouped.mean(alongAxes: [1, 3], keepingAxes: true)
    let variance = centred.squared().mean(alongAxes: [1, 3], keepingAxes: true)
    let normalised = centred * rsqrt(variance + epsilon)
    return normalised.reshaped(to: x.shape) * scale + bias
  }
}
