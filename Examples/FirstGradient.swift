import Fluxion

/// No set-up, no ceremony: derivatives of an expression.
public func firstGradient() {
  let x: Tensor = [0.5, -1.2, 3.0]
  print(gradient { sin($0).sum() }(x))  // cos x
  print(hessian { ($0 * $0 * $0).sum() }(x))  // diag 6x
}
