import FluxionCore
import FluxionData
import Foundation
import Testing

@testable import FluxionExperiment

private struct Walker: Codable, Sendable {
  var place = Tensor([0, 0] as [Float])
  var steps = Tensor(Int32(0))
}

/// A random walk with drift: depends on every step's number and key.
private func walk(_ state: inout Walker, _ i: Tensor, _ key: Key) -> [String: Tensor] {
  let low = (key.bits([2]) &>> Tensor(UInt32(8))).converted(to: .float32) * 0x1p-24
  state.place = state.place * 0.5 + low + i.converted(to: .float32)
  state.steps = state.steps + 1
  return ["size": state.place.squared().sum(), "step": i.converted(to: .float32)]
}

@Suite("Sessions")
struct SessionTests {
  @Test("training equals a plain loop") func plainLoop() throws {
    let key = Key(3)
    let trained = try Session().train("walk", from: Walker(), steps: 23, chunk: 5, key: key, step: walk)
    var state = Walker()
    for i in 0..<23 { _ = walk(&state, Tensor(Int32(i)), key.fold(i)) }
    #expect(trained.place.elements(as: Float.self) == state.place.elements(as: Float.self))
    #expect(trained.steps.item() == 23)
  }

  @Test("the length of chunks changes no bit of the state", arguments: [1, 4, 23, 100])
  func chunks(chunk: Int) throws {
    let reference = try Session().train("walk", from: Walker(), steps: 23, chunk: 7, key: Key(3), step: walk)
    let trained = try Session().train("walk", from: Walker(), steps: 23, chunk: chunk, key: Key(3), step: walk)
    #expect(trained.place.elements(as: Float.self) == reference.place.elements(as: Float.self))
  }

  @Test("history has the means of each chunk") func means() throws {
    let session = Session()
    _ = try session.train("walk", from: Walker(), steps: 10, chunk: 4, key: Key(3), step: walk)
    let (steps, values) = session.record.history.curve("step", in: "walk")
    #expect(steps == [4, 8, 10])
    #expect(values == [1.5, 5.5, 8.5])  // means of 0…3, 4…7, 8…9
  }

  @Test("progress is told before the first and after every chunk") func progress() throws {
    var told: [Int] = []
    let session = Session { told.append($0.step) }
    _ = try session.train("walk", from: Walker(), steps: 10, chunk: 4, key: Key(3), step: walk)
    #expect(told == [0, 4, 8, 10])
  }

  @Test("one tensor is recorded as the loss; no steps give the initial state") func smallCases() throws {
    let session = Session()
    let state = try session.train("walk", from: Walker(), steps: 0, key: Key(0)) { (state: inout Walker, i, key) in Tensor(Float(2)) }
    #expect(state.steps.item() == 0)
    _ = try session.train("other", from: Walker(), steps: 2, key: Key(0)) { (state: inout Walker, i, key) in i * 2 }
    #expect(session.record.history.curve("loss", in: "other").values == [1])
  }

  @Test("a stage is computed once in the life of a run") func stages() throws {
    let session = Session()
    var calls = 0
    let first = try session.stage("pairs") { calls += 1; return [Tensor([1, 2] as [Float])] }
    let resumed = Session(store: nil, record: session.record, timing: Timing(), cancellation: Cancellation()) { _ in }
    let again = try resumed.stage("pairs") { () -> [Tensor] in calls += 1; return [] }
    #expect(calls == 1)
    #expect(again.map { $0.elements(as: Float.self) } == first.map { $0.elements(as: Float.self) })
  }

  @Test("stopped after every chunk and resumed, the end has the same bits and the same history") func resumption() throws {
    func run(_ session: Session) throws -> Walker {
      let a = try session.train("a", from: Walker(), steps: 10, chunk: 3, key: Key(1), step: walk)
      let b = try session.stage("between") { Walker(place: a.place * 2, steps: a.steps) }
      return try session.train("b", from: b, steps: 7, chunk: 2, key: Key(2), step: walk)
    }
    let whole = Session()
    let expected = try run(whole)

    var record = Checkpoint()
    var stops = 0
    var finished: Walker?
    while finished == nil, stops < 100 {
      // Through bytes, as a checkpoint on disk would go.
      let path = NSTemporaryDirectory() + "fluxion-\(UUID().uuidString).safetensors"
      try record.file.write(to: path)
      defer { try? FileManager.default.removeItem(atPath: path) }
      let cancellation = Cancellation()
      var reports = 0
      let session = Session(store: nil, record: try Checkpoint(path), timing: Timing(), cancellation: cancellation) { _ in
        reports += 1
        if reports == 2 { cancellation.cancel() }
      }
      do { finished = try run(session) } catch is RunInterrupted { stops += 1 }
      record = session.record
    }
    #expect(stops >= 7)
    #expect(finished?.place.elements(as: Float.self) == expected.place.elements(as: Float.self))
    #expect(try record.file.encoded() == whole.record.file.encoded())
  }

  @Test("a loss that is no number ends the training at its step") func divergence() {
    let error = #expect(throws: TrainingDiverged.self) {
      try Session().train("fit", from: Walker(), steps: 20, chunk: 8, key: Key(0)) { (state: inout Walker, i, key) in
        log(11.5 - i.converted(to: .float32))
      }
    }
    #expect(error?.step == 12)
    #expect(error?.description.contains("fit: the loss is not finite at step 12.") == true)
  }

  @Test("if asked to, training goes on over infinite losses") func tolerance() throws {
    let session = Session()
    _ = try session.train("fit", from: Walker(), steps: 4, key: Key(0), stopsWhenNotFinite: false) { (state: inout Walker, i, key) in
      log(i.converted(to: .float32))
    }
    #expect(session.record.history.curve("loss", in: "fit").values == [-.infinity])
  }

  @Test("a step whose shapes do not fit is an error that names them") func misfit() {
    let error = #expect(throws: ProgramError.self) {
      try Session().train("fit", from: Walker(), steps: 4, key: Key(0)) { (state: inout Walker, i, key) in
        (state.place + Tensor([1, 2, 3] as [Float])).sum()
      }
    }
    #expect(error?.description.contains("[2]") == true && error?.description.contains("[3]") == true)
  }

  @Test("a report that is no scalar is an error") func vectorReport() {
    let error = #expect(throws: ProgramError.self) {
      try Session().train("fit", from: Walker(), steps: 4, key: Key(0)) { (state: inout Walker, i, key) in state.place }
    }
    #expect(error?.message.contains("must be a scalar") == true)
  }

  @Test("a checkpoint of another program's state is refused") func otherState() throws {
    let first = Session()
    let cancellation = Cancellation()
    _ = try? first.train("fit", from: Walker(), steps: 2, chunk: 1, key: Key(0), step: walk)
    var record = first.record
    record.set("fit", Checkpoint.Stage(Walker(place: Tensor([1, 2, 3] as [Float])), step: 1, isFinished: false))
    let session = Session(store: nil, record: record, timing: Timing(), cancellation: cancellation) { _ in }
    #expect(throws: InputError.self) { try session.train("fit", from: Walker(), steps: 2, chunk: 1, key: Key(0), step: walk) }
  }

  @Test("two stages of one name trap") func duplicateNames() async {
    await #expect(processExitsWith: .failure) {
      let session = Session()
      _ = try session.stage("a") { 1.0 }
      _ = try session.stage("a") { 2.0 }
    }
  }
}
