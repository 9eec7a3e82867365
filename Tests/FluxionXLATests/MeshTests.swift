import FluxionCPU
import FluxionCore
import FluxionExamples
import FluxionTestSupport
import FluxionTransforms
@testable import FluxionXLA
import Testing

@Suite("Layouts of arrays on meshes")
struct LayoutTests {
  let mesh = MeshShape(names: ["data", "model"], sizes: [4, 2])
  let type = TensorType([8, 6], .float32)

  @Test(
    "as HLO writes them",
    arguments: [
      (Sharding.replicated, "{replicated}", [8, 6]),
      (.split("data"), "{devices=[4,1,2]<=[8] last_tile_dim_replicate}", [2, 6]),
      (.split("model", axis: 1), "{devices=[1,2,4]<=[4,2]T(1,0) last_tile_dim_replicate}", [8, 3]),
      (.axes(["data"], ["model"]), "{devices=[4,2]<=[8]}", [2, 3]),
      (.axes(["model", "data"]), "{devices=[8,1]<=[4,2]T(1,0)}", [1, 6]),
      (.spread("model"), "{devices=[2,1,4]<=[4,2]T(1,0) last_tile_dim_replicate}", [4, 6]),
    ]) func attributes(sharding: Sharding, text: String, shard: [Int])
  {
    let layout = mesh.layout(sharding, of: type, "test")
    #expect(layout.attribute == text)
    #expect(layout.shard(of: type).shape.dimensions == shard)
    #expect(layout.whole(of: layout.shard(of: type)) == type)
  }

  @Test("the shards of their owners cover every element once") func cover() {
    for sharding in [
      Sharding.replicated, .split("data"), .split("model", axis: 1), .axes(["data"], ["model"]),
      .axes(["model", "data"]),
    ] {
      let layout = mesh.layout(sharding, of: type, "test")
      let shard = layout.shard(of: type).shape
      var seen = [Int](repeating: 0, count: type.shape.elementCount)
      for owner in layout.owners(among: Array(0..<8)) {
        let start = layout.start(of: owner, in: type.shape)
        for i in 0..<shard[0] { for j in 0..<shard[1] { seen[(start[0] + i) * 6 + start[1] + j] += 1 } }
      }
      #expect(seen.allSatisfy { $0 == 1 }, "\(layout.attribute)")
    }
  }

  @Test("what has no axis that divides is not spread") func indivisible() {
    #expect(mesh.layout(.spread("data"), of: TensorType([3, 5], .float32), "test").isReplicated)
    #expect(mesh.layout(.spread("data"), of: TensorType([], .float32), "test").isReplicated)
  }

  @Test("a marked batch is divided over the axis called data, where there is one and enough examples") func marked() throws {
    func sharding(_ mesh: MeshShape?, _ body: ([Tensor]) -> [Tensor]) throws -> [String] {
      var options = StableHLOOptions()
      options.mesh = mesh
      return try lowered([TensorType([6, 8], .float32)], options: options, body).text.split(separator: "\n").filter { $0.contains("\"Sharding\"") }
        .map { String($0.split(separator: "mhlo.sharding = \"")[1].prefix { $0 != "\"" }) }
    }
    let rows = "{devices=[4,1,2]<=[8] last_tile_dim_replicate}"
    #expect(try sharding(mesh) { [acrossDevices($0[0]) * 2] } == [rows])
    #expect(try sharding(mesh) { [acrossDevices($0[0], axis: 1) * 2] } == ["{devices=[1,4,2]<=[8] last_tile_dim_replicate}"])
    #expect(try sharding(mesh) { [vmap { acrossDevices($0) * 2 }($0[0])] } == ["{devices=[1,4,2]<=[8] last_tile_dim_replicate}"])
    // The value's mark, and that of its cotangent.
    #expect(try sharding(mesh) { [gradient(of: { (acrossDevices($0) * $0).sum() }, at: $0[0])] } == [rows, rows])
    #expect(try sharding(MeshShape(names: ["model"], sizes: [2])) { [acrossDevices($0[0]) * 2] } == [])
    #expect(try sharding(MeshShape(names: ["data"], sizes: [7])) { [acrossDevices($0[0]) * 2] } == [])
    #expect(try sharding(nil) { [acrossDevices($0[0]) * 2] } == [])
  }

  @Test("groups of devices along an axis") func groups() {
    #expect(mesh.groups(along: [0]) == [[0, 2, 4, 6], [1, 3, 5, 7]])
    #expect(mesh.groups(along: [1]) == [[0, 1], [2, 3], [4, 5], [6, 7]])
  }
}

extension OnXLACPU {
  @Suite("Meshes of eight devices on XLA:CPU")
  struct MeshTests {
    private func mesh(_ axes: KeyValuePairs<String, Int> = ["data": 8]) throws -> DeviceMesh {
      try DeviceMesh(axes, client: TestPlugin.shared.get(), cache: nil)
    }
    private func oneDevice() throws -> Device {
      try Device(engine: XLAEngine(client: TestPlugin.shared.get(), cache: nil))
    }

    @Test("arrays go to the mesh and come back") func roundTrip() throws {
      let mesh = try mesh(["data": 4, "model": 2])
      let x = Tensor((0..<96).map { Float($0) }).reshaped(to: [8, 6, 2])
      for sharding in [
        Sharding.replicated, .split("data"), .split("model", axis: 1), .axes(["data"], ["model"]),
        .axes(["model", "data"]), .spread("data"),
      ] {
        let placed = try mesh.placed(x, sharding)
        // What the mesh made, so that nothing comes from the host's copy.
        let doubled = mesh.device.active { placed + placed }
        #expect(doubled.elements(as: Float.self) == (0..<96).map { Float(2 * $0) })
        let again = try mesh.placed(doubled, .split("data"))
        #expect(again.elements(as: Float.self) == (0..<96).map { Float(2 * $0) })
      }
      #expect(mesh.bytesPerDevice(of: try mesh.placed(x, .axes(["data"], ["model"]))) == 48)
      #expect(mesh.bytesPerDevice(of: x) == nil)
    }

    @Test("a mesh of more devices than there are") func tooFew() throws {
      #expect(throws: PJRTError.noSuchDevice(index: 8, count: 8, platform: "cpu")) { try mesh(["data": 9]) }
    }

    // MARK: Training

    /// A network with one hidden layer.
    struct Network: Module {
      var weight: Tensor, bias: Tensor, last: Tensor
      func callAsFunction(_ x: Tensor) -> Tensor { tanh(x.matmul(weight) + bias).matmul(last) }
    }
    /// With the mean of its gradients, as momentum keeps it.
    struct Training: Module {
      var network: Network
      var mean: Network
      var count = Tensor(0 as Int32)
    }

    private static func start() -> Training {
      let network = Network(
        weight: Key(7).fold(0).normal([6, 64]) * 0.4, bias: .zeros([64]), last: Key(7).fold(1).normal([64, 2]) * 0.1)
      return Training(network: network, mean: mapTensors(network) { $0 * 0 })
    }
    private static func batches() -> [Tensor] { (1...4).map { Key(8).fold($0).normal([64, 8]) } }

    @Sendable private static func loss(_ network: Network, _ batch: Tensor) -> Tensor {
      (network(batch[0..., 0..<6]) - batch[0..., 6..<8]).squared().mean()
    }
    @Sendable private static func advance(_ state: inout Training, along slope: Network) {
      state.mean = mapTensors(state.mean, slope) { $0 * 0.9 + $1 * 0.1 }
      state.network = mapTensors(state.network, state.mean) { $0 - $1 * 0.5 }
      state.count += 1
    }
    @Sendable private static func step(_ state: inout Training, _ batch: Tensor) -> Tensor {
      let (value, slope) = valueAndGradient(of: { (network: Network) in loss(network, batch) }, at: state.network)
      advance(&state, along: slope)
      return value
    }

    private func expectEqual(_ a: Training, _ b: Training, _ comment: String) {
      for (x, y) in zip(namedTensors(of: a), namedTensors(of: b)) {
        // Of each array's largest number: a parameter is a sum of many steps.
        let scale = y.tensor.doubles().map { abs($0) }.max() ?? 0
        expectClose(x.tensor, y.tensor, Tolerance(absolute: 1e-5 * scale), "\(comment), \(x.name)")
      }
    }

    /// Steps on one device, and on a mesh where state and batches lie as told.
    private func train(_ mesh: DeviceMesh, _ stateSharding: Sharding, _ batchSharding: Sharding) throws -> (
      communication: Communication, bytesPerDevice: Int, bytes: Int
    ) {
      var single = Self.start()
      var state = Self.start()
      let batches = Self.batches()
      let device = try oneDevice()
      let step = compiled { (state: inout Training, batch: Tensor) -> Tensor in Self.step(&state, batch) }
      var losses: [Tensor] = []
      for batch in batches {
        let loss = device.active { step(&single, batch) }
        losses.append(loss)
      }
      state = try mesh.placed(state, stateSharding)
      let before = try #require(mesh.bytesPerDevice(of: state))
      try mesh.device.active {
        for (batch, expected) in zip(batches, losses) {
          let loss = step(&state, try mesh.placed(batch, batchSharding))
          expectClose(loss, expected, Tolerance(relative: 1e-5), "loss")
        }
      }
      #expect(mesh.bytesPerDevice(of: state) == before, "the state's sharding has changed on the way")
      let program = try mesh.device.active { try step.program(for: state, batches[0]) }
      let communication = try #require(try mesh.communication(of: program.executable))
      expectEqual(state, single, "\(stateSharding)")
      return (communication, before, flatten(single).leaves.reduce(0) { $0 + $1.type.byteCount })
    }

    @Test("a data-parallel step is that of one device, and reduces the gradients once") func dataParallel() throws {
      let (communication, own, all) = try train(mesh(), .replicated, .split("data"))
      #expect(own == all)
      let parameters = Self.start().network.parameterCount * 4
      let reduced = try #require(communication.operations[.allReduce])
      // Beside the gradients there is the loss.
      #expect(
        reduced.bytes >= parameters && reduced.bytes <= parameters + 64,
        "\(reduced) for \(parameters) bytes of parameters")
      #expect(communication.bytesSent(devices: 1) == 0)
      #expect(communication.bytesSent(devices: 8) == 2 * Double(reduced.bytes) * 7 / 8)
      report("data-parallel", communication, parameters)
    }

    @Test("a step with the state spread over the devices is that of one device, in an eighth of the memory")
    func sharded() throws {
      let (communication, own, all) = try train(mesh(), .spread("data"), .split("data"))
      // The counter has no axis.
      #expect(own * 8 < all + 8 * 64, "\(own) of \(all) bytes")
      #expect((communication.operations[.allGather]?.count ?? 0) > 0, "\(communication.operations)")
      report("parameters sharded", communication, Self.start().network.parameterCount * 4)
    }

    @Test("batches over one axis, state over the other") func twoAxes() throws {
      let (_, own, all) = try train(mesh(["data": 2, "model": 4]), .spread("model"), .split("data"))
      #expect(own * 4 < all + 4 * 64, "\(own) of \(all) bytes")
    }

    @Test("the example: one step on the host, on a device, and on a mesh that its arguments are put on") func elsewhere() throws {
      let losses = sameProgramElsewhere(
        points: Key(4).normal([64, 2]), steps: 3, device: try oneDevice(), mesh: try mesh(["data": 4]), key: Key(5))
      #expect(losses.map(\.count) == [3, 3, 3])
      for other in losses.dropFirst() {
        for (a, b) in zip(other, losses[0]) { #expect(abs(a - b) <= 1e-5 * b, "\(losses)") }
      }
    }

    @Test("a sharded function takes its state to the mesh, where it stays and is donated") func shardedFunction() throws {
      let mesh = try mesh()
      let step = compiled { (state: inout Training, batch: Tensor) -> Tensor in Self.step(&state, batch) }
      let parallel = step.sharded(on: mesh, arguments: .spread("data"), .split("data"))
      var single = Self.start()
      var state = Self.start()
      for batch in Self.batches() {
        let expected = step(&single, batch)
        expectClose(parallel(&state, batch), expected, Tolerance(relative: 1e-5), "loss")
        let own = try #require(mesh.bytesPerDevice(of: state))
        #expect(own * 8 < flatten(state).leaves.reduce(0) { $0 + $1.type.byteCount } + 8 * 64)
      }
      expectEqual(state, single, "sharded")
      let program = try parallel.program(for: state, Self.batches()[0])
      #expect(try #require(try mesh.communication(of: program.executable)).operations[.allGather] != nil)
    }

    // MARK: Constraints

    @Test("a constraint divides what else would be whole, forwards and backwards, and changes no value") func constraint() throws {
      let mesh = try mesh()
      let x = Tensor((0..<64).map { Float($0) / 16 - 2 }).reshaped(to: [16, 4])
      func run(_ sharding: Sharding?) throws -> (value: [Float], text: Communication) {
        let f = compiled { (x: Tensor) -> Tensor in
          gradient(of: { x in tanh(sharding.map { mesh.constrained(x * 2, $0) } ?? x * 2).sum() }, at: x)
        }
        let placed = f.sharded(on: mesh, arguments: .replicated)
        let value = placed(x).elements(as: Float.self)
        return (value, try #require(try mesh.communication(of: placed.program(for: x).executable)))
      }
      let plain = try run(nil), divided = try run(.split("data"))
      #expect(plain.text.operations.isEmpty, "\(plain.text)")
      // The parts that the devices have computed are gathered for the result, which is whole.
      #expect(divided.text.operations[.allGather]?.bytes == 256, "\(divided.text)")
      for (a, b) in zip(plain.value, divided.value) { #expect(abs(a - b) <= 1e-6) }
      // Elsewhere it changes nothing.
      let (here, there) = (Device.default, Device.reference)
      for device in [here, there] {
        let own = device.active { compiled { (x: Tensor) -> Tensor in mesh.constrained(x, .split("data")) + 1 }(x) }
        #expect(own.elements(as: Float.self) == x.elements(as: Float.self).map { $0 + 1 })
      }
    }

    @Test("a step that marks its batch is divided, with what it draws, evenly or not", arguments: [64, 61])
    func marked(count: Int) throws {
      let mesh = try mesh(), device = try oneDevice()
      let step = compiled { (state: inout Training, words: Tensor) -> Tensor in
        Self.step(&state, acrossDevices(Key(words: words).normal([count, 8])))
      }
      var (single, state) = (Self.start(), Self.start())
      for i in 0..<3 {
        let words = Key(9).fold(i).words
        let expected = device.active { step(&single, words) }
        expectClose(mesh.device.active { step(&state, words) }, expected, Tolerance(relative: 1e-5), "loss of step \(i)")
      }
      expectEqual(state, single, "marked")
      let words = Key(9).words
      let program = try mesh.device.active { try step.program(for: state, words) }
      let alone = try device.active { try step.program(for: single, words) }.executable.cost.floatingPointOperations
      let own = program.executable.cost.floatingPointOperations
      // An eighth, and what each does whole: the update of the parameters, and of a batch that does not divide evenly the masks of its ends.
      #expect(own < alone / (count % 8 == 0 ? 4 : 2.5), "\(own) operations on each of eight devices, \(alone) on one")
      #expect((try #require(try mesh.communication(of: program.executable)).operations[.allReduce]?.bytes ?? 0) >= Self.start().network.parameterCount * 4)
    }

    @Test("under vmap every example is constrained, and derivatives are too") func mappedConstraint() throws {
      let mesh = try mesh()
      let types = [TensorType([3, 16], .float32)]
      let graph = traceGraph(types) { x in
        [vmap { (x: Tensor) in gradient(of: { (mesh.constrained($0, .split("data")) * $0).sum() }, at: x) }(x[0])]
      }.graph
      var options = StableHLOOptions()
      options.mesh = mesh.shape
      let lines = try stableHLO(for: graph, options: options).text.split(separator: "\n").filter { $0.contains("\"Sharding\"") }
      #expect(lines.count == 2, "\(lines)")
      for line in lines {
        #expect(line.contains("mhlo.sharding = \"{devices=[1,8]<=[8]}\"") && line.hasSuffix("-> tensor<3x16xf32>"), "\(line)")
      }
      options.mesh = MeshShape(names: ["data"], sizes: [4])
      #expect(try !stableHLO(for: graph, options: options).text.contains("Sharding"))
    }

    private func report(_ name: String, _ communication: Communication, _ parameterBytes: Int) {
      let sent = [8, 256, 4096].map { "\($0) devices: \(Int(communication.bytesSent(devices: $0)))" }
      print(
        "\(name): bytes sent by each device in a step, for \(parameterBytes) bytes of parameters: \(sent.joined(separator: ", "))"
      )
    }

    // MARK: Mapped functions

    @Test("collectives along each axis") func collectives() throws {
      let mesh = try mesh(["data": 4, "model": 2])
      let x = Tensor((0..<16).map { Float($0) }).reshaped(to: [8, 2])
      let f = mesh.mapped(
        arguments: [.axes(["data"], ["model"])],
        results: [
          .axes([], ["model"]), .replicated, .axes(["data"], ["model"]), .axes(["model", "data"]),
          .axes(["data", "model"]),
        ]
      ) { (x: Tensor) -> (Tensor, Tensor, Tensor, Tensor, Tensor) in
        let sum = allReduce(x, over: "data")
        let whole = allGather(allGather(x, over: "data"), over: "model", axis: 1)
        let turned = permuted(x, over: "data", by: 1)
        let part = reduceScatter(allGather(x, over: "data"), over: "data")
        let place = devicePosition(along: "data") * 10 + devicePosition(along: "model")
        return (sum, whole, turned, part.reshaped(to: [2]), place.reshaped(to: [1]))
      }
      let (sum, whole, turned, part, places) = try f(x)
      let rows: [[Float]] = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]
      let sums: [Float] = [24, 28, 32, 36]
      #expect(sum.elements(as: Float.self) == sums)
      #expect(whole.elements(as: Float.self) == x.elements(as: Float.self))
      #expect(turned.elements(as: Float.self) == rows[3] + rows[0] + rows[1] + rows[2])
      // Four devices have gathered the same: four times the column of each, divided again.
      var parts: [Float] = []
      for column in 0..<2 { for row in rows { parts += [4 * row[column], 4 * row[column + 2]] } }
      #expect(part.elements(as: Float.self) == parts)
      #expect(places.elements(as: Int32.self) == [0, 1, 10, 11, 20, 21, 30, 31])
    }

    @Test("gradients pass through what devices tell each other") func gradients() throws {
      let mesh = try mesh()
      let x = Tensor((0..<8).map { Float($0) / 4 - 1 })
      // Of the sum over all devices of (place + 1) times what each makes of x.
      func slopes(_ f: @escaping @Sendable (Tensor) -> Tensor) throws -> [Float] {
        let g = mesh.mapped(arguments: [.split("data")], results: [.split("data")]) { (x: Tensor) -> Tensor in
          let weight = (devicePosition(along: "data") + 1).converted(to: .float32)
          return gradient(of: { (f($0) * weight).sum() }, at: x)
        }
        return try g(x).elements(as: Float.self)
      }
      let values = x.elements(as: Float.self)
      #expect(try slopes { allReduce($0 * $0, over: "data") } == values.map { 72 * $0 })
      #expect(try slopes { allGather($0 * $0, over: "data") } == values.map { 72 * $0 })
      let turned = values.enumerated().map { place, x in Float(2 * ((place + 3) % 8 + 1)) * x }
      #expect(try slopes { permuted($0 * $0, over: "data", by: 3) } == turned)
      let scattered = values.enumerated().map { place, x in Float(16 * (place + 1)) * x }
      #expect(try slopes { reduceScatter(allGather($0 * $0, over: "data"), over: "data") } == scattered)
    }

    @Test("collectives of several examples at once are those of each, gradients included") func mappedCollectives() throws {
      let mesh = try mesh(["data": 4])
      // Three examples of eight rows of two.
      let x = Tensor((0..<48).map { Float($0) / 8 - 2 }).reshaped(to: [3, 8, 2])
      @Sendable func g(_ x: Tensor) -> Tensor {
        let whole = allGather(x * x, over: "data")
        let turned = permuted(x, over: "data", by: 1)
        let part = reduceScatter(whole * allReduce(x, over: "data").sum(), over: "data")
        return part * turned
      }
      let place: @Sendable (Tensor) -> Tensor = { x in
        let weight = (devicePosition(along: "data") + 1).converted(to: .float32)
        return concatenated(g(x), gradient(of: { (g($0) * weight).sum() }, at: x), alongAxis: 1)
      }
      let together = mesh.mapped(arguments: [.split("data", axis: 1)], results: [.split("data", axis: 1)]) { (x: Tensor) in vmap(place)(x) }
      let alone = mesh.mapped(arguments: [.split("data")], results: [.split("data")], place)
      let all = try together(x)
      #expect(all.shape == [3, 8, 4])
      for i in 0..<3 { expectClose(all[i], try alone(x[i]), Tolerance(relative: 1e-5), "example \(i)") }
    }

    @Test("a data-parallel step by hand") func byHand() throws {
      let mesh = try mesh()
      let whole = compiled { (state: inout Training, batch: Tensor) -> Tensor in Self.step(&state, batch) }
      let step = mesh.mapped(arguments: [.replicated, .split("data")], results: [.replicated, .replicated]) {
        (state: Training, batch: Tensor) -> (Training, Tensor) in
        var state = state
        let (loss, slope) = valueAndGradient(of: { (network: Network) in Self.loss(network, batch) }, at: state.network)
        Self.advance(&state, along: allMean(slope, over: "data"))
        return (state, allMean(loss, over: "data"))
      }
      var single = Self.start()
      var parallel = Self.start()
      let device = try oneDevice()
      for batch in Self.batches() {
        let expected = device.active { whole(&single, batch) }
        let (next, loss) = try step(parallel, batch)
        parallel = next
        expectClose(loss, expected, Tolerance(relative: 1e-5), "loss")
      }
      expectEqual(parallel, single, "by hand")
    }
  }
}
