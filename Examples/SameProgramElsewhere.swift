public import Fluxion
public import FluxionXLA

/// The same program elsewhere: the step of `TrainingLoop.swift` on another device, and divided between the devices of a mesh.
///
/// - Parameter points: `[n, 2]`, n a multiple of the mesh's axis `data`.
/// - Returns: the losses of the steps on the host, on the device, and on the mesh, where the batch is split and the state replicated.
public func sameProgramElsewhere(points: Tensor, steps: Int, device: Device, mesh: DeviceMesh, key: Key) -> [[Double]] {
  let step = compiled(flowMatchingStep)  // what `trainingLoop` compiles, to the letter
  let elsewhere = step.placed(on: device)
  let parallel = step.sharded(on: mesh, arguments: .replicated, .split("data"), .replicated)
  return [step, elsewhere, parallel].map { step in
    var state = TrainingState(Velocity(width: 16, key: key), optimiser: Adam(learningRate: 1e-3))
    return (0..<steps).map { step(&state, points, key.fold($0)).item() }
  }
}
