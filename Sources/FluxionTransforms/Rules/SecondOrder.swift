import FluxionCore

extension Augmentation {
  /// Derivatives along `size` directions (leading axis), and the sum of second derivatives along them.
  static func laplacian(_ size: Int) -> Augmentation {
    Augmentation(leading: [size, nil]) { pushLaplacian($0, $1, $2, size) }
  }
}

/// Runs `graph` on values and on [derivatives along `size` directions, sum of second derivatives]; nil is zero.
func pushLaplacian(
  _ graph: Graph, _ primals: [Tensor], _ companions: [[Tensor?]], _ size: Int
) -> (results: [Tensor], companions: [[Tensor?]]) {
  var values = [Tensor?](repeating: nil, count: graph.types.count)
  var beside = [[Tensor?]](repeating: [], count: graph.types.count)
  for i in 0..<graph.inputCount { (values[i], beside[i]) = (primals[i], companions[i]) }
  for node in graph.nodes {
    let (results, out) = laplacianRule(node.operation, node.operands.map { values[$0.int]! }, node.operands.map { beside[$0.int] }, size)
    for i in 0..<node.resultCount { (values[node.firstResult.int + i], beside[node.firstResult.int + i]) = (results[i], out[i]) }
  }
  return (graph.outputs.map { values[$0.int]! }, graph.outputs.map { beside[$0.int] })
}

/// One primitive. Its tangent rule T(x, ẋ), mapped over the directions, gives the derivatives; differentiated once more with ẋ held, it
/// gives the second derivatives, which are summed; and applied to Δx it gives what is left of Δy.
private func laplacianRule(_ operation: Operation, _ x: [Tensor], _ c: [[Tensor?]], _ size: Int) -> ([Tensor], [[Tensor?]]) {
  let none: [Tensor?] = [nil, nil]
  guard c.contains(where: \.isActive) else {
    let results = apply(operation, x)
    return (results, results.map { _ in none })
  }
  switch operation {
  case let .scan(scan): return augmentedScan(scan, x, c, .laplacian(size))
  case let .whileLoop(loop): return augmentedWhile(loop, x, c, .laplacian(size))
  case let .conditional(branches): return augmentedConditional(branches, x, c, .laplacian(size))
  case let .call(call) where call.rules.tangent == nil || call.rules.isTransparent: return pushLaplacian(call.body, x, c, size)
  default: break
  }
  let (results, traces) = tangentRule(operation, x, c.map { $0[1] })
  let active = c.indices.filter { c[$0][0] != nil }
  guard !active.isEmpty else { return (results, traces.map { [nil, $0] }) }
  let n = x.count
  func tangents(_ inputs: [Tensor]) -> [Tensor?] {
    var all = [Tensor?](repeating: nil, count: n)
    for (i, place) in active.enumerated() { all[place] = inputs[n + i] }
    return all
  }
  let types = x.map(\.type) + active.map { x[$0].type }
  var firstPattern: [Bool] = [], secondPattern: [Bool] = []
  let (both, captures) = traceGraph(types) { inputs in
    var pattern: [Bool] = []
    let (tangent, outside) = traceGraph(types) { inputs in
      let slopes = tangentRule(operation, Array(inputs.prefix(n)), tangents(inputs)).1
      pattern = slopes.map { $0 != nil }
      return slopes.compactMap { $0 }
    }
    let along = tangents(inputs) + active.map { _ in nil } + outside.map { _ in nil }
    let (first, second) = pushforward(tangent, inputs + outside, along)
    firstPattern = pattern
    var rest = second[...]
    secondPattern = pattern.map { $0 && rest.removeFirst() != nil }
    return first + second.compactMap { $0 }
  }
  let mapped =
    x.map { Mapped($0, isMapped: false) } + active.map { Mapped(c[$0][0]!, isMapped: true) } + captures.map { Mapped($0, isMapped: false) }
  var all = batch(both, mapped, size)[...]
  let jacobians = firstPattern.map { $0 ? all.removeFirst().brought(size) : nil }
  let seconds = secondPattern.map { $0 ? all.removeFirst().brought(size).sum(alongAxis: 0) : nil }
  return (results, jacobians.indices.map { [jacobians[$0], sum(traces[$0], seconds[$0])] })
}
