/// A part of a network: a plain struct of tensors, settings and further parts.
///
/// There is nothing to implement. The compiler's synthesised `Codable` tells Fluxion where the tensors are: `flatten` takes a model
/// apart, `gradient` differentiates with respect to it, checkpoints name its tensors by their path (`net.layers.0.weight`), and the
/// settings travel with the weights. What a layer computes is its `callAsFunction`, always on a whole batch: `[batch, features]`.
///
/// ```swift
/// struct Velocity: Module {
///   var net: MLP
///   func callAsFunction(_ x: Tensor, at t: Tensor) -> Tensor { net(concatenated(x, t, alongAxis: 1)) }
/// }
/// ```
public protocol Module: Codable, Sendable {}

extension Module {
  /// The number of learnable numbers.
  public var parameterCount: Int { flatten(self).leaves.reduce(0) { $0 + $1.elementCount } }

  /// The model with its real and complex tensors converted, such as to `f64` for a check. Integers stay.
  public func converted(to elementType: ElementType) -> Self {
    mapTensors(self) { $0.elementType.isDifferentiable ? $0.converted(to: elementType) : $0 }
  }
}
