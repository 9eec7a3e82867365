public import FluxionCore

// Sums of second derivatives in one forward pass: value, Jacobian and Laplacian go through the program together.

/// Value, derivatives and Laplacian of a function, by the forward Laplacian.
public struct ForwardLaplacian: Sendable {
  /// f(x), shape S.
  public let value: Tensor
  /// ∂f along each direction: `[directions] + S`.
  public let jacobian: Tensor
  /// Σ ∂²f/∂v² over the directions v, shape S.
  public let laplacian: Tensor
}

/// The value, derivatives and Laplacian Δf = Σᵢ ∂²f/∂xᵢ² of a function of an array, in one pass and without reverse mode.
///
/// Through each operation y = g(x) go the derivatives y_i = g′(x) x_i and the Laplacian Δy = g′(x) Δx + Σᵢ g″(x)[x_i, x_i]. It costs about
/// one forward pass for each direction and one more, where nested derivatives carry two tangents for each, and keeps nothing for a way back.
///
/// - Parameters:
///   - function: of one array to one array of any shape; use `vmap` for many points.
///   - x: any shape.
///   - directions: `[count] + x.shape`, the vectors v of Σ_v ∂²f/∂v²; unless told, the coordinates. A few rows of the identity give the Laplacian
///     in some of the coordinates, the columns of a factor L of A = LLᵀ the operator Σ Aᵢⱼ ∂ᵢ∂ⱼ.
///
/// > R. Li et al. "A computational framework for neural network-based variational Monte Carlo with Forward Laplacian." Nature Machine
/// > Intelligence 6, 2024.
public func forwardLaplacian(of function: (Tensor) -> Tensor, at x: Tensor, along directions: Tensor? = nil) -> ForwardLaplacian {
  let x = x.resolvedLiteral
  guard x.elementType.isFloatingPoint else {
    trapAtCaller(ProgramError("laplacian", "derivatives are taken by real numbers, but the argument is \(x.type)."))
  }
  if let directions {
    guard directions.rank == x.rank + 1, Array(directions.shape.dropFirst()) == Array(x.shape) else {
      trapAtCaller(
        ProgramError("laplacian", "directions must have the shape [count] + \(x.shape), but theirs is \(directions.shape)."))
    }
  }
  let n = x.elementCount
  let seeds = directions?.converted(to: x.elementType) ?? eye(n, as: x.elementType).reshaped(to: [n] + x.shape)
  let results = staged([x, seeds]) { inputs in
    let (graph, captures) = traceGraph([x.type]) { [function($0[0]).resolvedLiteral] }
    let none: [Tensor?] = [nil, nil]
    let size = inputs[1].shape[0]
    let (values, out) = pushLaplacian(
      graph, [inputs[0]] + captures, [[inputs[1], nil]] + captures.map { _ in none }, size)
    let value = values[0]
    return [value, out[0][0] ?? Tensor.zeros([size] + value.shape, as: value.elementType), out[0][1] ?? zerosLike(value)]
  }
  return ForwardLaplacian(value: results[0], jacobian: results[1], laplacian: results[2])
}

/// Δf = Σᵢ ∂²f/∂xᵢ², by ``forwardLaplacian(of:at:along:)``; shaped as the result of `function`.
public func laplacian(of function: (Tensor) -> Tensor, at x: Tensor, along directions: Tensor? = nil) -> Tensor {
  forwardLaplacian(of: function, at: x, along: directions).laplacian
}

/// The function x ↦ Δf(x).
public func laplacian(_ function: @escaping @Sendable (Tensor) -> Tensor) -> @Sendable (Tensor) -> Tensor {
  { laplacian(of: function, at: $0) }
}
