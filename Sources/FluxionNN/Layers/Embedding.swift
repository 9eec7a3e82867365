public import FluxionCore

/// A vector for each of a number of classes, learnt.
public struct Embedding: Module {
  /// `[classes, features]`, standard normal at first.
  public var weight: Tensor

  public init(_ classes: Int, _ features: Int, as elementType: ElementType = .float32, key: Key) {
    weight = key.normal([classes, features], as: elementType)
  }

  /// - Parameter indices: integers of 0..<classes, of any shape. One outside is an error when the program runs.
  /// - Returns: indices' shape + `[features]`.
  public func callAsFunction(_ indices: Tensor) -> Tensor { weight.gathered(indices) }
}
