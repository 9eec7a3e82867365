/// The workloads that are measured, in the order of `WORKS` in `Benchmarks/peers.py`.
public enum Workloads {
  public static let all: [any Workload] = [
    FlowMatchingStep(batch: 256, width: 64), FlowMatchingStep(batch: 256, width: 128),
    FlowMatchingStep(batch: 4096, width: 256),
    NeuralODE(batch: 128, width: 64, takesGradient: false), NeuralODE(batch: 128, width: 64, takesGradient: true),
    EulerSampling(count: 10000, width: 128, steps: 10), PINNStep(batch: 1000, width: 50),
    ConvolutionStep(batch: 16, channels: 64, size: 32), SinkhornIterations(count: 1000),
    GraphConvolutionStep(nodes: 2708, edges: 10556, features: 1433, hidden: 64), EagerOperation(.sin),
    RungeKuttaLoop(size: 16, steps: 1000), PoissonCG(size: 256), EulerMaruyama(paths: 1000, steps: 1000),
    SmallProducts(count: 1000, size: 16), SparseProduct(rows: 20_000, entries: 200_000, width: 32),
    HessianVectorProduct(batch: 256, width: 128), EagerOperation(.add),
    EagerOperation(.sum),
    EagerOperation(.gradient), FirstGradient(), SpiralNeuralODE(),
  ]

  /// All names that ask for some: of families and of rows.
  public static var names: [String] {
    var names: [String] = []
    for work in all where !names.contains(work.family) { names.append(work.family) }
    return names + all.map(\.name)
  }

  /// The workloads of a family, or the one of a row's name; none for an unknown name.
  public static func named(_ name: String) -> [any Workload] { all.filter { $0.name == name || $0.family == name } }
}
