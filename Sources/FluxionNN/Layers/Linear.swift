public import FluxionCore

/// An affine map: y = x W + b.
public struct Linear: Module {
  /// `[inputs, outputs]`.
  public var weight: Tensor
  /// `[outputs]`; nil for a linear map.
  public var bias: Tensor?

  public init(weight: Tensor, bias: Tensor?) {
    self.weight = weight
    self.bias = bias
  }

  /// - Parameters:
  ///   - inputs: features of x.
  ///   - outputs: features of y.
  ///   - hasBias: false for y = x W.
  ///   - initialisation: how weights and bias begin; uniform within ±1/√inputs unless told.
  ///   - elementType: of weights and bias.
  ///   - key: decides how they begin.
  public init(
    _ inputs: Int, _ outputs: Int, hasBias: Bool = true, initialisation: Initialisation = .fanIn,
    as elementType: ElementType = .float32, key: Key
  ) {
    let (k1, k2) = key.split()
    weight = initialisation.weights([inputs, outputs], fanIn: inputs, fanOut: outputs, as: elementType, key: k1)
    bias = hasBias ? initialisation.bias(outputs, fanIn: inputs, as: elementType, key: k2) : nil
  }

  /// - Parameter x: `[…, inputs]`.
  /// - Returns: `[…, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let product = x.matmul(weight)
    guard let bias else { return product }
    return product + bias
  }
}
