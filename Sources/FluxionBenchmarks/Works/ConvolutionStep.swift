import Fluxion

/// One Adam step of a denoiser of six 3×3 convolutions with silu between them, on images of three channels.
public struct ConvolutionStep: Workload {
  public var family: String { "conv_step" }
  let batch: Int, channels: Int, size: Int

  public init(batch: Int, channels: Int, size: Int) { (self.batch, self.channels, self.size) = (batch, channels, size) }

  public var name: String { "conv-denoiser-step-B\(batch)-C\(channels)-S\(size)" }
  public var unit: String { "training step" }
  private var widths: [Int] { [3] + [Int](repeating: channels, count: 5) + [3] }
  /// As products of patches with kernels.
  public var demand: Demand {
    let pixels = batch * size * size
    let pairs = zip(widths, widths.dropFirst())
    return Demand(
      products: pairs.enumerated().flatMap { i, pair -> [Demand.Product] in
        let (n, m) = pair
        let forward = Demand.Product(rows: pixels, columns: m, inner: 9 * n, count: 1)
        let byKernel = Demand.Product(rows: 9 * n, columns: m, inner: pixels, count: 1)
        let byInput = Demand.Product(rows: pixels, columns: n, inner: 9 * m, count: 1)
        return i == 0 ? [forward, byKernel] : [forward, byKernel, byInput]
      }, functions: 5 * pixels * channels,
      bytes: 4 * (6 * pairs.reduce(0) { $0 + (9 * $1.0 + 1) * $1.1 } + 6 * pixels))
  }

  private struct Denoiser: Module {
    var layers: [Convolution]
    func callAsFunction(_ x: Tensor) -> Tensor {
      layers[layers.count - 1](layers.dropLast().reduce(x) { silu($1($0)) })
    }
  }

  public func prepare() -> Session {
    let keys = Key(0).split(widths.count - 1)
    let net = Denoiser(
      layers: zip(zip(widths, widths.dropFirst()), keys).map {
        Convolution($0.0, $0.1, initialisation: .lecun, key: $1)
      })
    let (x, y) = (Key(1).normal([batch, size, size, 3]), Key(2).normal([batch, size, size, 3]))
    let step = compiled { (state: inout TrainingState<Denoiser>, x: Tensor, y: Tensor) -> Tensor in
      let (loss, slope) = valueAndGradient(of: { meanSquaredError($0(x), y) }, at: state.model)
      state.apply(slope)
      return loss
    }
    return Session(TrainingState(net, optimiser: Adam(learningRate: 1e-3)), step, (x, y)) { step(&$0, $1.0, $1.1) }
  }
}
