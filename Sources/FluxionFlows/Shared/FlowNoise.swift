public import FluxionCore

extension VelocityField {
  /// Draws with a stochastic differential equation of the same marginals as the flow:
  ///
  ///     dZ = [ v(Z, t) + ½ σ(t)² ∇log pₜ(Z) ] dt + σ(t) dW,   σ(t) = (1 - t) σ_var
  ///
  /// by Euler's rule; σ_var = 0 is the flow itself. The source must be N(0, σ²I), independent of the data, for the score to follow from
  /// the velocity; noise forgets errors of the early path at the price of straightness.
  ///
  /// - Parameters:
  ///   - z: Points at t = 0.
  ///   - steps: Steps of Euler's rule.
  ///   - noise: σ_var.
  ///   - interpolation: The way the flow was learnt on.
  ///   - sourceDeviation: σ of the source.
  ///   - key: Decides the noise.
  public func stochasticTransport(
    _ z: Tensor, steps: Int, noise: Double, along interpolation: Interpolation = .straight, sourceDeviation: Double = 1, key: Key
  ) -> Tensor {
    checkSteps(steps)
    let h = 1 / Double(steps)
    let slices = NoiseSlice(n: arange(steps), words: key.splitWords(steps))
    return scan(over: slices, from: z) { (z: Tensor, slice: NoiseSlice) -> Tensor in
      let t = slice.n.converted(to: z.elementType) * h
      let v = velocity(at: z, time: t)
      if noise == 0 { return z + v * h }
      let σ = (1 - t) * noise
      let score = interpolation.score(fromVelocity: v, at: z, time: t, sourceDeviation: sourceDeviation)
      let drift = v + σ.squared() * score * 0.5
      let ε = Key(words: slice.words).normal(z.shape, as: z.elementType)
      return z + drift * h + σ * ε * h.squareRoot()
    }
  }
}

/// The number of a step and the words of its key.
private struct NoiseSlice: Codable {
  var n: Tensor
  var words: Tensor
}
