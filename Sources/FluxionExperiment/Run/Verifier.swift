public import FluxionCore
public import FluxionReport
import Foundation

/// What the check of a system's claims has found.
public struct Verification: Sendable {
  public var folder: RunFolder
  public var measurements: Measurements
  /// One for each claim of the system, in its order.
  public var claims: [RunRecord.Claim]
  /// Measured, bound, published, verdict.
  public var table: ReportTable
  /// The means of what was measured beside the claims, by key: baselines, which keep no bound.
  public var baselines: [String: Double]
  /// The same with the spread over seeds; nil when there is nothing.
  public var baselineTable: ReportTable?

  public var holds: Bool { claims.allSatisfy(\.holds) }
}

/// Carries the check of a system's claims out and writes `claim.json`, `report.html` and `timing.json`, and `baselines.json` when
/// the system measures more than it claims.
public struct Verifier {
  public var cancellation: Cancellation
  public var onWarning: (String) -> Void
  public var onProgress: (RunProgress) -> Void

  public init(
    cancellation: Cancellation = Cancellation(), onWarning: @escaping (String) -> Void = { _ in },
    onProgress: @escaping (RunProgress) -> Void = { _ in }
  ) {
    self.cancellation = cancellation
    self.onWarning = onWarning
    self.onProgress = onProgress
  }

  /// Measures every claim of `system`.
  ///
  /// - Parameters:
  ///   - system: whose claims are checked.
  ///   - seeds: over which learned quantities are averaged.
  ///   - folder: where the records go; nil: the next free `runs/<system>-verify-<n>`.
  ///   - device: where the programs run.
  public func verify<S: LearningSystem>(
    _ system: S, seeds: [Int], folder: RunFolder? = nil, device: Device = .default
  ) throws -> Verification {
    if let folder, !folder.isFree {
      throw InputError("\(folder.path): the folder is not empty. Choose another with --out.")
    }
    let context = VerificationContext(
      seeds: seeds, cancellation: cancellation, onProgress: onProgress, onWarning: onWarning)
    var timing = Timing()
    let clock = timing.start("verify")
    let measurements = try device.active { try system.verify(context) }
    timing.stop("verify", clock, steps: 0)

    let claims = system.claims.map { $0.record(measurements) }
    // A check takes minutes; its folder is made when there is something to put in it.
    let place: RunFolder
    if let folder {
      try folder.create()
      place = folder
    } else {
      place = try RunFolder.next(in: "runs", name: system.card.name + "-verify")
    }
    let claimed = Set(system.claims.map(\.key))
    let beside = measurements.samples.keys.filter { !claimed.contains($0) }.sorted()
    var baselines: [String: Double] = [:]
    for key in beside { baselines[key] = measurements.mean(key) }
    let result = Verification(
      folder: place, measurements: measurements, claims: claims, table: Self.table(system.claims, claims, measurements),
      baselines: baselines, baselineTable: beside.isEmpty ? nil : Self.table(beside, measurements))
    try place.write(timing.json, as: .timing)
    try place.write(Data(Self.page(system, seeds, result).html().utf8), as: .report)
    if !beside.isEmpty { try place.write(Data(RunRecord.metricsJSON(baselines).utf8), as: .baselines) }
    try place.write(Data(RunRecord.claimsJSON(claims).utf8), as: .claim)
    return result
  }

  private static func table(_ claims: [Claim], _ records: [RunRecord.Claim], _ measurements: Measurements) -> ReportTable {
    var table = ReportTable([
      .init("key"), .number("measured"), .init("over seeds"), .init("bound"), .init("published"), .init("verdict"), .init("meaning"),
    ])
    for (claim, record) in zip(claims, records) {
      table.addRow([
        .text(claim.key), record.measured.map { .number($0) } ?? .text("not measured"), .text(spread(claim.key, measurements)),
        .text(record.bound), .text(claim.published), .verdict(.init(record.holds)), .text(claim.meaning),
      ])
    }
    return table
  }

  private static func table(_ baselines: [String], _ measurements: Measurements) -> ReportTable {
    var table = ReportTable([.init("key"), .number("measured"), .init("over seeds")])
    for key in baselines {
      table.addRow([.text(key), measurements.mean(key).map { .number($0) } ?? .empty, .text(spread(key, measurements))])
    }
    return table
  }

  private static func spread(_ key: String, _ measurements: Measurements) -> String {
    let format = NumberFormat.significant(4)
    return measurements.spread(key).map { "\(format.string($0.lowerBound)) … \(format.string($0.upperBound))" } ?? ""
  }

  private static func page<S: LearningSystem>(_ system: S, _ seeds: [Int], _ result: Verification) -> ReportPage {
    let held = result.claims.count(where: \.holds)
    let means = "Means over seeds \(seeds.map(String.init).joined(separator: ", "))."
    var sections = [ReportPage.Section("Measured, bound, published", [.table(result.table, caption: means)])]
    if let baselines = result.baselineTable {
      sections.append(.init("Baselines", [.table(baselines, caption: "Measured in the same check for comparison, without bounds.")]))
    }
    sections.append(.init("Cite", [.code(system.card.papers.map(\.bibTeX).joined(separator: "\n\n"))]))
    return ReportPage(
      "\(system.card.title): the claims", subtitle: system.card.summary,
      keyFigures: [.init("\(held) of \(result.claims.count)", "bounds hold", verdict: .init(result.holds))],
      sections: sections, version: "Fluxion \(Release.version)")
  }
}
