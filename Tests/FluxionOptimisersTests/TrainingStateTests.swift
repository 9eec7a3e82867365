import Foundation
import FluxionCore
import FluxionOptimisers
import FluxionTransforms
import Testing

private struct Model: Structured, Sendable {
  var weight: Tensor
  var bias: Tensor
  /// Not a number to be learnt.
  var calls: Tensor
  var name = "line"

  func callAsFunction(_ x: Tensor) -> Tensor { x.matmul(weight) + bias }
}

private func model() -> Model {
  Model(weight: Tensor([0.5, -0.25, 1, 0], shape: [2, 2]), bias: Tensor([0.1, -0.1]), calls: Tensor([Int32(7), 8]))
}
private let inputs = Tensor([1.0, 2, -1, 0.5, 0, 3], shape: [3, 2])
private let targets = Tensor([1.0, 0, 0, 1, -1, 2], shape: [3, 2])
@Sendable private func loss(_ m: Model) -> Tensor { (m(inputs) - targets).squared().mean() }

private func gap(_ a: some Structured, _ b: some Structured) -> Double {
  zip(flatten(a).leaves, flatten(b).leaves).reduce(0) { largest, pair in
    zip(pair.0.doubles(), pair.1.doubles()).reduce(largest) { max($0, abs($1.0 - $1.1)) }
  }
}

@Suite("Training state") struct TrainingStateTests {
  private func fresh() -> TrainingState<Model> {
    TrainingState(
      model(), optimiser: ClipByGlobalNorm(1).then(AdamW(learningRate: .cosine(from: 0.1, steps: 20), decays: .matrices)),
      averaging: ExponentialMovingAverage(decay: 0.8))
  }

  private func trained(_ steps: Int, from state: TrainingState<Model>) -> TrainingState<Model> {
    var state = state
    for _ in 0..<steps { state.apply(gradient(of: loss, at: state.model)) }
    return state
  }

  @Test("names of the parts") func names() {
    let names = namedTensors(of: TrainingState(model(), optimiser: Adam())).map(\.name)
    #expect(
      names == [
        "model.weight", "model.bias", "model.calls", "optimiserState.count", "optimiserState.moments.m.weight",
        "optimiserState.moments.m.bias", "optimiserState.moments.m.calls", "optimiserState.moments.v.weight",
        "optimiserState.moments.v.bias", "optimiserState.moments.v.calls",
      ])
  }

  @Test("it learns, and leaves integers alone") func learns() {
    let end = trained(20, from: fresh())
    let (before, after): (Double, Double) = (loss(model()).item(), loss(end.model).item())
    #expect(after < 0.5 * before, "\(before) → \(after)")
    #expect(end.count.item() == 20)
    #expect(end.model.calls.elements(as: Int32.self) == [7, 8])
    #expect(end.model.weight.elementType == .float64)
  }

  @Test("its tensors are found where they lie, so that a compiled step need not encode it") func layouts() {
    func isFound(_ state: TrainingState<Model>) -> Bool {
      var state = state
      return withUnsafeMutablePointer(to: &state) { TreeLayout(of: $0, isForWriting: true)?.locate(in: $0) == true }
    }
    #expect(isFound(fresh()))
    #expect(isFound(TrainingState(model(), optimiser: GradientDescent(learningRate: 0.1, momentum: 0.9))))
  }

  @Test("another optimiser between two steps is another program") func changedOptimiser() {
    let step = compiled { (state: inout TrainingState<Model>) -> Tensor in
      let (value, slope) = valueAndGradient(of: loss, at: state.model)
      state.apply(slope)
      return value
    }
    var (state, plain) = (fresh(), fresh())
    for rate in [0.1, 0.1, 0.2, 0.1] {
      let optimiser = AnyOptimiser(ClipByGlobalNorm(1).then(AdamW(learningRate: .constant(rate), decays: .matrices)))
      (state.optimiser, plain.optimiser) = (optimiser, optimiser)
      for _ in 0..<3 {
        _ = step(&state)
        plain = trained(1, from: plain)
        #expect(gap(state, plain) < 1e-13)
      }
    }
  }

  @Test("compiled, scanned and plain steps agree") func routes() {
    let plain = trained(6, from: fresh())
    var state = fresh()
    let step = compiled { (state: inout TrainingState<Model>) -> Tensor in
      let (value, slope) = valueAndGradient(of: loss, at: state.model)
      state.apply(slope)
      return value
    }
    var losses: [Double] = []
    for _ in 0..<6 { losses.append(step(&state).item()) }
    #expect(gap(state, plain) < 1e-13)
    #expect(losses[5] < losses[0])
    let scanned = scan(count: 6, from: fresh()) { (state: TrainingState<Model>, _: Tensor) -> TrainingState<Model> in
      var state = state
      state.apply(gradient(of: loss, at: state.model))
      return state
    }
    #expect(gap(scanned, plain) < 1e-13)
  }

  @Test("saved and restored midway it goes on identically") func resumes() throws {
    let midway = trained(4, from: fresh())
    let restored = try JSONDecoder().decode(TrainingState<Model>.self, from: JSONEncoder().encode(midway))
    #expect(gap(trained(4, from: restored), trained(8, from: fresh())) == 0)
    #expect(restored.optimiser.base is Chain<ClipByGlobalNorm, Adam>)
  }

  @Test("an unknown optimiser is refused") func unknown() {
    let text = #"{"type": "Si", "value": 3}"#
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(AnyOptimiser.self, from: Data(text.utf8)) }
  }

  @Test("the gradient of five unrolled steps by the learning rate") func unrolled() {
    func end(_ η: Tensor) -> Tensor {
      let optimiser = Adam(learningRate: η, epsilonRoot: 1e-12)
      var (m, state) = (model(), optimiser.initialState(for: model()))
      for _ in 0..<5 { optimiser.step(gradient(of: loss, at: m), parameters: &m, state: &state) }
      return loss(m)
    }
    let slope: Double = gradient(of: end, at: Tensor(0.05, as: .float64)).item()
    let h = 1e-5
    let numeric = (end(Tensor(0.05 + h)).item() - end(Tensor(0.05 - h)).item()) / (2 * h)
    #expect(abs(slope - numeric) < 1e-5 * abs(numeric), "\(slope) against \(numeric)")
  }

  @Test("many seeds at once") func mapped() {
    let starts = Tensor([0.5, -1.5, 2])
    func run(_ x: Tensor) -> Tensor {
      var state = TrainingState(x, optimiser: Adam(learningRate: 0.1))
      for _ in 0..<3 { state.apply(gradient(of: { sin($0) * $0 }, at: state.model)) }
      return state.model
    }
    let together = vmap(run)(starts).doubles()
    for (i, x) in starts.doubles().enumerated() { #expect(abs(together[i] - run(Tensor(x)).item()) < 1e-13) }
  }
}

@Suite("Transforms of gradients") struct TransformTests {
  @Test("the global norm bounds all tensors together") func globalNormBound() {
    let gradient = ["a": Tensor([3.0, 0]), "b": Tensor([Float(4)])]
    #expect(abs(globalNorm(gradient).item() - 5) < 1e-12)
    var state = OptimiserState<[String: Tensor]>()
    let clipped = ClipByGlobalNorm(1).update(gradient, state: &state, parameters: gradient)
    #expect(gap(clipped, ["a": Tensor([0.6, 0]), "b": Tensor([Float(0.8)])]) < 1e-7)
    #expect(clipped["b"]!.elementType == .float32)
    #expect(gap(ClipByGlobalNorm(6).update(gradient, state: &state, parameters: gradient), gradient) == 0)
    let zero = ["a": Tensor([0.0])]
    #expect(ClipByGlobalNorm(1).update(zero, state: &state, parameters: zero)["a"]!.doubles() == [0])
  }

  @Test("bounds on values, and decay") func others() {
    var state = OptimiserState<Tensor>()
    let g = Tensor([-3.0, 0.5, 2])
    #expect(ClipByValue(1).update(g, state: &state, parameters: g).doubles() == [-1, 0.5, 1])
    #expect(WeightDecay(0.5).update(g, state: &state, parameters: Tensor([2.0, 4, -2])).doubles() == [-2, 2.5, 1])
    #expect(WeightDecay(0.5, decays: .matrices).update(g, state: &state, parameters: g).doubles() == [-3, 0.5, 2])
  }

  @Test("running averages") func averages() {
    var plain = ParameterAverage(Tensor([1.0]), rule: ExponentialMovingAverage(decay: 0.9))
    var corrected = ParameterAverage(Tensor([1.0]), rule: ExponentialMovingAverage(decay: 0.9, correctsBias: true))
    var warmed = ParameterAverage(Tensor([1.0]), rule: ExponentialMovingAverage(decay: 0.9, warmsUp: true))
    for x in [2.0, 4] {
      plain.update(Tensor([x]))
      corrected.update(Tensor([x]))
      warmed.update(Tensor([x]))
    }
    #expect(abs(plain.value.doubles()[0] - (0.81 + 0.18 + 0.4)) < 1e-15)
    #expect(abs(corrected.value.doubles()[0] - 0.58 / 0.19) < 1e-14)
    // Decays 2/11 and 3/12.
    let first = 1 * 2.0 / 11 + 2 * 9.0 / 11
    #expect(abs(warmed.value.doubles()[0] - (first * 0.25 + 4 * 0.75)) < 1e-14)
  }
}
