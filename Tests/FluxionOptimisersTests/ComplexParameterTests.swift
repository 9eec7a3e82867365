import FluxionCore
import FluxionOptimisers
import Testing

/// Complex parameters after four steps with the gradients below, real and imaginary parts, from Optax 0.2.8 on JAX 0.10.2.
private let rows: [(name: String, optimiser: any Optimiser, real: [Double], imaginary: [Double])] = [
  (
    "adam", Adam(learningRate: 1e-2),
    [0.9824485095943678, -0.48145901604482, 0.7382400844115062], [2.0029390797153974, 0.25552547696561956, -1.0098112627558011]
  ),
  (
    "nadam", Adam(learningRate: 1e-2, isNesterov: true),
    [0.9794961515355283, -0.4792679749793933, 0.7370695923966508], [2.0018911775295867, 0.25666181360350754, -1.0129177032389567]
  ),
  (
    "adamw", AdamW(learningRate: 1e-2),
    [0.9824445364892314, -0.48145705273241135, 0.7382371015361106], [2.002931060688573, 0.2555244715954953, -1.0098072309196782]
  ),
  (
    "amsgrad", Adam(learningRate: 1e-2, denominator: .largestCorrected),
    [0.9830426486227984, -0.4834639798907999, 0.7385896929288259], [2.003147948958515, 0.254253065730949, -1.0098736192514235]
  ),
  (
    "rmsprop", RMSProp(learningRate: 1e-2),
    [0.9627118366894494, -0.463997663348868, 0.7302531097943252], [1.9968390857278095, 0.2635117183245406, -1.021613873547823]
  ),
  (
    "rmsprop centred", RMSProp(learningRate: 1e-2, isCentred: true),
    [0.9606552328657085, -0.4617321259481382, 0.7286420425340905], [1.9978243956702637, 0.26381721019073584, -1.023173067297164]
  ),
  (
    "rmsprop momentum", RMSProp(learningRate: 1e-2, momentum: 0.9),
    [0.9039351109924634, -0.40979843752956757, 0.6892548130583889], [2.013927982469517, 0.2787259154573737, -1.103947285891426]
  ),
  (
    "adagrad", AdaGrad(learningRate: 0.1),
    [0.8955970545225944, -0.39094818335954035, 0.697011554658403], [1.9867349414831617, 0.2904263308521369, -0.9799015252641716]
  ),
  (
    "lion", Lion(learningRate: 1e-3),
    [0.997594630476155, -0.4983187603058155, 0.7496509681988134], [1.99944413565553, 0.2501211050236101, -1.0004739521490271]
  ),
  (
    "clipped", ClipByGlobalNorm(1).then(GradientDescent(learningRate: 0.1)),
    [0.921156568674511, -0.373072140927963, 0.7403352287867829], [1.9690614537948428, 0.3093251625114485, -0.9923386513263589]
  ),
]

private let gradients = [
  complex(Tensor([0.3, -2, 0]), Tensor([-0.4, 0.1, 0.02])), complex(Tensor([-0.1, 1, 0.5]), Tensor([0.5, -1, 0])),
  complex(Tensor([0.7, 0, -0.25]), Tensor([0.2, 0.3, 0.1])), complex(Tensor([0.01, -1.5, 0.05]), Tensor([-0.02, -0.5, -0.3])),
]
private let origin = complex(Tensor([1.0, -0.5, 0.75]), Tensor([2, 0.25, -1]))

/// Parameters after steps along gradients and from a start that are both turned by a phase.
private func end(_ optimiser: any Optimiser, turnedBy phase: Double = 0) -> Tensor {
  func run<O: Optimiser>(_ optimiser: O) -> Tensor {
    let turn = exp(complex(Tensor(0, as: .float64), Tensor(phase, as: .float64)))
    var x = origin * turn
    var state = optimiser.initialState(for: x)
    for g in gradients { optimiser.step(g * turn, parameters: &x, state: &state) }
    return x / turn
  }
  return run(optimiser)
}

private func gap(_ x: Tensor, _ real: [Double], _ imaginary: [Double]) -> Double {
  zip(x.real.doubles() + x.imaginary.doubles(), real + imaginary).map { abs($0 - $1) }.max()!
}

@Suite("Complex parameters") struct ComplexParameterTests {
  @Test("steps equal Optax's", arguments: rows.indices) func optax(_ i: Int) {
    let (name, optimiser, real, imaginary) = rows[i]
    let x = end(optimiser)
    #expect(x.elementType == .complex128)
    #expect(gap(x, real, imaginary) < 1e-13, "\(name): \(x.real.doubles()) + i \(x.imaginary.doubles())")
  }

  @Test("steps turn with the gradients' phase", arguments: rows.indices) func phase(_ i: Int) {
    let x = end(rows[i].optimiser)
    #expect(gap(end(rows[i].optimiser, turnedBy: 0.7), x.real.doubles(), x.imaginary.doubles()) < 1e-13, "\(rows[i].name)")
  }

  @Test("the first step of Adam is as long as the learning rate, whatever the phase") func firstStep() {
    var x = origin
    let adam = Adam(learningRate: 0.01, epsilon: 0)
    var state = adam.initialState(for: x)
    #expect(state.moments["v"]!.elementType == .float64)
    adam.step(gradients[0], parameters: &x, state: &state)
    for length in abs(x - origin).doubles() { #expect(abs(length - 0.01) < 1e-15) }
    // v = (1 - β₂) |g|².
    for (v, square) in zip(state.moments["v"]!.doubles(), [0.25, 4.01, 0.0004]) { #expect(abs(v - 0.001 * square) < 1e-17) }
  }

  @Test("the largest square of AMSGrad as in the paper is one of real numbers") func largest() {
    let x = end(Adam(learningRate: 1e-2, denominator: .largest))
    #expect(gap(x, origin.real.doubles(), origin.imaginary.doubles()) < 4 * 0.011)
    // Gradients only grow, so that the largest is the last and the steps are Adam's.
    func grown(_ rule: Adam) -> Tensor {
      var (x, state) = (origin, rule.initialState(for: origin))
      for scale in [1.0, 2, 4] { rule.step(gradients[0] * scale, parameters: &x, state: &state) }
      return x
    }
    let plain = grown(Adam(learningRate: 1e-2))
    #expect(gap(grown(Adam(learningRate: 1e-2, denominator: .largest)), plain.real.doubles(), plain.imaginary.doubles()) < 1e-15)
  }
}
