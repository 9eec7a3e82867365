public import Fluxion

/// A model is a struct; a training step is a function; compiling it is one word.
public struct Velocity: Module {  // nothing else to declare: leaves are named net.layers.0.weight, …
  public var net: MLP
  public init(width: Int, key: Key) { net = MLP(3, width, width, width, 2, activation: .silu, key: key) }
  public func callAsFunction(_ x: Tensor, at t: Tensor) -> Tensor { net(concatenated(x, t, alongAxis: 1)) }
}

/// One step of flow matching on a batch `[n, 2]`.
///
/// - Returns: the loss before the step.
@Sendable public func flowMatchingStep(state: inout TrainingState<Velocity>, batch: Tensor, key: Key) -> Tensor {
  let (k0, k1) = key.split()
  let x0 = k0.normal(batch.shape)
  let t = k1.uniform([batch.count, 1])
  let target = batch - x0
  let (loss, slope) = valueAndGradient(of: { v in (v(x0 + t * target, at: t) - target).squared().mean() }, at: state.model)
  state.apply(slope)
  return loss
}

/// - Returns: the losses, one a step.
public func trainingLoop(points: Tensor, steps: Int, saveTo path: String, key: Key) throws -> [Double] {
  var state = TrainingState(Velocity(width: 128, key: key), optimiser: Adam(learningRate: 1e-3))
  let step = compiled(flowMatchingStep)
  var losses: [Double] = []
  for (i, batch) in points.batches(of: 256, key: key).prefix(steps).enumerated() {
    losses.append(step(&state, batch, key.fold(i)).item())
  }
  try state.model.save(to: path)
  return losses
}
