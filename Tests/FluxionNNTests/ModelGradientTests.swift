import FluxionCore
import FluxionNN
import FluxionTransforms
import Testing

/// Compares the gradient of `loss` along one random direction with a central difference, in double precision.
private func expectGradient<M: Module>(
  of model: M, step: Double = 1e-5, bound: Double = 1e-7, sourceLocation: SourceLocation = #_sourceLocation,
  _ loss: (M) -> Tensor
) {
  let (leaves, structure) = flatten(model)
  let keys = Key(77).split(leaves.count)
  let directions = leaves.indices.map { keys[$0].normal(leaves[$0].shape, as: .float64) }
  let slopes = flatten(gradient(of: loss, at: model)).leaves
  var analytic = 0.0
  for (d, g) in zip(directions, slopes) { analytic += (d * g).sum().item() }
  func moved(_ amount: Double) -> Double {
    loss(unflatten(M.self, structure, leaves.indices.map { leaves[$0] + directions[$0] * amount })).item()
  }
  let numeric = (moved(step) - moved(-step)) / (2 * step)
  #expect(abs(analytic - numeric) < bound * max(1, abs(numeric)), "\(analytic) against \(numeric)", sourceLocation: sourceLocation)
}

@Suite("Derivatives of models") struct ModelGradientTests {
  @Test("perceptrons", arguments: [Activation.silu, .gelu, .tanh, .sigmoid, .softplus, .sin, .elu])
  func perceptron(_ activation: Activation) {
    let x = Key(1).normal([6, 3], as: .float64)
    let y = Key(2).normal([6, 2], as: .float64)
    expectGradient(of: MLP(3, 7, 5, 2, activation: activation, as: .float64, key: Key(0))) { meanSquaredError($0(x), y) }
  }

  @Test("an image network") func imageNetwork() {
    var net = UNet(channels: 1, width: 4, multipliers: [1, 2], classes: 2, as: .float64, key: Key(3))
    net.last = Convolution(4, 1, as: .float64, key: Key(4))
    let x = Key(5).normal([2, 4, 4, 1], as: .float64)
    let t = Tensor([0.2, 0.7], shape: [2, 1])
    expectGradient(of: net, bound: 1e-6) { $0(x, at: t, label: Tensor([Int32(1), 0])).squared().mean() }
  }

  @Test("losses") func losses() {
    struct Logits: Module { var x: Tensor }
    let model = Logits(x: Key(6).normal([5, 4], as: .float64))
    let target = Key(7).normal([5, 4], as: .float64)
    expectGradient(of: model) { huberLoss($0.x, target, delta: 0.7) }
    expectGradient(of: model) { pseudoHuberLoss($0.x, target, c: 0.3) }
    expectGradient(of: model) { logMeanAbsoluteError($0.x, target) }
    expectGradient(of: model) { softmaxCrossEntropy(logits: $0.x, labels: Tensor([Int32(0), 3, 1, 1, 2])) }
    expectGradient(of: model) { sigmoidCrossEntropy(logits: $0.x, labels: sigmoid(target)) }
  }

  @Test("gamma numbers follow their parameter") func gamma() {
    // The moments' derivatives are known: E[x] = α, E[x²] = α² + α. Bounds: five standard errors, found by repetition.
    struct Parameter: Module { var α: Tensor }
    for α in [0.4, 1.7, 30] {
      let slope = gradient(of: { (p: Parameter) in Key(8).gamma([3000], concentration: p.α).mean() }, at: Parameter(α: Tensor(α)))
      let value: Double = slope.α.item()
      #expect(abs(value - 1) < 0.1, "α = \(α): \(value)")
      let second = gradient(
        of: { (p: Parameter) in Key(8).gamma([3000], concentration: p.α).squared().mean() }, at: Parameter(α: Tensor(α)))
      let ratio: Double = second.α.item() / (2 * α + 1)
      #expect(abs(ratio - 1) < 0.2, "α = \(α): \(ratio)")
    }
  }
}
