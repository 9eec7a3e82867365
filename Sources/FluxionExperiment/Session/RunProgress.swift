import FluxionReport

/// How far a run has come: one report of a stage.
public struct RunProgress: Hashable, Sendable {
  /// The stage's name, such as `round-1`.
  public var stage: String
  /// Steps done.
  public var step: Int
  /// Steps in all; 0 when the stage is not counted.
  public var steps: Int
  /// What was measured last, such as `loss`, in the order of the report.
  public var values: [Value]
  /// The step the stage began at in this process: not 0 when it was resumed.
  public var firstStep: Int

  public struct Value: Hashable, Sendable {
    public var name: String
    public var value: Double
  }

  public init(stage: String, step: Int, steps: Int, values: [Value] = [], firstStep: Int = 0) {
    self.stage = stage
    self.step = step
    self.steps = steps
    self.values = values
    self.firstStep = firstStep
  }

  public var isFinished: Bool { step >= steps }
}

extension RunProgress: CustomStringConvertible {
  /// One line, such as `round-1  200/3000  loss 1.284`.
  public var description: String {
    let count = steps > 0 ? "  \(step)/\(steps)" : ""
    return stage + count + values.map { "  \($0.name) " + NumberFormat.significant(4).string($0.value) }.joined()
  }
}
