import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionXLA
import Foundation

// Fills the matrix and writes it as a page.
//
//   FluxionMatrix [--page PATH] [--processes N] [--matching TEXT]
//   FluxionMatrix --xla [--sampled] [--part K/N] [--matching TEXT]  on XLA's device, in this process
//   FluxionMatrix --exceptions        runs what rows say is refused, and tells what passes: exceptions nobody needs
//
// Each operation runs in a process of its own (`--operation NAME --from K`), which tells a line per cell: a program that traps costs
// its cell and no other.

let engines = [Device.reference, Device(engine: CPUEngine())]
let names = engines.map(\.engine.name)

func option(_ name: String) -> String? {
  let arguments = CommandLine.arguments
  guard let i = arguments.firstIndex(of: name), i + 1 < arguments.count else { return nil }
  return arguments[i + 1]
}

func refuse(_ message: String) -> Never {
  FileHandle.standardError.write(Data("FluxionMatrix: \(message)\n".utf8))
  exit(2)
}

let usage = """
  Usage: FluxionMatrix [--page PATH] [--processes N] [--matching TEXT]
         FluxionMatrix --xla [--sampled] [--part K/N] [--matching TEXT]
         FluxionMatrix --exceptions
         FluxionMatrix --operation NAME [--from K]

  Judges every cell of the table of operations; --page writes it as a page, --matching takes operations whose names contain TEXT.
  --xla judges two cells of each on the device of XLA's plugin that the environment names or Python has installed; --sampled takes all
  values and every transform once, --part the operations K, K + N, K + 2 N … counted from 0.
  --exceptions runs what rows say is refused. --operation judges one operation in this process, a line per cell.
  """
if CommandLine.arguments.contains("--help") || CommandLine.arguments.contains("-h") {
  print(usage)
  exit(0)
}
let known: Set = ["--xla", "--sampled", "--part", "--page", "--processes", "--matching", "--exceptions", "--operation", "--from"]
if let unknown = CommandLine.arguments.dropFirst().first(where: { $0.hasPrefix("--") && !known.contains($0) }) {
  FileHandle.standardError.write(Data("unknown option \(unknown)\n\(usage)\n".utf8))
  exit(2)
}

let onlyExceptions = CommandLine.arguments.contains("--exceptions")

if let name = option("--operation") {
  guard let operation = OperationCase.all.first(where: { $0.name == name }) else { refuse("there is no operation \(name).") }
  Report.tell(operation, from: Int(option("--from") ?? "0") ?? 0, devices: engines, onlyExceptions: onlyExceptions)
  exit(0)
}

let families = OperationCase.families.map { family in
  OperationCase.Family(family.name, family.cases.filter { $0.name.contains(option("--matching") ?? $0.name) })
}
if families.allSatisfy(\.cases.isEmpty) { refuse("no operation's name contains \(option("--matching") ?? "").") }
if CommandLine.arguments.contains("--xla") {
  let device: Device
  do { device = try .xla() } catch { refuse("\(error)") }
  let part = (option("--part") ?? "0/1").split(separator: "/").compactMap { Int($0) }
  guard part.count == 2, part[1] > 0, part[0] >= 0 else { refuse("--part takes K/N, 0/4 for example.") }
  let operations = families.flatMap(\.cases).enumerated().filter { $0.offset % part[1] == part[0] }.map(\.element)
  let isSampled = CommandLine.arguments.contains("--sampled")
  let (judged, failures) = Report.tell(operations, on: device) {
    isSampled ? $0.sampledCells(engines: [device.engine.name]) : $0.briefCells(engine: device.engine.name)
  }
  print("\(judged) cells of \(operations.count) operations judged on XLA, \(failures) failed")
  exit(failures == 0 ? 0 : 1)
}
let outcomes = await Supervisor(processes: Int(option("--processes") ?? "2") ?? 2, engines: names, onlyExceptions: onlyExceptions).run(families.flatMap(\.cases))

if onlyExceptions {
  let needless = outcomes.values.joined().filter { if case .passed = $0.outcome { true } else { false } }
  for operation in Set(needless.map(\.cell.operation)).sorted() {
    let transforms = Set(needless.filter { $0.cell.operation == operation }.map(\.cell.transform.rawValue)).sorted()
    print("\(operation) needs no exception for \(transforms.joined(separator: ", "))")
  }
  print("\(outcomes.values.joined().count) cells are excepted by their rows, \(needless.count) of them needlessly")
  exit(needless.isEmpty ? 0 : 1)
}

var (passed, refused, failed) = (0, 0, 0)
for operation in families.flatMap(\.cases) {
  for (cell, outcome) in outcomes[operation.name] ?? [] {
    switch outcome {
    case .passed: passed += 1
    case .refused: refused += 1
    case let .failed(message):
      failed += 1
      print("\(cell.operation) \(cell.transform.rawValue) \(cell.elementType) \(operation.samples[cell.sample].shapes) \(cell.engine): \(message)")
    }
  }
}
if let path = option("--page") {
  try MatrixPage(families, engines: names, outcomes: outcomes).text.write(toFile: path, atomically: true, encoding: .utf8)
}
print("\(passed) cells passed, \(refused) refused with a reason, \(failed) failed")
exit(failed == 0 ? 0 : 1)
