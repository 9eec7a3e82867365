import FluxionTestSupport
import Foundation

/// Runs operations in processes of their own, several at a time, and starts one anew behind the cell at which it ended early.
struct Supervisor: Sendable {
  let processes: Int
  let engines: [String]
  /// Whether only cells are run that rows say are refused.
  let onlyExceptions: Bool
  /// A process that says nothing for so long is ended.
  private let patience = 300.0

  func run(_ operations: [OperationCase]) async -> [String: [(cell: Cell, outcome: Outcome)]] {
    var results: [String: [(cell: Cell, outcome: Outcome)]] = [:]
    await withTaskGroup(of: (String, [(cell: Cell, outcome: Outcome)]).self) { group in
      var waiting = operations[...]
      for _ in 0..<processes {
        if let operation = waiting.popFirst() { group.addTask { (operation.name, fill(operation)) } }
      }
      for await (name, cells) in group {
        results[name] = cells
        if let operation = waiting.popFirst() { group.addTask { (operation.name, fill(operation)) } }
      }
    }
    return results
  }

  private func fill(_ operation: OperationCase) -> [(cell: Cell, outcome: Outcome)] {
    let cells = operation.cells(engines: engines)
    var outcomes: [Int: Outcome] = [:]
    var next = 0
    while next < cells.count {
      let (told, unfinished, remarks) = Report.read(start(operation.name, from: next))
      outcomes.merge(told) { $1 }
      guard let unfinished else { break }
      outcomes[unfinished] = .failed(message: remarks.isEmpty ? "the process ended" : remarks)
      next = unfinished + 1
    }
    return cells.enumerated().compactMap { i, cell in
      onlyExceptions ? outcomes[i].map { (cell, $0) } : (cell, outcomes[i] ?? .failed(message: "not reached"))
    }
  }

  /// What the process says, on both channels.
  private func start(_ name: String, from cell: Int) -> String {
    let process = Process()
    process.executableURL = URL(filePath: CommandLine.arguments[0])
    process.arguments = ["--operation", name, "--from", "\(cell)"] + (onlyExceptions ? ["--exceptions"] : [])
    // Errors must not depend on how many threads share a sum; and a trap here is an outcome, which needs no backtrace.
    process.environment = ProcessInfo.processInfo.environment.merging(["FLUXION_THREADS": "2", "SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do { try process.run() } catch { return "\(error)" }
    let watchdog = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + patience, execute: watchdog)
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    watchdog.cancel()
    return String(decoding: data, as: UTF8.self)
  }
}
