import FluxionCore
@testable import FluxionXLA
import Foundation
import Testing

extension OnXLACPU {
  /// The client against XLA's own CPU backend, with programs written by hand.
  @Suite("PJRT: programs on XLA:CPU")
  struct ClientTests {
    let client: PJRTClient
    init() throws { client = try TestPlugin.shared.get() }

    private func program(_ body: String, _ arguments: String, _ results: String) -> String {
      "module @m { func.func public @main(\(arguments)) -> (\(results)) { \(body) } }"
    }

    private var twice: String {
      program("%0 = stablehlo.add %a, %a : tensor<4xf32> return %0 : tensor<4xf32>", "%a: tensor<4xf32>", "tensor<4xf32>")
    }

    private func compile(_ text: String, on index: Int = 0) throws -> PJRTExecutable {
      try PJRTExecutable(text, options: CompileOptions(device: client.device(index), of: client), client: client)
    }

    @Test("devices") func devices() throws {
      #expect(client.platformName == "cpu" && client.devices.count == 8)
      #expect(client.devices.map(\.index) == Array(0..<8) && Set(client.devices.map(\.id)).count == 8)
      #expect(throws: PJRTError.noSuchDevice(index: 8, count: 8, platform: "cpu")) { try client.device(8) }
    }

    @Test("a program on the last device") func add() throws {
      let executable = try compile(twice, on: 7)
      let result = try executable.execute([.vector([1, 2, 3, 4.5] as [Float], on: client, 7)])
      #expect(result.count == 1 && result[0].device.index == 7)
      #expect(try result[0].values(4) == [2, 4, 6, 9] as [Float])
    }

    @Test("every element type goes to the device and comes back", arguments: ElementType.allCases) func types(type: ElementType) throws {
      // Small, so that it is copied, and large, so that it is the buffer itself.
      for count in [6, 6000] {
        let bytes = (0..<count * type.byteCount).map { UInt8(truncatingIfNeeded: type == .bool ? $0 % 2 : $0 &* 37 % 61) }
        let source = HostBuffer(copying: bytes)
        let buffer = try PJRTBuffer(source, TensorType([2, count / 2], type), client: client, device: client.device(1))
        let back = HostBuffer(byteCount: bytes.count)
        try buffer.copy(to: back.pointer, byteCount: bytes.count)
        #expect(Array(back.values(as: UInt8.self)) == bytes)
      }
    }

    @Test("matrices and empty arrays are row-major") func layout() throws {
      let executable = try compile(
        program("%0 = stablehlo.transpose %a, dims = [1, 0] : (tensor<2x3xi32>) -> tensor<3x2xi32> return %0, %b : tensor<3x2xi32>, tensor<0x3xf32>",
          "%a: tensor<2x3xi32>, %b: tensor<0x3xf32>", "tensor<3x2xi32>, tensor<0x3xf32>"))
      let a = try PJRTBuffer(HostBuffer(copying: [1, 2, 3, 4, 5, 6] as [Int32]), TensorType([2, 3], .int32), client: client, device: client.device(0))
      let b = try PJRTBuffer(HostBuffer(copying: [] as [Float]), TensorType([0, 3], .float32), client: client, device: client.device(0))
      let results = try executable.execute([a, b])
      #expect(try results[0].values(6) == [1, 4, 2, 5, 3, 6] as [Int32])
      #expect(try results[1].values(0) == [] as [Float])
    }

    @Test("results are arguments of the next call without waiting") func chain() throws {
      let executable = try compile(twice)
      var x = try PJRTBuffer.vector([1, 2, 3, 4] as [Float], on: client)
      for _ in 0..<20 { x = try executable.execute([x])[0] }
      #expect(try x.values(4) == [1, 2, 3, 4].map { $0 * 1_048_576 } as [Float])
    }

    @Test("donated memory is taken over, unless it is kept") func donation() throws {
      let executable = try compile(
        program("%0 = stablehlo.add %a, %b : tensor<4xf32> return %0 : tensor<4xf32>",
          "%a: tensor<4xf32> {tf.aliasing_output = 0 : i32}, %b: tensor<4xf32>", "tensor<4xf32>"))
      let one = try PJRTBuffer.vector([1, 1, 1, 1] as [Float], on: client)
      let state = try executable.execute([one, one], keeping: [0])[0]
      #expect(!one.isDeleted)
      let next = try executable.execute([state, one])[0]
      #expect(state.isDeleted && !one.isDeleted)
      #expect(try next.values(4) == [3, 3, 3, 3] as [Float])
      let memory = try executable.memoryUse()
      #expect(memory?.shared == 16)
    }

    @Test("a device's buffer goes to another device") func copy() throws {
      let x = try PJRTBuffer.vector([1, 2, 3] as [Double], on: client, 2)
      let y = try x.copied(to: client.device(5))
      #expect(y.device.index == 5)
      #expect(try y.values(3) == [1, 2, 3] as [Double])
    }

    @Test("all-reduce over eight replicas") func allReduce() throws {
      var options = CompileOptions()
      options.replicaCount = 8
      options.deviceAssignment = client.devices.map { [$0.id] }
      let executable = try PJRTExecutable(
        program(
          """
          %0 = "stablehlo.all_reduce"(%a) ({
            ^bb0(%x: tensor<f32>, %y: tensor<f32>):
              %s = stablehlo.add %x, %y : tensor<f32>
              stablehlo.return %s : tensor<f32>
          }) {replica_groups = dense<[[0, 1, 2, 3, 4, 5, 6, 7]]> : tensor<1x8xi64>} : (tensor<2xf32>) -> tensor<2xf32>
          return %0 : tensor<2xf32>
          """, "%a: tensor<2xf32>", "tensor<2xf32>"), options: options, client: client)
      #expect(executable.devices.map(\.index) == Array(0..<8))
      let arguments = try (0..<8).map { [try PJRTBuffer.vector([Float($0), 1], on: client, $0)] }
      let results = try executable.execute(arguments)
      for list in results { #expect(try list[0].values(2) == [28, 8] as [Float]) }
    }

    @Test("XLA's partitioner divides one program between eight devices") func partitions() throws {
      var options = CompileOptions()
      options.partitionCount = 8
      options.deviceAssignment = [client.devices.map(\.id)]
      let executable = try PJRTExecutable(
        program(
          """
          %0 = stablehlo.multiply %a, %a : tensor<16xf32>
          %z = stablehlo.constant dense<0.0> : tensor<f32>
          %1 = stablehlo.reduce(%0 init: %z) applies stablehlo.add across dimensions = [0] : (tensor<16xf32>, tensor<f32>) -> tensor<f32>
          return %1 : tensor<f32>
          """, "%a: tensor<16xf32> {mhlo.sharding = \"{devices=[8]<=[8]}\"}", "tensor<f32> {mhlo.sharding = \"{replicated}\"}"),
        options: options, client: client)
      let arguments = try (0..<8).map { [try PJRTBuffer.vector([Float(2 * $0), Float(2 * $0 + 1)], on: client, $0)] }
      for list in try executable.execute(arguments) { #expect(try list[0].values(1) == [1240] as [Float]) }
    }

    @Test("cost, memory, and a program as bytes") func facts() throws {
      let executable = try compile(twice)
      let cost = try executable.costAnalysis()
      #expect(cost["flops"] == .real(4))
      let memory = try #require(try executable.memoryUse())
      #expect(memory.arguments == 16 && memory.results == 16 && memory.shared == 0)
      let bytes = try #require(try executable.serialized())
      let again = try PJRTExecutable(serialized: bytes, options: CompileOptions(device: client.device(0), of: client), client: client)
      #expect(try again.execute([.vector([1, 2, 3, 4] as [Float], on: client)])[0].values(4) == [2, 4, 6, 8] as [Float])
      // A result, which unlike an argument is never the host's memory.
      let held = try executable.execute([.vector([1, 2, 3, 4] as [Float], on: client)])[0]
      try held.wait()
      let statistics = try #require(try client.device(0).memoryStatistics())
      #expect(statistics.bytesInUse >= 16 && (statistics.peakBytesInUse ?? 0) >= statistics.bytesInUse && statistics.byteLimit == nil)
    }

    // MARK: Errors

    @Test("a program that is none") func invalid() throws {
      for text in ["nonsense", program("return %a : tensor<3xf32>", "%a: tensor<4xf32>", "tensor<4xf32>")] {
        do {
          _ = try compile(text)
          Issue.record("compiled")
        } catch let error as PJRTError {
          guard case .invalidProgram(let message) = error else {
            Issue.record("\(error)")
            continue
          }
          #expect(!message.isEmpty)
        }
      }
    }

    @Test("an option that there is not") func option() throws {
      #expect {
        _ = try TestPlugin.client(["colour": .integer(1)])
      } throws: { "\($0)".contains("no option \"colour\"") }
    }

    @Test("no memory left on the device, for arrays and for programs") func memory() throws {
      let small = try TestPlugin.client(["memory_limit": .integer(1 << 20)])
      let text = program(
        "%0 = stablehlo.broadcast_in_dim %a, dims = [] : (tensor<f32>) -> tensor<1000000xf32> return %0 : tensor<1000000xf32>", "%a: tensor<f32>",
        "tensor<1000000xf32>")
      let executable = try PJRTExecutable(text, options: CompileOptions(device: small.device(0), of: small), client: small)
      let a = try PJRTBuffer(HostBuffer(copying: [1] as [Float]), TensorType([], .float32), client: small, device: small.device(0))
      #expect {
        let results = try executable.execute([a])
        try results[0].wait()
      } throws: {
        guard case PJRTError.outOfDeviceMemory(_, let message) = $0 else { return false }
        return message.contains("4000000 bytes")
      }
      let statistics = try small.device(0).memoryStatistics()
      #expect(statistics?.byteLimit == 1 << 20)
    }

    @Test("the device is lost") func lost() throws {
      let doomed = try TestPlugin.client(["lost_after_executions": .integer(1)])
      let executable = try PJRTExecutable(twice, options: CompileOptions(device: doomed.device(0), of: doomed), client: doomed)
      let x = try PJRTBuffer.vector([1, 2, 3, 4] as [Float], on: doomed)
      _ = try executable.execute([x])
      #expect(throws: PJRTError.deviceLost(function: "PJRT_LoadedExecutable_Execute", message: "The device has been lost.")) {
        _ = try executable.execute([x])
      }
    }

    // MARK: Nothing is left behind

    @Test("compile, run, free: nothing is left at the plugin, and memory stays flat") func cycles() throws {
      let count = Int(ProcessInfo.processInfo.environment["FLUXION_XLA_CYCLES"] ?? "") ?? 300
      func cycle(_ i: Int) throws {
        // Another constant each time: another program.
        let text = program(
          "%c = stablehlo.constant dense<\(i).0> : tensor<f32> %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<f32>) -> tensor<2000xf32> "
            + "%1 = stablehlo.add %a, %0 : tensor<2000xf32> return %1 : tensor<2000xf32>", "%a: tensor<2000xf32>", "tensor<2000xf32>")
        let executable = try compile(text)
        let result = try executable.execute([.vector([Float](repeating: 1, count: 2000), on: client)])[0]
        #expect(try result.values(2000)[1999] == Float(i) + 1)
      }
      // The first ones fill the allocators' and the compiler's own tables.
      for i in 0..<max(20, count / 4) { try cycle(i) }
      let (objects, bytes) = (try TestPlugin.liveObjects(), residentBytes())
      for i in 0..<count { try cycle(i) }
      #expect(try TestPlugin.liveObjects() == objects)
      let growth = residentBytes() - bytes
      print("\(count) cycles of compile, run, free: resident memory grew by \(growth) bytes, \(growth / count) a cycle")
      #expect(growth < max(16 << 20, count * 2048))
    }
  }
}
