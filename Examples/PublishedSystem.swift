public import Fluxion
public import FluxionFlows

/// A published system in four lines.
public func rectifiedFlow(of path: String, configuration: RectifiedFlow.Configuration, key: Key) throws -> (samples: Tensor, straightness: Double) {
  let moons = try Table.read(path).tensor()
  let flow = try RectifiedFlow(configuration).fit(moons, key: key) { progress in print(progress) }
  let samples = flow.sample(count: 500, using: .euler(steps: 1), key: key)
  return (samples, flow.straightness(on: moons))
}
