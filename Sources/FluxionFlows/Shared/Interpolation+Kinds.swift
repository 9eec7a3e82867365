import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Interpolation {
  /// aₜ = t, bₜ = 1 - t: the straight line at constant speed, the rectified flow itself.
  public static let straight = Interpolation(
    .straight, signal: { $0 }, noise: { 1 - $0 }, signalRate: { Tensor.ones($0.shape, as: $0.elementType) },
    noiseProduct: { $0 - 1 }, noiseRate: { -Tensor.ones($0.shape, as: $0.elementType) })

  /// aₜ = exp(-¼α(1-t)² - ½β(1-t)), bₜ = √(1 - aₜ²): the probability-flow ODE of the variance-preserving SDE.
  ///
  /// a₀ = exp(-5.025) ≈ 0.0066 for the defaults, not 0; b′ is infinite at t = 1.
  ///
  /// > Y. Song, J. Sohl-Dickstein, D. Kingma, A. Kumar, S. Ermon, B. Poole. "Score-based generative modeling through stochastic
  /// > differential equations." *ICLR* 2021, equations 32–33 (α = β_max - β_min, β = β_min, time reversed).
  public static func vp(alpha: Double = 19.9, beta: Double = 0.1) -> Interpolation {
    let a = vpSignal(alpha, beta)
    let da = vpSignalRate(alpha, beta)
    // a² + b² = 1, so b b′ = -a a′.
    return Interpolation(.vp, signal: a, noise: { sqrt(oneMinusSquare(alpha, beta, $0)) }, signalRate: da, noiseProduct: { -(a($0) * da($0)) })
  }

  /// The signal of ``vp(alpha:beta:)`` with bₜ = 1 - aₜ²: the sub-variance-preserving SDE.
  public static func subvp(alpha: Double = 19.9, beta: Double = 0.1) -> Interpolation {
    let a = vpSignal(alpha, beta)
    let da = vpSignalRate(alpha, beta)
    let db: Coefficient = { a($0) * da($0) * -2 }
    return Interpolation(
      .subvp, signal: a, noise: { oneMinusSquare(alpha, beta, $0) }, signalRate: da,
      noiseProduct: { oneMinusSquare(alpha, beta, $0) * db($0) }, noiseRate: db)
  }

  /// aₜ = 1, bₜ = σmin √(r^{2(1-t)} - 1), r = σmax/σmin: the variance-exploding SDE. The flow starts from N(0, b₀²I), to which the
  /// data add little when σmax is large.
  public static func ve(sigmaMin: Double = 0.01, sigmaMax: Double = 50) -> Interpolation {
    precondition(sigmaMin > 0 && sigmaMax > sigmaMin, "Interpolation.ve: 0 < sigmaMin < sigmaMax is needed.")
    let logRatio = log(sigmaMax / sigmaMin)
    let variance: Coefficient = { t in expm1((1 - t) * (2 * logRatio)) * (sigmaMin * sigmaMin) }
    return Interpolation(
      .ve, signal: { Tensor.ones($0.shape, as: $0.elementType) }, noise: { sqrt(variance($0)) },
      signalRate: { Tensor.zeros($0.shape, as: $0.elementType) },
      noiseProduct: { t in exp((1 - t) * (2 * logRatio)) * (-logRatio * sigmaMin * sigmaMin) })
  }

  /// aₜ = sin(πt/2), bₜ = cos(πt/2).
  public static let spherical = Interpolation(
    .spherical, signal: { sin($0 * halfPi) }, noise: { cos($0 * halfPi) }, signalRate: { cos($0 * halfPi) * halfPi },
    noiseProduct: { -(sin($0 * halfPi) * cos($0 * halfPi)) * halfPi }, noiseRate: { -sin($0 * halfPi) * halfPi })

  /// aₜ = t, bₜ = √(1 - t²): the shape of the variance-preserving path with the constant speed of the straight one in a.
  public static let vpConstant = Interpolation(
    .vpConstant, signal: { $0 }, noise: { sqrt((1 - $0) * (1 + $0)) }, signalRate: { Tensor.ones($0.shape, as: $0.elementType) },
    noiseProduct: { -$0 })

  /// The interpolation called `kind`, with its usual constants; nil for `custom`, which has no definition of its own.
  public static func named(_ kind: Kind, sigmaMin: Double = 0.01, sigmaMax: Double = 50) -> Interpolation? {
    switch kind {
    case .straight: .straight
    case .vp: .vp()
    case .subvp: .subvp()
    case .ve: .ve(sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    case .spherical: .spherical
    case .vpConstant: .vpConstant
    case .custom: nil
    }
  }
}

private let halfPi = Double.pi / 2

/// log aₜ of the variance-preserving path.
private func vpLogSignal(_ α: Double, _ β: Double, _ t: Tensor) -> Tensor {
  let s = 1 - t
  return s.squared() * (-0.25 * α) - s * (0.5 * β)
}

private func vpSignal(_ α: Double, _ β: Double) -> Interpolation.Coefficient {
  { t in exp(vpLogSignal(α, β, t)) }
}

private func vpSignalRate(_ α: Double, _ β: Double) -> Interpolation.Coefficient {
  { t in exp(vpLogSignal(α, β, t)) * ((1 - t) * (0.5 * α) + 0.5 * β) }
}

/// 1 - aₜ² without cancellation near t = 1.
private func oneMinusSquare(_ α: Double, _ β: Double, _ t: Tensor) -> Tensor { -expm1(vpLogSignal(α, β, t) * 2) }
