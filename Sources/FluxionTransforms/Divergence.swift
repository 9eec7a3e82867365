public import FluxionCore

/// ∇·f = Σᵢ ∂fᵢ/∂xᵢ of a field: a function to arrays shaped as its argument.
///
/// Exact: one derivative along each coordinate, in forward mode.
///
/// - Parameters:
///   - field: of one point to an array of the same shape; use `vmap` for many points.
///   - x: any shape; its n elements are the coordinates.
/// - Returns: a number.
public func divergence(of field: (Tensor) -> Tensor, at x: Tensor) -> Tensor {
  let x = x.resolvedLiteral
  let n = x.elementCount
  return staged([x]) { inputs in
    let graph = traceField(field, inputs[0])
    let directions = eye(n, as: x.elementType).reshaped(to: [n] + x.shape)
    return [along(graph, inputs[0], directions).sum()]
  }[0]
}

/// An unbiased estimate of the divergence by random probes v with E[vvᵀ] = 1: the mean of vᵀ J v, at the cost of one derivative each.
///
/// - Parameters:
///   - field: as in ``divergence(of:at:)``.
///   - x: where.
///   - probes: `[count] + x.shape`, numbers of mean 0 and variance 1: signs (`key.rademacher`), whose estimate has the least variance among
///     independent ones and is exact for a diagonal J, or normal numbers (`key.normal`).
/// - Returns: a number.
///
/// > M. Hutchinson. "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing splines." Communications in
/// > Statistics, 1989.
public func divergence(of field: (Tensor) -> Tensor, at x: Tensor, probes: Tensor) -> Tensor {
  let x = x.resolvedLiteral
  requireProbes(probes, x, "divergence")
  return staged([x, probes.converted(to: x.elementType)]) { inputs in
    [along(traceField(field, inputs[0]), inputs[0], inputs[1]).mean()]
  }[0]
}

/// An unbiased estimate of Δf by random probes: the mean of the second derivatives along them, vᵀ H v.
///
/// - Parameters:
///   - function: of one array to one array.
///   - x: where.
///   - probes: as in ``divergence(of:at:probes:)``.
public func laplacian(of function: (Tensor) -> Tensor, at x: Tensor, probes: Tensor) -> Tensor {
  let x = x.resolvedLiteral
  requireProbes(probes, x, "laplacian")
  return laplacian(of: function, at: x, along: probes) / Tensor(Double(probes.shape[0]), as: x.elementType)
}

private func requireProbes(_ probes: Tensor, _ x: Tensor, _ operation: String) {
  guard probes.rank == x.rank + 1, Array(probes.shape.dropFirst()) == Array(x.shape), probes.shape[0] > 0 else {
    trapAtCaller(
      ProgramError(operation, "probes must have the shape [count] + \(x.shape) with at least one of them, but theirs is \(probes.shape)."))
  }
}

private func traceField(_ field: (Tensor) -> Tensor, _ x: Tensor) -> (graph: Graph, captures: [Tensor]) {
  let traced = traceGraph([x.type]) { [field($0[0]).resolvedLiteral] }
  guard traced.graph.outputTypes[0].shape == x.shape else {
    trapAtCaller(
      ProgramError("divergence", "the field must give the shape it takes, \(x.shape), but it gives \(traced.graph.outputTypes[0].shape)."))
  }
  return traced
}

/// vᵀ J v for each direction v.
private func along(_ field: (graph: Graph, captures: [Tensor]), _ x: Tensor, _ directions: Tensor) -> Tensor {
  let products = vmap({ (v: Tensor) -> Tensor in
    let tangents: [Tensor?] = [v] + field.captures.map { _ in nil }
    let slope = pushforward(field.graph, [x] + field.captures, tangents).tangents[0] ?? zerosLike(x)
    return (slope * v).sum()
  })
  return products(directions)
}
