import FluxionCore
import FluxionTestSupport
@testable import FluxionXLA
import Foundation
import Testing

extension OnXLACPU {
  /// XLA as a judge of every primitive: the table of operations, with its derivatives and mappings, against the formulas, the reference
  /// interpreter and differences. Two cells of each operation, or all where the environment says `FLUXION_MATRIX=full`.
  @Suite("Operations on XLA:CPU")
  struct OperationTests {
    @Test("matrix", arguments: OperationCase.all)
    func matrix(operation: OperationCase) throws {
      let isFull = ProcessInfo.processInfo.environment["FLUXION_MATRIX"] == "full"
      // A device of its own, so that the compiled programs of one operation make room for those of the next.
      let device = Device(engine: try Self.engine.get())
      let bench = Bench(operation, devices: [device], allowing: Tolerance.xla)
      for cell in isFull ? operation.cells(engines: ["xla"]) : operation.briefCells(engine: "xla") {
        if case let .failed(message) = bench.judge(cell) {
          Issue.record("\(cell.operation) \(cell.transform.rawValue) of \(cell.elementType) \(operation.samples[cell.sample].shapes): \(message)")
        }
      }
    }

    /// One for all operations, so that what runs at once is compiled once.
    static let engine = Result { try XLAEngine(client: TestPlugin.shared.get(), cache: nil) }
  }
}
