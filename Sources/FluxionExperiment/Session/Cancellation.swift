import Synchronization

/// A wish to stop, seen by a run at its next resting place: between two chunks of training, or two stages.
public final class Cancellation: Sendable {
  private let flag = Atomic(false)

  public init() {}

  public func cancel() { flag.store(true, ordering: .releasing) }

  /// Also true when the task the run belongs to has been cancelled.
  public var isCancelled: Bool { flag.load(ordering: .acquiring) || Task.isCancelled }
}

/// A run that was asked to stop, and has. What it had done is in the checkpoint, if it keeps one.
public struct RunInterrupted: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where it stopped.
  public var stage: String
  public var step: Int
  public var steps: Int

  public var description: String { steps > 0 ? "stopped in \(stage) at step \(step) of \(steps)" : "stopped before \(stage)" }
}

/// Training that produced a loss that is no number, or infinite.
public struct TrainingDiverged: Error, Hashable, Sendable, CustomStringConvertible {
  public var stage: String
  /// The first step whose loss is not finite, from 0.
  public var step: Int
  public var quantity: String

  public var description: String {
    "\(stage): the \(quantity) is not finite at step \(step). Lower the learning rate, or look at the scale of the data."
  }
}
