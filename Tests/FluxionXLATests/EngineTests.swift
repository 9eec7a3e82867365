import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
@testable import FluxionXLA
import Foundation
import Testing

extension OnXLACPU {
  /// Fluxion's own programs on XLA's CPU backend.
  @Suite("XLA engine")
  struct EngineTests {
    private func device(_ index: Int = 0) throws -> Device {
      try Device(engine: XLAEngine(client: TestPlugin.shared.get(), device: index, cache: nil))
    }

    private func isOnDevice(_ x: Tensor) -> Bool { x.hostBuffer("test").deviceMemory != nil }

    @Test("a compiled function, its gradient, and the same on the host") func compiledFunction() throws {
      @Sendable func loss(_ x: Tensor) -> Tensor { (sin(x) * x).sum() }
      let x = Tensor([0.5, -1, 2] as [Float])
      let f = compiled { (x: Tensor) -> (Tensor, Tensor) in
        let (value, slope) = valueAndGradient(of: loss, at: x)
        return (value, slope)
      }
      let (value, slope) = try device().active { f(x) }
      #expect(isOnDevice(value) && isOnDevice(slope))
      let (expected, expectedSlope) = Device.default.active { f(x) }
      expectClose(value, expected, .ulps(4))
      expectClose(slope, expectedSlope, .ulps(4))
    }

    @Test("operations at once stay on the device") func atOnce() throws {
      try device().active {
        let x = Tensor([1, 2, 3] as [Float])
        let y = exp(x) + 1
        #expect(isOnDevice(y))
        expectClose(y, [exp(1.0) + 1, exp(2.0) + 1, exp(3.0) + 1], .ulps(4))
        // What is on the device is read by the host's engine too.
        let z = Device.default.active { y * 2 }
        #expect(!isOnDevice(z))
        expectClose(z, y.doubles().map { $0 * 2 }, .exact)
      }
    }

    @Test("a state is donated from call to call") func donation() throws {
      let step = compiled { (state: inout Tensor, x: Tensor) in state += x }
      try device().active {
        var state = Tensor.zeros([2000])
        for i in 0..<10 { step(&state, Tensor.full(Double(i), [2000])) }
        let held = state
        step(&state, Tensor.ones([2000]))
        // What somebody else still refers to is not overwritten.
        #expect(held.elements(as: Float.self) == [Float](repeating: 45, count: 2000))
        #expect(state.elements(as: Float.self) == [Float](repeating: 46, count: 2000))
        let memory = try #require(state.hostBuffer("test").deviceMemory as? XLAMemory)
        step(&state, Tensor.ones([2000]))
        // The test itself holds the memory, not the tensor: it is given up, and gone.
        #expect(memory.buffer.isDeleted)
      }
    }

    @Test("what a function uses from outside goes to the device once") func captures() throws {
      let table = Tensor((0..<5000).map { Float($0) })
      let f = compiled { (i: Tensor) in (table * i).sum() }
      try device().active {
        #expect(f(Tensor(2 as Float)).item() == 2 * 12_497_500)
        let placed = try Device.current.placed(table)
        #expect(isOnDevice(placed) && placed.memoryAddress == table.memoryAddress)
      }
    }

    @Test("arrays go from device to device") func devices() throws {
      let x = try device(3).active { Tensor([1, 2, 3] as [Float]) * 2 }
      let y = try device(5).active { x + 1 }
      #expect(y.elements(as: Float.self) == [3, 5, 7])
      #expect((y.hostBuffer("test").deviceMemory as? XLAMemory)?.buffer.device.index == 5)
    }

    @Test("what a run takes") func cost() throws {
      let f = compiled { (a: Tensor, b: Tensor) in a.matmul(b) }
      let cost = try device().active { try f.program(for: (Tensor.ones([32, 64]), Tensor.ones([64, 16]))).cost }
      #expect(cost.floatingPointOperations == 2 * 32 * 64 * 16)
      #expect(cost.bytesMoved > 0)
    }

    // MARK: Errors

    @Test("NaNs are searched for elsewhere") func nans() throws {
      try device().active {
        let f = compiled { (x: Tensor) in log(x) }
        #expect { _ = try findingNaNs { () throws(ExecutionError) in try f.attempt(Tensor(-1 as Float)) } } throws: { "\($0)".contains("--device cpu") }
      }
    }

    @Test("no memory left, found out where results are waited for") func memory() throws {
      let client = try TestPlugin.client(["memory_limit": .integer(8 << 20)])
      let small = try Device(engine: XLAEngine(client: client, cache: nil))
      let f = compiled { (x: Tensor) in x.broadcast(to: [4_000_000]) + 1 }
      small.active {
        _ = #expect { _ = try f.attempt(Tensor(1 as Float)) } throws: { "\($0)".contains("the device has no memory left") }
      }
    }

    @Test("the device is lost") func lost() throws {
      let client = try TestPlugin.client(["lost_after_executions": .integer(2)])
      let doomed = try Device(engine: XLAEngine(client: client, cache: nil))
      let f = compiled { (x: Tensor) in x + 1 }
      try doomed.active {
        let x = try f.attempt(f.attempt(Tensor(1 as Float)))
        #expect(x.item() == 3)
        #expect { _ = try f.attempt(x) } throws: { "\($0)".contains("the device is lost") }
      }
    }

    // MARK: The cache

    @Test("compiled programs are found again on disk") func cache() throws {
      let folder = FileManager.default.temporaryDirectory.appending(path: "cache-\(UUID().uuidString)/xla").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      var cache = CompileCache(folder: folder)
      let client = try TestPlugin.shared.get()
      let options = CompileOptions(device: try client.device(0), of: client)
      func text(_ number: Int) -> String {
        "module @m { func.func public @main(%a: tensor<2xf32>) -> tensor<2xf32> { "
          + "%c = stablehlo.constant dense<\(number).0> : tensor<2xf32> %0 = stablehlo.add %a, %c : tensor<2xf32> return %0 : tensor<2xf32> } }"
      }
      func run(_ number: Int) throws -> [Float] {
        try cache.executable(text(number), options: options, client: client).execute([.vector([1, 2] as [Float], on: client)])[0].values(2)
      }
      func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }

      cache.threshold = 1000
      #expect(try run(1) == [2, 3] && files().isEmpty, "what compiles fast is not kept")
      cache.threshold = 0
      #expect(try run(1) == [2, 3] && files().count == 1)
      #expect(try run(1) == [2, 3] && files().count == 1)
      #expect(try run(2) == [3, 4] && files().count == 2)

      // A file under the right name with other contents is not believed: the first program's name with the second's file.
      let names = files()
      let contents = try names.map { try Data(contentsOf: URL(filePath: "\(folder)/\($0)")) }
      try contents[1].write(to: URL(filePath: "\(folder)/\(names[0])"))
      try contents[0].prefix(100).write(to: URL(filePath: "\(folder)/\(names[1])"))
      #expect(try run(1) == [2, 3] && run(2) == [3, 4])
      // Neither is one of which the end is another, or is missing; the program is compiled and kept again.
      for change: (inout Data) -> Void in [{ $0[$0.count - 1] ^= 1 }, { $0.removeLast(40) }, { $0 = Data() }] {
        let whole = try Data(contentsOf: URL(filePath: "\(folder)/\(names[0])"))
        var spoilt = whole
        change(&spoilt)
        for name in names { try spoilt.write(to: URL(filePath: "\(folder)/\(name)")) }
        #expect(try run(1) == [2, 3] && run(2) == [3, 4])
        #expect(try names.allSatisfy { try Data(contentsOf: URL(filePath: "\(folder)/\($0)")) != spoilt })
      }

      // Flags for the compiler make other programs.
      let flags = getenv("XLA_FLAGS").map { String(cString: $0) }
      setenv("XLA_FLAGS", (flags ?? "") + " --xla_cpu_enable_fast_math=false", 1)
      #expect(try run(1) == [2, 3] && files().count == 3)
      if let flags { setenv("XLA_FLAGS", flags, 1) } else { unsetenv("XLA_FLAGS") }

      // A folder that cannot be made or written is no failure.
      for place in ["\(folder)/\(names[0])/below", "/proc/none"] {
        var none = CompileCache(folder: place)
        none.threshold = 0
        #expect(try none.executable(text(1), options: options, client: client).devices.count == 1)
      }

      // The oldest make room.
      cache.byteLimit = contents[0].count + contents[0].count / 2
      #expect(try run(3) == [4, 5] && files().count == 1)
    }
  }
}
