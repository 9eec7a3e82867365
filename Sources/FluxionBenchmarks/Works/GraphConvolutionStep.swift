import Fluxion

/// One full-batch Adam step of a two-layer graph convolutional network on a random graph with dense features and seven classes.
///
/// > T. Kipf, M. Welling. "Semi-supervised classification with graph convolutional networks." *ICLR* 2017.
public struct GraphConvolutionStep: Workload {
  public var family: String { "gcn_epoch" }
  let nodes: Int, edges: Int, features: Int, hidden: Int
  private let classes = 7

  public init(nodes: Int, edges: Int, features: Int, hidden: Int) {
    (self.nodes, self.edges, self.features, self.hidden) = (nodes, edges, features, hidden)
  }

  public var name: String { "gcn-step-N\(nodes)-E\(edges)-F\(features)" }
  public var unit: String { "training step" }
  public var demand: Demand {
    let sizes = [features, hidden, classes]
    // The features are read forward and backward; each entry of the adjacency moves a row, both ways.
    let rows = 2 * (edges + nodes) * (hidden + classes)
    return Demand(
      products: Demand.layers(sizes, batch: nodes, isTrained: true), functions: nodes * classes,
      bytes: 4 * (2 * nodes * features + 2 * rows + 6 * Demand.parameters(sizes)))
  }

  private struct Network: Module {
    var first: Linear
    var second: Linear
    func callAsFunction(_ x: Tensor, _ adjacency: COOMatrix) -> Tensor {
      func layer(_ l: Linear, _ h: Tensor) -> Tensor { adjacency.dot(h.matmul(l.weight)) + l.bias! }
      return layer(second, relu(layer(first, x)))
    }
  }

  public func prepare() -> Session {
    let key = Key(0)
    let source = key.fold(0).integers([edges], in: 0..<nodes)
    let target = key.fold(1).integers([edges], in: 0..<nodes)
    let x = key.fold(2).bernoulli([nodes, features], probability: 0.01).converted(to: .float32)
    let labels = key.fold(3).integers([nodes], in: 0..<classes)
    // D^(-1/2) (A + I) D^(-1/2), D the degrees with the loops.
    let degree = segmentSum(Tensor.ones([edges]), ids: target, count: nodes) + 1
    let loops = arange(nodes)
    let weights = 1 / sqrt(degree.gathered(source) * degree.gathered(target))
    let adjacency = COOMatrix(
      values: concatenated(weights, 1 / degree, alongAxis: 0), rows: concatenated(target, loops, alongAxis: 0),
      columns: concatenated(source, loops, alongAxis: 0), shape: [nodes, nodes]
    ).ordered()
    let net = Network(
      first: Linear(features, hidden, initialisation: .lecun, key: key.fold(4)),
      second: Linear(hidden, classes, initialisation: .lecun, key: key.fold(5)))
    let step = compiled {
      (state: inout TrainingState<Network>, x: Tensor, adjacency: COOMatrix, labels: Tensor) -> Tensor in
      let (loss, slope) = valueAndGradient(
        of: { softmaxCrossEntropy(logits: $0(x, adjacency), labels: labels) }, at: state.model)
      state.apply(slope)
      return loss
    }
    return Session(TrainingState(net, optimiser: Adam(learningRate: 1e-2)), step, (x, adjacency, labels)) {
      step(&$0, $1.0, $1.1, $1.2)
    }
  }
}
