// Continuous distributions with an inverse in closed form.

extension Key {
  /// Exponential numbers of mean 1: x = -log(1 - u). Multiply by the mean wanted.
  public func exponential(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    -log1p(-unitInterval(shape, elementType, "exponential"))
  }

  /// Laplace numbers of location 0 and scale 1 (variance 2): x = sign(u) log(1 - |u|), u uniform on (-1, 1).
  public func laplace(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    let fraction = unitInterval(shape, elementType, "laplace")
    let type = fraction.elementType
    // One unit in the last place below 1, so that the logarithm stays finite.
    let margin = type.ulpOfOne / 2
    let u = uniform(fraction, from: Tensor(-1 + margin, as: type), to: Tensor(1, as: type))
    return sign(u) * log1p(-abs(u))
  }

  /// Gumbel numbers of location 0 and scale 1 (mean 0.5772…, variance π²/6): x = -log(-log u).
  public func gumbel(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    let fraction = unitInterval(shape, elementType, "gumbel")
    let type = fraction.elementType
    let smallest = type.leastNormalMagnitude
    let u = uniform(fraction, from: Tensor(smallest, as: type), to: Tensor(1, as: type))
    return -log(-log(u))
  }
}
