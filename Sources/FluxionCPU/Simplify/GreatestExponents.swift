import FluxionCore

extension Graph {
  /// The greatest exponent is taken of the exponents themselves, which are there, rather than of what they are made from: one
  /// reduction less, since the sum of exponentials knows it (see ``ExponentialSum``).
  ///
  /// The last of the passes, since ``simplifyingAlgebra()`` would turn it back.
  func takingGreatestOfExponents() -> Graph {
    let sums = exponentialSums()
    guard !sums.isEmpty || nodes.contains(where: { $0.operation.isControlFlow }) else { return self }
    var wanted: [ValueID: ExponentialSum] = [:]
    for sum in sums { wanted[sum.greatest] = sum }
    let exponents = Set(wanted.values.map(\.exponents))
    var renamed = [ValueID: ValueID](uniqueKeysWithValues: (0..<inputCount).map { (ValueID($0), ValueID($0)) })
    return rewritten(subgraphs: { $0.takingGreatestOfExponents() }) { editor, node, operands in
      if let sum = wanted[node.firstResult], let x = renamed[sum.exponents] {
        let found = editor.make(.reduce(.maximum, axes: sum.axes), [x], node.callSite)
        let shape = types[node.firstResult.int].shape
        return [editor.type(found).shape == shape ? found : editor.make(.reshape(shape), [found], node.callSite)]
      }
      guard node.resultCount == 1, exponents.contains(node.firstResult) else { return nil }
      let kept = editor.append(node.operation, operands, CollectionOfOne(types[node.firstResult.int]), node.callSite)
      renamed[node.firstResult] = kept
      return [kept]
    }.removingDeadCode()
  }
}
