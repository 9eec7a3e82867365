import FluxionTestSupport
import FluxionXLA
import Foundation
import Testing

extension OnXLACPU {
  /// The command over two processes of two devices each, as it is typed.
  @Suite("Runs over several processes")
  struct HostsTests {
    /// Two of each process's own; most of the time goes into compiling, and the numbers are the same with less of it.
    private static let devices = ["XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"]
    private static let hosts = ["--device", "xla", "--hosts", "localhost,localhost"]

    private func metrics(_ tool: Tool, _ folder: String) throws -> [String: Double] {
      try JSONDecoder().decode([String: Double].self, from: tool.content(folder + "/metrics.json"))
    }

    @Test("the rectified flow's numbers are those of one device, at the same seed") func rectifiedFlow() throws {
      let tool = try Tool("fluxion")
      let rows = (0..<300).map { i in "\(sin(Double(7 * i)) * 2),\(cos(Double(3 * i * i)))" }
      try tool.write("points.csv", "x,y\n" + rows.joined(separator: "\n") + "\n")
      // A batch that does not divide evenly between four devices; averages that are those of the steps.
      let settings = [
        "rounds=1", "steps=10", "distils=false", "width=16", "depth=2", "batch=62", "averageWarmUp=true",
      ]
      let arguments = ["run", "rectified-flow", "--data", "points.csv", "--seed", "7", "--quiet"] + settings.flatMap { ["--set", $0] }
      // Both at once: they wait for each other's devices, not for one another.
      let running = [
        try tool.start(arguments + ["--device", "xla:0", "--out", "one"], environment: Self.devices),
        try tool.start(arguments + Self.hosts + ["--out", "four"], environment: Self.devices),
      ]
      for process in running {
        let outcome = try process.wait()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.split(separator: "\n").count == 2, "one process alone reports: \(outcome.output)")
      }
      let one = try metrics(tool, "one"), four = try metrics(tool, "four")
      #expect(one.keys.sorted() == four.keys.sorted() && one.count >= 10)
      for (name, value) in one {
        let other = four[name] ?? .nan
        #expect(abs(other - value) <= 1e-5 * abs(value), "\(name): \(other) on four devices, \(value) on one")
      }
      // Sums in another order: were nothing divided, the losses would have the same bits.
      #expect(try tool.content("one/history.csv") != tool.content("four/history.csv"))
      let names = try ["one", "four"].map { try FileManager.default.contentsOfDirectory(atPath: tool.folder + "/" + $0).sorted() }
      #expect(names[0] == names[1])
      #expect(String(decoding: try tool.content("four/config.json"), as: UTF8.self).contains(#""device" : "xla:all""#))
    }

    private static let small = [
      "run", "toy-mean", "--seed", "7", "--checkpoint-every", "0", "--set", "steps=60", "--set", "chunk=1", "--out", "run",
    ]
    private func start(_ tool: Tool, _ more: [String] = []) throws -> Tool.Running {
      try tool.start(Self.small + Self.hosts + more, environment: Self.devices)
    }
    private func steps(_ tool: Tool) -> Int {
      (try? String(contentsOfFile: tool.folder + "/run/history.csv", encoding: .utf8).count { $0 == "\r\n" }) ?? 0
    }
    /// The processes that a process has started.
    private func children(_ parent: Int32) throws -> [Int32] {
      try String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8).split(separator: " ").compactMap { Int32($0) }
    }

    @Test("stopped, all processes end, and the resumed run has the same bytes") func interrupted() throws {
      let whole = try Tool("FluxionToyCommand")
      let expected = try start(whole, ["--quiet"])
      let tool = try Tool("FluxionToyCommand")
      let running = try start(tool)
      running.wait { self.steps(tool) > 10 }
      let own = try children(running.process.processIdentifier)
      kill(running.process.processIdentifier, SIGINT)
      let stopped = try running.wait()
      #expect(stopped.code == 130 && stopped.output.isEmpty, "\(stopped.code) \(stopped.errors)")
      #expect(stopped.lines.last?.contains("stopped in round-") == true, "\(stopped.errors)")
      #expect(stopped.errors.contains("Go on with: fluxion run toy-mean --resume --out run"))
      #expect(own.count == 2 && own.allSatisfy { kill($0, 0) != 0 }, "\(own)")
      #expect(steps(tool) > 10 && !tool.exists("run/metrics.json"))

      // Another number of devices would round differently.
      let other = try tool.run("run", "toy-mean", "--resume", "--out", "run", environment: Self.devices)
      #expect(other.code == 2 && other.errors.contains("begun on xla:all of 4 devices, not on xla:all of 2 devices"), "\(other.errors)")

      let resumed = try start(tool, ["--resume"]).wait()
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try expected.wait().code == 0)
      for name in ["metrics.json", "history.csv", "estimate.npy", "config.json", "checkpoint.safetensors"] {
        #expect(try tool.content("run/" + name) == whole.content("run/" + name), "\(name)")
      }
    }

    @Test("when one process is killed the others end, and one line says so", arguments: [0, 1]) func killed(rank: Int) throws {
      let tool = try Tool("FluxionToyCommand")
      let running = try start(tool, ["--quiet"])
      running.wait { self.steps(tool) > 5 }
      let own = try children(running.process.processIdentifier).sorted()
      try #require(own.count == 2)
      kill(own[rank], SIGKILL)
      let ended = try running.wait()
      #expect(ended.code == 1 && ended.output.isEmpty, "\(ended.code)")
      let line = "fluxion run toy-mean: process \(rank) on localhost was ended by signal 9"
      #expect(ended.lines.last?.hasPrefix(line) == true, "\(ended.errors)")
      #expect(ended.lines.filter { $0.hasPrefix("fluxion") }.count == 1, "\(ended.errors)")
      #expect(own.allSatisfy { kill($0, 0) != 0 })
    }

    @Test("one host alone computes on all of its devices") func oneHost() throws {
      let tool = try Tool("FluxionToyCommand")
      let arguments = ["run", "toy-mean", "--device", "xla", "--hosts", "localhost", "--set", "steps=20", "--out", "run"]
      let outcome = try tool.start(arguments, environment: Self.devices).wait()
      #expect(outcome.code == 0 && outcome.output.contains("report: run/report.html"), "\(outcome.errors)")
      #expect(String(decoding: try tool.content("run/config.json"), as: UTF8.self).contains(#""device" : "xla:all""#))
    }

    @Test("options go to the plugin, which refuses what it does not know") func options() throws {
      let tool = try Tool("fluxion")
      let three = try tool.run("devices", environment: ["FLUXION_PJRT_OPTIONS": "cpu_device_count=3"])
      #expect(three.code == 0 && three.output.contains("xla:2") && !three.output.contains("xla:3"), "\(three.output) \(three.errors)")
      let unknown = try tool.run("devices", environment: ["FLUXION_PJRT_OPTIONS": "colour=red"])
      #expect(unknown.code == 2 && unknown.lines.count == 1 && unknown.errors.contains("cannot start: "), "\(unknown.errors)")
      #expect(unknown.errors.contains("colour") && !unknown.errors.contains("lost"))
    }

    @Test("a lost device, and one without memory, end a run with one line", arguments: [
      ("lost_after_executions=3", "the device is lost"), ("memory_limit=100", "the device has no memory left"),
    ]) func failures(options: String, text: String) throws {
      let tool = try Tool("FluxionToyCommand")
      let words = ["run", "toy-mean", "--device", "xla", "--quiet", "--out", "run"]
      let outcome = try tool.start(words, environment: ["FLUXION_PJRT_OPTIONS": options]).wait()
      #expect(outcome.code == 1 && !outcome.wasKilled && outcome.lines.count == 1, "\(outcome.code) \(outcome.errors)")
      #expect(outcome.errors.hasPrefix("fluxion run toy-mean: XLA: \(text)"), "\(outcome.errors)")
    }

    @Test("of the plugin's log only errors are seen, unless more is asked for") func log() throws {
      let tool = try Tool("FluxionToyCommand")
      func errors(_ folder: String, _ environment: [String: String]) throws -> String {
        let words = ["run", "toy-mean", "--device", "xla:all", "--set", "steps=5", "--quiet", "--out", folder]
        return try tool.start(words, environment: Self.devices.merging(environment) { $1 }, without: ["TF_CPP_MIN_LOG_LEVEL"]).wait().errors
      }
      #expect(try errors("quiet", [:]) == "")
      #expect(try errors("all", ["TF_CPP_MIN_LOG_LEVEL": "0"]) != "")
    }

    @Test("bad input is told once") func badInput() throws {
      let tool = try Tool("FluxionToyCommand")
      try tool.write("short.csv", "x,y\n1,2\n")
      let outcome = try tool.start(["run", "toy-mean", "--data", "short.csv"] + Self.hosts, environment: Self.devices).wait()
      let lines = outcome.lines.filter { $0.hasPrefix("fluxion") }
      #expect(outcome.code == 2 && lines.count == 1 && lines[0].contains("short.csv"), "\(outcome.errors)")
      #expect(!tool.exists("runs"))
    }

    /// Two processes of a job, as a launcher starts them.
    private func launch(_ tool: Tool, _ arguments: [String], _ own: [[String]] = [[], []]) throws -> [Tool.Running] {
      let port = try ProcessGroup.freePort()
      return try own.enumerated().map { rank, own in
        let job = ["PMI_RANK": "\(rank)", "PMI_SIZE": "2", "FLUXION_COORDINATOR": "127.0.0.1:\(port)"]
        let words = ["run", "toy-mean", "--device", "xla", "--out", "run"] + arguments + own
        return try tool.start(words, environment: Self.devices.merging(job) { $1 })
      }
    }

    @Test("under a launcher too nobody waits for a process that is gone", arguments: [0, 1]) func gone(rank: Int) throws {
      let tool = try Tool("FluxionToyCommand")
      let running = try launch(tool, ["--checkpoint-every", "0", "--set", "steps=4000", "--set", "chunk=1"])
      running[0].wait { self.steps(tool) > 5 }
      kill(running[rank].process.processIdentifier, SIGKILL)
      let outcomes = try running.map { try $0.wait() }
      #expect(outcomes[rank].wasKilled && outcomes[1 - rank].code == 1 && !outcomes[1 - rank].wasKilled)
      #expect(outcomes[1 - rank].errors.contains("fluxion run toy-mean: process \(rank) of 2"), "\(outcomes[1 - rank].errors)")
    }

    @Test("processes that are about different runs write nothing") func different() throws {
      let tool = try Tool("FluxionToyCommand")
      let outcomes = try launch(tool, [], [["--seed", "1"], ["--seed", "2"]]).map { try $0.wait() }
      #expect(outcomes.map(\.code) == [2, 2])
      #expect(outcomes[0].errors.contains("fluxion run toy-mean: process 1 of 2 has another seed than process 0"), "\(outcomes[0].errors)")
      #expect(!tool.exists("run"))
    }

    @Test("under a launcher the first process writes, and the others say nothing") func launcher() throws {
      let tool = try Tool("FluxionToyCommand")
      let running = try launch(tool, ["--set", "steps=20"])
      let outcomes = try running.map { try $0.wait() }
      for outcome in outcomes { #expect(outcome.code == 0, "\(outcome.errors)") }
      #expect(outcomes[0].output.contains("report: run/report.html") && outcomes[1].output.isEmpty)
      #expect(outcomes[1].lines.allSatisfy { !$0.contains("toy-mean") && !$0.contains("round-1") }, "\(outcomes[1].errors)")
      #expect(tool.exists("run/metrics.json") && !tool.exists("runs"))
    }
  }
}
