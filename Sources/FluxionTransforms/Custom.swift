public import FluxionCore

/// Gives `function` a derivative of your own for forward mode; reverse mode is its transpose.
///
/// The rule is differentiated again where higher derivatives are asked for, and mapped under `vmap`.
///
/// - Parameters:
///   - function: computes the value.
///   - tangent: from the argument and its tangent, the value and its tangent. Must be linear in the tangent. Integers and truth values in
///     the argument have zeros for a tangent.
/// - Returns: a function to be called in place of `function`. Its derivative with respect to tensors it uses besides its argument is not
///   defined by the rule: to ask for it is an error. Pass them in the argument, or through `stopGradient`.
public func customJVP<A: Structured, B: Structured>(
  _ function: @escaping @Sendable (A) -> B, tangent: @escaping @Sendable (A, A) -> (value: B, tangent: B)
) -> @Sendable (A) -> B {
  { argument in
    recordingCall(function, argument) { arguments, structure, result, body in
      let n = arguments.count
      let types = arguments.map(\.type)
      var operands = CallOperands(arguments)
      let program = operands.trace(types, body)
      let resultTypes = program.graph.outputTypes
      let rule = operands.trace(types + types) { inputs in
        let (value, slope) = tangent(
          unflatten(A.self, structure, Array(inputs.prefix(n))), unflatten(A.self, structure, Array(inputs.dropFirst(n))))
        let values = matched(flatten(value), result(), resultTypes, "customJVP", "the value of the rule")
        return values + matched(flatten(slope), result(), resultTypes, "customJVP", "the tangent")
      }
      let captured = program.places
      let rules = CallRules.mappable(tangent: { primals, tangents in
        refuseTangents(of: captured, tangents, "customJVP")
        let all = rule(Array(primals.prefix(n)) + zip(primals, tangents).prefix(n).map { $1 ?? zerosLike($0) }, primals)
        let m = resultTypes.count
        return (Array(all.prefix(m)), all.dropFirst(m).map { $0.elementType.isDifferentiable ? $0 : nil })
      })
      return operands.call("customJVP", program, n, rules)
    }
  }
}

/// Gives `function` a pullback of your own for reverse mode; forward mode is its transpose.
///
/// - Parameters:
///   - function: computes the value.
///   - forward: the value again, with what the pullback will need (residuals).
///   - pullback: from the residuals and the value's cotangent, the argument's. Linear in the cotangent, if forward mode is used. It may
///     hold anything, loops of unknown length included, as long as only reverse mode is asked for. What it gives for integers and truth
///     values in the argument is not read.
/// - Returns: a function to be called in place of `function`. About tensors it uses besides its argument see ``customJVP(_:tangent:)``.
public func customVJP<A: Structured, B: Structured, Residuals: Structured>(
  _ function: @escaping @Sendable (A) -> B, forward: @escaping @Sendable (A) -> (value: B, residuals: Residuals),
  pullback: @escaping @Sendable (Residuals, B) -> A
) -> @Sendable (A) -> B {
  { argument in
    recordingCall(function, argument) { arguments, structure, result, body in
      let n = arguments.count
      let types = arguments.map(\.type)
      var operands = CallOperands(arguments)
      let program = operands.trace(types, body)
      let resultTypes = program.graph.outputTypes
      var kept = TreeStructure.singleLeaf
      let first = operands.trace(types) { inputs in
        let (value, residuals) = forward(unflatten(A.self, structure, inputs))
        let (leaves, s) = flatten(residuals)
        kept = s
        return matched(flatten(value), result(), resultTypes, "customVJP", "the value of the forward pass") + leaves.map(\.resolvedLiteral)
      }
      let m = resultTypes.count
      let residualTypes = Array(first.graph.outputTypes.dropFirst(m))
      let respectTo = types.indices.filter { types[$0].elementType.isDifferentiable }
      let back = operands.trace(residualTypes + resultTypes) { inputs in
        let cotangent = pullback(
          unflatten(Residuals.self, kept, Array(inputs.prefix(residualTypes.count))),
          unflatten(B.self, result(), Array(inputs.dropFirst(residualTypes.count))))
        let leaves = matched(flatten(cotangent), structure, nil, "customVJP", "the pullback's result")
        return respectTo.map { place in fitted(leaves[place], types[place], "customVJP", "a cotangent") }
      }
      let captured = program.places
      let rules = CallRules.mappable(tangent: { primals, tangents in
        refuseTangents(of: captured, tangents, "customVJP")
        let all = first(Array(primals.prefix(n)), primals)
        let known = Array(all.dropFirst(m)) + primals[back.places]
        let map = LinearMap(transposed: back.graph, knownCount: residualTypes.count, resultTypes: resultTypes)
        let slopes = map(known, respectTo.map { tangents[$0] ?? zerosLike(primals[$0]) })
        return (Array(all.prefix(m)), zip(slopes, resultTypes).map { $1.elementType.isDifferentiable ? $0 : nil })
      })
      return operands.call("customVJP", program, n, rules)
    }
  }
}

/// A linear map given by its transpose: run backwards it is that, run forwards it is that transposed, which is traced only when asked for.
private struct LinearMap: Sendable {
  /// Takes `knownCount` known values, cotangents of the results, then further known values; gives cotangents of the linear operands.
  let transposed: Graph
  let knownCount: Int
  let resultTypes: [TensorType]

  func callAsFunction(_ known: [Tensor], _ tangents: [Tensor]) -> [Tensor] {
    let call = Call(
      name: "linear", inputTypes: (known + tangents).map(\.type), outputTypes: resultTypes,
      rules: .mappable(transpose: { operands, cotangents in
        let arriving = zip(cotangents, resultTypes).map { $0 ?? Tensor.zeros(like: $1) }
        return known.map { _ in nil } + transposed(inputs(operands.prefix(known.count).map { $0! }, arriving))
      }),
      body: { [types = (known + tangents).map(\.type), k = known.count] in
        traceGraph(types) { operands in
          // The transpose is linear, so its derivative anywhere, transposed, is the map itself.
          let known = Array(operands.prefix(k))
          let isCotangent = inputs(known.map { _ in false }, resultTypes.map(\.elementType.isDifferentiable))
          let linearized = linearize(transposed, inputs(known, resultTypes.map { Tensor.zeros(like: $0) }), with: isCotangent)
          var slopes = linearized.pullback(Array(operands.dropFirst(k)))[...]
          return resultTypes.map { $0.elementType.isDifferentiable ? slopes.removeFirst() : Tensor.zeros(like: $0) }
        }.graph
      })
    return apply(.call(call), known + tangents)
  }

  /// In the order in which `transposed` takes them.
  private func inputs<Value>(_ known: [Value], _ cotangents: [Value]) -> [Value] {
    Array(known[..<knownCount]) + cotangents + known[knownCount...]
  }
}

// MARK: - Checks

/// A rule says nothing about what the function uses besides its argument.
func refuseTangents(of captured: Range<Int>, _ tangents: [Tensor?], _ operation: String) {
  if tangents[captured].contains(where: { $0 != nil }) {
    trapAtCaller(
      ProgramError(
        operation,
        "the function uses a tensor from outside that is being differentiated, about which its rule says nothing. Pass it in the argument, or through stopGradient."
      ))
  }
}

/// The tensors of what a rule gave, required to be of one structure with what it stands for.
func matched(
  _ given: (leaves: [Tensor], structure: TreeStructure), _ structure: TreeStructure, _ types: [TensorType]?, _ operation: String,
  _ what: String
) -> [Tensor] {
  guard given.structure == structure else {
    trapAtCaller(ProgramError(operation, "\(what) differs in structure: \(describeDifference(structure, given.structure))."))
  }
  guard let types else { return given.leaves }
  return zip(given.leaves, types).map { fitted($0, $1, operation, what) }
}

/// Literals and numbers of another width take the type, single numbers the shape; anything else does not fit.
private func fitted(_ x: Tensor, _ type: TensorType, _ operation: String, _ what: String) -> Tensor {
  guard x.shape == type.shape || x.rank == 0 else {
    trapAtCaller(ProgramError(operation, "\(what) must be \(type), but it is \(x.type)."))
  }
  return x.converted(to: type.elementType).broadcast(to: type.shape)
}
