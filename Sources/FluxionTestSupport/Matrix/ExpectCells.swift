public import FluxionCore
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif
public import Testing

/// Expects the operation's cells to pass or to be refused: a sample of them, or all where the environment says `FLUXION_MATRIX=full`.
///
/// - Parameters:
///   - allowance: what values may be off by on these devices, beside what the row allows.
///   - isIncluded: which cells the suite is for.
public func expectCells(
  of operation: OperationCase, on devices: [Device] = [.reference, .default],
  allowing allowance: @escaping (ElementType) -> Tolerance = { _ in .exact }, where isIncluded: (Cell) -> Bool = { _ in true },
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let isFull = getenv("FLUXION_MATRIX").map { String(cString: $0) } == "full"
  let engines = devices.map(\.engine.name)
  let bench = Bench(operation, devices: devices, allowing: allowance)
  for cell in isFull ? operation.cells(engines: engines) : operation.sampledCells(engines: engines) where isIncluded(cell) {
    if case let .failed(message) = bench.judge(cell) {
      let place = "\(cell.operation) \(cell.transform.rawValue) of \(cell.elementType) \(operation.samples[cell.sample].shapes) on \(cell.engine)"
      Issue.record(Comment(rawValue: "\(place): \(message)"), sourceLocation: sourceLocation)
    }
  }
}
