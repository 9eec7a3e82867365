public import FluxionCore

/// An elementwise nonlinearity, a setting of a model: `activation(x)`.
public enum Activation: String, Codable, Sendable, CaseIterable {
  case identity
  /// max(0, x); its derivative at 0 is 0.
  case relu
  /// x / (1 + e⁻ˣ).
  case silu
  /// x Φ(x) with the exact Gaussian distribution function.
  case gelu
  case tanh
  /// 1 / (1 + e⁻ˣ).
  case sigmoid
  /// log(1 + eˣ).
  case softplus
  case sin
  /// x for x > 0, else eˣ - 1.
  case elu
  /// x for x > 0, else x / 100.
  case leakyRelu

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: return x
    case .relu: return FluxionCore.relu(x)
    case .silu: return FluxionCore.silu(x)
    case .gelu: return FluxionCore.gelu(x)
    case .tanh: return FluxionCore.tanh(x)
    case .sigmoid: return FluxionCore.sigmoid(x)
    case .softplus: return FluxionCore.softplus(x)
    case .sin: return FluxionCore.sin(x)
    // The exponential never sees a large number, so the branch not taken stays finite.
    case .elu: return select(x .> 0, x, expm1(minimum(x, 0)))
    case .leakyRelu: return select(x .> 0, x, x * 0.01)
    }
  }
}
