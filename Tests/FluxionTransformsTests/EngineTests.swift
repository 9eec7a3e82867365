import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Whole programs on the engine linked into the tests, against the interpreter: loops, branches and what the transforms make of them.
@Suite("engines agree") struct EngineTests {
  @Test(arguments: programs) func programsAgree(program: Program) throws {
    let f = program.f
    let (x, u) = (Tensor([0.3, -0.5, 0.8]), Tensor([0.7, 0.2, -0.4]))
    var functions: [(String, @Sendable (Tensor) -> Tensor)] = [
      ("value", f), ("jvp", { jvp(f, at: $0, along: u).tangent }),
      ("jvp jvp", { x in jvp({ jvp(f, at: $0, along: u).tangent }, at: x, along: u).tangent }),
      ("vmap", { vmap(f)(stacked([$0, $0 * 2])) }),
    ]
    if program.isReversible {
      functions.append(("gradient", { gradient(of: f, at: $0) }))
      functions.append(("hessian", { hessian(f)($0) }))
      functions.append(("vmap gradient", { x in vmap { gradient(of: f, at: $0) }(stacked([x, x * 2])) }))
      functions.append(("gradient gradient", { x in gradient(of: { gradient(of: f, at: $0).dot(u) }, at: x) }))
    }
    for (name, function) in functions {
      let graph = try trace(function, like: x)
      let expected = Device.reference.active { graph([x])[0] }
      // Three runs: memory left by one must not be seen by the next.
      for run in 1...3 {
        let actual = Device.default.active { graph([x])[0] }
        expectClose(actual, expected, Tolerance(relative: 1e-12, absolute: 1e-12), "\(program.name) \(name), run \(run)")
      }
    }
  }
}
