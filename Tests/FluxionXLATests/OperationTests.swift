import FluxionCore
import FluxionTestSupport
@testable import FluxionXLA
import Foundation
import Testing

extension OnXLACPU {
  /// XLA as a judge of every primitive: the table of operations, with its derivatives and mappings, against the formulas, the reference
  /// interpreter and differences.
  ///
  /// XLA's elementary functions are not Fluxion's: to one part in 10⁵ in single precision and in 10¹² in double the two must agree, or to
  /// some units of what is of order one, where terms cancel.
  @Suite("Operations on XLA:CPU")
  struct OperationTests {
    @Test("matrix", arguments: OperationCase.all)
    func matrix(operation: OperationCase) throws {
      let isFull = ProcessInfo.processInfo.environment["FLUXION_MATRIX"] == "full"
      // A device of its own, so that the compiled programs of one operation make room for those of the next.
      let device = Device(engine: try Self.engine.get())
      expectCells(of: operation, on: [device], allowing: Self.allowance) { cell in
        // XLA compiles for longer than a cell runs: one sample's values and one's gradient stand for the rest, in types that rotate with
        // the operations.
        if isFull || cell.transform == .vjp { return true }
        let (types, turn) = (operation.elementTypes, operation.name.utf8.reduce(0) { $0 + Int($1) })
        return cell.transform == .value && cell.elementType == types[turn % types.count] && cell.sample == turn % operation.samples.count
      }
    }

    /// One for all operations, so that what runs at once is compiled once.
    static let engine = Result { try XLAEngine(client: TestPlugin.shared.get(), cache: nil) }

    static func allowance(_ type: ElementType) -> Tolerance {
      switch type.realPart {
      case .float32: Tolerance(epsilons: 16, relative: 1e-5)
      case .float64: Tolerance(epsilons: 64, relative: 1e-12)
      // Narrow types are stored, and computed with in 32 bits; XLA may round more often between.
      case .float16, .bfloat16, .float8e4m3, .float8e5m2: .ulps(2)
      default: .exact
      }
    }
  }
}
