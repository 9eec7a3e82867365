import FluxionCore

/// A sum of exp(x - m), m being the greatest x where that is finite and 0 elsewhere: the heart of log-sum-exp.
///
/// As written it takes two passes over x, the second of which waits for the first. A kernel that corrects its sum whenever a greater
/// x comes takes one, finds the greatest x on its way, and x need not be made twice.
///
/// > M. Milakov, N. Gimelshein. "Online normalizer calculation for softmax." arXiv:1805.02867, 2018.
struct ExponentialSum {
  /// The sum.
  let node: Int
  /// x.
  let exponents: ValueID
  /// What the kernel makes itself: x - m and its exponential, read by nothing else.
  let between: [ValueID]
  /// The greatest x along `axes`, or what simplification made of it: the scaled extreme of what x scales.
  let greatest: ValueID
  let axes: [Int]
}

extension Graph {
  func exponentialSums() -> [ExponentialSum] {
    guard nodes.contains(where: { if case .reduce(.sum, _) = $0.operation { true } else { false } }) else { return [] }
    return GreatestValues(definitions: Definitions(self)).exponentialSums()
  }
}

private struct GreatestValues {
  let definitions: Definitions

  func exponentialSums() -> [ExponentialSum] { definitions.graph.nodes.indices.compactMap { exponentialSum($0) } }

  private func exponentialSum(_ n: Int) -> ExponentialSum? {
    let (nodes, types) = (definitions.graph.nodes, definitions.graph.types)
    guard case let .reduce(.sum, axes) = nodes[n].operation else { return nil }
    let e = nodes[n].operands[0]
    guard let exponential = definitions.maker(e), case .unary(.exp) = exponential.operation, definitions.uses(of: e) == 1 else {
      return nil
    }
    let d = exponential.operands[0]
    guard let difference = definitions.maker(d), case .binary(.subtract) = difference.operation, definitions.uses(of: d) == 1
    else { return nil }
    let (x, m) = (difference.operands[0], difference.operands[1])
    let element = types[x.int].elementType
    guard element == .float32 || element == .float64, let shift = definitions.source(of: m, repeatedAlong: axes),
      definitions.uses(of: shift) > 1, let choice = definitions.maker(shift), case .select = choice.operation,
      definitions.number(choice.operands[2]) == 0, let test = definitions.maker(choice.operands[0]),
      case .unary(.isFinite) = test.operation, test.operands[0] == choice.operands[1],
      isExtreme(choice.operands[1], .maximum, of: x, axes)
    else { return nil }
    return ExponentialSum(node: n, exponents: x, between: [e, d], greatest: choice.operands[1], axes: axes)
  }

  /// Whether `t` is, in the same order, the greatest or smallest x along `axes`. Simplification finds it before x is scaled.
  private func isExtreme(_ t: ValueID, _ extreme: Reduction, of x: ValueID, _ axes: [Int]) -> Bool {
    guard let node = definitions.maker(t) else { return false }
    switch node.operation {
    case .reshape: return isExtreme(node.operands[0], extreme, of: x, axes)
    case let .reduce(reduction, along): return reduction == extreme && along == axes && node.operands[0] == x
    default:
      guard let scaled = definitions.maker(x), let order = keptOrder(node), order == keptOrder(scaled), node.operation == scaled.operation
      else { return false }
      return isExtreme(node.operands[order.operand], order.source(of: extreme), of: scaled.operands[order.operand], axes)
    }
  }

  private func keptOrder(_ node: Node) -> KeptOrder? { node.operation.keptOrder { definitions.number(node.operands[$0]) } }
}
