import FluxionCore
import FluxionTestSupport
@testable import FluxionXLA
import Testing

extension OnXLACPU {
  /// Where implementations differ: zeros of both signs, infinities, NaN, the ends of the types, division by zero, shifts too far, and
  /// conversions out of range.
  @Suite("Elementwise primitives at special values on XLA:CPU")
  struct SpecialValueTests {
    @Test("as the reference interpreter has them", arguments: Set(SpecialValues.all.map(\.name)).sorted())
    func specialValues(name: String) throws {
      let device = Device(engine: try OperationTests.engine.get())
      for special in SpecialValues.all where special.name == name {
        let actual = device.active { apply(special.operation, special.arguments)[0] }
        let expected = Device.reference.active { apply(special.operation, special.arguments)[0] }
        let allowance = Tolerance.xla(expected.elementType)
        let place = "\(name) of \(special.elementType)"
        guard let exception = XLACPUExceptions.atSpecialValues(special) else {
          expectClose(actual, expected, allowance, place)
          continue
        }
        Device.reference.active { expectClose(exception.compared(actual), exception.compared(expected), allowance, place) }
        #expect(!areClose(actual, expected, allowance), "\(place) agrees: remove the exception (\(exception.reason))")
      }
    }
  }
}
