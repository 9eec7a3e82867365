public import FluxionCore
import FluxionTransforms

/// A way from a source point X₀ to a data point X₁:
///
///     Xₜ = aₜ X₁ + bₜ X₀,   d/dt Xₜ = a′ₜ X₁ + b′ₜ X₀,   a₁ = b₀ = 1, a₀ = b₁ = 0 (exactly or nearly)
///
/// Every interpolation gives a flow with the marginals of Xₜ. Only ``straight`` has the theorems on transport costs and straightening.
///
/// > X. Liu, C. Gong, Q. Liu. "Flow straight and fast: Learning to generate and transfer data with rectified flow." *ICLR* 2023,
/// > section 2.3 and equation 5.
public struct Interpolation: Sendable {
  public typealias Coefficient = @Sendable (_ t: Tensor) -> Tensor

  /// The interpolations with a name.
  public enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
    case straight
    case vp
    case subvp
    case ve
    case spherical
    case vpConstant = "vp-constant"
    case custom
  }

  public let kind: Kind
  /// aₜ, the share of the data.
  public let signal: Coefficient
  /// bₜ, the share of the source.
  public let noise: Coefficient
  /// a′ₜ.
  public let signalRate: Coefficient
  /// bₜ b′ₜ, which stays finite where b′ₜ does not.
  public let noiseProduct: Coefficient
  /// The last time at which b′ₜ is asked for; later times are moved here. 1 where b′ is finite.
  public let lastRateTime: Double
  private let rate: Coefficient?

  init(
    _ kind: Kind, signal: @escaping Coefficient, noise: @escaping Coefficient, signalRate: @escaping Coefficient,
    noiseProduct: @escaping Coefficient, noiseRate: Coefficient? = nil
  ) {
    self.kind = kind
    self.signal = signal
    self.noise = noise
    self.signalRate = signalRate
    self.noiseProduct = noiseProduct
    self.rate = noiseRate
    self.lastRateTime = noiseRate == nil ? 1 - 1e-5 : 1
  }

  /// b′ₜ. Where it is infinite at t = 1 it is taken at ``lastRateTime``.
  public func noiseRate(_ t: Tensor) -> Tensor {
    if let rate { return rate(t) }
    let earlier = minimum(t, Tensor(floatLiteral: lastRateTime))
    return noiseProduct(earlier) / noise(earlier)
  }

  /// Xₜ for pairs of points, `t` broadcastable against them.
  public func position(_ x0: Tensor, _ x1: Tensor, _ t: Tensor) -> Tensor { signal(t) * x1 + noise(t) * x0 }

  /// d/dt Xₜ.
  public func velocity(_ x0: Tensor, _ x1: Tensor, _ t: Tensor) -> Tensor { signalRate(t) * x1 + noiseRate(t) * x0 }

  /// A way given by its coefficients; derivatives that are missing are made by `jvp`.
  ///
  /// - Parameters:
  ///   - signal: aₜ, elementwise in t.
  ///   - noise: bₜ, elementwise in t.
  ///   - signalRate: a′ₜ.
  ///   - noiseRate: b′ₜ, finite on [0, 1].
  public static func custom(
    signal: @escaping Coefficient, noise: @escaping Coefficient, signalRate: Coefficient? = nil, noiseRate: Coefficient? = nil
  ) -> Interpolation {
    let da = signalRate ?? derivative(of: signal)
    let db = noiseRate ?? derivative(of: noise)
    return Interpolation(
      .custom, signal: signal, noise: noise, signalRate: da, noiseProduct: { t in noise(t) * db(t) }, noiseRate: db)
  }

  /// The derivative of an elementwise function of time.
  private static func derivative(of f: @escaping Coefficient) -> Coefficient {
    { t in jvp({ f($0) }, at: t, along: Tensor.ones(t.shape, as: t.elementType)).tangent }
  }
}
