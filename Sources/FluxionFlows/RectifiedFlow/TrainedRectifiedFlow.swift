public import FluxionCore
public import FluxionData

/// The flows of a training: one per round, with what is needed to go from noise or source points to data and back.
///
/// Points go in and come out in the units of the data; measures are taken in the units of training, which are the same unless columns
/// were standardised. A plain value: it can be saved by its named tensors and settings, and sent between tasks.
public struct TrainedRectifiedFlow: Codable, Sendable {
  /// One rectification.
  public struct Round: Codable, Sendable {
    /// The averaged network.
    public var field: VelocityNetwork
    /// The network distilled from this round's pairs, if that was asked for.
    public var distilled: VelocityNetwork?

    public init(field: VelocityNetwork, distilled: VelocityNetwork? = nil) {
      self.field = field
      self.distilled = distilled
    }
  }

  public var configuration: RectifiedFlow.Configuration
  public var rounds: [Round]
  /// Brings columns (of images: channels) to the units of training; nil when they are those of the data.
  public var scaler: Standardiser?
  /// The shape of one point.
  public var pointShape: Shape
  /// The source points of a transfer, in the units of training; nil for a Gaussian source.
  public var sourcePoints: Tensor?
  /// The classes of the data it was trained on, `i32 [n]`; nil without classes.
  public var labels: Tensor?

  public init(
    configuration: RectifiedFlow.Configuration, rounds: [Round], scaler: Standardiser?, pointShape: Shape,
    sourcePoints: Tensor? = nil, labels: Tensor? = nil
  ) {
    self.configuration = configuration
    self.rounds = rounds
    self.scaler = scaler
    self.pointShape = pointShape
    self.sourcePoints = sourcePoints
    self.labels = labels
  }

  /// The last round's network.
  public var field: VelocityNetwork { rounds[rounds.count - 1].field }

  /// The way from source to data that it was trained on.
  public var interpolation: Interpolation {
    Interpolation.named(configuration.interpolation, sigmaMin: configuration.sigmaMin, sigmaMax: configuration.sigmaMax) ?? .straight
  }

  /// The round numbered from 1; the last one for nil.
  func round(_ number: Int?) -> Round {
    let n = number ?? rounds.count
    guard n >= 1 && n <= rounds.count else {
      trapAtCaller(ProgramError("RectifiedFlow", "there is no round \(n); this flow has rounds 1 to \(rounds.count)."))
    }
    return rounds[n - 1]
  }

  /// Data in the units of training.
  public func scaled(_ x: Tensor) -> Tensor { scaler.map { $0.apply(x) } ?? x }

  /// Points in the units of the data.
  public func unscaled(_ z: Tensor) -> Tensor { scaler.map { $0.invert(z) } ?? z }

  /// Source points in the units of training: rows of the source set, or Gaussian noise.
  public func drawSource(_ count: Int, key: Key) -> Tensor {
    if let sourcePoints { return sourcePoints.gathered(key.integers([count], in: 0..<sourcePoints.count)) }
    let noise = key.normal([count] + pointShape) * configuration.noiseScale
    // Where the path begins: b₀X₀, which is X₀ itself but for `ve`.
    return configuration.interpolation == .ve ? interpolation.noise(Tensor(Float(0))) * noise : noise
  }
}

extension Standardiser {
  /// The first pass of `apply` on tensors: the last axis holds the columns.
  public func apply(_ x: Tensor) -> Tensor {
    (x - Tensor(means).converted(to: x.elementType)) / Tensor(deviations).converted(to: x.elementType)
  }

  /// The inverse of `apply` on tensors.
  public func invert(_ x: Tensor) -> Tensor {
    x * Tensor(deviations).converted(to: x.elementType) + Tensor(means).converted(to: x.elementType)
  }
}
