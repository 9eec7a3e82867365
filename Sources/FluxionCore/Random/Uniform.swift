// Uniform numbers: the source of all other distributions.

extension Key {
  /// Numbers spread evenly over `range`, the upper bound excluded.
  ///
  /// The mantissa is filled with random bits: u = 1.bits₂ - 1, a multiple of 2⁻²³ (`f32`), 2⁻⁵² (`f64`), 2⁻¹⁰ (`f16`) or
  /// 2⁻⁷ (`bf16`); the result is
  /// max(a, u·(b - a) + a), rounded, so that a range other than 0..<1 may give its upper bound where rounding reaches it. Equal bit
  /// for bit to JAX's `jax.random.uniform` for the range 0..<1.
  ///
  /// - Parameters:
  ///   - shape: the shape of the result.
  ///   - range: from its lower bound on, below its upper bound. The default is 0..<1.
  ///   - elementType: `f32` (the default), `f64`, `f16` or `bf16`.
  public func uniform(_ shape: Shape, in range: Range<Double> = 0..<1, as elementType: ElementType = .float32) -> Tensor {
    let fraction = unitInterval(shape, elementType, "uniform")
    if range.lowerBound == 0 && range.upperBound == 1 { return fraction }
    guard range.lowerBound.isFinite && range.upperBound.isFinite else {
      return reject1("uniform", "the bounds \(range.lowerBound) and \(range.upperBound) must be finite.", like: fraction.type)
    }
    let low = Tensor(range.lowerBound, as: elementType)
    return uniform(fraction, from: low, to: Tensor(range.upperBound, as: elementType))
  }

  /// `fraction` of [0, 1) moved to [low, high), in the order of operations that the documentation of ``uniform(_:in:as:)`` gives.
  func uniform(_ fraction: Tensor, from low: Tensor, to high: Tensor) -> Tensor {
    let moved = fraction * (high - low) + low
    return maximum(low, moved)
  }

  /// Fractions in [0, 1) from random mantissas.
  func unitInterval(_ shape: Shape, _ elementType: ElementType, _ operation: String) -> Tensor {
    switch elementType {
    case .float32:
      let mantissa = (bits(shape) &>> 9) .| Tensor(UInt32(0x3F80_0000))
      return mantissa.bitcast(to: .float32) - 1
    case .float64:
      let mantissa = (longBits(shape) &>> 12) .| Tensor(Int64(0x3FF0_0000_0000_0000))
      return mantissa.bitcast(to: .float64) - 1
    // The mantissa is the upper part of the word's lower 16 bits, of bf16 of its lower 8.
    case .float16:
      let mantissa = ((bits(shape) .& Tensor(UInt32(0xFFFF))) &>> 6) .| Tensor(UInt32(0x3C00))
      return mantissa.converted(to: .uint16).bitcast(to: .float16) - 1
    case .bfloat16:
      let mantissa = ((bits(shape) .& Tensor(UInt32(0xFF))) &>> 1) .| Tensor(UInt32(0x3F80))
      return mantissa.converted(to: .uint16).bitcast(to: .bfloat16) - 1
    default:
      return reject1(
        operation, "random numbers are made as f32, f64, f16 or bf16, not \(elementType). Convert them, or use integers(_:in:).",
        like: TensorType(shape, .float32))
    }
  }

  /// Random 64-bit words, as `i64`.
  func longBits(_ shape: Shape) -> Tensor {
    let (high, low) = threefry(shape)
    return (high.converted(to: .int64) &<< 32) .| low.converted(to: .int64)
  }
}
