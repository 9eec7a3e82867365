public import FluxionCore

/// ∂f/∂x with f's axes first, then x's; column by column in forward mode: right when x has few elements.
public func jacobianForward(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { x in
    let x = x.resolvedLiteral
    let n = x.elementCount
    let directions = eye(n, as: x.elementType).reshaped(to: [n] + x.shape)
    let columns = vmap({ direction in jvp(function, at: x, along: direction).tangent })(directions)
    let moved = columns.movingAxis(0, to: -1)
    return moved.reshaped(to: Shape(Array(moved.shape.dropLast())) + x.shape)
  }
}

/// ∂f/∂x with f's axes first, then x's; row by row in reverse mode: right when f has few elements.
public func jacobianReverse(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { x in
    let x = x.resolvedLiteral
    let (value, pullback) = vjp(function, at: x)
    let n = value.elementCount
    let directions = eye(n, as: value.elementType).reshaped(to: [n] + value.shape)
    let rows = vmap({ direction in pullback(direction) })(directions)
    return rows.reshaped(to: value.shape + x.shape)
  }
}

/// The Jacobian by the mode that is cheaper for the sizes at hand.
public func jacobian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { x in
    let (graph, _) = traceGraph([x.resolvedLiteral.type]) { [function($0[0]).resolvedLiteral] }
    let outputs = graph.outputTypes[0].shape.elementCount
    return x.elementCount <= outputs ? jacobianForward(function)(x) : jacobianReverse(function)(x)
  }
}

/// The matrix of second derivatives of a scalar function, `x.shape + x.shape`: forward over reverse.
public func hessian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  jacobianForward { gradient(of: function, at: $0) }
}

/// The Hessian of a scalar function times `direction`, at about the cost of two gradients and without the matrix.
public func hessianVectorProduct<A: Structured>(of function: @escaping @Sendable (A) -> Tensor, at argument: A, along direction: A) -> A {
  jvp({ gradient(of: function, at: $0) }, at: argument, along: direction).tangent
}
