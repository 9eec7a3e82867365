import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Foundation
import Testing

@testable import FluxionXLA

@Suite("Processes of one job")
struct ProcessTests {
  @Test(
    "what launchers tell their processes",
    arguments: [
      (["FLUXION_RANK": "1", "FLUXION_PROCESSES": "2", "FLUXION_COORDINATOR": "a:5"], 1, 2, "a:5"),
      (
        ["SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NODELIST": "gpu[07-09,12],b", "SLURM_JOB_ID": "4099"], 3, 4,
        "gpu07:61443"
      ),
      (["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2", "FLUXION_COORDINATOR": "10.0.0.1:7"], 0, 2, "10.0.0.1:7"),
      (["PMI_RANK": "5", "PMI_SIZE": "8", "FLUXION_COORDINATOR": "h.example:80"], 5, 8, "h.example:80"),
    ]) func launchers(environment: [String: String], rank: Int, count: Int, coordinator: String) throws
  {
    #expect(try ProcessGroup.from(environment: environment) == ProcessGroup(rank: rank, count: count, coordinator: coordinator))
  }

  @Test("a process by itself") func alone() throws {
    #expect(try ProcessGroup.from(environment: [:]) == nil)
    #expect(try ProcessGroup.from(environment: ["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"]) == nil)
    // What a batch script of SLURM's runs itself is no step, however many tasks the job may have.
    #expect(try ProcessGroup.from(environment: ["SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == nil)
  }

  @Test(
    "what cannot be is refused in words",
    arguments: [
      (["PMI_RANK": "0", "PMI_SIZE": "2"], "PMI_SIZE is 2, but where process 0 is to be found is not known"),
      (["PMI_RANK": "x", "PMI_SIZE": "2"], "PMI_RANK is \"x\", and should be a number"),
      (["PMI_SIZE": "2"], "PMI_RANK does not say which of them this is"),
      (["PMI_RANK": "2", "PMI_SIZE": "2", "FLUXION_COORDINATOR": "a:1"], "there is no process 2 of 2"),
      (["PMI_RANK": "0", "PMI_SIZE": "2", "FLUXION_COORDINATOR": "a"], "\"a\" is no address of process 0"),
      (["PMI_RANK": "0", "PMI_SIZE": "2", "FLUXION_COORDINATOR": "a:70000"], "HOST:PORT is expected"),
    ]) func refusals(environment: [String: String], text: String)
  {
    let error = #expect(throws: PJRTError.self) { try ProcessGroup.from(environment: environment) }
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
  }

  @Test(
    "the first of SLURM's hosts",
    arguments: [("a", "a"), ("a,b", "a"), ("n[3-5]", "n3"), ("n[007,9]x,m", "n007x"), ("a,n[1-2]", "a")])
  func firstHost(list: String, host: String) {
    #expect(ProcessGroup.firstHost(list) == host)
  }

  @Test("the store keeps what is put, lets others wait for it, and not for ever") func store() async throws {
    let store = try KeyValueStore(port: 0)
    defer { store.close() }
    let client = KeyValueClient(host: "127.0.0.1", port: "\(store.port)", patience: 5)
    let large = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try client.put(Array("a".utf8), large)
    try client.put(Array("empty".utf8), [])
    #expect(try client.get(Array("a".utf8), milliseconds: 0) == large)
    #expect(try client.get(Array("empty".utf8), milliseconds: 0) == [])
    let clock = ContinuousClock()
    let start = clock.now
    #expect(try client.get(Array("b".utf8), milliseconds: 0) == nil)
    #expect(try client.get(Array("b".utf8), milliseconds: 120) == nil)
    #expect(clock.now - start >= .milliseconds(120))
    let late = Locked<[UInt8]?>(nil)
    await withCheckedContinuation { done in
      onThread {
        late.withLock { $0 = try? client.get(Array("b".utf8), milliseconds: 20_000) }
        done.resume()
      }
      onThread { try? client.put(Array("b".utf8), [1, 2, 3]) }
    }
    #expect(late.withLock { $0 } == [1, 2, 3])
  }

  // MARK: Taking part

  private func group(_ rank: Int, of count: Int = 2, _ port: Int) throws -> ProcessGroup {
    try ProcessGroup(rank: rank, count: count, coordinator: "127.0.0.1:\(port)")
  }
  private func waitFor(_ condition: () -> Bool) {
    let start = ContinuousClock.now
    while !condition(), ContinuousClock.now - start < .seconds(20) { usleep(2000) }
  }
  /// What a process hears of others.
  private final class Heard: Sendable {
    let ends = Locked<[(Int, Farewell?)]>([])
    func note(_ rank: Int, _ farewell: Farewell?) { ends.withLock { $0.append((rank, farewell)) } }
    var ranks: [Int] { ends.withLock { $0.map(\.0) } }
    var farewells: [Farewell?] { ends.withLock { $0.map(\.1) } }
  }

  @Test("processes compare what they have found, and each that is concerned hears of a difference") func differences() throws {
    let port = try ProcessGroup.freePort()
    let members = try (0..<3).map { rank in
      try JobPresence(group(rank, of: 3, port), patience: 5) { _, _ in }
    }
    // On threads: they wait for each other.
    func compare(_ seeds: [String], _ number: Int) -> [String] {
      let texts = Locked<[Int: String]>([:])
      for (rank, member) in members.enumerated() {
        onThread {
          let found = Result { try member.difference(in: [("version", "1"), ("seed", seeds[rank])], number: number, patience: 20) }
          let text = (try? found.get().map { "\($0.rank) \($0.name)" } ?? "none") ?? "\(found)"
          texts.withLock { $0[rank] = text }
        }
      }
      waitFor { texts.withLock { $0.count == members.count } }
      return texts.withLock { texts in members.indices.map { texts[$0] ?? "nothing" } }
    }
    #expect(compare(["7", "7", "7"], 0) == ["none", "none", "none"])
    #expect(compare(["7", "7", "8"], 1) == ["2 seed", "none", "2 seed"])
    #expect(throws: PJRTError.self) { try members[0].difference(in: [], number: 2, patience: 0.1) }
  }

  @Test("all leave together, when the last has come to its end") func leaving() throws {
    let port = try ProcessGroup.freePort()
    let heard = Heard()
    let members = try (0..<2).map { try JobPresence(group($0, port), patience: 5) { heard.note($0, $1) } }
    let order = Locked<[Int]>([])
    for rank in 0..<2 {
      onThread {
        // The other has long come to its end.
        if rank == 1 { usleep(200_000) }
        order.withLock { $0.append(rank) }
        members[rank].leave(Farewell(code: 0), patience: 20)
        order.withLock { $0.append(rank + 10) }
      }
    }
    waitFor { order.withLock { $0.count == 4 } }
    #expect(order.withLock { Array($0.prefix(2)) } == [0, 1])
    #expect(heard.ranks.isEmpty, "nobody has failed")
  }

  @Test("who fails says why, who is gone is missed, and process 0 is heard by all") func failures() throws {
    let port = try ProcessGroup.freePort()
    let first = Heard(), third = Heard()
    let zero = try JobPresence(group(0, of: 3, port), patience: 5) { first.note($0, $1) }
    let one = try JobPresence(group(1, of: 3, port), patience: 5) { _, _ in }
    one.leave(Farewell(code: 2, message: "no data"))
    waitFor { first.ranks == [1] }
    #expect(first.farewells == [Farewell(code: 2, message: "no data")])
    // A connection that nobody keeps.
    _ = try KeyValueClient(host: "127.0.0.1", port: "\(port)").stay(rank: 2)
    waitFor { first.ranks.count == 2 }
    #expect(first.ranks == [1, 2] && first.farewells == [Farewell(code: 2, message: "no data"), nil])
    let two = try JobPresence(group(2, of: 3, port), patience: 5) { third.note($0, $1) }
    zero.leave(Farewell(code: 130))
    waitFor { !third.ranks.isEmpty }
    #expect(third.ranks == [0] && third.farewells == [Farewell(code: 130)])
    withExtendedLifetime(two) {}
  }

  @Test("somebody else listens, and says nothing or something else", arguments: [nil, 7] as [UInt64?])
  func somebodyElse(greeting: UInt64?) throws {
    let other = try Socket(listeningAt: 0)
    let held = Locked<Socket?>(nil)
    onThread {
      let connection = other.accepted()
      if let greeting { connection?.send(greeting) }
      held.withLock { $0 = connection }
    }
    let client = KeyValueClient(host: "127.0.0.1", port: "\(other.port)", patience: 5, patienceWithGreeting: 1)
    let start = ContinuousClock.now
    let error = #expect(throws: PJRTError.self) { _ = try client.get([1], milliseconds: 0) }
    #expect(error?.description.contains("127.0.0.1:\(other.port) is not process 0 of a job") == true, "\(error?.description ?? "")")
    #expect(ContinuousClock.now - start < .seconds(15))
  }

  @Test("nobody listens") func nobody() throws {
    let store = try KeyValueStore(port: 0)
    let port = store.port
    #expect(throws: PJRTError.self) { try KeyValueStore(port: port) }
    store.close()
    let error = #expect(throws: PJRTError.self) { try KeyValueClient(host: "127.0.0.1", port: "1", patience: 0.1).put([1], [2]) }
    let refused = error?.description ?? ""
    #expect(refused.contains("process 0 cannot be reached at 127.0.0.1:1 (Connection refused)"), "\(refused)")
    let client = KeyValueClient(host: "nowhere.invalid", port: "1", patience: 1, patienceWithNames: 0.1)
    let unknown = #expect(throws: PJRTError.self) { try client.put([1], [2]) }
    // Said by whoever looks names up, in the words that it has.
    let text = unknown?.description ?? ""
    #expect(text.contains("at nowhere.invalid:1 (") && !text.contains("Success") && !text.contains("refused"), "\(text)")
  }
}

extension OnXLACPU {
  @Suite("Processes of one job on XLA:CPU")
  struct JobTests {
    private static func freePort() throws -> Int {
      let store = try KeyValueStore(port: 0)
      defer { store.close() }
      return store.port
    }

    @Test("a mesh of two processes' devices: steps are those of one device, in both") func mesh() async throws {
      let port = try Self.freePort()
      func run(_ rank: Int) async {
        await #expect(processExitsWith: .success) { [rank = rank as Int, port = port as Int] in try Self.job(rank, port) }
      }
      async let first: Void = run(0)
      async let second: Void = run(1)
      _ = await (first, second)
    }

    @Test("a client of this process alone does not become a job's") func tooLate() async throws {
      await #expect(processExitsWith: .success) {
        let path = try #require(TestPlugin.path)
        #expect(try DeviceMesh(["data": 1], plugin: path, processes: .current()).count == 1, "no launcher has started the tests")
        let group = try ProcessGroup(rank: 0, count: 2, coordinator: "127.0.0.1:61440")
        let error = #expect(throws: PJRTError.self) { try DeviceMesh(["data": 1], plugin: path, processes: group) }
        #expect(error?.description.contains("has been started for this process alone") == true)
      }
    }

    /// Two devices in each of two processes.
    private static func job(_ rank: Int, _ port: Int) throws {
      let group = try ProcessGroup(rank: rank, count: 2, coordinator: "127.0.0.1:\(port)")
      let client = try PJRTClient(PJRTPlugin.load(try #require(TestPlugin.path)), options: ["cpu_device_count": .integer(2)], processes: group)
      // Who ends first takes with him what the other has not yet received.
      let presence = try JobPresence(group) { _, _ in }
      defer { presence.leave(Farewell(code: 0)) }
      #expect(client.allDevices.count == 4 && client.devices.count == 2)
      #expect(client.allDevices.map(\.processIndex) == [0, 0, 1, 1])
      #expect(client.allDevices.filter { $0.index != nil }.map(\.processIndex) == [rank, rank])
      if rank == 1 { #expect(throws: PJRTError.self) { try DeviceMesh(["data": 2], client: client, cache: nil) } }

      let mesh = try DeviceMesh(["data": 4], client: client, cache: nil)
      let step = compiled { (w: inout Tensor, batch: Tensor) -> Tensor in
        let (loss, slope) = valueAndGradient(
          of: { w in (tanh(batch[0..., 0..<3].matmul(w)) - batch[0..., 3..<4]).squared().mean() }, at: w)
        w = w - slope * 0.1
        return loss
      }
      // What is replicated can be read anywhere, and so can what every process holds a copy of.
      let parallel = step.sharded(on: mesh, arguments: .replicated, .split("data"))
      var single = Key(3).normal([3, 1])
      var divided = single
      for i in 0..<4 {
        let batch = Key(4).fold(i).normal([16, 4])
        let expected = step(&single, batch)
        expectClose(parallel(&divided, batch), expected, Tolerance(relative: 1e-5), "loss of step \(i), process \(rank)")
      }
      expectClose(divided, single, Tolerance(relative: 1e-5), "parameters, process \(rank)")

      let x = Tensor((0..<8).map(Float.init))
      let place = mesh.mapped(arguments: [.split("data")], results: [.replicated, .replicated]) { (x: Tensor) -> (Tensor, Tensor) in
        let part = reduceScatter(allGather(permuted(x, over: "data", by: 1), over: "data"), over: "data")
        return (allReduce(x, over: "data"), allGather(part, over: "data"))
      }
      let (sum, turned) = try place(x)
      #expect(sum.elements(as: Float.self) == [12, 16])
      #expect(turned.elements(as: Float.self) == [6, 7, 0, 1, 2, 3, 4, 5].map { $0 * 4 })

      let parts = try mesh.placed(x, .split("data"))
      let next = compiled { (x: inout Tensor) -> Tensor in
        x = x + 1
        return x.sum()
      }
      var moved = parts
      let total = mesh.device.active { next(&moved) }
      #expect(total.item() == 36)
      let memory = try #require(moved.hostBuffer("test").deviceMemory as? MeshMemory)
      let error = #expect(throws: ExecutionError.self) { try memory.hostCopy() }
      #expect("\(error.map { "\($0)" } ?? "")".contains("lie on the devices of other processes"))
    }
  }
}
