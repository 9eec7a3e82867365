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

  public var holds: Bool { claims.allSatisfy(\.holds) }
}

/// Carries the check of a system's claims out and writes `claim.json`, `report.html` and `timing.json`.
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
    let result = Verification(
      folder: place, measurements: measurements, claims: claims, table: Self.table(system.claims, claims, measurements))
    try place.write(timing.json, as: .timing)
    try place.write(Data(Self.page(system, seeds, result).html().utf8), as: .report)
    try place.write(Data(RunRecord.claimsJSON(claims).utf8), as: .claim)
    return result
  }

  private static func table(_ claims: [Claim], _ records: [RunRecord.Claim], _ measurements: Measurements) -> ReportTable {
    var table = ReportTable([
      .init("key"), .number("measured"), .init("over seeds"), .init("bound"), .init("published"), .init("verdict"), .init("meaning"),
    ])
    let format = NumberFormat.significant(4)
    for (claim, record) in zip(claims, records) {
      let spread = measurements.spread(claim.key).map { "\(format.string($0.lowerBound)) … \(format.string($0.upperBound))" }
      table.addRow([
        .text(claim.key), record.measured.map { .number($0) } ?? .text("not measured"), .text(spread ?? ""), .text(record.bound),
        .text(claim.published), .verdict(.init(record.holds)), .text(claim.meaning),
      ])
    }
    return table
  }

  private static func page<S: LearningSystem>(_ system: S, _ seeds: [Int], _ result: Verification) -> ReportPage {
    let held = result.claims.count(where: \.holds)
    return ReportPage(
      "\(system.card.title): the claims", subtitle: system.card.summary,
      keyFigures: [.init("\(held) of \(result.claims.count)", "bounds hold", verdict: .init(result.holds))],
      sections: [
        .init("Measured, bound, published", [.table(result.table, caption: "Means over seeds \(seeds.map(String.init).joined(separator: ", ")).")]),
        .init("Cite", [.code(system.card.papers.map(\.bibTeX).joined(separator: "\n\n"))]),
      ], version: "Fluxion \(Release.version)")
  }
}
