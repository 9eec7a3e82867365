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
  public var demand: Demand
}

extension Workload {
  /// Runs the first unit, timed alone; three more to warm up; then units for `seconds`, but at least five, of which the median counts.
  public func measured(seconds: Double) throws -> Timing {
    let clock = ContinuousClock()
    let session = prepare()
    let start = clock.now
    let program = try session.program?()
    let compiled = clock.now
    session.run()
    let first = clock.now
    for _ in 0..<3 { session.run() }
    var laps: [Duration] = []
    laps.reserveCapacity(1 << 16)
    let end = clock.now + .seconds(seconds)
    while clock.now < end || laps.count < 5 { laps.append(clock.measure(session.run)) }
    laps.sort()
    let middle = laps.count / 2
    let median = laps.count % 2 == 1 ? laps[middle] : (laps[middle - 1] + laps[middle]) / 2
    return Timing(
      work: name, unit: unit, medianMicroseconds: median / .microseconds(1), firstCallSeconds: (first - start) / .seconds(1),
      compilationSeconds: program.map { _ in (compiled - start) / .seconds(1) }, laps: laps.count, cost: program?.cost, demand: demand)
  }
}
