public import FluxionExperiment
import FluxionCore
import FluxionData

extension RectifiedFlowExperiment {
  /// The velocity of the last round: dz/dt = v(z, t) carries source points at t = 0 to data at t = 1.
  public func exportedModel(of run: RunFolder) throws -> ExportedModel {
    let flow = try load(TrainedRectifiedFlow.self, from: run.path + "/model.safetensors")
    let (field, shape, classes) = (flow.field, flow.pointShape, flow.field.classCount)
    var inputs = [
      ExportedModel.Port("points", "[count, …], in the units of training"), ExportedModel.Port("time", "a scalar between 0, the source, and 1, the data"),
    ]
    if classes > 0 { inputs.append(.init("labels", "one class per point; \(classes) stands for no class")) }
    return ExportedModel(
      "the velocity v(z, t) of the last round of a rectified flow", inputs: inputs, outputs: [.init("velocity", "as points")],
      arguments: { count in
        let key = Key(0)
        let labels = classes > 0 ? [key.fold(1).integers([count], in: 0..<classes)] : []
        return [key.normal([count] + shape), Tensor(Float(0.25))] + labels
      },
      function: { x in [field.velocity(at: x[0], time: x[1], label: classes > 0 ? x[2] : nil)] })
  }
}
