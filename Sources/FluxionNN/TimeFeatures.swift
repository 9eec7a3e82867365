public import FluxionCore

/// Five smooth functions of time for small networks: `[t, sin πt, cos πt, sin 2πt, cos 2πt]`.
///
/// - Parameter t: times in [0, 1], `[batch, 1]` (or `[…, 1]`).
/// - Returns: `[batch, 5]`.
public func timeFeatures(_ t: Tensor) -> Tensor {
  let (once, twice) = (t * Double.pi, t * (2 * Double.pi))
  return concatenated([t, sin(once), cos(once), sin(twice), cos(twice)], alongAxis: -1)
}

/// The sinusoidal embedding of time: sines and cosines of s·t·ωᵢ with frequencies ωᵢ = P^(-i / (n/2 - 1)), i = 0 … n/2 - 1, the sines
/// first.
///
/// - Parameters:
///   - t: `[batch, 1]` (or `[…, 1]`).
///   - count: the number n of features, even, at least 4.
///   - scale: s, by which times of [0, 1] are stretched to the steps the formula was made for; 1000 unless told.
///   - period: P, the ratio of the highest frequency to the lowest; 10 000 unless told.
/// - Returns: `[batch, count]`.
/// - Note: Sources: A. Vaswani et al. "Attention is all you need." *NeurIPS* 2017, §3.5; the form of J. Ho, A. Jain, P. Abbeel.
///   "Denoising diffusion probabilistic models." *NeurIPS* 2020.
public func sinusoidalEmbedding(_ t: Tensor, count: Int, scale: Double = 1000, period: Double = 10_000) -> Tensor {
  requireOfCaller(
    count >= 4 && count % 2 == 0, "sinusoidalEmbedding",
    "\(count) features were asked for; the number must be even and at least 4.")
  let half = count / 2
  let t = t.elementType.isFloatingPoint ? t : t.converted(to: .float32)
  let exponents = arange(half, as: t.elementType) / Double(half - 1)
  let frequencies = exp(exponents * log(Tensor(1 / period, as: t.elementType)))
  let phase = t * scale * frequencies
  return concatenated([sin(phase), cos(phase)], alongAxis: -1)
}
