// Normal numbers by inversion, so that each depends on its own counter alone.

extension Key {
  /// Standard normal numbers: x = √2 erf⁻¹(u), u uniform on (-1, 1).
  ///
  /// Equal to JAX's `jax.random.normal` up to the last places of erf⁻¹. Differentiable programs see them as constants.
  ///
  /// - Parameters:
  ///   - shape: the shape of the result.
  ///   - elementType: `f32` (the default; no |x| exceeds 5.42), `f64` (8.21), `f16` (3.5) or `bf16` (2.9).
  public func normal(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    let fraction = unitInterval(shape, elementType, "normal")
    // One step above -1, where the numbers lie half as far apart as above 1.
    let low = -1 + fraction.elementType.ulpOfOne / 2
    let u = uniform(fraction, from: Tensor(low, as: fraction.elementType), to: Tensor(1, as: fraction.elementType))
    return erfInverse(u) * 2.0.squareRoot()
  }

  /// Standard normal numbers given that they fall strictly within `range`: x = √2 erf⁻¹(u), u uniform between the error function's
  /// values at the bounds over √2.
  ///
  /// A range far in a tail loses accuracy, since the error function rounds to ±1 there: keep it within ±5 (`f32`) or ±8 (`f64`).
  ///
  /// - Parameters:
  ///   - shape: of the result.
  ///   - range: in units of the standard deviation; -2...2 unless told.
  ///   - elementType: `f32`, `f64`, `f16` or `bf16`.
  public func truncatedNormal(
    _ shape: Shape, in range: ClosedRange<Double> = -2...2, as elementType: ElementType = .float32
  ) -> Tensor {
    let fraction = unitInterval(shape, elementType, "truncatedNormal")
    let type = fraction.elementType
    let (low, high) = (Tensor(range.lowerBound, as: type), Tensor(range.upperBound, as: type))
    let root = 2.0.squareRoot()
    let u = uniform(fraction, from: erf(low / root), to: erf(high / root))
    // Rounding must not push a number onto or over a bound.
    let inside = (nextAfter(low, Tensor(Double.infinity, as: type)), nextAfter(high, Tensor(-Double.infinity, as: type)))
    return clamp(erfInverse(u) * root, inside.0, inside.1)
  }
}
