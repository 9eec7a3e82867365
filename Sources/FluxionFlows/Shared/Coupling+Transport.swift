import FluxionCore
import FluxionSolvers

extension Coupling {
  /// The data with the pairs of this coupling: as they are when draws are independent, row by row when they are paired, and for
  /// transport a store of matched batches, from which training draws as from given pairs.
  ///
  /// As many pairs are stored as there are data points, at least 20 000 and at most 50 000.
  func realised(_ data: PairSource, key: Key) -> PairSource {
    switch self {
    case .independent: return data
    case .pairs:
      var paired = data
      paired.isPaired = true
      return paired
    case let .transport(batch, matching):
      let count = min(batch, data.target.count)
      let batches = (min(max(data.target.count, 20_000), 50_000) + count - 1) / count
      var (sources, targets, labels) = ([Tensor](), [Tensor](), [Tensor]())
      for i in 0..<batches {
        let (draw, choice) = key.fold(i).split()
        let (x0, x1, classes) = data.draw(count, key: draw)
        let partner = matching.partners(x0.asRows(), x1.asRows(), key: choice)
        sources.append(x0)
        targets.append(x1.gathered(partner))
        if let classes { labels.append(classes.gathered(partner)) }
      }
      return PairSource(
        target: concatenated(targets, alongAxis: 0), source: concatenated(sources, alongAxis: 0),
        labels: labels.isEmpty ? nil : concatenated(labels, alongAxis: 0), isPaired: true, sourceDeviation: data.sourceDeviation)
    }
  }
}

extension Coupling.Matching {
  /// For each row of `x0` the row of `x1` it is paired with, `i32 [n]`.
  func partners(_ x0: Tensor, _ x1: Tensor, key: Key) -> Tensor {
    switch self {
    case .assignment: return optimalPairing(x0, x1)
    case let .sinkhorn(regularisation):
      // In units of the mean cost, so that ε means the same for every batch.
      let cost = squaredDistances(x0, x1)
      let scaled = cost / cost.mean()
      let plan = solve(OptimalTransport(cost: scaled), using: Sinkhorn(regularisation: regularisation)).value.plan
      return key.categorical(logits: log(plan))
    }
  }
}

extension Tensor {
  /// Points as rows, `[n, d]`.
  func asRows() -> Tensor { reshaped(to: [count, elementCount / count]) }
}
