import FluxionCore

/// Combines structures of one kind tensor by tensor: `rule` gets one tensor of each and gives as many as `results`. Integers and
/// truth values are not touched; they count as zeros in the results. Beside complex tensors of the first structure real ones may stand.
func leafwise<M: Structured>(
  _ operation: String, _ inputs: [M], results: Int = 1, _ rule: ([Tensor]) -> [Tensor]
) -> [M] {
  let flat = inputs.map { flatten($0) }
  let structure = flat[0].structure
  for other in flat.dropFirst() where other.structure != structure {
    trapAtCaller(
      ProgramError(
        operation, "gradient, parameters and state differ in structure: \(describeDifference(structure, other.structure))."))
  }
  var columns = [[Tensor]](repeating: [], count: results)
  for i in flat[0].leaves.indices {
    let tensors = flat.map { $0.leaves[i] }
    guard tensors[0].elementType.isDifferentiable else {
      for r in 0..<results { columns[r].append(Tensor.zeros(like: tensors[0].type)) }
      continue
    }
    let types = [tensors[0].elementType, tensors[0].elementType.realPart]
    if let other = tensors.dropFirst().first(where: { $0.shape != tensors[0].shape || !types.contains($0.elementType) }) {
      let name = structure.leafNames[i]
      trapAtCaller(ProgramError(operation, "\"\(name)\" is \(tensors[0].type) in the gradient, but \(other.type) in parameters or state."))
    }
    for (r, result) in rule(tensors).enumerated() { columns[r].append(result) }
  }
  return columns.map { unflatten(M.self, structure, $0) }
}

/// Zeros shaped as the parameters.
func zeros<M: Structured>(like parameters: M) -> M { mapTensors(parameters) { Tensor.zeros(like: $0.type) } }

/// What squares are summed up in: `value` everywhere, shaped as the parameters, real where they are complex. Of complex gradients rules
/// take |g|², so that steps do not depend on where the phase is counted from.
func squares<M: Structured>(_ value: Double, like parameters: M) -> M {
  mapTensors(parameters) {
    $0.elementType.isDifferentiable ? Tensor.full(value, $0.shape, as: $0.elementType.realPart) : Tensor.zeros(like: $0.type)
  }
}

/// 1 - βᵗ for a counter t, without the cancellation that costs `f32` its last digits at β near 1.
func biasCorrection(_ β: Double, _ t: Tensor, like x: Tensor) -> Tensor {
  guard β > 0 else { return Tensor(1, as: x.elementType.realPart) }
  return -expm1(t.converted(to: x.elementType.realPart) * logarithm(β))
}

/// Requires a decay factor of [0, 1).
func requireFactor(_ β: Double, _ operation: String, _ name: String) {
  requireOfCaller(β >= 0 && β < 1, operation, "\(name) = \(β) is not in [0, 1).")
}

/// Requires a number that is finite and not negative.
func requireNotNegative(_ x: Double, _ operation: String, _ name: String) {
  requireOfCaller(x >= 0 && x.isFinite, operation, "\(name) = \(x) must be finite and not negative.")
}
