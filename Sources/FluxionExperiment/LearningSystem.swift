public import FluxionReport

/// A published learning system: a configuration, a run on the user's data, and the check of the paper's claims.
///
/// The command, the reports, checkpoints and resumption know a system only through this protocol. A conforming type is a small
/// stateless struct in the system's own folder, beside the library types it drives:
///
///     public struct RectifiedFlowExperiment: LearningSystem {
///       public init() {}
///       public let card = SystemCard(name: "rectified-flow", …)
///       public let claims = [Claim("gain_n1", "sw2_n1_1 / sw2_n1_2", .above(5), published: "31 (FID)"), …]
///       public func run(_ context: RunContext<RectifiedFlowConfiguration>) throws -> RunResult { … }
///       public func verify(_ context: VerificationContext) throws -> Measurements { … }
///     }
public protocol LearningSystem: Sendable {
  /// The hyper-parameters, with the card's defaults.
  associatedtype Configuration: SystemConfiguration

  var card: SystemCard { get }
  /// Whether the system takes `--data`.
  var dataUse: DataUse { get }
  /// What ``verify(_:)`` measures, with the bounds of the card.
  var claims: [Claim] { get }

  /// Refuses inputs and settings that do not fit each other, before anything is written: throw ``InputError`` or `DataError`.
  func check(_ configuration: Configuration, _ inputs: RunInputs) throws

  /// Learns from the data and leaves metrics, artefacts and a report.
  ///
  /// Called again from the start when a run is resumed: what stages (``Session/stage(_:_:)``, ``Session/train(_:from:steps:chunk:key:stopsWhenNotFinite:step:)``)
  /// have finished comes back at once from the checkpoint, so everything outside them must be cheap and depend on nothing but
  /// configuration, inputs and key.
  func run(_ context: RunContext<Configuration>) throws -> RunResult

  /// Measures every key of ``claims``.
  func verify(_ context: VerificationContext) throws -> Measurements

  /// What a finished run has learnt, for other programs: throw ``InputError`` or `DataError` when the folder does not hold it. The
  /// default says that the system has no such model.
  func exportedModel(of run: RunFolder) throws -> ExportedModel
}

extension LearningSystem {
  public var dataUse: DataUse { .none }
  public func check(_ configuration: Configuration, _ inputs: RunInputs) throws {}
  public func exportedModel(of run: RunFolder) throws -> ExportedModel {
    throw InputError("\(card.name) learns no model that another program could run. Use what the run left in \(run.path).")
  }
}

/// Whether, and for what, a system takes `--data`.
public enum DataUse: Hashable, Sendable {
  /// It makes its own data.
  case none
  /// With a file it learns from that; the text says what the file holds and what happens without one.
  case optional(String)
  /// It needs a file; the text says what it holds.
  case required(String)
}

/// What a run ends with, besides its metrics and artefacts.
public struct RunResult: Sendable {
  /// One or a few lines of results for the terminal, such as `straightness 2.48 → 0.004   one-step W2 2.63 → 0.24`.
  public var summary: String
  /// The page with figures; settings, citation and how to repeat the run are added below it.
  public var report: ReportPage

  public init(summary: String, report: ReportPage) {
    self.summary = summary
    self.report = report
  }
}
