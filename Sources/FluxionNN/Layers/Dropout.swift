public import FluxionCore

/// Sets elements to 0 at random while training and enlarges the rest, so that the mean is kept: y = x · mask / (1 - rate).
///
/// > N. Srivastava et al. "Dropout: a simple way to prevent neural networks from overfitting." *JMLR* 15, 2014.
public struct Dropout: Module {
  /// The probability of an element to be set to 0, in [0, 1).
  public var rate: Double

  public init(rate: Double = 0.5) {
    requireOfCaller(
      rate >= 0 && rate < 1, "Dropout",
      "the rate \(rate) is not in [0, 1).")
    self.rate = rate
  }

  /// - Parameters:
  ///   - x: of any shape.
  ///   - key: decides which elements go; nil when the network is used rather than trained, and then x is returned.
  public func callAsFunction(_ x: Tensor, key: Key?) -> Tensor {
    guard let key, rate > 0 else { return x }
    let keeps = key.bernoulli(x.shape, probability: Tensor(floatLiteral: 1 - rate))
    return select(keeps, x / (1 - rate), 0)
  }
}
