import FluxionCore
import FluxionTestSupport

/// Where XLA's CPU backend gives something other than the reference interpreter, and why. Each is compared as far as it still agrees, and
/// is tested to be needed still: one that is not is to be removed.
enum XLACPUExceptions {
  /// Elementwise primitives at special values.
  struct AtSpecialValues: Sendable {
    let names: Set<String>
    let elementTypes: Set<ElementType>
    let reason: String
    /// What remains to be compared, of the result and of what it should be.
    let compared: @Sendable (Tensor) -> Tensor
  }

  static let atSpecialValues = [
    AtSpecialValues(
      names: ["atan2", "divide", "power", "reciprocal", "trigamma"], elementTypes: [.bfloat16],
      reason:
        "XLA's threads run with numbers below the normal range flushed to zero (as JAX's on a CPU do), and bf16 has the range of f32",
      compared: { x in
        // 2⁻¹²⁶ is the least normal number of both.
        select(abs(x) .< 0x1p-126, Tensor.zeros(x.shape, as: x.elementType), x)
      })
  ]

  static func atSpecialValues(_ special: SpecialValues) -> AtSpecialValues? {
    atSpecialValues.first { $0.names.contains(special.name) && $0.elementTypes.contains(special.elementType) }
  }
}
