public import FluxionCore

/// The value of `function` at `argument` and its gradient there: one number's derivative with respect to every tensor of a structure.
///
/// For complex tensors the gradient is ∂f/∂x + i ∂f/∂y of z = x + iy, which points where f grows fastest: `z - η * gradient` descends.
/// It is the conjugate of what JAX gives, and what PyTorch gives. For functions of complex value see ``holomorphicGradient(of:at:)``.
///
/// - Parameters:
///   - function: gives a scalar of a real type.
///   - argument: any structure of tensors. Integer and bool tensors in it get zeros.
/// - Returns: the value, and the gradient in the argument's own structure.
public func valueAndGradient<A: Structured>(of function: (A) -> Tensor, at argument: A) -> (value: Tensor, gradient: A) {
  let (value, _, gradient) = valueAuxiliaryAndGradient(of: { (function($0), [Tensor]()) }, at: argument)
  return (value, gradient)
}

/// As ``valueAndGradient(of:at:)``, for a function that gives something besides its value.
public func valueAuxiliaryAndGradient<A: Structured, Auxiliary: Structured>(
  of function: (A) -> (Tensor, Auxiliary), at argument: A
) -> (value: Tensor, auxiliary: Auxiliary, gradient: A) {
  let (leaves, structure) = flatten(argument)
  guard leaves.contains(where: { $0.elementType.isDifferentiable }) else {
    trapAtCaller(
      ProgramError("gradient", "there is nothing to differentiate by: \(describeLeaves(leaves)). Use real numbers, such as 1.0 for 1."))
  }
  var auxiliaryStructure: TreeStructure?
  let inputs = leaves.map(\.resolvedLiteral)
  let (graph, captures) = traceGraph(inputs.map(\.type)) { xs in
    let (value, auxiliary) = function(unflatten(A.self, structure, xs))
    let (extra, s) = flatten(auxiliary)
    auxiliaryStructure = s
    return [scalar(value, "gradient")] + extra.map(\.resolvedLiteral)
  }
  let results = DerivedPrograms.gradient(of: graph, at: inputs + captures, count: inputs.count, recordGradient)
  let n = results.count - leaves.count
  return (
    results[0], unflatten(Auxiliary.self, auxiliaryStructure!, Array(results[1..<n])),
    unflatten(A.self, structure, Array(results[n...]))
  )
}

/// The results of `graph` at `arguments`, then the first one's gradient with respect to each of the first `count` arguments; zeros where
/// that has no derivative.
private func recordGradient(of graph: Graph, at arguments: [Tensor], count: Int) -> [Tensor] {
  let respectTo = arguments.indices.map { $0 < count && arguments[$0].elementType.isDifferentiable }
  let linearized = linearize(graph, arguments, with: respectTo)
  let seeds = linearized.results.enumerated().map { $0 == 0 ? Tensor(1, as: $1.elementType) : zerosLike($1) }
  var slopes = linearized.pullback(seeds)[...]
  return linearized.results + (0..<count).map { respectTo[$0] ? slopes.removeFirst() : zerosLike(arguments[$0]) }
}

private func describeLeaves(_ leaves: [Tensor]) -> String {
  leaves.isEmpty
    ? "the argument holds no tensors"
    : "the argument holds only \(Set(leaves.map { "\($0.elementType)" }).sorted().joined(separator: ", "))"
}

/// A function's result, required to be one real number.
private func scalar(_ value: Tensor, _ operation: String) -> Tensor {
  let value = value.resolvedLiteral
  guard value.rank == 0, value.elementType.isFloatingPoint else {
    let advice =
      value.elementType.isComplex
      ? "Take its .real or abs, or use holomorphicGradient if the function is holomorphic."
      : "Reduce it, for example with .sum() or .mean()."
    return reject1(
      operation, "the function must give one real number, but it gives \(value.type). \(advice)", like: TensorType([], .float32))
  }
  return value
}

/// The gradient of a scalar function at a point.
public func gradient<A: Structured>(of function: (A) -> Tensor, at argument: A) -> A {
  valueAndGradient(of: function, at: argument).gradient
}

/// The function that gives the gradient of `function`.
public func gradient<A: Structured>(of function: @escaping @Sendable (A) -> Tensor) -> @Sendable (A) -> A {
  { gradient(of: function, at: $0) }
}

/// The gradient with respect to the first of two arguments.
public func gradient<A: Structured, B: Structured>(of function: @escaping @Sendable (A, B) -> Tensor) -> @Sendable (A, B) -> A {
  { a, b in gradient(of: { function($0, b) }, at: a) }
}

/// The function that gives the gradient of `function`: `gradient { sin($0).sum() }(x)`.
public func gradient(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { gradient(of: function, at: $0) }
}

public func valueAndGradient(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> (value: Tensor, gradient: Tensor)
{
  { valueAndGradient(of: function, at: $0) }
}

// MARK: - Both modes

/// A tangent or cotangent in the type of the value it belongs to.
private func matching(_ slope: Tensor, _ type: TensorType, _ operation: String, _ kind: String) -> Tensor {
  guard !slope.elementType.isComplex || type.elementType.isComplex else {
    let message =
      "a \(kind) of \(slope.elementType) for a value of \(type.elementType) would lose its imaginary part. Take its .real, or convert the value."
    return reject1(operation, message, like: type)
  }
  return slope.converted(to: type.elementType).broadcast(to: type.shape)
}

/// The value at `argument` and how it changes along `tangent`: forward mode. Costs about twice the function.
///
/// The derivative is that over the reals: of a complex function along a complex tangent ż it is ∂f/∂z ż + ∂f/∂z̄ conj(ż), for holomorphic
/// f just f′(z) ż. A real argument takes a real tangent.
public func jvp<A: Structured, B: Structured>(_ function: (A) -> B, at argument: A, along tangent: A) -> (value: B, tangent: B) {
  let (leaves, structure) = flatten(argument)
  let (slopes, tangentStructure) = flatten(tangent)
  guard structure == tangentStructure else {
    trapAtCaller(ProgramError("jvp", "argument and tangent differ in structure: \(describeDifference(structure, tangentStructure))."))
  }
  var outputStructure: TreeStructure?
  let primals = leaves.map(\.resolvedLiteral)
  let tangents = zip(slopes, primals).map { slope, x in matching(slope, x.type, "jvp", "tangent") }
  let results = staged(primals + tangents) { inputs in
    let n = leaves.count
    let (graph, captures) = traceGraph(inputs.prefix(n).map(\.type)) { xs in
      let (outputs, s) = flatten(function(unflatten(A.self, structure, xs)))
      outputStructure = s
      return outputs.map(\.resolvedLiteral)
    }
    let along = (0..<n).map { inputs[$0].elementType.isDifferentiable ? inputs[n + $0] : nil } + captures.map { _ in nil }
    let (values, out) = pushforward(graph, Array(inputs.prefix(n)) + captures, along)
    return values + zip(values, out).map { $1 ?? zerosLike($0) }
  }
  let n = results.count / 2
  return (
    unflatten(B.self, outputStructure!, Array(results.prefix(n))), unflatten(B.self, outputStructure!, Array(results.dropFirst(n)))
  )
}

/// The value at `argument`, and the function that takes a cotangent of the value to the argument's: reverse mode.
///
/// The pullback may be called any number of times; the values it needs are kept in it. It is the adjoint of ``jvp(_:at:along:)`` under
/// ⟨a, b⟩ = Re Σ āb: of a holomorphic function it multiplies by conj(f′(z)). A real value takes a real cotangent.
public func vjp<A: Structured, B: Structured>(_ function: (A) -> B, at argument: A) -> (value: B, pullback: @Sendable (B) -> A) {
  let (value, structures, linearized, leaves) = linearized(function, argument)
  let respectTo = leaves.map { $0.elementType.isDifferentiable }
  let types = leaves.map(\.type)
  let resultTypes = linearized.results.map(\.type)
  return (
    value,
    { cotangent in
      let (arriving, s) = flatten(cotangent)
      guard s == structures.output else {
        trapAtCaller(ProgramError("vjp", "value and cotangent differ in structure: \(describeDifference(structures.output, s))."))
      }
      let seeds = zip(arriving, resultTypes).map { matching($0, $1, "vjp", "cotangent") }
      var slopes = linearized.pullback(seeds)[...]
      return unflatten(A.self, structures.input, zip(types, respectTo).map { $1 ? slopes.removeFirst() : Tensor.zeros(like: $0) })
    }
  )
}

/// The value at `argument` and the linear map of tangents there, which can be applied many times at the cost of its linear part.
public func linearize<A: Structured, B: Structured>(_ function: (A) -> B, at argument: A) -> (value: B, map: @Sendable (A) -> B) {
  let (value, structures, linearized, leaves) = linearized(function, argument)
  let types = leaves.map(\.type)
  return (
    value,
    { tangent in
      let (slopes, s) = flatten(tangent)
      guard s == structures.input else {
        trapAtCaller(ProgramError("linearize", "argument and tangent differ in structure: \(describeDifference(structures.input, s))."))
      }
      let given = zip(slopes, types).filter { $1.elementType.isDifferentiable }
        .map { matching($0, $1, "linearize", "tangent") }
      return unflatten(B.self, structures.output, linearized.pushforward(given))
    }
  )
}

private func linearized<A: Structured, B: Structured>(
  _ function: (A) -> B, _ argument: A
) -> (value: B, structures: (input: TreeStructure, output: TreeStructure), linearized: Linearization, leaves: [Tensor]) {
  let (leaves, structure) = flatten(argument)
  let primals = leaves.map(\.resolvedLiteral)
  var outputStructure: TreeStructure?
  let (graph, captures) = traceGraph(primals.map(\.type)) { xs in
    let (outputs, s) = flatten(function(unflatten(A.self, structure, xs)))
    outputStructure = s
    return outputs.map(\.resolvedLiteral)
  }
  let respectTo = primals.map { $0.elementType.isDifferentiable } + captures.map { _ in false }
  let split = linearize(graph, primals + captures, with: respectTo)
  return (unflatten(B.self, outputStructure!, split.results), (structure, outputStructure!), split, primals)
}

/// The transpose of a linear function: Aᵀ for x ↦ A x, without a matrix. `example` gives the argument's structure and types.
public func linearTranspose<A: Structured, B: Structured>(_ function: (A) -> B, like example: A) -> @Sendable (B) -> A {
  vjp(function, at: mapTensors(example) { zerosLike($0.resolvedLiteral) }).pullback
}
