import Foundation

/// How long a run took, by stage, over all its interruptions. Kept apart from the metrics, which must not depend on the clock.
struct Timing: Sendable, Codable, Equatable {
  struct Stage: Sendable, Codable, Equatable {
    var name: String
    var seconds: Double
    var steps: Int
  }
  var stages: [Stage] = []

  func start(_ name: String) -> ContinuousClock.Instant { ContinuousClock.now }

  mutating func stop(_ name: String, _ start: ContinuousClock.Instant, steps: Int) {
    let spent = start.duration(to: .now) / .seconds(1)
    if let i = stages.firstIndex(where: { $0.name == name }) {
      stages[i].seconds += spent
      stages[i].steps += steps
    } else {
      stages.append(Stage(name: name, seconds: spent, steps: steps))
    }
  }

  var total: Double { stages.reduce(0) { $0 + $1.seconds } }

  /// `timing.json`.
  var json: Data {
    func rounded(_ x: Double) -> Double { (x * 1e3).rounded() / 1e3 }
    var copy = self
    for i in stages.indices { copy.stages[i].seconds = rounded(stages[i].seconds) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return (try? encoder.encode(copy)) ?? Data()
  }

  init() {}

  /// What an earlier part of the run left; nothing when there is nothing to read, for times are worth no failure.
  init(readingFrom path: String) {
    self.init()
    if let data = try? Data(contentsOf: URL(fileURLWithPath: path)), let known = try? JSONDecoder().decode(Timing.self, from: data) {
      self = known
    }
  }
}
