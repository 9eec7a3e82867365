import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// The judge of the matrix, judged: rows that are wrong in one way each.
@Suite struct MatrixTests {
  private func outcomes(_ operation: OperationCase, _ type: ElementType = .float64) -> [Transform: Outcome] {
    let bench = Bench(operation, devices: [.reference])
    return operation.cells(engines: ["reference"]).filter { $0.elementType == type }.reduce(into: [:]) { $0[$1.transform] = bench.judge($1) }
  }

  private func failed(_ outcomes: [Transform: Outcome]) -> Set<Transform> {
    Set(outcomes.filter { if case .failed = $0.value { true } else { false } }.keys)
  }

  private func sine(
    _ function: @escaping @Sendable (Tensor) -> Tensor, factor: Double = 1, exceptions: [OperationCase.Exception] = []
  ) -> OperationCase {
    OperationCase(
      "wrong", [.init(.vector, [4])], [.range(0.5, 1)], tolerance: .ulps(8), exceptions: exceptions, { function($0[0]) },
      expected: { x in
        // sin x = x - x³/6 + …, to the last bit below 1.
        PlainArray.elementwise(x) { v in
          var (term, sum) = (v[0], v[0])
          for k in 1..<14 {
            term *= -v[0] * v[0] / Double(2 * k * (2 * k + 1))
            sum += term
          }
          return sum * factor
        }
      })
  }

  @Test func aRightRowPasses() { #expect(failed(outcomes(sine { sin($0) })).isEmpty) }

  @Test func aWrongValueIsFound() { #expect(failed(outcomes(sine({ sin($0) }, factor: 1 + 1e-14))) == [.value]) }

  @Test func aWrongTangentIsFound() {
    let wrong = customJVP({ sin($0) }, tangent: { x, t in (sin(x), t * cos(x) * (1 + 1e-6)) })
    // The gradient is the tangent's transpose and just as wrong. Second derivatives are those of the first, and mapping keeps faults.
    #expect(failed(outcomes(sine { wrong($0) })) == [.jvp, .vjp])
  }

  @Test func aWrongPullbackIsFound() {
    let wrong: @Sendable (Tensor) -> Tensor = customVJP(
      { sin($0) }, forward: { x in (sin(x), x) }, pullback: { x, cotangent in cotangent * cos(x) * (1 + 1e-6) })
    #expect(failed(outcomes(sine { wrong($0) })).isSuperset(of: [.vjp]))
  }

  @Test func aWrongValueBesideTheTangentIsFound() {
    let wrong = customJVP({ sin($0) }, tangent: { x, t in (sin(x) + 1e-3, t * cos(x)) })
    #expect(failed(outcomes(sine { wrong($0) })).isSuperset(of: [.jvp]))
  }

  @Test func aDerivativeThatIsNotDifferentiatedIsFound() {
    let wrong = customJVP({ sin($0) }, tangent: { x, t in (sin(x), t * stopGradient(cos(x))) })
    #expect(failed(outcomes(sine { wrong($0) })) == [.jvpOfJVP, .jvpOfVJP, .vjpOfJVP, .vjpOfVJP])
  }

  @Test func singlePrecisionIsJudgedByDouble() {
    // Right in double precision; in single it loses its digits to cancellation.
    let wrong = customJVP({ sin($0) }, tangent: { x, t in (sin(x), t * ((cos(x) + 4096) - 4096)) })
    let row = sine { wrong($0) }
    #expect(failed(outcomes(row)).isEmpty)
    #expect(failed(outcomes(row, .float32)).isSuperset(of: [.jvp, .vjp]))
  }

  @Test func refusalsAreTold() {
    let row = sine({ sin($0) }, exceptions: [.init("the reason", transforms: Transform.reverseDerivatives, elementTypes: [.float64])])
    let told = outcomes(row)
    #expect(told[.vjp] == .refused(reason: "the reason") && told[.vmapOfJVPOfVJP] == .refused(reason: "the reason"))
    #expect(failed(told).isEmpty)
    if case .passed = told[.jvp] {} else { Issue.record("the refusal is of reverse derivatives only") }
  }

  @Test func thePageTellsFailuresAndReasons() {
    let row = sine({ sin($0) }, factor: 1.5, exceptions: [.init("the reason", transforms: [.vjp])])
    let bench = Bench(row, devices: [.reference])
    let cells = row.cells(engines: ["reference"]).map { ($0, bench.judge($0)) }
    let page = MatrixPage([.init("Family", [row])], engines: ["reference"], outcomes: ["wrong": cells])
    let text = page.text
    #expect(text.contains("1 rows, 30 cells: 26 passed, 2 refused with a reason, 2 failed."))
    #expect(text.contains("1. The reason. 2 cells: `wrong`."))
    #expect(text.contains("| `wrong` | f32 f64 |") && text.contains("**2 failed**"))
  }
}
