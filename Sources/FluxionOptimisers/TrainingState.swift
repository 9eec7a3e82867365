public import FluxionCore

/// All that training changes: the model, the optimiser's memory, and if wanted a running average of the model.
///
/// It is a structure of tensors, so it passes through `compiled`, `scan` and checkpoints as one value:
///
/// ```swift
/// var state = TrainingState(Velocity(width: 128, key: key), optimiser: Adam(learningRate: 1e-3))
/// let step = compiled { (state: inout TrainingState<Velocity>, batch: Tensor) -> Tensor in
///   let (loss, slope) = valueAndGradient(of: { loss(of: $0, on: batch) }, at: state.model)
///   state.apply(slope)
///   return loss
/// }
/// ```
public struct TrainingState<Model: Structured>: Codable {
  public var model: Model
  public var optimiserState: OptimiserState<Model>
  /// The running average of the model; nil if none is kept.
  public var average: ParameterAverage<Model>?
  public var optimiser: AnyOptimiser

  /// - Parameters:
  ///   - model: the parameters to begin with.
  ///   - optimiser: how they are changed.
  ///   - averaging: how a running average is kept; none unless told.
  public init(_ model: Model, optimiser: some Optimiser, averaging: ExponentialMovingAverage? = nil) {
    self.model = model
    self.optimiser = AnyOptimiser(optimiser)
    optimiserState = optimiser.initialState(for: model)
    average = averaging.map { ParameterAverage(model, rule: $0) }
  }

  /// One step along a gradient, shaped as the model.
  public mutating func apply(_ gradient: Model) {
    optimiser.step(gradient, parameters: &model, state: &optimiserState)
    average?.update(model)
  }

  /// The number of steps taken, a scalar `i32`.
  public var count: Tensor { optimiserState.count }

  /// The running average of the model if one is kept, else the model: what is used once training is over.
  public var averagedModel: Model { average?.value ?? model }
}
extension TrainingState: Sendable where Model: Sendable {}
