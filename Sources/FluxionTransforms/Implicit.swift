public import FluxionCore

// Derivatives of what is found by an iteration, by the implicit function theorem: they need the solution, not the way to it. Solvers are
// built on these two functions.

/// The solution of A(x) = b for a linear map A, found by an algorithm of your own and differentiated as a solution.
///
/// The derivative is dx = A⁻¹(db - dA x), and its transpose solves with Aᵀ: the algorithm may be anything, loops of unknown length and random
/// numbers included, and is never differentiated.
///
/// - Parameters:
///   - map: A, linear. What it uses from outside may be differentiated.
///   - b: any structure of real or complex numbers, which is also x's.
///   - solve: from A and b to x. It is called with other right sides, and with Aᵀ unless `transposeSolve` is given; derivatives with respect to what
///     only it uses from outside (a preconditioner, a tolerance) are zero.
///   - transposeSolve: from Aᵀ and b to x, where the algorithm for A does not work for Aᵀ.
/// - Returns: x, differentiable to every order in both modes and under `vmap`.
public func customLinearSolve<X: Structured>(
  _ map: @escaping @Sendable (X) -> X, _ b: X,
  solve: @escaping @Sendable (_ map: @escaping @Sendable (X) -> X, _ b: X) -> X,
  transposeSolve: (@Sendable (_ map: @escaping @Sendable (X) -> X, _ b: X) -> X)? = nil
) -> X {
  let (leaves, structure) = flatten(b)
  let right = leaves.map(\.resolvedLiteral)
  requireContinuous(right, "customLinearSolve", "the right side")
  let results = staged(right) { right in
    var operands = CallOperands(right)
    let linear = operands.trace(right.map(\.type)) { v in
      matched(flatten(map(unflatten(X.self, structure, v))), structure, right.map(\.type), "customLinearSolve", "the map")
    }
    let solution = LinearSolve(
      map: linear.graph, count: right.count, &operands, solve: on(structure, solve), transposeSolve: on(structure, transposeSolve ?? solve))
    return solution(operands.tensors)
  }
  return unflatten(X.self, structure, results)
}

/// The solution x of F(x, p) = 0, found by an algorithm of your own and differentiated by the implicit function theorem.
///
/// The derivative solves ∂F/∂x dx = -∂F/∂p dp at the solution. What F uses from outside counts among p.
///
/// ```swift
/// let squareRoot = customRoot(
///   residual: { x, p in x.squared() - p }, solve: { p in newton(p) }, linearSolve: { map, b in b / map(Tensor.ones(like: b)) })
/// ```
///
/// - Parameters:
///   - residual: F, shaped as x. It must vanish at what `solve` gives: the derivative is exact only there.
///   - solve: from p to x, a structure of real or complex numbers. Never differentiated.
///   - linearSolve: from a linear map and b to x; see ``customLinearSolve(_:_:solve:transposeSolve:)``. The map is ∂F/∂x, or its transpose in reverse
///     mode.
/// - Returns: a function of p, differentiable to every order in both modes and under `vmap`.
public func customRoot<X: Structured, P: Structured>(
  residual: @escaping @Sendable (X, P) -> X, solve: @escaping @Sendable (P) -> X,
  linearSolve: @escaping @Sendable (_ map: @escaping @Sendable (X) -> X, _ b: X) -> X
) -> @Sendable (P) -> X {
  { parameters in
    recordingCall(solve, parameters) { arguments, structure, result, body in
      var operands = CallOperands(arguments)
      let program = operands.trace(arguments.map(\.type), body)
      let types = program.graph.outputTypes
      let solutionStructure = result()
      requireContinuous(program.graph.outputTypes.map { Tensor.zeros(like: $0) }, "customRoot", "the solution")
      let n = types.count
      let residualProgram = operands.trace(types + arguments.map(\.type)) { inputs in
        let value = residual(
          unflatten(X.self, solutionStructure, Array(inputs.prefix(n))), unflatten(P.self, structure, Array(inputs.dropFirst(n))))
        return matched(flatten(value), solutionStructure, types, "customRoot", "the residual")
      }
      let count = arguments.count
      // ∂F/∂x v: takes v, x, then all operands of the call so far, of which it uses those of the residual.
      let operandTypes = operands.tensors.map(\.type)
      let (derivative, outside) = traceGraph(types + types + operandTypes) { inputs in
        let x = inputs[n..<2 * n], all = Array(inputs[(2 * n)...])
        let given = x + all.prefix(count) + all[residualProgram.places]
        let along: [Tensor?] = inputs.prefix(n).map { Optional($0) } + given.dropFirst(n).map { _ in nil }
        let slopes = pushforward(residualProgram.graph, Array(given), along).tangents
        return zip(slopes, types).map { $0 ?? Tensor.zeros(like: $1) }
      }
      precondition(outside.isEmpty, "a closed program captures nothing")
      let linear = LinearSolve(
        map: derivative, count: n, after: types, &operands, solve: on(solutionStructure, linearSolve),
        transposeSolve: on(solutionStructure, linearSolve))
      let all = operands.tensors.map(\.type)
      let closed = program.graph.placingInputs(among: all) { $0 < count ? $0 : program.places.lowerBound + $0 - count }
      return RootCall(solve: closed, residual: residualProgram, parameterCount: count, linear: linear)(operands.tensors)
    }
  }
}

/// Calls an algorithm for structures with maps and right sides given by their tensors.
private typealias LeafSolve = (_ map: @escaping @Sendable ([Tensor]) -> [Tensor], _ b: [Tensor]) -> [Tensor]

private func on<X: Structured>(
  _ structure: TreeStructure, _ solve: @escaping @Sendable (@escaping @Sendable (X) -> X, X) -> X
) -> LeafSolve {
  { map, b in
    let x = solve(
      { v in unflatten(X.self, structure, map(flatten(v).leaves.map(\.resolvedLiteral))) }, unflatten(X.self, structure, b))
    return matched(flatten(x), structure, b.map(\.type), "linear solve", "the solution")
  }
}

/// A call that solves a linear system. Its operands are the right side, then what map and algorithms need.
private final class LinearSolve: Sendable {
  /// Takes x, then the other operands.
  private let map: Graph
  private let count: Int
  private let solve: Graph
  private let transposeSolve: Graph

  private init(_ map: Graph, _ count: Int, _ solve: Graph, _ transposeSolve: Graph) {
    (self.map, self.count, self.solve, self.transposeSolve) = (map, count, solve, transposeSolve)
  }

  /// - Parameters:
  ///   - map: takes x, values of the types `extra`, then the operands so far (behind the right side, if that is among them).
  ///   - operands: of the call being recorded; what the algorithms capture is added.
  convenience init(
    map: Graph, count: Int, after extra: [TensorType]? = nil, _ operands: inout CallOperands, solve: LeafSolve, transposeSolve: LeafSolve
  ) {
    let rightTypes = Array(map.inputTypes.prefix(count))
    let known = Array(map.inputTypes.dropFirst(count))
    let offset = extra == nil ? count : 0
    func traced(_ algorithm: LeafSolve, _ map: Graph) -> ClosedProgram {
      operands.trace(rightTypes + known) { inputs in
        let constants = Array(inputs.dropFirst(count))
        return algorithm({ map($0 + constants) }, Array(inputs.prefix(count)))
      }
    }
    let forward = traced(solve, map), backward = traced(transposeSolve, LinearSolve.transposed(map, count))
    // All take the full list of operands: right side, extra values, operands.
    let types = rightTypes + (extra ?? []) + operands.tensors.dropFirst(offset).map(\.type)
    let shift = count + (extra?.count ?? 0) - offset
    func widened(_ program: ClosedProgram) -> Graph {
      let own = count + known.count
      return program.graph.placingInputs(among: types) { $0 < own ? $0 : program.places.lowerBound + shift + $0 - own }
    }
    self.init(map.placingInputs(among: types) { $0 }, count, widened(forward), widened(backward))
  }

  /// The same with the transposed map.
  private static func transposed(_ map: Graph, _ count: Int) -> Graph {
    traceGraph(map.inputTypes) { inputs in
      let constants = Array(inputs.dropFirst(count))
      let origin = map.inputTypes.prefix(count).map { Tensor.zeros(like: $0) }
      let linearized = linearize(map, origin + constants, with: inputs.indices.map { $0 < count })
      return linearized.pullback(Array(inputs.prefix(count)))
    }.graph
  }

  func callAsFunction(_ operands: [Tensor]) -> [Tensor] { apply(.call(Call(name: "linearSolve", body: solve, rules: rules)), operands) }

  private var rules: CallRules {
    .mappable(
      tangent: { primals, tangents in
        let x = self(primals)
        var right = Array(tangents.prefix(self.count))
        if tangents.dropFirst(self.count).contains(where: { $0 != nil }) {
          let still = [Tensor?](repeating: nil, count: self.count)
          let change = pushforward(self.map, x + primals.dropFirst(self.count), still + tangents.dropFirst(self.count)).tangents
          right = zip(right, change).map { sum($0, $1.map { -$0 }) }
        }
        guard right.contains(where: { $0 != nil }) else { return (x, right) }
        return (x, self(zip(right, x).map { $0 ?? zerosLike($1) } + primals.dropFirst(self.count)))
      },
      transpose: { operands, cotangents in
        let constants = operands.dropFirst(self.count).map { $0! }
        let arriving = zip(cotangents, self.solve.outputTypes).map { $0 ?? Tensor.zeros(like: $1) }
        let back = LinearSolve(LinearSolve.transposed(self.map, self.count), self.count, self.transposeSolve, self.solve)
        return back(arriving + constants) + constants.map { _ in nil }
      })
  }
}

/// A call that solves F(x, p) = 0. Its operands are p, then what residual and algorithms need.
private final class RootCall: Sendable {
  private let solve: Graph
  private let residual: ClosedProgram
  private let parameterCount: Int
  private let linear: LinearSolve

  init(solve: Graph, residual: ClosedProgram, parameterCount: Int, linear: LinearSolve) {
    (self.solve, self.residual, self.parameterCount, self.linear) = (solve, residual, parameterCount, linear)
  }

  func callAsFunction(_ operands: [Tensor]) -> [Tensor] {
    let rules = CallRules.mappable(tangent: { primals, tangents in
      let x = self(primals)
      let given = primals.prefix(self.parameterCount) + primals[self.residual.places]
      let along = tangents.prefix(self.parameterCount) + tangents[self.residual.places]
      let slopes = pushforward(self.residual.graph, x + given, x.map { _ in nil } + along).tangents
      guard slopes.contains(where: { $0 != nil }) else { return (x, slopes) }
      return (x, self.linear(zip(slopes, x).map { $0.map { -$0 } ?? zerosLike($1) } + x + primals))
    })
    return apply(.call(Call(name: "customRoot", body: solve, rules: rules)), operands)
  }
}

private func requireContinuous(_ leaves: [Tensor], _ operation: String, _ what: String) {
  if let leaf = leaves.first(where: { !$0.elementType.isDifferentiable }) {
    trapAtCaller(ProgramError(operation, "\(what) must consist of real or complex numbers, but it holds \(leaf.type)."))
  }
}
