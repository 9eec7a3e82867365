import FluxionData
import FluxionReport
import FluxionToySystem
import Foundation
import Testing

@testable import FluxionExperiment

/// A folder that goes with the test.
private final class Scratch {
  let path = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString)"
  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
    return path + "/" + name
  }
  func content(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)) }
}

@Suite("Runs")
struct RunnerTests {
  private func request(_ folder: String) -> RunRequest<ToyConfiguration> {
    var request = RunRequest(ToyConfiguration())
    request.configuration.steps = 60
    request.seed = 5
    request.folder = RunFolder(folder)
    request.checkpointInterval = .zero
    return request
  }

  private static let results = ["metrics.json", "history.csv", "estimate.npy", "config.json", "checkpoint.safetensors"]

  @Test("a run leaves its files") func files() throws {
    let scratch = try Scratch()
    let summary = try Runner().run(ToyExperiment(), request(scratch.path + "/run"))
    let found = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/run").sorted()
    #expect(found == (Self.results + ["report.html", "timing.json"]).sorted())
    #expect(summary.metrics["steps"] == 120)
    let report = String(decoding: try scratch.content("run/report.html"), as: UTF8.self)
    for word in ["learningRate", "robbins1951stochastic", "round-1", "fluxion run toy-mean"] { #expect(report.contains(word)) }
    #expect(!String(decoding: try scratch.content("run/metrics.json"), as: UTF8.self).contains("seconds"))
  }

  // MARK: Several processes

  private func member(
    _ rank: Int, _ difference: @escaping @Sendable ([RunProcess.Fact]) -> (rank: Int, name: String)? = { _ in nil }
  ) -> RunProcess {
    RunProcess(rank: rank, count: 2, difference: difference)
  }

  @Test("of several processes the first writes, and the others come to the same numbers") func processes() throws {
    let scratch = try Scratch()
    var (first, other) = (request(scratch.path + "/run"), request(scratch.path + "/run"))
    (first.process, other.process) = (member(0), member(1))
    // The folder of the first is not in the way of the others.
    let summary = try Runner().run(ToyExperiment(), first)
    let files = try Self.results.map { try scratch.content("run/" + $0) }
    let same = try Runner().run(ToyExperiment(), other)
    #expect(same.metrics == summary.metrics && same.summary == summary.summary)
    #expect(try Self.results.map { try scratch.content("run/" + $0) } == files)
    other.folder = nil
    _ = try Runner().run(ToyExperiment(), other)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["run"])
    #expect(!FileManager.default.fileExists(atPath: "runs"))
  }

  @Test("all resume from the same checkpoint") func commonCheckpoint() throws {
    let scratch = try Scratch()
    let cancellation = Cancellation()
    let stopping = Runner(cancellation: cancellation, onProgress: { if $0.stage == "round-2" { cancellation.cancel() } })
    #expect(throws: RunInterrupted.self) { try stopping.run(ToyExperiment(), request(scratch.path + "/run")) }
    let facts = Facts()
    var stages: [String] = []
    for rank in [1, 0] {
      var part = request(scratch.path + "/run")
      part.resumes = true
      part.process = member(rank) { facts.note($0) }
      _ = try Runner(onProgress: { stages.append($0.stage) }).run(ToyExperiment(), part)
    }
    #expect(facts.lists.count == 2 && facts.lists[0] == facts.lists[1] && !stages.contains("round-1"))
    // Of another checkpoint the last fact differs, and no other.
    var part = request(scratch.path + "/run")
    (part.resumes, part.process) = (true, member(1) { facts.note($0) })
    _ = try Runner().run(ToyExperiment(), part)
    #expect(facts.lists[2].dropLast() == facts.lists[0].dropLast() && facts.lists[2].last != facts.lists[0].last)
  }

  private final class Facts: @unchecked Sendable {
    var lists: [[String]] = []
    func note(_ facts: [RunProcess.Fact]) -> (rank: Int, name: String)? {
      lists.append(facts.map { "\($0.name): \($0.value)" })
      return nil
    }
  }

  @Test("processes that are not about the same run are told apart before anything is written") func disagreement() throws {
    let scratch = try Scratch()
    var part = request(scratch.path + "/run")
    part.process = member(0) { facts in (1, facts.first { $0.name == "seed" }!.name) }
    let error = #expect(throws: InputError.self) { try Runner().run(ToyExperiment(), part) }
    #expect(error?.description.hasPrefix("process 1 of 2 has another seed than process 0.") == true)
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/run"))
  }

  @Test("a run over several devices is not resumed over another number of them") func deviceCount() throws {
    let scratch = try Scratch()
    var part = request(scratch.path + "/run")
    (part.deviceName, part.deviceCount) = ("xla:all", 4)
    _ = try Runner().run(ToyExperiment(), part)
    #expect(String(decoding: try scratch.content("run/config.json"), as: UTF8.self).contains(#""device" : "xla:all""#))
    part.resumes = true
    part.deviceCount = 2
    let error = #expect(throws: InputError.self) { try Runner().run(ToyExperiment(), part) }
    #expect(error?.description.contains("begun on xla:all of 4 devices, not on xla:all of 2 devices") == true)
  }

  @Test("interrupted after each chunk and resumed, every file has the same bytes") func resumption() throws {
    let scratch = try Scratch()
    _ = try Runner().run(ToyExperiment(), request(scratch.path + "/whole"))
    var stops = 0
    while stops < 50 {
      let cancellation = Cancellation()
      var reports = 0
      let runner = Runner(cancellation: cancellation, onProgress: { _ in
        reports += 1
        if reports == 2 { cancellation.cancel() }
      })
      var part = request(scratch.path + "/parts")
      part.resumes = stops > 0
      do {
        _ = try runner.run(ToyExperiment(), part)
        break
      } catch is RunInterrupted { stops += 1 }
      #expect(!RunFolder(scratch.path + "/parts").holds(.metrics))
    }
    #expect(stops >= 5 && stops < 50)
    for name in Self.results { #expect(try scratch.content("parts/" + name) == scratch.content("whole/" + name), "\(name)") }
  }

  @Test("a finished run that is resumed stays as it is") func finished() throws {
    let scratch = try Scratch()
    _ = try Runner().run(ToyExperiment(), request(scratch.path + "/run"))
    let before = try Self.results.map { try scratch.content("run/" + $0) }
    var again = request(scratch.path + "/run")
    again.resumes = true
    _ = try Runner().run(ToyExperiment(), again)
    #expect(try Self.results.map { try scratch.content("run/" + $0) } == before)
  }

  @Test("a folder that is not empty is not touched") func occupied() throws {
    let scratch = try Scratch()
    _ = try scratch.write("notes.txt", "mine")
    for resumes in [false, true] {
      var wrong = request(scratch.path)
      wrong.resumes = resumes
      #expect(throws: InputError.self) { try Runner().run(ToyExperiment(), wrong) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["notes.txt"])
  }

  @Test("bad input makes no folder") func badInput() throws {
    let scratch = try Scratch()
    let wide = try scratch.write("wide.csv", "x,y\n1,2\n3,4\n")
    let odd = try scratch.write("odd.csv", "x\n1\nnan\n2\n")
    let narrow = try scratch.write("narrow.csv", "x\n1\n2\n")
    let attempts: [(inout RunRequest<ToyConfiguration>) -> Void] = [
      { $0.data = odd }, { $0.data = scratch.path + "/none.csv" }, { $0.configuration.batch = 0 },
      { $0.data = wide; $0.configuration.source = narrow }, { $0.configuration.source = odd },
    ]
    for attempt in attempts {
      var wrong = request(scratch.path + "/run")
      attempt(&wrong)
      #expect(throws: (any Error).self) { try Runner().run(ToyExperiment(), wrong) }
      #expect(!FileManager.default.fileExists(atPath: scratch.path + "/run"))
    }
  }

  @Test("rows may be dropped, which is told") func dropping() throws {
    let scratch = try Scratch()
    var dropping = request(scratch.path + "/run")
    dropping.data = try scratch.write("odd.csv", "x\n1\nnan\n2\n")
    dropping.missing = .drop
    var warnings: [String] = []
    _ = try Runner(onWarning: { warnings.append($0) }).run(ToyExperiment(), dropping)
    #expect(warnings.count == 1 && warnings[0].contains("odd.csv: 1 row"))
  }

  @Test("a run is resumed as it was begun, or not at all") func identity() throws {
    let scratch = try Scratch()
    let data = try scratch.write("data.csv", "x\n1\n2\n")
    var begun = request(scratch.path + "/run")
    begun.data = data
    _ = try Runner().run(ToyExperiment(), begun)
    begun.resumes = true
    let changes: [(String, (inout RunRequest<ToyConfiguration>) -> Void)] = [
      ("seed 5, not 6", { $0.seed = 6 }), ("other settings", { $0.configuration.learningRate = 0.06 }), ("other inputs", { $0.data = nil }),
    ]
    for (reason, change) in changes {
      var other = begun
      change(&other)
      let error = #expect(throws: InputError.self) { try Runner().run(ToyExperiment(), other) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    _ = try scratch.write("data.csv", "x\n1\n3\n")
    let error = #expect(throws: InputError.self) { try Runner().run(ToyExperiment(), begun) }
    #expect(error?.description.contains("the content of data has changed") == true)
  }

  @Test("a damaged checkpoint is refused") func damagedCheckpoint() throws {
    let scratch = try Scratch()
    _ = try Runner().run(ToyExperiment(), request(scratch.path + "/run"))
    let whole = try scratch.content("run/checkpoint.safetensors")
    try whole.dropLast(5).write(to: URL(fileURLWithPath: scratch.path + "/run/checkpoint.safetensors"))
    var again = request(scratch.path + "/run")
    again.resumes = true
    #expect(throws: DataError.self) { try Runner().run(ToyExperiment(), again) }
  }

  @Test("leftovers of a killed process are cleared away, and a run without a checkpoint begins again") func leftovers() throws {
    let scratch = try Scratch()
    _ = try Runner().run(ToyExperiment(), request(scratch.path + "/whole"))
    try FileManager.default.createDirectory(atPath: scratch.path + "/run", withIntermediateDirectories: true)
    _ = try scratch.write("run/.checkpoint.safetensors.abc.tmp", "half")
    try scratch.content("whole/config.json").write(to: URL(fileURLWithPath: scratch.path + "/run/config.json"))
    var again = request(scratch.path + "/run")
    again.resumes = true
    _ = try Runner().run(ToyExperiment(), again)
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/run/.checkpoint.safetensors.abc.tmp"))
    for name in Self.results { #expect(try scratch.content("run/" + name) == scratch.content("whole/" + name)) }
  }

  @Test("folders made at the same time have different names") func race() async throws {
    let scratch = try Scratch()
    let base = scratch.path
    let made = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<40 { group.addTask { try RunFolder.next(in: base, name: "toy").path } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(made).count == 40)
    #expect(RunFolder.all(in: base, name: "toy").map(\.path) == (1...40).map { "\(base)/toy-\($0)" })
  }

  @Test("claims are checked and written") func verification() throws {
    let scratch = try Scratch()
    let good = try Verifier().verify(ToyExperiment(), seeds: [0, 1], folder: RunFolder(scratch.path + "/good"))
    #expect(good.holds && good.claims.map(\.key) == ["error", "impossible"])
    #expect(RunFolder(scratch.path + "/good").holds(.claim) && RunFolder(scratch.path + "/good").holds(.report))
    // What has no bound is a baseline: written beside the claims, in the page, and without a say in the verdict.
    #expect(good.baselines == ["untrained_error": 3] && good.baselineTable?.rows.count == 1)
    #expect(try RunRecord.metrics(fromJSON: String(decoding: scratch.content("good/baselines.json"), as: UTF8.self)) == good.baselines)
    #expect(try String(decoding: scratch.content("good/report.html"), as: UTF8.self).contains("untrained_error"))
    let bad = try Verifier().verify(ToyExperiment(), seeds: [13], folder: RunFolder(scratch.path + "/bad"))
    #expect(!bad.holds)
    #expect(throws: InputError.self) { try Verifier().verify(ToyExperiment(), seeds: [0], folder: RunFolder(scratch.path + "/bad")) }
  }
}
