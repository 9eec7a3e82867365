import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Derivatives of factors of ill-conditioned matrices against differences in many digits.
@Suite("factors of ill-conditioned matrices") struct FactorDerivativeTests {
  /// What `scripts/derivative_fixtures.py` differentiates: signs are fixed, vectors stand as projectors.
  private static func factors(_ name: String) -> @Sendable (Tensor) -> Tensor {
    @Sendable func flat(_ parts: [Tensor]) -> Tensor { concatenated(parts.map { $0.reshaped(to: [$0.elementCount]) }, alongAxis: 0) }
    switch name {
    case "cholesky": return { flat([cholesky($0)]) }
    case "qr":
      return { a in
        let (q, r) = qr(a)
        let signs = sign((r * eye(4, as: .float64)).sum(alongAxis: 1))
        return flat([q * signs, r * signs.expanded(at: 1)])
      }
    case "svd":
      return { a in
        let (u, s, v) = svd(a)
        return flat([s] + (0..<4).map { outer(u.sliced($0..<$0 + 1, alongAxis: 1).reshaped(to: [4]), v[$0]) })
      }
    default:
      return { a in
        let (values, vectors) = eigh(a)
        return flat([values] + (0..<4).map { i in
          let v = vectors.sliced(i..<i + 1, alongAxis: 1).reshaped(to: [4])
          return outer(v, v)
        })
      }
    }
  }

  @Test("both modes, at condition numbers (for eigh: inverse gaps) up to 1e10", arguments: FactorDerivative.all.indices)
  func derivatives(index: Int) {
    let fixture = FactorDerivative.all[index]
    let a = Tensor(fixture.matrix, shape: [4, 4]), e = Tensor(fixture.direction, shape: [4, 4]), exact = Tensor(fixture.derivative)
    let f = Self.factors(fixture.factorisation)
    let size = abs(exact).max().item()
    // A factor is known to about ε times the condition number, and so is its derivative, relative to its size.
    var condition = 1.0
    for _ in 0..<fixture.exponent { condition *= 10 }
    let bound = 64 * Double.ulpOfOne * condition
    for device in [cpu, Device.reference] {
      device.active {
        let name = "\(fixture.factorisation), 1e\(fixture.exponent), \(device.engine.name)"
        let forward = abs(jvp(f, at: a, along: e).tangent - exact).max().item() / size
        #expect(forward < bound, "\(name): forward mode off by \(forward)")
        let weights = sin(arange(exact.count, as: .float64) + 1)
        let reverse = (gradient { (f($0) * weights).sum() }(a) * e).sum() - (exact * weights).sum()
        let off = abs(reverse).item() / size
        #expect(off < bound, "\(name): reverse mode off by \(off)")
      }
    }
  }
}
