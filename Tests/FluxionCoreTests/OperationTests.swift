import FluxionCore
import FluxionTestSupport
import Testing

/// A part of the matrix of operations: every operation with every transform, element types, samples and engines in turn. With
/// `FLUXION_MATRIX=full` in the environment, which `make test-full` sets, all of it.
@Suite struct OperationTests {
  @Test("matrix", arguments: OperationCase.all)
  func cells(operation: OperationCase) { expectCells(of: operation) }
}
