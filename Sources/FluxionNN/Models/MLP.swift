public import FluxionCore

/// A multilayer perceptron: affine maps with a nonlinearity between them.
///
/// ```swift
/// let net = MLP(3, 128, 128, 2, activation: .silu, key: key)   // [batch, 3] → [batch, 2]
/// ```
public struct MLP: Module {
  public var layers: [Linear]
  /// Between layers.
  public var activation: Activation
  /// After the last layer.
  public var outputActivation: Activation

  /// - Parameters:
  ///   - sizes: the number of features of the input, of every hidden layer, and of the output.
  ///   - activation: between layers; silu unless told.
  ///   - output: after the last layer; none unless told.
  ///   - hasBias: false for layers without.
  ///   - initialisation: of every layer.
  ///   - lastInitialisation: of the last layer where it differs, such as `.zeros`.
  ///   - elementType: of weights and biases.
  ///   - key: decides how they begin.
  public init(
    sizes: [Int], activation: Activation = .silu, output: Activation = .identity, hasBias: Bool = true,
    initialisation: Initialisation = .fanIn, lastInitialisation: Initialisation? = nil, as elementType: ElementType = .float32,
    key: Key
  ) {
    requireOfCaller(
      sizes.count >= 2 && sizes.allSatisfy { $0 > 0 }, "MLP",
      "sizes \(sizes) must name the features of the input and of at least one layer, all positive.")
    let pairs = Array(zip(sizes, sizes.dropFirst()))
    let keys = key.split(pairs.count)
    layers = pairs.indices.map { i in
      let own = i == pairs.count - 1 ? lastInitialisation ?? initialisation : initialisation
      return Linear(pairs[i].0, pairs[i].1, hasBias: hasBias, initialisation: own, as: elementType, key: keys[i])
    }
    self.activation = activation
    outputActivation = output
  }

  /// The same with the sizes written one after another.
  public init(
    _ sizes: Int..., activation: Activation = .silu, output: Activation = .identity, hasBias: Bool = true,
    initialisation: Initialisation = .fanIn, lastInitialisation: Initialisation? = nil, as elementType: ElementType = .float32,
    key: Key
  ) {
    self.init(
      sizes: sizes, activation: activation, output: output, hasBias: hasBias, initialisation: initialisation,
      lastInitialisation: lastInitialisation, as: elementType, key: key)
  }

  /// - Parameter x: `[…, inputs]`.
  /// - Returns: `[…, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var y = x
    for layer in layers.dropLast() { y = activation(layer(y)) }
    return outputActivation(layers[layers.count - 1](y))
  }
}
