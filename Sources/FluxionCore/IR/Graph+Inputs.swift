extension Graph {
  /// The same program taking `inputTypes`, among which its own input i stands at `place(i)`.
  package func placingInputs(among inputTypes: [TensorType], _ place: (Int) -> Int) -> Graph {
    let shift = inputTypes.count - inputCount
    func renumber(_ v: ValueID) -> ValueID { ValueID(v.int < inputCount ? place(v.int) : v.int + shift) }
    return Graph(
      inputCount: inputTypes.count,
      nodes: nodes.map {
        Node(
          operation: $0.operation, operands: $0.operands.map(renumber), firstResult: renumber($0.firstResult),
          resultCount: $0.resultCount, callSite: $0.callSite)
      }, outputs: outputs.map(renumber), types: inputTypes + types[inputCount...])
  }

  /// The same program with its inputs in another order: input i becomes input `place(i)`.
  package func permutingInputs(_ place: (Int) -> Int) -> Graph {
    var inputTypes = self.inputTypes
    for i in 0..<inputCount { inputTypes[place(i)] = types[i] }
    return placingInputs(among: inputTypes, place)
  }

  /// The same program with its last inputs fixed: each is a constant of it.
  package func bindingLastInputs(to constants: [Constant]) -> Graph {
    let kept = inputCount - constants.count
    precondition(
      kept >= 0 && zip(types[kept..<inputCount], constants).allSatisfy { $0 == $1.type }, "constants that are not the last inputs")
    // Inputs come before results: the constants keep their places, as results of the first nodes.
    let sources = constants.enumerated().map { i, constant in
      Node(operation: .constant(constant), operands: [], firstResult: ValueID(kept + i), resultCount: 1)
    }
    return Graph(inputCount: kept, nodes: sources + nodes, outputs: outputs, types: types)
  }
}
