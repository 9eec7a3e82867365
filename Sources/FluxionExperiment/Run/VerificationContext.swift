/// What the check of a paper's claims has at hand.
public final class VerificationContext {
  /// The seeds over which learned rows are averaged.
  public let seeds: [Int]
  private let cancellation: Cancellation
  private let onProgress: (RunProgress) -> Void
  private let onWarning: (String) -> Void

  public init(
    seeds: [Int], cancellation: Cancellation = Cancellation(), onProgress: @escaping (RunProgress) -> Void = { _ in },
    onWarning: @escaping (String) -> Void = { _ in }
  ) {
    self.seeds = seeds
    self.cancellation = cancellation
    self.onProgress = onProgress
    self.onWarning = onWarning
  }

  /// A fresh session that keeps nothing on disk, for one seed or one method; its stages are reported as `label stage`.
  public func session(_ label: String = "") -> Session {
    Session(cancellation: cancellation) { [onProgress] progress in
      var labelled = progress
      if !label.isEmpty { labelled.stage = label + " " + progress.stage }
      onProgress(labelled)
    }
  }

  /// Reports how far a check without training has come, and stops there if asked to.
  public func progress(_ stage: String, _ step: Int = 0, of steps: Int = 0) throws {
    onProgress(RunProgress(stage: stage, step: step, steps: steps))
    if cancellation.isCancelled { throw RunInterrupted(stage: stage, step: step, steps: steps) }
  }

  public func warn(_ message: String) { onWarning(message) }
}

/// The numbers a check has measured: one for each key, or one for each key and seed.
public struct Measurements: Hashable, Sendable {
  public private(set) var samples: [String: [Double]] = [:]

  public init() {}

  /// Adds a measurement of `key`; learned quantities are added once for each seed.
  public mutating func record(_ key: String, _ value: Double) { samples[key, default: []].append(value) }

  /// The mean of the measurements of `key`; nil when there are none.
  public func mean(_ key: String) -> Double? {
    guard let values = samples[key], !values.isEmpty else { return nil }
    return values.reduce(0, +) / Double(values.count)
  }

  /// The least and greatest measurement of a key that was measured more than once.
  public func spread(_ key: String) -> ClosedRange<Double>? {
    guard let values = samples[key], values.count > 1, let low = values.min(), let high = values.max(), low <= high else { return nil }
    return low...high
  }
}
