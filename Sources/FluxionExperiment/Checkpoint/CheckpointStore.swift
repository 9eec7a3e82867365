import FluxionData
import FluxionReport
import Foundation

/// Where and how often a run writes its checkpoint.
final class CheckpointStore {
  private let folder: RunFolder
  private let interval: Duration
  private var last = ContinuousClock.now

  init(_ folder: RunFolder, interval: Duration) {
    self.folder = folder
    self.interval = interval
  }

  func writeIfDue(_ checkpoint: Checkpoint, _ timing: Timing) throws {
    if last.duration(to: .now) >= interval { try write(checkpoint, timing) }
  }

  /// The checkpoint, then the files a person may want to see while the run goes on.
  func write(_ checkpoint: Checkpoint, _ timing: Timing) throws {
    try checkpoint.file.write(to: folder.path(.checkpoint))
    try folder.write(Data(RunRecord.historyCSV(checkpoint.history.record).utf8), as: .history)
    try folder.write(timing.json, as: .timing)
    last = .now
  }
}
