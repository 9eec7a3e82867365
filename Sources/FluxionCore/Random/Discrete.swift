// Distributions on integers and truth values.

extension Key {
  /// Integers of `range`, each as likely as any other, as `i32`.
  ///
  /// 64 random bits are taken modulo the range's length, so a value's probability is off by less than length · 2⁻⁶⁴. Equal to JAX's
  /// `jax.random.randint`.
  ///
  /// - Parameters:
  ///   - shape: of the result.
  ///   - range: not empty, within the values of `i32`.
  public func integers(_ shape: Shape, in range: Range<Int>) -> Tensor {
    let type = TensorType(shape, .int32)
    guard !range.isEmpty else { return reject1("integers", "the range \(range) is empty.", like: type) }
    guard range.lowerBound >= Int(Int32.min), range.upperBound - 1 <= Int(Int32.max) else {
      return reject1("integers", "the range \(range) does not fit into i32.", like: type)
    }
    let (k1, k2) = split()
    let length = UInt32(truncatingIfNeeded: range.count)
    let offset: Tensor
    if range.count > Int(UInt32.max) {
      offset = k2.bits(shape)
    } else {
      // high · 2³² + low modulo the length, in 32-bit arithmetic that wraps.
      let half = UInt32(1 << 16) % length
      let multiplier = Tensor((half &* half) % length)
      let span = Tensor(length)
      let high = k1.bits(shape) % span
      let low = k2.bits(shape) % span
      offset = (high * multiplier + low) % span
    }
    return offset.bitcast(to: .int32) + Tensor(Int32(range.lowerBound))
  }

  /// Truth values, true with the given probability.
  ///
  /// - Parameters:
  ///   - shape: the shape of the result.
  ///   - probability: in [0, 1]; any shape that broadcasts to `shape`.
  public func bernoulli(_ shape: Shape, probability: Tensor = 0.5) -> Tensor {
    let p = probability.asReal
    return unitInterval(shape, p.elementType, "bernoulli") .< p.broadcast(to: shape)
  }

  /// -1 or 1, equally likely.
  public func rademacher(_ shape: Shape, as elementType: ElementType = .float32) -> Tensor {
    let heads = bernoulli(shape).converted(to: elementType)
    return heads * 2 - 1
  }

  /// Places along the last axis of `logits`, drawn with probability softmax(logits), as `i32`: the argument of the maximum of
  /// logits + Gumbel noise.
  ///
  /// - Parameters:
  ///   - logits: `[batch…, classes]`, logarithms of probabilities up to a constant; -∞ for a class that never comes.
  ///   - shape: axes put before the batch's: independent draws from the same logits. None unless told.
  /// - Returns: `shape` + `[batch…]`.
  /// - Note: Source: J. Gumbel's maximum stability; C. Maddison, D. Tarlow, T. Minka. "A* sampling." *NeurIPS* 2014, §2.
  public func categorical(logits: Tensor, repeats shape: Shape = []) -> Tensor {
    let x = logits.asReal
    guard x.rank > 0, x.shape[x.rank - 1] > 0 else {
      return reject1("categorical", "logits need a last axis of at least one class, but have shape \(x.shape).", like: x.type)
    }
    return (gumbel(shape + x.shape, as: x.elementType) + x).argmax(alongAxis: -1)
  }
}
