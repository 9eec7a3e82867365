import FluxionTestSupport
import Foundation
import Testing

/// Runs that are stopped, by asking or by force, and go on.
@Suite("Interruptions", .serialized)
struct InterruptionTests {
  /// Many small chunks, each followed by a checkpoint, so that there is always something to interrupt.
  private static let arguments = [
    "run", "toy-mean", "--seed", "7", "--checkpoint-every", "0", "--set", "steps=150", "--set", "chunk=1", "--out", "run",
  ]
  private static let results = ["metrics.json", "history.csv", "estimate.npy", "config.json", "checkpoint.safetensors"]

  /// The files of the run that nobody interrupted.
  private static let expected: Result<[Data], any Error> = Result {
    let tool = try Tool("FluxionToyCommand")
    let outcome = try tool.start(arguments).wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    return try results.map { try tool.content("run/" + $0) }
  }

  private func steps(_ tool: Tool) -> Int {
    (try? String(contentsOfFile: tool.folder + "/run/history.csv", encoding: .utf8).count { $0 == "\r\n" }) ?? 0
  }

  @Test("killed several times at any moment, the resumed run has the same bytes") func killed() throws {
    let expected = try Self.expected.get()
    let tool = try Tool("FluxionToyCommand")
    var generator = SystemRandomNumberGenerator()
    var kills = 0
    for target in [0, 20, 100, 148, 151, 220, 295] {
      let running = try tool.start(Self.arguments + ["--resume"])
      running.wait { self.steps(tool) > target }
      usleep(UInt32.random(in: 0...3000, using: &generator))
      kill(running.process.processIdentifier, SIGKILL)
      if try running.wait().wasKilled { kills += 1 }
    }
    #expect(kills >= 4)
    let last = try tool.start(Self.arguments + ["--resume"]).wait()
    #expect(last.code == 0, "\(last.errors)")
    for (name, content) in zip(Self.results, expected) { #expect(try tool.content("run/" + name) == content, "\(name)") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: tool.folder + "/run").allSatisfy { !$0.hasSuffix(".tmp") })
  }

  @Test("asked to stop, it leaves a checkpoint and says how to go on", arguments: [SIGINT, SIGTERM])
  func asked(signal: Int32) throws {
    let expected = try Self.expected.get()
    let tool = try Tool("FluxionToyCommand")
    let running = try tool.start(Self.arguments)
    running.wait { self.steps(tool) > 30 }
    kill(running.process.processIdentifier, signal)
    let stopped = try running.wait()
    #expect(stopped.code == 130 && !stopped.wasKilled)
    #expect(stopped.lines.last?.contains("fluxion run toy-mean: stopped in round-1 at step") == true, "\(stopped.errors)")
    #expect(stopped.errors.contains("Go on with: fluxion run toy-mean --resume --out run"))
    #expect(stopped.output.isEmpty && !tool.exists("run/metrics.json"))
    let before = steps(tool)
    // Settings and seed come from the run's own record.
    let last = try tool.run("run", "toy-mean", "--resume", "--out", "run", "--quiet")
    #expect(last.code == 0 && last.errors.isEmpty && before > 30)
    for (name, content) in zip(Self.results, expected) { #expect(try tool.content("run/" + name) == content, "\(name)") }
  }

  @Test("without a folder, the latest unfinished run is resumed") func latest() throws {
    let tool = try Tool("FluxionToyCommand")
    #expect(try tool.run("run", "toy-mean", "--quiet", "--set", "steps=20").code == 0)
    let running = try tool.start(["run", "toy-mean", "--checkpoint-every", "0", "--set", "steps=150", "--set", "chunk=1"])
    running.wait { tool.exists("runs/toy-mean-2/checkpoint.safetensors") }
    kill(running.process.processIdentifier, SIGKILL)
    _ = try running.wait()
    let resumed = try tool.run("run", "toy-mean", "--resume")
    #expect(resumed.code == 0 && resumed.output.contains("runs/toy-mean-2/report.html"), "\(resumed.errors)")
    #expect(try tool.run("run", "toy-mean", "--resume").code == 2)
  }

  @Test("a check of claims that is stopped leaves nothing") func verify() throws {
    let tool = try Tool("FluxionToyCommand")
    let seeds = (0..<2000).map(String.init).joined(separator: ",")
    let running = try tool.start(["verify", "toy-mean", "--seeds", seeds])
    running.wait { ((try? String(contentsOfFile: running.errors, encoding: .utf8)) ?? "").contains("seed 1 fit") }
    kill(running.process.processIdentifier, SIGINT)
    let stopped = try running.wait()
    #expect(stopped.code == 130 && stopped.output.isEmpty, "\(stopped.code)")
    #expect(stopped.lines.last?.hasPrefix("fluxion verify toy-mean: stopped") == true)
    #expect(!tool.exists("runs"))
  }

  @Test("another seed is not taken for the same run") func otherSeed() throws {
    let tool = try Tool("FluxionToyCommand")
    #expect(try tool.run("run", "toy-mean", "--quiet", "--set", "steps=20", "--out", "run").code == 0)
    let outcome = try tool.run("run", "toy-mean", "--resume", "--out", "run", "--seed", "8")
    #expect(outcome.code == 2 && outcome.errors.contains("seed 0, not 8") && outcome.lines.count == 1, "\(outcome.errors)")
  }
}
