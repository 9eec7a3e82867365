import FluxionCore
import FluxionNN
import Testing

/// The largest absolute difference.
private func gap(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.doubles(), b.doubles()).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

@Suite("Layers") struct LayerTests {
  private let key = Key(3)

  @Test("a linear layer is x W + b") func linear() {
    let layer = Linear(
      weight: Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3]), bias: Tensor([0.5, -0.5, 1]))
    let y = layer(Tensor([1.0, -1, 2, 0], shape: [2, 2]))
    #expect(y.doubles() == [-2.5, -3.5, -2, 2.5, 3.5, 7])
    #expect(layer(Tensor([1.0, -1])).doubles() == [-2.5, -3.5, -2])
    #expect(layer(Tensor.zeros([2, 5, 2], as: .float64)).shape == [2, 5, 3])
    #expect(Linear(4, 3, hasBias: false, key: key).bias == nil)
  }

  @Test("initial weights have the variance promised", arguments: Initialisation.allCases)
  func initialisation(_ initialisation: Initialisation) {
    let layer = Linear(200, 100, initialisation: initialisation, as: .float64, key: key)
    let variance: Double = layer.weight.squared().mean().item()
    let expected =
      switch initialisation {
      case .fanIn: 1.0 / 600
      case .lecun: 1.0 / 200
      case .glorot: 2.0 / 300
      case .he: 2.0 / 200
      case .orthogonal: 1.0 / 200
      case .zeros: 0.0
      }
    // Four standard errors of a variance of 20 000 numbers.
    #expect(abs(variance - expected) <= 0.04 * expected)
    #expect(layer.bias!.elementType == .float64)
    #expect((layer.bias!.squared().sum().item() == 0) == (initialisation != .fanIn))
  }

  @Test("a perceptron: names, sizes, arity, value") func perceptron() {
    let net = MLP(3, 8, 8, 2, activation: .tanh, key: key)
    #expect(
      namedTensors(of: net).map(\.name)
        == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias"])
    #expect(net.parameterCount == 3 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2)
    let x = Key(1).normal([5, 3])
    let byHand = net.layers[2](tanh(net.layers[1](tanh(net.layers[0](x)))))
    #expect(gap(net(x), byHand) == 0)
    let same = MLP(sizes: [3, 8, 8, 2], activation: .tanh, key: key)
    #expect(gap(net(x), same(x)) == 0)
    #expect(gap(MLP(3, 4, 1, lastInitialisation: .zeros, key: key)(x), Tensor.zeros([5, 1])) == 0)
    let wide = net.converted(to: .float64)
    #expect(wide(x.converted(to: .float64)).elementType == .float64)
    #expect(gap(wide(x.converted(to: .float64)), net(x)) < 1e-5)
  }

  @Test("activations against reference values", arguments: [
    // At -1.5 and 0.7, from SciPy 1.17 in double precision.
    (Activation.identity, -1.5, 0.7), (.relu, 0, 0.7), (.silu, -0.2736382857095345, 0.46773144051771626),
    (.gelu, -0.10021080190328713, 0.5306254434438489), (.tanh, -0.9051482536448665, 0.6043677771171634),
    (.sigmoid, 0.18242552380635635, 0.6681877721681662), (.softplus, 0.2014132779827524, 1.103186048885458),
    (.sin, -0.9974949866040544, 0.644217687237691), (.elu, -0.7768698398515702, 0.7), (.leakyRelu, -0.015, 0.7),
  ]) func activation(_ f: Activation, _ low: Double, _ high: Double) {
    #expect(gap(f(Tensor([-1.5, 0.7])), Tensor([low, high])) < 1e-15)
  }

  @Test("extreme arguments give no NaN", arguments: Activation.allCases) func extremes(_ f: Activation) {
    let y = f(Tensor([-1e30 as Float, -100, 0, 100, 1e30])).doubles()
    #expect(y.allSatisfy { !$0.isNaN })
  }

  @Test("a convolution layer") func convolutionLayer() {
    var layer = Convolution(1, 1, size: 3, as: .float64, key: key)
    layer.kernel = Tensor.ones([3, 3, 1, 1], as: .float64)
    layer.bias = Tensor([10.0])
    let x = Tensor((0..<9).map { Double($0) }, shape: [1, 3, 3, 1])
    #expect(layer(x).doubles() == [18, 25, 22, 31, 46, 37, 30, 43, 34])
    layer.padding = .valid
    #expect(layer(x).doubles() == [46])
    #expect(Convolution(4, 6, stride: 2, groups: 2, key: key)(Tensor.zeros([2, 5, 7, 4])).shape == [2, 3, 4, 6])
  }

  @Test("convolution layers over one and three axes, and with a border of the signal itself") func convolutionAxes() {
    #expect(Convolution(2, 3, axes: 1, size: 5, key: key)(Tensor.zeros([4, 9, 2])).shape == [4, 9, 3])
    #expect(Convolution(2, 3, axes: 3, stride: 2, key: key)(Tensor.zeros([1, 4, 5, 6, 2])).shape == [1, 2, 3, 3, 3])
    var layer = Convolution(1, 1, axes: 1, padding: .circular, hasBias: false, as: .float64, key: key)
    layer.kernel = Tensor([1.0, 10, 100]).reshaped(to: [3, 1, 1])
    let x = Tensor([1.0, 2, 3, 4]).reshaped(to: [1, 4, 1])
    #expect(layer(x).doubles() == [214, 321, 432, 143])
    layer.padding = .reflect
    #expect(layer(x).doubles() == [212, 321, 432, 343])
    layer.padding = .replicate
    #expect(layer(x).doubles() == [211, 321, 432, 443])
  }

  @Test("a transposed convolution layer") func transposedConvolutionLayer() {
    var layer = TransposedConvolution(1, 1, axes: 1, size: 2, as: .float64, key: key)
    layer.kernel = Tensor([1.0, 10]).reshaped(to: [2, 1, 1])
    layer.bias = Tensor([0.5])
    #expect(layer(Tensor([1.0, 2, 3]).reshaped(to: [1, 3, 1])).doubles() == [1.5, 10.5, 2.5, 20.5, 3.5, 30.5])
    #expect(TransposedConvolution(4, 6, groups: 2, key: key)(Tensor.zeros([2, 5, 7, 4])).shape == [2, 10, 14, 6])
    #expect(TransposedConvolution(2, 1, axes: 3, size: 3, stride: 3, key: key)(Tensor.zeros([1, 2, 3, 1, 2])).shape == [1, 6, 9, 3, 1])
  }

  @Test("normalisations") func normalisations() {
    let x = Key(2).normal([4, 6, 5, 8], as: .float64) * 3 + 2
    let layer = LayerNorm(8, epsilon: 0, as: .float64)(x)
    #expect(gap(layer.mean(alongAxis: -1), Tensor.zeros([4, 6, 5], as: .float64)) < 1e-14)
    #expect(gap(layer.variance(alongAxes: [-1]), Tensor.ones([4, 6, 5], as: .float64)) < 1e-13)
    let group = GroupNorm(8, groups: 2, epsilon: 0, as: .float64)(x).reshaped(to: [4, 30, 2, 4])
    #expect(gap(group.mean(alongAxes: [1, 3]), Tensor.zeros([4, 2], as: .float64)) < 1e-14)
    #expect(gap(group.variance(alongAxes: [1, 3]), Tensor.ones([4, 2], as: .float64)) < 1e-13)
    // One example does not see another.
    let alone = GroupNorm(8, groups: 2, as: .float64)(x[0..<1])
    #expect(gap(alone, GroupNorm(8, groups: 2, as: .float64)(x)[0..<1]) == 0)
    #expect(GroupNorm(12).groups == 6 && GroupNorm(7).groups == 7 && GroupNorm(11).groups == 1)
    var shifted = LayerNorm(2, epsilon: 1, as: .float64)
    shifted.scale = Tensor([2.0, 3])
    shifted.bias = Tensor([0.5, 0.25])
    // (x - 2) / √(1 + 1) with x = (1, 3).
    let unit = 0.5.squareRoot()
    #expect(gap(shifted(Tensor([1.0, 3])), Tensor([0.5 - 2 * unit, 0.25 + 3 * unit])) < 1e-15)
  }

  @Test("embedding and dropout") func embeddingAndDropout() {
    let table = Embedding(5, 3, key: key)
    #expect(gap(table(Tensor([Int32(4), 0])), concatenated(table.weight[4..<5], table.weight[0..<1], alongAxis: 0)) == 0)
    let x = Tensor.ones([20_000])
    let dropped = Dropout(rate: 0.25)(x, key: key).doubles()
    #expect(Set(dropped) == [0, Double(1 / Float(0.75))])
    let mean: Double = dropped.reduce(0, +) / 20_000
    #expect(abs(mean - 1) < 0.0165, "four standard errors")
    #expect(gap(Dropout(rate: 0.25)(x, key: nil), x) == 0)
  }

  @Test("time features") func time() {
    let t = Tensor([0.0, 0.25], shape: [2, 1])
    let r = 0.5.squareRoot()
    #expect(gap(timeFeatures(t), Tensor([0.0, 0, 1, 0, 1, 0.25, r, r, 1, 0], shape: [2, 5])) < 1e-15)
    // Frequencies 1, 10000^(-1/3), 10000^(-2/3), 1/10000 at 2 · 1000 / 1000.
    let e = sinusoidalEmbedding(Tensor([2.0], shape: [1, 1]), count: 8, scale: 1)
    let expected = [
      0.9092974268256817, 0.09269850077872724, 0.0043088560467428125, 0.0001999999986666667, -0.4161468365471424,
      0.9956942241237399, 0.9999907168366957, 0.9999999800000001,
    ]
    #expect(gap(e, Tensor(expected, shape: [1, 8])) < 1e-12)
    #expect(sinusoidalEmbedding(Tensor([Int32(1)], shape: [1, 1]), count: 4).elementType == .float32)
  }

  @Test("a model is rebuilt from its parts") func structure() {
    let net = UNet(channels: 1, width: 8, classes: 3, key: key)
    let (leaves, structure) = flatten(net)
    let again = unflatten(UNet.self, structure, leaves)
    #expect(flatten(again).structure == structure)
    #expect(again.classes == 3 && again.downs[0].blocks[0].norm1.groups == 8)
  }

  @Test("an image network") func imageNetwork() {
    var net = UNet(channels: 2, width: 8, multipliers: [1, 2, 2], classes: 3, key: key)
    let x = Key(4).normal([2, 8, 12, 2])
    let t = Tensor([Float(0.1), 0.9], shape: [2, 1])
    #expect(gap(net(x, at: t), Tensor.zeros([2, 8, 12, 2])) == 0, "the last layer begins at 0")
    net.last = Convolution(8, 2, key: Key(5))
    let y = net(x, at: t, label: Tensor([Int32(0), 2]))
    #expect(y.shape == [2, 8, 12, 2])
    #expect(y.doubles().allSatisfy { $0.isFinite })
    // It sees its time and its label, and examples do not mix.
    #expect(gap(y, net(x, at: t * 0.5, label: Tensor([Int32(0), 2]))) > 1e-4)
    #expect(gap(y, net(x, at: t, label: Tensor([Int32(0), 1]))) > 1e-4)
    #expect(gap(net(x, at: t), net(x, at: t, label: Tensor([Int32(3), 3]))) == 0)
    #expect(gap(net(x[0..<1], at: t[0..<1], label: Tensor([Int32(0)])), y[0..<1]) < 1e-5)
  }
}
