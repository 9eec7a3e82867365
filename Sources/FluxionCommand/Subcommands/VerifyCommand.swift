import ArgumentParser
import FluxionCore
import FluxionExperiment
import FluxionReport
import FluxionSystems
import Foundation

/// `fluxion verify <system>`
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check a paper's claims: measured, bound, published.",
    discussion: "Writes claim.json and report.html, and baselines.json for what is measured without bounds. The exit code is 1 when a bound fails.")

  @Argument(help: "The system's name.", completion: .systems)
  var system: String?

  @Flag(help: "Check every system.")
  var all = false

  @Option(help: "Seeds, separated by commas. (default: those of the system)")
  var seeds: String?

  @Option(help: "The folder for claim.json. (default: runs/SYSTEM-verify-N, the next free N)", completion: .directory)
  var out: String?

  @Option(help: ArgumentHelp("\(DeviceChoice.help) (default: cpu)"), completion: .list(["cpu", "reference", "xla"]))
  var device: String?

  @Flag(help: "Show no progress.")
  var quiet = false

  @Flag(help: "Print the claims as JSON.")
  var json = false

  private struct Outcome: Encodable {
    struct Entry: Encodable {
      var key: String, meaning: String, measured: Double?, low: Double?, high: Double?, bound: String, published: String, holds: Bool
    }
    var system: String, folder: String, holds: Bool
    var claims: [Entry]
    /// Means of what has no bound, by key.
    var baselines: [String: Double?]
  }

  func run() throws {
    let (systems, seeds, place) = try reportingFailures(of: "fluxion verify") {
      (try chosenSystems(), try chosenSeeds(), try DeviceChoice.device(self.device))
    }
    let interruption = Interruption()
    var outcomes: [Outcome] = []
    for system in systems {
      let outcome = try check(system, seeds ?? system.card.seeds, place, interruption.cancellation)
      outcomes.append(outcome)
    }
    if json { JSONOutput.print(outcomes) }
    if !outcomes.allSatisfy(\.holds) { throw ExitCode(1) }
  }

  private func check(
    _ system: any LearningSystem, _ seeds: [Int], _ device: Device, _ cancellation: Cancellation
  ) throws -> Outcome {
    let title = "fluxion verify \(system.card.name)"
    let printer = ProgressPrinter(isQuiet: quiet)
    do {
      let verifier = Verifier(
        cancellation: cancellation, onWarning: { printer.note("\(title): \($0)") }, onProgress: { printer.show($0) })
      let result = try verifier.verify(system, seeds: seeds, folder: out.map(RunFolder.init), device: device)
      printer.finishLine()
      if !json { printTable(system, seeds, result) }
      let entries = zip(system.claims, result.claims).map { claim, record in
        let spread = result.measurements.spread(claim.key)
        return Outcome.Entry(
          key: claim.key, meaning: claim.meaning, measured: JSONOutput.number(record.measured),
          low: JSONOutput.number(spread?.lowerBound), high: JSONOutput.number(spread?.upperBound),
          bound: record.bound, published: record.published, holds: record.holds)
      }
      return Outcome(system: system.card.name, folder: result.folder.path, holds: result.holds, claims: entries,
        baselines: result.baselines.mapValues { JSONOutput.number($0) })
    } catch {
      printer.finishLine()
      throw Failure(title, error)
    }
  }

  private func printTable(_ system: any LearningSystem, _ seeds: [Int], _ result: Verification) {
    print("\(system.card.name), seeds \(seeds.map(String.init).joined(separator: ", "))")
    print(result.table.text(usesColour: Terminal.usesColour), terminator: "")
    if let baselines = result.baselineTable {
      print("baselines, without bounds")
      print(baselines.text(usesColour: Terminal.usesColour), terminator: "")
    }
    let failed = result.claims.count { !$0.holds }
    print(failed == 0 ? "all \(result.claims.count) bounds hold" : "\(failed) of \(result.claims.count) bounds failed")
    print("claims: \(result.folder.path(.claim))")
  }

  private func chosenSystems() throws(InputError) -> [any LearningSystem] {
    switch (system, all) {
    case (nil, true):
      if let out { throw InputError("--out \(out): with --all every system has a folder of its own. Leave out --out.") }
      return CommandEnvironment.catalogue.systems
    case (let name?, false): return [try CommandEnvironment.catalogue.system(name)]
    case (let name?, true): throw InputError("give either \(name) or --all, not both.")
    case (nil, false): throw InputError("give the name of a system, or --all. See fluxion list.")
    }
  }

  private func chosenSeeds() throws(InputError) -> [Int]? {
    guard let seeds else { return nil }
    guard let list = [Int](settingText: seeds), !list.isEmpty else {
      throw InputError("--seeds \(seeds): whole numbers separated by commas are expected, such as 0,1,2.")
    }
    return list
  }
}
