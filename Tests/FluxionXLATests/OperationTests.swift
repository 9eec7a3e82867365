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

    /// XLA fuses products with sums: sᵢ² - sᵢ² is a rounding error there, and one over it spoils all.
    @Test(
      "differences that are known to be zero are not left to be computed",
      arguments: ["svd", "svd.full", "pseudoInverse", "matrixNorm.nuclear", "leastSquares"])
    func differences(name: String) throws {
      let operation = try #require(OperationCase.all.first { $0.name == name }, "\(OperationCase.all.map(\.name))")
      let bench = Bench(operation, devices: [Device(engine: try Self.engine.get())], allowing: Tolerance.xla)
      var judged = 0
      // Of second derivatives, which take long to compile, those of the most vectors.
      let transforms = name == "svd.full" ? [Transform.jvp, .jvpOfJVP] : [.jvp]
      for cell in operation.cells(engines: ["xla"]) where transforms.contains(cell.transform) {
        guard [.float64, .complex128].contains(cell.elementType), operation.samples[cell.sample].shapes[0].rank == 2 else { continue }
        judged += 1
        if case let .failed(message) = bench.judge(cell) {
          Issue.record("\(cell.transform.rawValue) of \(cell.elementType) \(operation.samples[cell.sample].shapes): \(message)")
        }
      }
      #expect(judged > 0)
    }

    /// One for all operations, so that what runs at once is compiled once.
    static let engine = Result { try XLAEngine(client: TestPlugin.shared.get(), cache: nil) }
  }
}
