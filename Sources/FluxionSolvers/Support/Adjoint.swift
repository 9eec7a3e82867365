import FluxionCore
import FluxionTransforms

/// A program whose backward pass is given, while its forward derivative is the program's own.
///
/// Unlike `customVJP` it lets the pullback hold loops of unknown length: the linear program it stands for, where it is run forwards,
/// is the tangent of `value`, and run backwards it is `pullback`. Everything is closed: what the functions use is among the operands.
struct AdjointProgram: Sendable {
  let name: String
  /// The program itself.
  let value: Graph
  /// The results, and what the pullback needs besides the operands, if the cotangents of these are asked for.
  let forward: @Sendable (_ operands: [Tensor], _ isAsked: [Bool]) -> (results: [Tensor], residuals: [Tensor])
  /// The cotangents of the operands that are asked for, for cotangents of all results; nil, or anything, for the others.
  let pullback: @Sendable (_ operands: [Tensor], _ residuals: [Tensor], _ cotangents: [Tensor], _ isAsked: [Bool]) -> [Tensor?]

  func callAsFunction(_ operands: [Tensor]) -> [Tensor] { apply(.call(Call(name: name, body: value, rules: rules)), operands) }

  private var rules: CallRules {
    CallRules(
      tangent: { primals, tangents in
        guard isLinearizing else { return pushforward(value, primals, tangents) }
        return linearized(primals, tangents)
      },
      batched: { flags, size in mapped(flags, size).rules })
  }

  private func linearized(_ primals: [Tensor], _ tangents: [Tensor?]) -> ([Tensor], [Tensor?]) {
    let (results, residuals) = forward(primals, tangents.map { $0 != nil })
    let active = tangents.indices.filter { tangents[$0] != nil }
    let fixed = primals + residuals
    var outputActive: [Bool] = []
    let (body, captures) = traceGraph((fixed + active.map { primals[$0] }).map(\.type)) { inputs in
      var slopes = [Tensor?](repeating: nil, count: primals.count)
      for (i, place) in active.enumerated() { slopes[place] = inputs[fixed.count + i] }
      let (_, out) = pushforward(value, Array(inputs.prefix(primals.count)), slopes)
      outputActive = out.map { $0 != nil }
      return out.compactMap { $0 }
    }
    precondition(captures.isEmpty, "a closed program captures nothing")
    let pattern = outputActive
    let types = results.map(\.type)
    let rules = CallRules(transpose: { operands, cotangents in
      var arriving = cotangents[...]
      let all = zip(pattern, types).map { isActive, type in
        (isActive ? arriving.removeFirst() : nil) ?? Tensor.zeros(like: type)
      }
      let kept = operands.prefix(fixed.count).map { $0! }
      let back = pullback(
        Array(kept.prefix(primals.count)), Array(kept.dropFirst(primals.count)), all, tangents.map { $0 != nil })
      return [Tensor?](repeating: nil, count: fixed.count) + active.map { back[$0] ?? zerosLike(primals[$0]) }
    })
    var slopes = apply(.call(Call(name: name + " tangent", body: body, rules: rules)), fixed + active.map { tangents[$0]! })[...]
    return (results, pattern.map { $0 ? slopes.removeFirst() : nil })
  }

  /// The program that runs this one for each place along a leading axis of the flagged operands.
  private func mapped(_ flags: [Bool], _ size: Int) -> AdjointProgram {
    @Sendable func narrow(_ x: Tensor, _ isMapped: Bool) -> TensorType {
      isMapped ? TensorType(Shape(Array(x.shape.dropFirst())), x.elementType) : x.type
    }
    /// `body` on single problems, mapped; all results get the leading axis.
    @Sendable func wide(_ operands: [Tensor], _ flags: [Bool], _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
      let (graph, captures) = MappedCopies.tracing(size) { traceGraph(zip(operands, flags).map(narrow), body) }
      precondition(captures.isEmpty, "a closed program captures nothing")
      return batch(graph, zip(operands, flags).map { Mapped($0, isMapped: $1) }, size).map { x in
        x.isMapped ? x.tensor : x.tensor.broadcast(to: [size] + x.tensor.shape, axes: Array(1..<x.tensor.rank + 1))
      }
    }
    let types = zip(value.inputTypes, flags).map { $1 ? TensorType([size] + $0.shape, $0.elementType) : $0 }
    let (wideValue, _) = traceGraph(types) { wide($0, flags) { value($0) } }
    let count = value.outputs.count
    return AdjointProgram(
      name: name, value: wideValue,
      forward: { operands, isAsked in
        let all = wide(operands, flags) { inputs in
          let (results, residuals) = forward(inputs, isAsked)
          return results + residuals
        }
        return (Array(all.prefix(count)), Array(all.dropFirst(count)))
      },
      pullback: { operands, residuals, cotangents, isAsked in
        let n = operands.count
        let rest = residuals + cotangents
        var isGiven: [Bool] = []
        var all = wide(operands + rest, flags + rest.map { _ in true }) { inputs in
          let slopes = pullback(
            Array(inputs.prefix(n)), Array(inputs.dropFirst(n).prefix(residuals.count)), Array(inputs.dropFirst(n + residuals.count)),
            isAsked)
          isGiven = slopes.map { $0 != nil }
          return slopes.compactMap { $0 }
        }[...]
        // What all problems share receives from all of them.
        return zip(isGiven, zip(flags, operands)).map { isGiven, place in
          guard isGiven else { return nil }
          let slope = all.removeFirst()
          return place.0 || !place.1.elementType.isDifferentiable ? slope : slope.sum(alongAxis: 0)
        }
      })
  }
}

/// As `staged`, for a body that does not give everything.
func stagedWhereGiven(_ inputs: [Tensor], _ body: ([Tensor]) -> [Tensor?]) -> [Tensor?] {
  var isGiven: [Bool] = []
  var results = staged(inputs) { inputs in
    let all = body(inputs)
    isGiven = all.map { $0 != nil }
    return all.compactMap { $0 }
  }[...]
  return isGiven.map { $0 ? results.removeFirst() : nil }
}
