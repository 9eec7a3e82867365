public import FluxionCore

/// Gives `function` a derivative of your own for forward mode; reverse mode is its transpose.
///
/// - Parameters:
///   - function: computes the value.
///   - tangent: from the argument and its tangent, the value and its tangent. Must be linear in the tangent.
/// - Returns: a function to be called in place of `function`.
public func customJVP<A: Structured, B: Structured>(
  _ function: @escaping @Sendable (A) -> B, tangent: @escaping @Sendable (A, A) -> (value: B, tangent: B)
) -> @Sendable (A) -> B {
  return { argument in
    recordCall("customJVP", function, argument) { _, structure, _ in
      batchable { primals, tangents in
        let n = structure.leafCount
        let filled = zip(primals, tangents).prefix(n).map { $1 ?? zerosLike($0) }
        let (value, slope) = tangent(
          unflatten(A.self, structure, Array(primals.prefix(n))), unflatten(A.self, structure, Array(filled)))
        return (flatten(value).leaves.map(\.resolvedLiteral), flatten(slope).leaves.map { $0.resolvedLiteral })
      }
    }
  }
}

/// Traces `function` at `argument` and applies it as one call, with the rules made for its body and the structures of argument and
/// result. The call's operands are the argument's tensors, then those the function used from outside.
private func recordCall<A: Structured, B: Structured>(
  _ name: String, _ function: (A) -> B, _ argument: A,
  rules: (_ body: Graph, _ argument: TreeStructure, _ result: TreeStructure) -> CallRules
) -> B {
  let (leaves, structure) = flatten(argument)
  var resultStructure: TreeStructure?
  let results = staged(leaves) { inputs in
    let (body, captures) = traceGraph(inputs.map(\.type)) { xs in
      let (outputs, s) = flatten(function(unflatten(A.self, structure, xs)))
      resultStructure = s
      return outputs.map(\.resolvedLiteral)
    }
    return apply(.call(Call(name: name, body: body, rules: rules(body, structure, resultStructure!))), inputs + captures)
  }
  return unflatten(B.self, resultStructure!, results)
}

/// Rules whose batched form maps the tangent rule itself.
private func batchable(_ rule: @escaping CallRules.TangentRule) -> CallRules {
  CallRules(tangent: rule, batched: { flags, size in
    batchable { (primals: [Tensor], tangents: [Tensor?]) in
      // Tangents of unmapped operands may still be mapped, or not; the rule is traced once with all of them as they are.
      let n = primals.count
      let active = tangents.indices.filter { tangents[$0] != nil }
      let operands = primals + active.map { tangents[$0]! }
      let mapped = flags + active.map { flags[$0] }
      let types = zip(operands, mapped).map { $1 ? TensorType(Shape(Array($0.shape.dropFirst())), $0.elementType) : $0.type }
      var pattern: [Bool] = []
      var resultCount = 0
      let (graph, captures) = traceGraph(types) { inputs in
        var slopes = [Tensor?](repeating: nil, count: n)
        for (i, place) in active.enumerated() { slopes[place] = inputs[n + i] }
        let (results, out) = rule(Array(inputs.prefix(n)), slopes)
        pattern = out.map { $0 != nil }
        resultCount = results.count
        return results + out.compactMap { $0 }
      }
      let all = batch(
        graph, zip(operands, mapped).map { Mapped($0, isMapped: $1) } + captures.map { Mapped($0, isMapped: false) }, size
      ).map { $0.brought(size) }
      var rest = all.dropFirst(resultCount)
      return (Array(all.prefix(resultCount)), pattern.map { $0 ? rest.removeFirst() : nil })
    }
  })
}

/// Gives `function` a pullback of your own for reverse mode; forward mode is its transpose.
///
/// - Parameters:
///   - function: computes the value.
///   - forward: the value again, with what the pullback will need (residuals).
///   - pullback: from the residuals and the value's cotangent, the argument's. Linear in the cotangent, if forward mode is used.
public func customVJP<A: Structured, B: Structured, Residuals: Structured>(
  _ function: @escaping @Sendable (A) -> B, forward: @escaping @Sendable (A) -> (value: B, residuals: Residuals),
  pullback: @escaping @Sendable (Residuals, B) -> A
) -> @Sendable (A) -> B {
  return { argument in
    recordCall("customVJP", function, argument) { _, structure, valueStructure in
      batchable { primals, tangents in
        let n = structure.leafCount
        let (value, kept) = forward(unflatten(A.self, structure, Array(primals.prefix(n))))
        let results = flatten(value).leaves.map(\.resolvedLiteral)
        let (residuals, residualStructure) = flatten(kept)
        let filled = zip(primals, tangents).prefix(n).map { $1 ?? zerosLike($0) }
        let back: @Sendable ([Tensor], [Tensor]) -> [Tensor] = { residuals, cotangents in
          let result = pullback(
            unflatten(Residuals.self, residualStructure, residuals), unflatten(B.self, valueStructure, cotangents))
          return flatten(result).leaves.map(\.resolvedLiteral)
        }
        return (results, linearCall(residuals.map(\.resolvedLiteral), Array(filled), resultTypes: results.map(\.type), back))
      }
    }
  }
}

/// A linear map given by its transpose `back`: run backwards it is `back`, run forwards it is `back` transposed.
private func linearCall(
  _ residuals: [Tensor], _ tangents: [Tensor], resultTypes: [TensorType],
  _ back: @escaping @Sendable ([Tensor], [Tensor]) -> [Tensor]
) -> [Tensor] {
  let k = residuals.count
  let (body, captures) = traceGraph(residuals.map(\.type) + tangents.map(\.type)) { inputs in
    let kept = Array(inputs.prefix(k))
    let (map, mapCaptures) = traceGraph(resultTypes) { back(kept, $0) }
    // `back` is linear in the cotangents, so its derivative anywhere, transposed, is the map itself.
    let origin = resultTypes.map { Tensor.zeros(like: $0) } + mapCaptures
    let linearized = linearize(
      map, origin, with: resultTypes.map { $0.elementType.isDifferentiable } + mapCaptures.map { _ in false })
    var slopes = linearized.pullback(Array(inputs.dropFirst(k)))[...]
    return resultTypes.map { $0.elementType.isDifferentiable ? slopes.removeFirst() : Tensor.zeros(like: $0) }
  }
  let rules = CallRules(transpose: { operands, cotangents in
    let arriving = zip(cotangents, resultTypes).map { $0 ?? Tensor.zeros(like: $1) }
    let result: [Tensor?] = back(operands.prefix(k).map { $0! }, arriving)
    return [Tensor?](repeating: nil, count: k) + result + [Tensor?](repeating: nil, count: captures.count)
  })
  return apply(.call(Call(name: "linear", body: body, rules: rules)), residuals + tangents + captures)
}

/// Does not keep `function`'s intermediate values for the backward pass, but computes them again there: memory for time.
public func checkpoint<A: Structured, B: Structured>(_ function: @escaping @Sendable (A) -> B) -> @Sendable (A) -> B {
  return { argument in
    recordCall("checkpoint", function, argument) { body, _, _ in checkpointRules(body) }
  }
}

private func checkpointRules(_ body: Graph) -> CallRules {
  CallRules(
    tangent: { primals, tangents in
      guard isLinearizing else { return pushforward(body, primals, tangents) }
      let results = body(primals)
      let active = tangents.indices.filter { tangents[$0] != nil }
      let n = primals.count
      var outputActive: [Bool] = []
      // The tangents as one linear call on the arguments alone: its body computes the intermediate values itself.
      let (linear, captures) = traceGraph(primals.map(\.type) + active.map { primals[$0].type }) { inputs in
        var slopes = [Tensor?](repeating: nil, count: n)
        for (i, place) in active.enumerated() { slopes[place] = inputs[n + i] }
        let (values, out) = pushforward(body, Array(inputs.prefix(n)), slopes)
        outputActive = out.map { $0 != nil }
        return zip(values, out).compactMap { _, t in t }
      }
      precondition(captures.isEmpty, "a closed program captures nothing")
      let kinds = outputActive
      let rules = CallRules(transpose: { operands, cotangents in
        // The barrier makes the recomputation wait for the cotangents, and keeps it apart from the first computation.
        let arriving = cotangents.compactMap { $0 }
        let held = apply(.barrier, operands.prefix(n).map { $0! } + arriving)
        var rest = held.dropFirst(n)
        let back = cotangents.map { $0 == nil ? nil : rest.removeFirst() }
        var all = [Tensor?](repeating: nil, count: kinds.count)
        var next = back[...]
        for i in kinds.indices where kinds[i] { all[i] = next.removeFirst() }
        let respectTo = (0..<n).map { active.contains($0) }
        let linearized = linearize(body, Array(held.prefix(n)), with: respectTo)
        let filled = zip(all, body.outputTypes).map { $0 ?? Tensor.zeros(like: $1) }
        let slopes: [Tensor?] = linearized.pullback(filled)
        return [Tensor?](repeating: nil, count: n) + slopes
      })
      var slopes = apply(.call(Call(name: "recompute", body: linear, rules: rules)), primals + active.map { tangents[$0]! })[...]
      return (results, outputActive.map { $0 ? slopes.removeFirst() : nil })
    },
    batched: { flags, size in
      let types = zip(body.inputTypes, flags).map { $1 ? TensorType([size] + $0.shape, $0.elementType) : $0 }
      let (wide, _) = traceGraph(types) { inputs in
        batch(body, zip(inputs, flags).map { Mapped($0, isMapped: $1) }, size).map { $0.brought(size) }
      }
      return checkpointRules(wide)
    })
}
