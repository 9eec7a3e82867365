public import FluxionCore

/// ∂f/∂x with f's axes first, then x's; column by column in forward mode: right when x has few elements.
///
/// x is real; f may be complex. For holomorphic functions of complex numbers see ``holomorphicJacobian(_:)``.
public func jacobianForward(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { x in
    let x = x.resolvedLiteral
    if x.elementType.isComplex { return rejectComplex("jacobianForward", "its argument is \(x.type)") }
    return columns(of: function, at: x)
  }
}

/// The derivative along every element of x: of complex elements in the real direction.
func columns(of function: @escaping @Sendable (Tensor) -> Tensor, at x: Tensor) -> Tensor {
  let n = x.elementCount
  let directions = eye(n, as: x.elementType).reshaped(to: [n] + x.shape)
  let columns = vmap({ direction in jvp(function, at: x, along: direction).tangent })(directions)
  let moved = columns.movingAxis(0, to: -1)
  return moved.reshaped(to: Shape(Array(moved.shape.dropLast())) + x.shape)
}

private func rejectComplex(_ operation: String, _ what: String) -> Tensor {
  reject1(
    operation,
    "\(what): the derivative of a complex function has no single matrix unless it is holomorphic. Use holomorphicJacobian, or differentiate the parts."
  )
}

/// ∂f/∂x with f's axes first, then x's; row by row in reverse mode: right when f has few elements.
///
/// f is real; for complex x the rows are gradients as ``gradient(of:at:)`` defines them.
public func jacobianReverse(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { x in
    let x = x.resolvedLiteral
    let (value, pullback) = vjp(function, at: x)
    if value.elementType.isComplex { return rejectComplex("jacobianReverse", "the function gives \(value.type)") }
    let n = value.elementCount
    let directions = eye(n, as: value.elementType).reshaped(to: [n] + value.shape)
    let rows = vmap({ direction in pullback(direction) })(directions)
    return rows.reshaped(to: value.shape + x.shape)
  }
}

/// The Jacobian by the mode that is cheaper for the sizes at hand; of a complex argument backwards, of a complex result forwards.
public func jacobian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { x in
    let (graph, _) = traceGraph([x.resolvedLiteral.type]) { [function($0[0]).resolvedLiteral] }
    let output = graph.outputTypes[0]
    let isForward =
      x.elementType.isComplex == output.elementType.isComplex ? x.elementCount <= output.shape.elementCount : !x.elementType.isComplex
    return isForward ? jacobianForward(function)(x) : jacobianReverse(function)(x)
  }
}

/// The matrix of second derivatives of a scalar function, `x.shape + x.shape`: forward over reverse.
///
/// x is real. For complex x use ``hessianVectorProduct(of:at:along:)``, or ``holomorphicHessian(_:)`` for holomorphic functions.
public func hessian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  jacobianForward { gradient(of: function, at: $0) }
}

/// The Hessian of a scalar function times `direction`, at about the cost of two gradients and without the matrix.
public func hessianVectorProduct<A: Structured>(of function: @escaping @Sendable (A) -> Tensor, at argument: A, along direction: A) -> A {
  jvp({ gradient(of: function, at: $0) }, at: argument, along: direction).tangent
}
