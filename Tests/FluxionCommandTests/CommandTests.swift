import FluxionReport
import FluxionTestSupport
import Foundation
import Testing

@Suite("Commands")
struct CommandTests {
  @Test("list, show and cite print what the system says of itself") func cards() throws {
    let tool = try Tool("FluxionToyCommand")
    let list = try tool.run("list")
    #expect(list.code == 0 && list.errors.isEmpty && list.output.contains("toy-mean  toys    Finds the mean"))
    let show = try tool.run("show", "toy-mean")
    for word in ["Robbins", "learningRate", "number above 0", "one of plain, vanilla", "< 0.2", "0 in the limit"] {
      #expect(show.output.contains(word), "\(word)")
    }
    #expect(try tool.run("cite", "toy-mean").output.hasPrefix("@article{robbins1951stochastic,\n"))
    let help = try tool.run("run", "toy-mean", "--help")
    #expect(help.code == 0 && help.output.contains("--resume") && help.output.contains("learningRate"))
  }

  @Test("what is printed as JSON is JSON") func json() throws {
    let tool = try Tool("FluxionToyCommand")
    struct Run: Decodable { var folder: String, metrics: [String: Double] }
    struct Verification: Decodable { var system: String, holds: Bool }
    func decoded<T: Decodable>(_ type: T.Type, _ arguments: String...) throws -> T {
      let outcome = try tool.start(arguments).wait()
      #expect(outcome.code == 0, "\(outcome.errors)")
      return try JSONDecoder().decode(type, from: Data(outcome.output.utf8))
    }
    #expect(try decoded([[String: String]].self, "list", "--json").first?["name"] == "toy-mean")
    let run = try decoded(Run.self, "run", "toy-mean", "--json", "--set", "steps=40")
    #expect(run.metrics["steps"] == 80)
    let written = try RunRecord.metrics(fromJSON: String(decoding: tool.content(run.folder + "/metrics.json"), as: UTF8.self))
    #expect(written == run.metrics)
    #expect(try decoded([Verification].self, "verify", "--all", "--json").map(\.holds) == [true])
    struct Doctor: Decodable { var findings: [[String: String]] }
    #expect(try decoded(Doctor.self, "doctor", "--json").findings.contains { $0["name"] == "vector kernels" })
  }

  @Test("the real catalogue answers") func product() throws {
    let tool = try Tool("fluxion")
    #expect(try tool.run("list").code == 0)
    #expect(try tool.run("--version").output.hasPrefix("fluxion "))
    #expect(try tool.run("--help").output.contains("SUBCOMMANDS"))
  }

  @Test("verify tells measured, bound and published, and fails when a bound does") func verify() throws {
    let tool = try Tool("FluxionToyCommand")
    let good = try tool.run("verify", "toy-mean", "--quiet")
    #expect(good.code == 0 && good.errors.isEmpty)
    #expect(good.output.contains("all 2 bounds hold"))
    #expect(good.output.contains("untrained_error"))
    let bad = try tool.run("verify", "toy-mean", "--seeds", "13", "--out", "claims")
    #expect(bad.code == 1)
    #expect(bad.output.contains("bounds failed") && bad.output.contains("FAIL"))
    let claims = try RunRecord.claims(fromJSON: String(decoding: tool.content("claims/claim.json"), as: UTF8.self))
    #expect(claims.map(\.key) == ["error", "impossible"])
    #expect(claims.last?.holds == false && claims.last?.measured == 1)
  }

  @Test("a completion script for each shell", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let outcome = try Tool("FluxionToyCommand").run("completions", shell)
    #expect(outcome.code == 0 && outcome.output.contains("toy-mean") && outcome.output.contains("verify"))
  }
}

@Suite("Runs from the shell")
struct RunCommandTests {
  @Test("folders are numbered, results and progress go to different streams") func folders() throws {
    let tool = try Tool("FluxionToyCommand")
    for n in 1...2 {
      let outcome = try tool.run("run", "toy-mean", "--set", "steps=40")
      #expect(outcome.code == 0)
      #expect(outcome.output.hasPrefix("error ") && outcome.output.hasSuffix("report: runs/toy-mean-\(n)/report.html\n"))
      #expect(outcome.errors.contains("round-1  40/40") && outcome.errors.contains("step/s"))
      // Not a terminal: nothing is redrawn or coloured.
      #expect(!outcome.errors.contains("\u{1B}") && !outcome.errors.contains("\r") && !outcome.output.contains("\u{1B}"))
    }
    #expect(try tool.run("run", "toy-mean", "--quiet", "--set", "steps=40").errors.isEmpty)
  }

  @Test("settings come from the file, then from the options") func precedence() throws {
    let tool = try Tool("FluxionToyCommand")
    try tool.write("c.json", #"{"steps": 40, "batch": 2}"#)
    #expect(try tool.run("run", "toy-mean", "--config", "c.json", "--set", "batch=3", "--seed", "4").code == 0)
    let record = String(decoding: try tool.content("runs/toy-mean-1/config.json"), as: UTF8.self)
    for line in ["\"steps\" : 40", "\"batch\" : 3", "\"seed\" : 4", "\"source\" : null"] { #expect(record.contains(line), "\(line)") }
    // The record of a run is enough to repeat it.
    #expect(try tool.run("run", "toy-mean", "--config", "runs/toy-mean-1/config.json").code == 0)
    #expect(try tool.content("runs/toy-mean-2/metrics.json") == tool.content("runs/toy-mean-1/metrics.json"))
    #expect(try tool.run("run", "toy-mean", "--config", "c.json", "--seed", "5").code == 0)
    #expect(try tool.content("runs/toy-mean-3/metrics.json") != tool.content("runs/toy-mean-1/metrics.json"))
  }

  @Test("a work is timed, one line of JSON in the peers' form, and whole processes are started") func bench() throws {
    struct Line: Decodable {
      var work: String, framework: String, median_us: Double, first_call_s: Double, unit: String
      var detail: [String: JSONValue]
      enum JSONValue: Decodable {
        case number(Double), text(String)
        init(from decoder: any Decoder) throws {
          let container = try decoder.singleValueContainer()
          if let number = try? container.decode(Double.self) { self = .number(number) } else { self = .text(try container.decode(String.self)) }
        }
      }
    }
    let outcome = try Tool("FluxionToyCommand").run("bench", "--only", "tiny_scan,first_gradient", "--seconds", "0", "--json")
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.map(\.work) == ["rk4-loop-n16-S1000", "first-gradient"])
    #expect(lines.allSatisfy { $0.framework == "fluxion" && $0.median_us > 0 && $0.first_call_s > 0 })
    #expect(lines[0].unit == "1000 steps" && lines[1].unit == "process")
    #expect(["kernels", "arena_bytes", "trace_and_compile_s", "laps", "threads", "isa"].allSatisfy { lines[0].detail[$0] != nil })
  }

  @Test("an installed plugin without a device is no failure until it is asked for",
    .enabled(if: !["/dev/accel0", "/dev/vfio/0"].contains(where: FileManager.default.fileExists), "no TPU is here"))
  func devices() throws {
    let tool = try Tool("FluxionToyCommand")
    let folder = tool.folder + "/lib/python3.12/site-packages/libtpu"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: folder + "/libtpu.so"))
    func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Tool.Outcome {
      let here = ["VIRTUAL_ENV": tool.folder, "HOME": tool.folder, "PATH": "/nowhere"].merging(environment) { $1 }
      return try tool.start(arguments, environment: here, without: ["FLUXION_PJRT_PLUGIN"]).wait()
    }
    let listed = try run(["devices"])
    #expect(listed.code == 0 && listed.errors.isEmpty && listed.output.contains("libtpu/libtpu.so is not used: there is no TPU"))
    for outcome in [
      try run(["devices"], ["FLUXION_PJRT_PLUGIN": folder + "/libtpu.so"]), try run(["devices", "--plugin", folder + "/libtpu.so"]),
      try run(["run", "toy-mean", "--device", "xla"]),
    ] {
      #expect(outcome.code == 2 && outcome.lines.count == 1 && outcome.output.isEmpty, "\(outcome.errors)")
      #expect(outcome.errors.contains("libtpu/libtpu.so has no device here: there is no TPU"), "\(outcome.errors)")
    }
    #expect(!tool.exists("runs"))
  }

  @Test("the user's data, with rows to drop") func data() throws {
    let tool = try Tool("FluxionToyCommand")
    try tool.write("d.csv", "x,y\n1,2\n3,\n5,6\n")
    let outcome = try tool.run("run", "toy-mean", "--data", "d.csv", "--missing", "drop", "--set", "steps=40")
    #expect(outcome.code == 0 && outcome.errors.contains("1 row"))
    #expect(try tool.content("runs/toy-mean-1/estimate.npy").count == 128 + 8)
  }
}
