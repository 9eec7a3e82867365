import FluxionCore
import FluxionTransforms
import Testing

/// Devices on which an array lies as so many times itself: what was done to each argument can be seen.
private struct Scaling: DeviceGroup {
  let device = Device.reference

  func placed(_ buffer: HostBuffer, _ type: TensorType, _ factor: Double) throws(ExecutionError) -> HostBuffer {
    (Tensor(type, buffer: buffer) * factor).hostBuffer("test")
  }
}

@Suite("compiled functions with a device of their own")
struct PlacementTests {
  private struct Pair: Codable, Sendable {
    var a: Tensor
    var b: Tensor
  }

  @Test("each argument is arranged as told, all its tensors alike") func arrangements() throws {
    let f = compiled { (x: Pair, y: Tensor) in x.a * 100 + x.b * 10 + y }
    let group = Scaling()
    let placed = f.sharded(on: group, arguments: 2, 3)
    let arguments = (Pair(a: 1.0, b: 2.0), Tensor(4.0))
    #expect(placed(arguments.0, arguments.1).item() == 252)
    #expect(try placed.attempt(arguments).item() == 252)
    #expect(f(arguments.0, arguments.1).item() == 124)
    // Inside another trace it is the function itself.
    #expect(compiled { (x: Tensor) in placed(Pair(a: x, b: 2.0), 4.0) }(1.0).item() == 124)
  }

  @Test("the state is the first argument") func state() {
    let step = compiled { (state: inout Pair, x: Tensor) -> Tensor in
      state.a = state.a + x
      return state.b
    }
    let placed = step.sharded(on: Scaling(), arguments: 2, 10)
    var state = Pair(a: 1.0, b: 3.0)
    #expect(placed(&state, 1.0).item() == 6)
    #expect(state.a.item() == 12 && state.b.item() == 6)
  }

  @Test("as many arrangements as arguments") func count() async throws {
    let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = compiled { (x: Tensor) in x }.sharded(on: Scaling(), arguments: 1, 2)(1.0)
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("sharded: 2 shardings are given for 1 arguments."), "\(text)")
  }

  @Test("a function placed on a device runs there, whatever is current") func ofDevice() throws {
    let f = compiled { (x: Tensor) in x + 1 }
    let placed = f.placed(on: .reference)
    let program = try placed.program(for: Tensor(1.0))
    #expect(type(of: program.executable) == type(of: try Device.reference.executable(for: program.graph)))
    #expect(placed(1.0).item() == 2)
    #expect(type(of: program.executable) != type(of: try f.program(for: Tensor(1.0)).executable))
  }
}
