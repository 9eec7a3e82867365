import Fluxion
import Foundation

/// Times of small programs, where overhead shows: medians over many repetitions, printed one a line.
@main
struct Measure {
  static func main() throws {
    switch CommandLine.arguments.dropFirst().first {
    case "first-gradient": FirstGradient.run()
    case nil:
      try EagerCalls.run()
      try TrainingStep.run()
      try ColdStart.run()
    case let other?:
      FileHandle.standardError.write(Data("\"\(other)\" is not a measurement. Known: first-gradient, or nothing for all.\n".utf8))
      exit(2)
    }
  }

  /// The median time of one call, in microseconds.
  static func median(repetitions: Int = 2001, calls: Int = 1, _ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    for _ in 0..<10 { try body() }
    var laps: [Double] = []
    for _ in 0..<repetitions {
      let lap = try clock.measure { for _ in 0..<calls { try body() } }
      laps.append(lap / .microseconds(1) / Double(calls))
    }
    return laps.sorted()[repetitions / 2]
  }

  static func report(_ name: String, _ microseconds: Double) {
    let text = microseconds < 1000 ? String(format: "%.3f µs", microseconds) : String(format: "%.3f ms", microseconds / 1000)
    print(name.padding(toLength: 64, withPad: " ", startingAt: 0) + text)
  }
}

/// Operations outside any transform.
enum EagerCalls {
  static func run() throws {
    let x = Tensor([Float](repeating: 0.3, count: 16))
    Measure.report("eager sin of 16 numbers", Measure.median(calls: 100) { _ = sin(x) })
    Measure.report("eager x + y of 16 numbers", Measure.median(calls: 100) { _ = x + x })
    Measure.report("eager sum of 16 numbers", Measure.median(calls: 100) { _ = x.sum() })
    Measure.report("eager gradient { sin($0).sum() }, compiled before", Measure.median(repetitions: 201) { _ = gradient { sin($0).sum() }(x) })
  }
}

/// A process that starts, differentiates a classifier once, and prints.
enum FirstGradient {
  static func run() {
    let key = Key(0)
    let (k0, k1) = key.split()
    let model = MLP(64, 128, 128, 10, activation: .relu, key: k0)
    let x = k1.normal([32, 64])
    let slope = gradient(of: { model in model(x).logSumExp(alongAxis: 1).mean() }, at: model)
    print(slope.layers[0].weight.norm().item())
  }
}

enum ColdStart {
  static func run() throws {
    let program = URL(filePath: CommandLine.arguments[0])
    let time = try Measure.median(repetitions: 21) {
      let process = Process()
      process.executableURL = program
      process.arguments = ["first-gradient"]
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
    }
    Measure.report("cold process to first gradient of 64-128-128-10, printed", time)
  }
}
