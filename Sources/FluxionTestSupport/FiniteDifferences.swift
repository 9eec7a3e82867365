public import FluxionCore

/// The derivative of `function` at `x` along `direction`, in `f64`, by central differences extrapolated once: the error falls with
/// the fourth power of the step, which leaves about ten digits for smooth functions of moderate size.
///
/// > L. F. Richardson. "The approximate arithmetical solution by finite differences." *Phil. Trans. A* 210, 1911.
///
/// - Parameters:
///   - x: operands; those that are not real numbers stay where they are.
///   - direction: one per operand, of its shape.
public func finiteDifference(
  of function: ([Tensor]) -> Tensor, at x: [Tensor], along direction: [Tensor], step: Double = 1e-3
) -> Tensor {
  func moved(_ h: Double) -> Tensor {
    function(zip(x, direction).map { x, v in x.elementType.isFloatingPoint ? x + v * Tensor(h, as: x.elementType) : x })
  }
  func central(_ h: Double) -> Tensor { (moved(h) - moved(-h)) / Tensor(2 * h, as: .float64) }
  let (coarse, fine) = (central(step), central(step / 2))
  let four = Tensor(4, as: .float64)
  return (fine * four - coarse) / Tensor(3, as: .float64)
}
