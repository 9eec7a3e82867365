import FluxionCore
import FluxionData
import FluxionReport
import Foundation
import Testing

@testable import FluxionExperiment

@Suite("Checkpoints")
struct CheckpointTests {
  private func sample() -> Checkpoint {
    var checkpoint = Checkpoint()
    checkpoint.identity.system = "toy"
    checkpoint.identity.seed = -3
    checkpoint.identity.inputs = ["data": "0123"]
    checkpoint.metrics = ["b": .nan, "a": 0.1 + 0.2, "c": -0.0]
    checkpoint.set("round-1", Checkpoint.Stage(["w": Tensor([Float.nan, 1]), "k": Key(7).words], step: 20, isFinished: true))
    checkpoint.set("a-later", Checkpoint.Stage(Tensor([1.0 as Double]), step: 3, isFinished: false))
    checkpoint.history.set(stage: "round-1", step: 10, [.init(name: "loss", value: 1.0 / 3)])
    checkpoint.history.set(stage: "round-1", step: 20, [.init(name: "loss", value: .infinity), .init(name: "norm", value: .nan)])
    checkpoint.history.set(stage: "a-later", step: 3, [.init(name: "norm", value: -.leastNonzeroMagnitude)])
    return checkpoint
  }

  private func written(_ checkpoint: Checkpoint) throws -> String {
    let path = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString).safetensors"
    try checkpoint.file.write(to: path)
    return path
  }

  @Test("everything comes back bit for bit") func roundTrip() throws {
    let checkpoint = sample()
    let path = try written(checkpoint)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let read = try Checkpoint(path)
    #expect(try read.file.encoded() == checkpoint.file.encoded())
    #expect(read.identity == checkpoint.identity)
    #expect(read.order == ["round-1", "a-later"])
    #expect(read.stages["round-1"]?.isFinished == true && read.stages["a-later"]?.step == 3)
    #expect(read.metrics.mapValues(\.bitPattern) == checkpoint.metrics.mapValues(\.bitPattern))
    #expect(read.history.rows.map { $0.numbers.map(\.bitPattern) } == checkpoint.history.rows.map { $0.numbers.map(\.bitPattern) })
    let state = try read.value("round-1", as: [String: Tensor].self)
    #expect(state["k"]?.elements(as: UInt32.self) == [0, 7])
    #expect(throws: InputError.self) { try read.value("round-2", as: Tensor.self) }
    #expect(throws: InputError.self) { try read.value("round-1", as: [Double].self) }
  }

  @Test("a file cut short anywhere is refused") func truncated() throws {
    let whole = try sample().file.encoded()
    let path = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    for length in stride(from: 0, to: whole.count, by: 37) {
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(throws: DataError.self) { try Checkpoint(path) }
    }
  }

  @Test("another safetensors file is no checkpoint") func foreign() throws {
    let path = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SafetensorsFile(arrays: ["w": StoredArray([1] as [Float])]).write(to: path)
    let error = #expect(throws: DataError.self) { try Checkpoint(path) }
    #expect(error?.problem == "the file is no checkpoint of a run")
  }
}

@Suite("History")
struct HistoryTests {
  @Test("a row that is set again is not doubled") func once() {
    var history = HistoryTable()
    for _ in 0..<2 {
      history.set(stage: "a", step: 1, [.init(name: "loss", value: 5)])
      history.set(stage: "b", step: 1, [.init(name: "loss", value: 6)])
      history.set(stage: "a", step: 1, [.init(name: "norm", value: 7)])
    }
    #expect(history.rows.count == 2)
    #expect(history.record.columns == ["stage", "step", "loss", "norm"])
    #expect(history.record.rows[0] == [1, 1, 5, 7])
    #expect(history.curve("norm", in: "a").values == [7])
    #expect(history.curve("norm", in: "b").values.isEmpty)
    #expect(history.curve("nothing", in: "a").steps.isEmpty)
  }

  @Test("numbers that do not fit make no history") func misfits() {
    #expect(HistoryTable(columns: ["loss"], stages: ["a"], numbers: [0, 1]) == nil)
    #expect(HistoryTable(columns: ["loss"], stages: ["a"], numbers: [1, 1, 5]) == nil)
    #expect(HistoryTable(columns: ["loss"], stages: ["a"], numbers: [0, 0.5, 5]) == nil)
    #expect(HistoryTable(columns: ["loss"], stages: ["a"], numbers: [0, 1, 5]) != nil)
  }
}
