public import FluxionCore

/// The times at which a velocity is trained; names as in the paper's code (`reflow_t_schedule`).
public enum TimeSchedule: Hashable, Sendable, CustomStringConvertible {
  /// Uniform on [ε, 1].
  case uniform
  /// t = 0 only: distillation to one step, T̂(z₀) = z₀ + v(z₀, 0).
  case t0
  /// t = 1 only: distillation of the inverse, T̂⁻¹(z₁) = z₁ - v(z₁, 1).
  case t1
  /// Uniform on {0, 1/k, …, (k-1)/k}: distillation to k steps.
  case steps(Int)

  public init?(_ text: String) {
    switch text {
    case "uniform": self = .uniform
    case "t0": self = .t0
    case "t1": self = .t1
    default:
      guard let k = Int(text), k >= 1 else { return nil }
      self = k == 1 ? .t0 : .steps(k)
    }
  }

  public var description: String {
    switch self {
    case .uniform: "uniform"
    case .t0: "t0"
    case .t1: "t1"
    case let .steps(k): "\(k)"
    }
  }

  /// `count` times as `f32 [count]`.
  public func times(_ count: Int, epsilon: Double, key: Key) -> Tensor {
    switch self {
    case .uniform: key.uniform([count]) * (1 - epsilon) + epsilon
    case .t0: Tensor.zeros([count])
    case .t1: Tensor.ones([count])
    case let .steps(k): key.integers([count], in: 0..<k).converted(to: .float32) / Double(k)
    }
  }
}

extension TimeSchedule: Codable {
  /// As text, so that a file of settings reads like the command line.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = TimeSchedule(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" cannot be read as a TimeSchedule")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
