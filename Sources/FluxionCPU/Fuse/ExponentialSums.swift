import FluxionCore

/// A sum of exp(x - m), m being the greatest x where that is finite and 0 elsewhere: the heart of log-sum-exp.
///
/// As written it takes two passes over x, the second of which waits for the first. A kernel that corrects its sum whenever a greater
/// x comes takes one, and x need not be made twice. That pays along the last axis; sums of whole rows would have to be corrected row by row.
///
/// > M. Milakov, N. Gimelshein. "Online normalizer calculation for softmax." arXiv:1805.02867, 2018.
struct ExponentialSum {
  /// The sum.
  let node: Int
  /// x.
  let exponents: ValueID
  /// What the kernel makes itself: x - m and its exponential, read by nothing else.
  let between: [ValueID]
}

extension Graph {
  func exponentialSums() -> [ExponentialSum] {
    guard nodes.contains(where: { if case .reduce(.sum, _) = $0.operation { true } else { false } }) else { return [] }
    return GreatestValues(self).exponentialSums()
  }
}

private struct GreatestValues {
  let graph: Graph
  private let makers: [Int]
  private let uses: [Int]

  init(_ graph: Graph) {
    self.graph = graph
    var makers = [Int](repeating: -1, count: graph.types.count)
    for (n, node) in graph.nodes.enumerated() {
      for i in 0..<node.resultCount { makers[node.firstResult.int + i] = n }
    }
    self.makers = makers
    uses = graph.useCounts
  }

  func exponentialSums() -> [ExponentialSum] {
    graph.nodes.indices.compactMap { n in
      guard case let .reduce(.sum, axes) = graph.nodes[n].operation else { return nil }
      let e = graph.nodes[n].operands[0]
      let shape = graph.types[e.int].shape
      guard let last = (0..<shape.rank).last(where: { shape[$0] != 1 }), axes.contains(last) else { return nil }
      guard let exponential = maker(e), case .unary(.exp) = exponential.operation, uses[e.int] == 1 else { return nil }
      let d = exponential.operands[0]
      guard let difference = maker(d), case .binary(.subtract) = difference.operation, uses[d.int] == 1 else { return nil }
      let (x, m) = (difference.operands[0], difference.operands[1])
      let element = graph.types[x.int].elementType
      guard element == .float32 || element == .float64, let shift = source(of: m, broadcastAlong: axes), uses[shift.int] > 1,
        let choice = maker(shift), case .select = choice.operation, number(choice.operands[2]) == 0,
        let test = maker(choice.operands[0]), case .unary(.isFinite) = test.operation, test.operands[0] == choice.operands[1],
        isExtreme(choice.operands[1], .maximum, of: x, axes)
      else { return nil }
      return ExponentialSum(node: n, exponents: x, between: [e, d])
    }
  }

  private func maker(_ v: ValueID) -> Node? { makers[v.int] < 0 ? nil : graph.nodes[makers[v.int]] }

  /// The number that all elements are, if that is known.
  private func number(_ v: ValueID) -> Double? {
    guard let node = maker(v) else { return nil }
    switch node.operation {
    case let .constant(constant): return constant.uniformScalar
    case .broadcast, .reshape: return number(node.operands[0])
    default: return nil
    }
  }

  /// The value that `v` repeats along `axes` and along no other.
  private func source(of v: ValueID, broadcastAlong axes: [Int]) -> ValueID? {
    var views: [Node] = []
    var at = v
    while let node = maker(at), node.operation.repeatsElements {
      views.append(node)
      at = node.operands[0]
    }
    var form: MemoryForm? = MemoryForm(base: at.int, strides: graph.types[at.int].shape.rowMajorStrides, offset: 0)
    for node in views.reversed() {
      form = form?.viewed(
        by: node.operation, operand: graph.types[node.operands[0].int].shape, result: graph.types[node.firstResult.int].shape)
    }
    let shape = graph.types[v.int].shape
    guard let form, form.offset == 0 else { return nil }
    var step = 1
    for axis in stride(from: shape.rank - 1, through: 0, by: -1) where shape[axis] != 1 {
      guard form.strides[axis] == (axes.contains(axis) ? 0 : step) else { return nil }
      if !axes.contains(axis) { step *= shape[axis] }
    }
    return at
  }

  /// Whether `t` is, in the same order, the greatest or smallest x along `axes`. Simplification finds it before x is scaled.
  private func isExtreme(_ t: ValueID, _ extreme: Reduction, of x: ValueID, _ axes: [Int]) -> Bool {
    let opposite: Reduction = extreme == .maximum ? .minimum : .maximum
    guard let node = maker(t) else { return false }
    switch node.operation {
    case .reshape: return isExtreme(node.operands[0], extreme, of: x, axes)
    case let .reduce(reduction, along): return reduction == extreme && along == axes && node.operands[0] == x
    case .unary(.negate):
      guard let scaled = maker(x), case .unary(.negate) = scaled.operation else { return false }
      return isExtreme(node.operands[0], opposite, of: scaled.operands[0], axes)
    case let .binary(f):
      guard let scaled = maker(x), case .binary(f) = scaled.operation,
        let place = (0...1).first(where: { number(node.operands[$0]) != nil }),
        let c = number(node.operands[place]), c.isFinite, c == number(scaled.operands[place])
      else { return false }
      let reverses: Bool
      switch f {
      case .add: reverses = false
      case .subtract: reverses = place == 0
      case .multiply where c != 0: reverses = c < 0
      case .divide where c != 0 && place == 1: reverses = c < 0
      default: return false
      }
      return isExtreme(node.operands[1 - place], reverses ? opposite : extreme, of: scaled.operands[1 - place], axes)
    default: return false
    }
  }
}

extension Operation {
  fileprivate var repeatsElements: Bool {
    switch self {
    case .broadcast, .reshape: true
    default: false
    }
  }
}
