public import FluxionCore

/// Layer normalisation over the last axis: y = γ (x - mean) / √(variance + ε) + β.
///
/// > J. Ba, J. Kiros, G. Hinton. "Layer normalization." arXiv 1607.06450, 2016.
public struct LayerNorm: Module {
  /// γ `[features]`, 1 at first.
  public var scale: Tensor
  /// β `[features]`, 0 at first.
  public var bias: Tensor
  /// ε, added to the variance; 10⁻⁵ unless told.
  public var epsilon: Double

  public init(_ features: Int, epsilon: Double = 1e-5, as elementType: ElementType = .float32) {
    scale = .ones([features], as: elementType)
    bias = .zeros([features], as: elementType)
    self.epsilon = epsilon
  }

  /// - Parameter x: `[…, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let centred = x - x.mean(alongAxes: [-1], keepingAxes: true)
    let variance = centred.squared().mean(alongAxes: [-1], keepingAxes: true)
    return centred * rsqrt(variance + epsilon) * scale + bias
  }
}
