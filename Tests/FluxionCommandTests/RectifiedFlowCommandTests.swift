import FluxionData
import FluxionReport
import FluxionSystems
import FluxionTestSupport
import Foundation
import Testing

/// The main job from the shell, made small: the same stages, fewer steps.
@Suite("fluxion run rectified-flow", .serialized)
struct RectifiedFlowCommandTests {
  private static let small = [
    "run", "rectified-flow", "--seed", "7", "--data", "moons.csv", "--out", "run", "--set", "rounds=2", "--set", "steps=120",
    "--set", "distillationSteps=40", "--set", "width=16", "--set", "depth=2", "--set", "batch=64", "--set", "pairs=256",
    "--set", "pairMethod=euler(8)",
  ]
  private static let results = ["metrics.json", "history.csv", "config.json", "checkpoint.safetensors", "samples.npy"]

  /// Two moons, the angles evenly spread.
  private func writeMoons(_ tool: Tool) throws {
    var text = "x,y\n"
    for i in 0..<200 {
      let angle = Double(i / 2) / 100 * Double.pi
      let upper = i % 2 == 0
      text += "\(upper ? cos(angle) : 1 - cos(angle)),\(upper ? sin(angle) : 0.5 - sin(angle))\n"
    }
    try tool.write("moons.csv", text)
  }

  @Test("killed and resumed it ends with the same bytes, and has the keys of its card") func killed() throws {
    let whole = try Tool("fluxion")
    try writeMoons(whole)
    let outcome = try whole.start(Self.small).wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let metrics = try RunRecord.metrics(fromJSON: String(decoding: whole.content("run/metrics.json"), as: UTF8.self))
    for k in 1...2 {
      for key in ["straightness", "cost_p1", "cost_p2", "cost_p4", "sw2_n1", "sw2_n2", "sw2_n100", "distill_sw2", "nfe_rk45"] {
        #expect(metrics["\(key)_\(k)"]?.isFinite == true, "\(key)_\(k)")
      }
    }

    try expectExport(whole)

    let tool = try Tool("fluxion")
    try writeMoons(tool)
    var (kills, attempts) = (0, 0)
    while kills < 3 && attempts < 30 {
      attempts += 1
      let before = try? tool.content("run/checkpoint.safetensors")
      let running = try tool.start(Self.small + ["--resume", "--checkpoint-every", "0"])
      running.wait { (try? tool.content("run/checkpoint.safetensors")) != before }
      usleep(UInt32.random(in: 0...100_000))
      kill(running.process.processIdentifier, SIGKILL)
      if try running.wait().wasKilled {
        kills += 1
      } else {
        // It was done before the signal came: begin again.
        try FileManager.default.removeItem(atPath: tool.folder + "/run")
        kills = 0
      }
    }
    #expect(kills == 3)
    let resumed = try tool.start(Self.small + ["--resume"]).wait()
    #expect(resumed.code == 0, "\(resumed.errors)")
    for name in Self.results { #expect(try tool.content("run/" + name) == whole.content("run/" + name), "\(name)") }
  }

  /// The run's model as a program, described, with an example; and what is asked for wrongly, in one line.
  private func expectExport(_ tool: Tool) throws {
    let outcome = try tool.start(["export", "run", "--stablehlo", "--count", "5"]).wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let text = try String(decoding: tool.content("run/export/model.mlir"), as: UTF8.self)
    #expect(text.hasPrefix("module @main {") && text.contains("@main(%arg0: tensor<5x2xf32>, %arg1: tensor<f32>) -> (tensor<5x2xf32>)"))
    let example = try SafetensorsFile.read(tool.folder + "/run/export/example.safetensors")
    #expect(Set(example.arrays.keys) == ["points", "time", "velocity"] && example.arrays["velocity"]?.shape == [5, 2])
    #expect(try String(decoding: tool.content("run/export/model.json"), as: UTF8.self).contains("\"system\" : \"rectified-flow\""))
    for (arguments, message) in [(["export", "run"], "--stablehlo"), (["export", "nowhere", "--stablehlo"], "config.json")] {
      let outcome = try tool.start(arguments).wait()
      #expect(outcome.code == 2 && outcome.lines.count == 1 && outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  @Test(
    "bad input is one line and leaves nothing",
    arguments: [
      (["--data", "nan.csv"], "nan.csv, row 3, column \"y\": \"nan\" is not a finite number. Remove the row, or pass --missing drop."),
      (["--data", "moons.csv", "--set", "source=one.csv"], "one.csv"), (["--set", "interpolation=strait"], "straight"),
      (["--set", "pairMethod=euler(0)"], "euler(N)"), (["--set", "rouns=2"], "Did you mean \"rounds\"?"),
    ])
  func badInput(arguments: [String], message: String) throws {
    let tool = try Tool("fluxion")
    try writeMoons(tool)
    try tool.write("nan.csv", "x,y\n1,2\n3,nan\n")
    try tool.write("one.csv", "x\n1\n2\n3\n")
    let outcome = try tool.start(["run", "rectified-flow"] + arguments).wait()
    #expect(outcome.code == 2 && outcome.lines.count == 1 && outcome.errors.contains(message), "\(outcome.errors)")
    #expect(!tool.exists("runs"))
  }
}
