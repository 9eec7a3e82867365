public import FluxionCore

// Complex derivatives of holomorphic functions, f′(z) = lim (f(z + h) - f(z)) / h, the same from every direction h. The pullback of such
// a function multiplies by conj(f′(z)), so f′ is the conjugate of the pullback of 1. Whether a function is holomorphic is the caller's
// to know: of one that is not (conj, abs, real parts …) these give (∂f/∂x - i ∂f/∂y) of the real part of f.

/// The value of a holomorphic function at `argument` and its complex derivatives ∂f/∂z there.
///
/// Unlike ``gradient(of:at:)`` of a real function, which for complex z is ∂f/∂x + i ∂f/∂y, this is the derivative of complex analysis: it
/// obeys the chain rule f′(g(z)) g′(z) and nests, so that the derivative of the derivative is f″. It is what JAX calls
/// `grad(f, holomorphic=True)`.
///
/// - Parameters:
///   - function: gives one complex number.
///   - argument: any structure of complex tensors. Integer and bool tensors in it get zeros; real ones are an error.
/// - Returns: the value, and the derivatives in the argument's own structure.
public func valueAndHolomorphicGradient<A: Structured>(of function: (A) -> Tensor, at argument: A) -> (value: Tensor, gradient: A) {
  requireComplex(argument, "holomorphicGradient")
  let (value, pullback) = vjp({ (x: A) -> Tensor in complexScalar(function(x)) }, at: argument)
  let gradient = mapTensors(pullback(Tensor(1, as: value.elementType))) { $0.elementType.isComplex ? $0.conjugate() : $0 }
  return (value, gradient)
}

/// The complex derivatives of a holomorphic function at a point; see ``valueAndHolomorphicGradient(of:at:)``.
public func holomorphicGradient<A: Structured>(of function: (A) -> Tensor, at argument: A) -> A {
  valueAndHolomorphicGradient(of: function, at: argument).gradient
}

/// The function that gives the complex derivative: `holomorphicGradient { sin($0) }` is cos.
public func holomorphicGradient(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { holomorphicGradient(of: function, at: $0) }
}

/// ∂fᵢ/∂zⱼ of a holomorphic function, f's axes first, then z's; by the mode that is cheaper for the sizes at hand.
///
/// z and f are complex.
public func holomorphicJacobian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { z in
    let z = z.resolvedLiteral
    requireComplex(z, "holomorphicJacobian")
    let output = traceGraph([z.type]) { [function($0[0]).resolvedLiteral] }.graph.outputTypes[0]
    guard output.elementType.isComplex else {
      return reject1("holomorphicJacobian", "the function must give complex numbers, but it gives \(output). Use jacobian.", like: output)
    }
    guard output.shape.elementCount < z.elementCount else { return columns(of: function, at: z) }
    let (value, pullback) = vjp(function, at: z)
    let n = value.elementCount
    let directions = eye(n, as: value.elementType).reshaped(to: [n] + value.shape)
    let rows = vmap({ direction in pullback(direction) })(directions)
    return rows.reshaped(to: value.shape + z.shape).conjugate()
  }
}

/// The complex second derivatives ∂²f/∂zᵢ∂zⱼ of a holomorphic function that gives one number, `z.shape + z.shape`.
public func holomorphicHessian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  holomorphicJacobian { holomorphicGradient(of: function, at: $0) }
}

private func requireComplex<A: Structured>(_ argument: A, _ operation: String) {
  let types = flatten(argument).0.map(\.elementType).filter(\.isDifferentiable)
  guard !types.isEmpty, types.allSatisfy(\.isComplex) else {
    let given = types.first { !$0.isComplex }.map { "holds \($0)" } ?? "holds no complex numbers"
    trapAtCaller(
      ProgramError(operation, "the argument must be complex, but it \(given). Convert it, for example with .converted(to: .complex128)."))
  }
}

private func complexScalar(_ value: Tensor) -> Tensor {
  let value = value.resolvedLiteral
  guard value.rank == 0, value.elementType.isComplex else {
    return reject1(
      "holomorphicGradient",
      "the function must give one complex number, but it gives \(value.type). Real functions of complex numbers have a gradient(of:at:).",
      like: TensorType([], .complex64))
  }
  return value
}
