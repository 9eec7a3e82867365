import FluxionCore
import FluxionTestSupport
import Foundation

/// The lines by which a process tells what became of its cells: `cell K` before, then `passed E`, `refused R` or `failed M`.
enum Report {
  /// - Parameter onlyExceptions: judges the cells that the row's exceptions name, as if they were not named, and no others.
  static func tell(_ operation: OperationCase, from first: Int, devices: [Device], onlyExceptions: Bool) {
    let bench = Bench(operation, devices: devices)
    for (i, cell) in operation.cells(engines: devices.map(\.engine.name)).enumerated().dropFirst(first) {
      if onlyExceptions && operation.exception(cell) == nil { continue }
      write("cell \(i)")
      switch bench.judge(cell, ignoringExceptions: onlyExceptions) {
      case let .passed(error): write("passed \(error)")
      case let .refused(reason): write("refused \(reason)")
      case let .failed(message): write("failed \(message.replacing("\n", with: " "))")
      }
    }
  }

  /// Judges the chosen cells of each operation in this process, telling the failures.
  static func tell(_ operations: [OperationCase], on device: Device, cells: (OperationCase) -> [Cell]) -> (judged: Int, failures: Int) {
    var (judged, failures) = (0, 0)
    for operation in operations {
      // A device of its own, so that the compiled programs of one operation make room for those of the next.
      let bench = Bench(operation, devices: [Device(engine: device.engine)], allowing: Tolerance.xla)
      for cell in cells(operation) {
        switch bench.judge(cell) {
        case .passed: judged += 1
        case .refused: break
        case let .failed(message):
          (judged, failures) = (judged + 1, failures + 1)
          write("\(cell.operation) \(cell.transform.rawValue) \(cell.elementType) \(operation.samples[cell.sample].shapes): \(message)")
        }
      }
    }
    return (judged, failures)
  }

  private static func write(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  /// The outcomes told, the cell in progress where the lines end within one, and what else was said.
  static func read(_ text: String) -> (outcomes: [Int: Outcome], unfinished: Int?, remarks: String) {
    var outcomes: [Int: Outcome] = [:]
    var current: Int?
    var remarks: [Substring] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      let rest = words.count > 1 ? String(words[1]) : ""
      switch (words[0], current) {
      case ("cell", _): current = Int(rest)
      case ("passed", let cell?): (outcomes[cell], current) = (.passed(error: Double(rest) ?? .nan), nil)
      case ("refused", let cell?): (outcomes[cell], current) = (.refused(reason: rest), nil)
      case ("failed", let cell?): (outcomes[cell], current) = (.failed(message: rest), nil)
      default: remarks.append(line)
      }
    }
    return (outcomes, current, remarks.joined(separator: " "))
  }
}
