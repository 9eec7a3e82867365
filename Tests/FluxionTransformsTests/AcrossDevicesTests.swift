import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

@Suite("Marked batches") struct AcrossDevicesTests {
  @Sendable private static func plain(_ x: Tensor) -> Tensor { (sin(x) * x).sum() }
  @Sendable private static func marked(_ x: Tensor) -> Tensor { (sin(acrossDevices(x)) * acrossDevices(x, axis: 1)).sum() }
  private let x = Key(1).normal([6, 4])

  @Test("a mark changes no value and no derivative, on any engine", arguments: [Device.default, .reference]) func identity(device: Device) {
    let batch = Key(2).normal([3, 6, 4])
    device.active {
      #expect(compiled { (x: Tensor) in Self.marked(x) }(x).item() == compiled { (x: Tensor) in Self.plain(x) }(x).item())
      expectClose(gradient(of: Self.marked, at: x), gradient(of: Self.plain, at: x), .ulps(1))
      expectClose(
        gradient(of: { gradient(of: Self.marked, at: $0).squared().sum() }, at: x),
        gradient(of: { gradient(of: Self.plain, at: $0).squared().sum() }, at: x), .ulps(8))
      expectClose(vmap { gradient(of: Self.marked, at: $0) }(batch), vmap { gradient(of: Self.plain, at: $0) }(batch), .ulps(1))
      expectClose(jvp(Self.marked, at: x, along: x).tangent, jvp(Self.plain, at: x, along: x).tangent, .ulps(1))
    }
  }

  @Test("structures are marked tensor by tensor, and the CPU engine runs the same program") func program() throws {
    let mark = compiled { (x: [String: Tensor]) -> Tensor in
      let x = acrossDevices(x)
      return tanh(x["a"]! * x["b"]!)
    }
    let bare = compiled { (x: [String: Tensor]) -> Tensor in tanh(x["a"]! * x["b"]!) }
    let both = ["a": x, "b": x * 2]
    #expect(mark(both).elements(as: Float.self) == bare(both).elements(as: Float.self))
    #expect(try mark.program(for: both).executable.cost == bare.program(for: both).executable.cost)
  }

  @Test("an axis that is not there is the caller's bug") func noAxis() async {
    await #expect(processExitsWith: .failure) {
      _ = compiled { (x: Tensor) -> Tensor in acrossDevices(x, axis: 2) }(Tensor.zeros([2, 3]))
    }
  }
}
