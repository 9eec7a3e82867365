import ArgumentParser
import CFluxionKernels
import FluxionBenchmarks
import FluxionCore
import FluxionReport
import FluxionText
import Foundation

/// `fluxion bench`
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time the programs that Fluxion is compared with others by.",
    discussion: """
      Each is run once, then three times to warm up, then for --seconds but at least five times; the median counts.
      `make bench` runs the same in JAX and PyTorch beside it, and writes the comparison down.
      """)

  @Option(help: ArgumentHelp("Only these, by family or by row, separated by commas.", valueName: "work,…"))
  var only = ""

  @Option(help: "How long each is repeated.")
  var seconds = 1.0

  @Option(help: ArgumentHelp(stringLiteral: DeviceChoice.help))
  var device: String?

  @Flag(help: "Print a line of JSON for each.")
  var json = false

  @Flag(help: "Only name them; with --json, with what each needs at least.")
  var list = false

  @Flag(
    help:
      "Print the rates of one thread instead, as JSON: of the works' matrix products by the library and by Fluxion's kernels, in GF/s, and of exponentials, in 10⁹ a second."
  )
  var rates = false

  @Option(
    help: ArgumentHelp(
      "Do one unit of one work, and print the sum of its first result: for profilers.", valueName: "work"))
  var once: String?

  func run() throws {
    if let once { return try runOnce(once) }
    guard seconds >= 0, seconds.isFinite else {
      throw Failure("fluxion bench", "--seconds \(seconds) must be finite and not negative.", exitCode: 2)
    }
    let works = try chosen()
    if list { return works.forEach { json ? Entry($0).printAsLine() : print($0.name) } }
    if rates { return printRates(works) }
    let place = try reportingFailures(of: "fluxion bench") { try DeviceChoice.device(device) }
    let cpu = fx_cpu()
    let isa = withUnsafeBytes(of: cpu.isa) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    var table = ReportTable([
      .init("work"), .number("median µs", .significant(4)), .init("unit"), .number("first call s", .significant(3)),
      .number("of it compiling s", .significant(3)), .init("kernels"), .init("arena bytes"),
    ])
    for work in works {
      if !json { FileHandle.standardError.write(Data("\(work.name) …\n".utf8)) }
      let m = try reportingFailures(of: "fluxion bench") {
        try place.active { try work.measured(seconds: seconds, process: runProcess) }
      }
      if json {
        Line(m, threads: Int(cpu.threads), isa: isa).printAsLine()
        continue
      }
      table.addRow([
        .text(m.work), .number(m.medianMicroseconds), .text(m.unit), .number(m.firstCallSeconds),
        m.compilationSeconds.map { .number($0) } ?? .text("–"), .text(m.cost.map { "\($0.kernels)" } ?? "–"),
        .text(m.cost.map { "\($0.peakMemory)" } ?? "–"),
      ])
    }
    if json { return }
    print(table.text(usesColour: Terminal.usesColour), terminator: "")
    print("\(cpu.threads) thread\(cpu.threads == 1 ? "" : "s"), \(isa)")
  }

  private func printRates(_ works: [any Workload]) {
    let hasLibrary = fx_blas_status().loaded
    var known: Set<[Int]> = []
    for p in works.flatMap(\.demand.products) where known.insert([p.rows, p.columns, p.inner]).inserted {
      let (m, n, k) = (Int64(p.rows), Int64(p.columns), Int64(p.inner))
      let library = hasLibrary ? fx_measure_gemm(m, n, k, false) : nil
      Rate(
        product: [p.rows, p.columns, p.inner], library: JSONOutput.number(library), own: fx_measure_gemm(m, n, k, true)
      ).printAsLine()
    }
    ExponentialRate(exponentials: fx_measure_exponentials()).printAsLine()
  }

  private struct ExponentialRate: Encodable {
    var exponentials: Double
  }

  private struct Rate: Encodable {
    var product: [Int]
    var library: Double?
    var own: Double
  }

  private func runOnce(_ name: String) throws {
    let works = try Self.works(name)
    guard works.count == 1, let work = works.first else {
      throw Failure(
        "fluxion bench", "--once needs one work, but \"\(name)\" is \(works.map(\.name).joined(separator: ", ")).",
        exitCode: 2)
    }
    let place = try reportingFailures(of: "fluxion bench") { try DeviceChoice.device(device) }
    place.active {
      let session = work.prepare()
      session.run()
      print(session.results()[0].sum().item())
    }
  }

  /// A process of this program that does one unit of the work.
  private func runProcess(_ work: any Workload) throws {
    guard let program = Bundle.main.executableURL else {
      throw Failure("fluxion bench", "the program's own file was not found, which \(work.name) starts.", exitCode: 1)
    }
    let process = Process()
    process.executableURL = program
    process.arguments = ["bench", "--once", work.name]
    if let device { process.arguments? += ["--device", device] }
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(
        "fluxion bench", "the process of \(work.name) ended with code \(process.terminationStatus).", exitCode: 1)
    }
  }

  private func chosen() throws -> [any Workload] {
    let words = only.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    guard !words.isEmpty else { return Workloads.all }
    var names: Set<String> = []
    for word in words {
      names.formUnion(try Self.works(word).map(\.name))
    }
    return Workloads.all.filter { names.contains($0.name) }
  }

  private static func works(_ name: String) throws -> [any Workload] {
    let found = Workloads.named(name)
    guard !found.isEmpty else {
      throw Failure(
        "fluxion bench",
        "there is no work \"\(name)\". "
          + Suggestion.sentence(
            for: name, among: Workloads.names, otherwise: "Known are \(Workloads.names.joined(separator: ", "))."),
        exitCode: 2)
    }
    return found
  }

  /// A line in the form of `Benchmarks/peers.py`.
  private struct Line: Encodable {
    struct Detail: Encodable {
      var kernels: Int?, arenaBytes: Int?, compilationSeconds: Double?
      var laps: Int, threads: Int, isa: String
      enum CodingKeys: String, CodingKey {
        case kernels, laps, threads, isa
        case arenaBytes = "arena_bytes", compilationSeconds = "trace_and_compile_s"
      }
    }
    var work: String, framework = "fluxion", medianMicroseconds: Double, firstCallSeconds: Double, unit: String,
      detail: Detail
    enum CodingKeys: String, CodingKey {
      case work, framework, unit, detail
      case medianMicroseconds = "median_us", firstCallSeconds = "first_call_s"
    }

    init(_ m: Timing, threads: Int, isa: String) {
      func rounded(_ x: Double, _ places: Double) -> Double { (x * places).rounded() / places }
      work = m.work
      medianMicroseconds = rounded(m.medianMicroseconds, 1000)
      firstCallSeconds = rounded(m.firstCallSeconds, 1e6)
      unit = m.unit
      detail = Detail(
        kernels: m.cost?.kernels, arenaBytes: m.cost?.peakMemory,
        compilationSeconds: m.compilationSeconds.map { rounded($0, 1e6) },
        laps: m.laps, threads: threads, isa: isa)
    }
  }

  /// What a work is, for `Benchmarks/compare.py`.
  private struct Entry: Encodable {
    var work: String, family: String, unit: String, isWholeProcess: Bool, demand: Demand
    enum CodingKeys: String, CodingKey {
      case work, family, unit, demand
      case isWholeProcess = "whole_process"
    }
    init(_ work: any Workload) {
      (self.work, family, unit) = (work.name, work.family, work.unit)
      (isWholeProcess, demand) = (work.isWholeProcess, work.demand)
    }
  }
}

extension Encodable {
  /// One line of JSON, written at once, so that whoever reads along sees it when it is known.
  fileprivate func printAsLine() {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { FileHandle.standardOutput.write(try encoder.encode(self) + Data("\n".utf8)) } catch {
      preconditionFailure("a result cannot be written as JSON: \(error)")
    }
  }
}
