import Fluxion
import FluxionBenchmarks
import FluxionTestSupport
import Testing

/// What the measured programs compute, in small sizes.
@Suite("workloads") struct WorkloadTests {
  static let small: [any Workload] = [
    FlowMatchingStep(batch: 8, width: 5), NeuralODE(batch: 4, width: 5, takesGradient: false),
    NeuralODE(batch: 4, width: 5, takesGradient: true),
    EulerSampling(count: 7, width: 5, steps: 3), PINNStep(batch: 6, width: 5),
    ConvolutionStep(batch: 2, channels: 4, size: 5),
    SinkhornIterations(count: 9, iterations: 10), GraphConvolutionStep(nodes: 12, edges: 30, features: 20, hidden: 4),
    EagerOperation(.sin),
    EagerOperation(.add), EagerOperation(.sum), EagerOperation(.gradient), RungeKuttaLoop(size: 5, steps: 20),
    PoissonCG(size: 6, iterations: 10), EulerMaruyama(paths: 6, steps: 10), SmallProducts(count: 3, size: 4),
    SparseProduct(rows: 6, entries: 20, width: 3),
    HessianVectorProduct(batch: 4, width: 6), FirstGradient(), SpiralNeuralODE(steps: 3, width: 4, batch: 3, window: 4),
  ]

  @Test("every kind of workload is judged here, and names are unique") func complete() {
    let families = Set(Workloads.all.map { $0.family })
    #expect(families == Set(Self.small.map { $0.family }))
    #expect(Set(Workloads.all.map(\.name)).count == Workloads.all.count)
    for work in Workloads.all {
      #expect(Workloads.named(work.name).map(\.name) == [work.name])
      #expect(Workloads.named(work.family).contains { $0.name == work.name })
    }
  }

  /// Three units, so that a training step's update shows in the next loss. Rounding: sums of at most some hundred terms in another
  /// order, carried through three steps or through loops; Adam divides a gradient by its own size, which magnifies what is near 0.
  /// Whole numbers are left out: rounding may decide whether an adaptive solution takes one step more.
  @Test("the compiled program does what the reference interpreter does", arguments: small.indices)
  func matchesReference(index: Int) {
    let work = Self.small[index]
    func results() -> [Tensor] {
      let session = work.prepare()
      for _ in 0..<3 { session.run() }
      return session.results()
    }
    let actual = results()
    let expected = Device.reference.active(results)
    #expect(actual.count == expected.count)
    for (a, e) in zip(actual, expected) where e.elementType.isFloatingPoint {
      expectClose(a, e, Tolerance(relative: 2e-4, absolute: 2e-5), work.name)
    }
  }

  // MARK: Against something independent

  @Test("the solution of the neural equation is that of a tighter tolerance in f64, to 1e-4") func neuralODE() {
    let work = NeuralODE(batch: 128, width: 64, takesGradient: false)
    let (net, y0) = (mapTensors(work.network) { $0.converted(to: .float64) }, work.initial.converted(to: .float64))
    let fine = DormandPrince5(relativeTolerance: 1e-10, absoluteTolerance: 1e-10)
    let expected = compiled { (net: MLP, y0: Tensor) -> Tensor in
      solve(NeuralODE.problem, from: y0, over: 0...1, parameters: net, using: fine).value
    }(net, y0)
    let session = work.prepare()
    session.run()
    expectClose(session.results()[0].converted(to: .float64), expected, Tolerance(absolute: 1e-4))
  }

  @Test("the gradient of the neural equation is that of a tighter tolerance in f64, to 1e-4") func neuralODEGradient() {
    let work = NeuralODE(batch: 128, width: 64, takesGradient: true)
    let (net, y0) = (mapTensors(work.network) { $0.converted(to: .float64) }, work.initial.converted(to: .float64))
    let fine = DormandPrince5(relativeTolerance: 1e-9, absoluteTolerance: 1e-9)
    let expected = compiled { (net: MLP, y0: Tensor) -> MLP in
      gradient(
        of: { solve(NeuralODE.problem, from: y0, over: 0...1, parameters: $0, using: fine).value.squared().sum() },
        at: net)
    }(net, y0)
    let session = work.prepare()
    session.run()
    let leaves = flatten(expected).leaves
    // Relative to the largest slope of all: a sum over 128 points.
    let scale = leaves.map { abs($0).max().item() }.max()!
    for (a, e) in zip(session.results(), leaves) {
      expectClose(a.converted(to: .float64), e, Tolerance(absolute: 1e-4 * scale))
    }
  }

  @Test("the loss of the Poisson residual is that of nested derivatives") func pinn() {
    let work = PINNStep(batch: 6, width: 5)
    let (net, x) = (work.network, work.points)
    let seeds = [Tensor([Float(1), 0]), Tensor([Float(0), 1])]
    func u(_ x: Tensor) -> Tensor { net(x)[0] }
    var sum = 0.0
    for i in 0..<x.count {
      let point = x[i]
      var Δu = 0.0
      for v in seeds {
        Δu += jvp({ y in jvp(u, at: y, along: v).tangent }, at: point, along: v).tangent.item()
      }
      let residual = Δu + sin(point[0]).item()
      sum += residual * residual
    }
    let session = work.prepare()
    session.run()
    #expect(abs(session.results()[0].item() - sum / Double(x.count)) < 1e-5 * sum)
  }

  @Test("conjugate gradients solve the equations") func cg() {
    let work = PoissonCG(size: 6, iterations: 30)
    let session = work.prepare()
    session.run()
    expectClose(fivePointLaplacian(session.results()[0]), work.rightHandSide, Tolerance(absolute: 1e-4))
  }

  @Test("the Runge–Kutta loop reaches exp(t A) x₀") func rungeKutta() {
    let work = RungeKuttaLoop(size: 5, steps: 200)
    let session = work.prepare()
    session.run()
    let exact = matrixExponential(work.matrix.converted(to: .float64) * (200 * RungeKuttaLoop.stepSize)).dot(
      Tensor.ones([5], as: .float64))
    expectClose(session.results()[0].converted(to: .float64), exact, Tolerance(relative: 1e-4))
  }

  @Test("enough of Sinkhorn's iterations give the value of the converged solver") func sinkhorn() throws {
    let work = SinkhornIterations(count: 9, iterations: 500)
    let session = work.prepare()
    session.run()
    let (x, y) = work.points
    let cost = (x.expanded(at: 1) - y).squared().sum(alongAxis: -1)
    let plan = try solve(OptimalTransport(cost: cost), using: Sinkhorn(regularisation: 0.05, tolerance: 1e-5))
      .converged()
    expectClose(session.results()[0], plan.value, Tolerance(relative: 1e-4))
  }

  @Test("the stochastic paths have the mean and variance of the process") func eulerMaruyama() {
    let (paths, steps) = (4000, 500)
    let work = EulerMaruyama(paths: paths, steps: steps)
    let session = work.prepare()
    session.run()
    let x = session.results()[0]
    // Of the discrete scheme: mean (1 - h)ⁿ, variance h (1 - (1 - h)²ⁿ) / (1 - (1 - h)²). Four standard errors.
    let decay = 1 - EulerMaruyama.stepSize
    var (mean, variance) = (1.0, 0.0)
    for _ in 0..<steps { (mean, variance) = (mean * decay, variance * decay * decay + EulerMaruyama.stepSize) }
    #expect(abs(x.mean().item() - mean) < 4 * (variance / Double(paths)).squareRoot())
    #expect(abs(x.variance().item() / variance - 1) < 4 * (2 / Double(paths)).squareRoot())
  }

  @Test("the spiral is learnt") func spiral() {
    let session = SpiralNeuralODE(steps: 60, width: 20, batch: 20, window: 10).prepare()
    session.run()
    let losses = session.results()[0]
    #expect(isFinite(losses).all().item() == 1)
    #expect(
      losses.sliced(50..<60, alongAxis: 0).mean().item() < 0.7 * losses.sliced(0..<10, alongAxis: 0).mean().item())
  }
}
