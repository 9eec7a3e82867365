import FluxionCore

/// The adjoints of the four kinds, for the pairing Re(āb).
///
/// The matrix F of a forward transform of N elements has the adjoint Fᴴ = N F⁻¹. The real kinds see each inner element of the half
/// spectrum twice, once for its conjugate: with c = 2 there and 1 at elements 0 and n / 2 of the last axis, `realInverse(z)` is
/// (1/N) Re Fᴴ(c z); so `realForward` has the adjoint N · realInverse(ct / c), and `realInverse` (c/N) · realForward(ct).
func fourierTranspose(_ f: FourierTransform, _ ct: Tensor) -> Tensor {
  let count = Double(f.lengths.reduce(1, *))
  func transform(_ kind: FourierTransform.Kind, _ x: Tensor) -> Tensor { apply1(.fourier(FourierTransform(kind, lengths: f.lengths)), x) }
  switch f.kind {
  case .forward: return transform(.inverse, ct) * count
  case .inverse: return transform(.forward, ct) * (1 / count)
  case .realForward: return transform(.realInverse, ct * hermitianWeights(f, count, 0.5 * count, ct.elementType))
  case .realInverse:
    let spectrum = transform(.realForward, ct)
    return spectrum * hermitianWeights(f, 1 / count, 2 / count, spectrum.elementType)
  }
}

/// `single` at elements 0 and n / 2 of the half spectrum, `paired` between.
private func hermitianWeights(_ f: FourierTransform, _ single: Double, _ paired: Double, _ type: ElementType) -> Tensor {
  let n = f.lengths.last!
  let place = arange(n / 2 + 1)
  let isSingle = (place .== 0) .| (place * 2 .== Tensor(integerLiteral: n))
  return select(isSingle, Tensor(single, as: type), Tensor(paired, as: type))
}
