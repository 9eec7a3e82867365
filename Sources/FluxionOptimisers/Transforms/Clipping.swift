public import FluxionCore

/// Shrinks a gradient whose Euclidean norm, over all tensors together, exceeds a bound: g ← g · min(1, c / ‖g‖).
///
/// > R. Pascanu, T. Mikolov, Y. Bengio. "On the difficulty of training recurrent neural networks." *ICML* 2013, Algorithm 1.
public struct ClipByGlobalNorm: GradientTransform {
  /// c > 0.
  public var bound: Double

  public init(_ bound: Double) {
    requireOfCaller(bound > 0, "ClipByGlobalNorm", "the bound \(bound) must be positive.")
    self.bound = bound
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    let norm = globalNorm(gradient)
    let isInside = norm .< Tensor(floatLiteral: bound)
    let factor = select(isInside, 1, bound / select(isInside, 1, norm))
    return leafwise("ClipByGlobalNorm", [gradient]) { [$0[0] * factor.converted(to: $0[0].elementType.realPart)] }[0]
  }
}

/// Moves every element into [-c, c].
public struct ClipByValue: GradientTransform {
  /// c > 0.
  public var bound: Double

  public init(_ bound: Double) {
    requireOfCaller(bound > 0, "ClipByValue", "the bound \(bound) must be positive.")
    self.bound = bound
  }

  public func update<M: Structured>(_ gradient: M, state: inout OptimiserState<M>, parameters: M) -> M {
    leafwise("ClipByValue", [gradient]) { [$0[0].clamped(to: -bound...bound)] }[0]
  }
}

/// The Euclidean norm over all real and complex tensors of a structure: in `f64` if one of them is, else in `f32`. Its derivative at 0
/// is taken as 0.
public func globalNorm<M: Structured>(_ value: M) -> Tensor {
  let leaves = flatten(value).leaves.filter { $0.elementType.isDifferentiable }
  let type: ElementType = leaves.contains { $0.elementType.realPart == .float64 } ? .float64 : .float32
  var sum = Tensor(0, as: type)
  for leaf in leaves { sum += (leaf.elementType.isComplex ? abs(leaf) : leaf).squared().sum().converted(to: type) }
  return sqrt(sum)
}
