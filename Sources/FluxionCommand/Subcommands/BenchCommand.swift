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

  @Flag(help: "Print a line of JSON for each.")
  var json = false

  func run() throws {
    guard seconds >= 0, seconds.isFinite else { throw Failure("fluxion bench", "--seconds \(seconds) must be finite and not negative.", exitCode: 2) }
    let works = try chosen()
    let cpu = fx_cpu()
    let isa = withUnsafeBytes(of: cpu.isa) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    var table = ReportTable([
      .init("work"), .number("median µs", .significant(4)), .init("unit"), .number("first call s", .significant(3)),
      .number("of it compiling s", .significant(3)), .init("kernels"), .init("arena bytes"),
    ])
    for work in works {
      if !json { FileHandle.standardError.write(Data("\(work.name) …\n".utf8)) }
      let m = try reportingFailures(of: "fluxion bench") { try work.measured(seconds: seconds) }
      if json {
        Line(m, threads: Int(cpu.threads), isa: isa).print()
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

  private func chosen() throws -> [any Workload] {
    let words = only.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    guard !words.isEmpty else { return Workloads.all }
    var names: Set<String> = []
    for word in words {
      let found = Workloads.named(word)
      guard !found.isEmpty else {
        throw Failure(
          "fluxion bench",
          "there is no work \"\(word)\". "
            + Suggestion.sentence(for: word, among: Workloads.names, otherwise: "Known are \(Workloads.names.joined(separator: ", "))."),
          exitCode: 2)
      }
      names.formUnion(found.map(\.name))
    }
    return Workloads.all.filter { names.contains($0.name) }
  }

  /// A line in the form of `Benchmarks/peers.py`.
  private struct Line: Encodable {
    struct Detail: Encodable {
      var kernels: Int?, arenaBytes: Int?, compilationSeconds: Double?
      var laps: Int, threads: Int, isa: String, demand: Demand
      enum CodingKeys: String, CodingKey {
        case kernels, laps, threads, isa, demand
        case arenaBytes = "arena_bytes", compilationSeconds = "trace_and_compile_s"
      }
    }
    var work: String, framework = "fluxion", medianMicroseconds: Double, firstCallSeconds: Double, unit: String, detail: Detail
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
        kernels: m.cost?.kernels, arenaBytes: m.cost?.peakMemory, compilationSeconds: m.compilationSeconds.map { rounded($0, 1e6) },
        laps: m.laps, threads: threads, isa: isa, demand: m.demand)
    }

    func print() {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      // Written at once, so that whoever reads along sees each line when it is known.
      do { FileHandle.standardOutput.write(try encoder.encode(self) + Data("\n".utf8)) } catch {
        preconditionFailure("a timing cannot be written as JSON: \(error)")
      }
    }
  }
}
