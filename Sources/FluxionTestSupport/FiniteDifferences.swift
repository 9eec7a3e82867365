public import FluxionCore

/// The derivative of `function` at `x` along `direction`, in `f64` or `c128`, by central differences extrapolated once: the error
/// falls with the fourth power of the step, which leaves about ten digits for smooth functions of moderate size.
///
/// > L. F. Richardson. "The approximate arithmetical solution by finite differences." *Phil. Trans. A* 210, 1911.
///
/// - Parameters:
///   - x: operands; those that are not real or complex numbers stay where they are.
///   - direction: one per operand, of its shape.
public func finiteDifferences(
  of function: ([Tensor]) -> [Tensor], at x: [Tensor], along direction: [Tensor], step: Double = 1e-3
) -> [Tensor] {
  func moved(_ h: Double) -> [Tensor] {
    function(zip(x, direction).map { x, v in x.elementType.isDifferentiable ? x + v * Tensor(h, as: x.elementType.realPart) : x })
  }
  func central(_ h: Double) -> [Tensor] { zip(moved(h), moved(-h)).map { ($0 - $1) / Tensor(2 * h, as: .float64) } }
  let four = Tensor(4, as: .float64)
  return zip(central(step), central(step / 2)).map { coarse, fine in (fine * four - coarse) / Tensor(3, as: .float64) }
}

/// The same for a function with one result.
public func finiteDifference(
  of function: ([Tensor]) -> Tensor, at x: [Tensor], along direction: [Tensor], step: Double = 1e-3
) -> Tensor {
  finiteDifferences(of: { [function($0)] }, at: x, along: direction, step: step)[0]
}
