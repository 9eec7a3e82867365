public import Fluxion

/// What was measured of one workload.
public struct Timing: Sendable {
  public var work: String
  public var unit: String
  /// Of one unit of work, after warm-up.
  public var medianMicroseconds: Double
  /// Of tracing, compiling and running the first unit.
  public var firstCallSeconds: Double
  /// Of tracing and compiling alone; nil for work outside any program.
  public var compilationSeconds: Double?
  public var laps: Int
  /// What a unit takes; nil for work outside any program.
  public var cost: CostReport?
}

extension Workload {
  /// Runs the first unit, timed alone; three more to warm up; then units for `seconds`, but at least five, of which the median counts.
  ///
  /// - Parameter process: runs a whole process of this work, from its start to its end: a unit where the work is one, of which none is
  ///   for warming up, and one is enough.
  public func measured(seconds: Double, process: (any Workload) throws -> Void) throws -> Timing {
    if isWholeProcess { return try processMeasured(seconds: seconds, process) }
    let clock = ContinuousClock()
    let session = prepare()
    let start = clock.now
    let program = try session.program?()
    let compiled = clock.now
    // On other devices a call returns while they work: a unit ends when its results are there.
    let isHost = Device.current.engine.name != "xla"
    func runUnit() {
      session.run()
      // All results of a program are ready at once.
      if !isHost, let result = session.results().first { try? result.hostBuffer("bench").wait() }
    }
    runUnit()
    let first = clock.now
    for _ in 0..<3 { runUnit() }
    var laps: [Duration] = []
    laps.reserveCapacity(1 << 16)
    let end = clock.now + .seconds(seconds)
    while clock.now < end || laps.count < 5 { laps.append(clock.measure(runUnit)) }
    return Timing(
      work: name, unit: unit, medianMicroseconds: median(laps) / .microseconds(1),
      firstCallSeconds: (first - start) / .seconds(1),
      compilationSeconds: program.map { _ in (compiled - start) / .seconds(1) }, laps: laps.count, cost: program?.cost)
  }

  private func processMeasured(seconds: Double, _ process: (any Workload) throws -> Void) throws -> Timing {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var laps: [Duration] = []
    repeat { laps.append(try clock.measure { try process(self) }) } while clock.now < end
    return Timing(
      work: name, unit: unit, medianMicroseconds: median(laps) / .microseconds(1),
      firstCallSeconds: laps[0] / .seconds(1),
      compilationSeconds: nil, laps: laps.count, cost: nil)
  }
}

private func median(_ laps: [Duration]) -> Duration {
  let laps = laps.sorted()
  let middle = laps.count / 2
  return laps.count % 2 == 1 ? laps[middle] : (laps[middle - 1] + laps[middle]) / 2
}
