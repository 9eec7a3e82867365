import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Derivatives in the parameters, differences of mpmath's functions at 40 digits.
struct SpecialDerivativeTests {
  @Test("incomplete gamma function in its parameter") func gammaShape() {
    let rows: [(Double, Double, Double)] = [
      (0.3, 0.4, -0.757078143514981), (2.5, 1.5, -0.25217540042362785), (2.5, 6, -0.04392923998836797), (40, 35, -0.048001196414801835),
      (40, 50, -0.01927006046975012), (0.7, 3, -0.06559756950385262),
    ]
    for (a, x, expected) in rows {
      let slope = gradient { gammaP($0, Tensor(x)) }(Tensor(a))
      expectClose(slope, Tensor(expected), Tolerance(relative: 1e-12), "a = \(a), x = \(x)")
    }
  }

  @Test("incomplete beta function in its parameters") func betaShapes() {
    let rows: [(Double, Double, Double, Double, Double)] = [
      (0.5, 0.5, 0.1, -0.5926200221433794, 0.2768155243583513), (2, 3, 0.4, -0.24086937608755657, 0.15634433641359877),
      (20, 30, 0.2, -0.0005159108955902083, 0.00021389836589694224), (3, 2.5, 0.9, -0.013212323877598079, 0.0389377176793282),
      (0.4, 4, 0.6, -0.021775906527327367, 0.006450857444409109),
    ]
    for (a, b, x, ofA, ofB) in rows {
      let first = gradient { betaI($0, Tensor(b), Tensor(x)) }(Tensor(a))
      let second = gradient { betaI(Tensor(a), $0, Tensor(x)) }(Tensor(b))
      expectClose(first, Tensor(ofA), Tolerance(relative: 1e-11), "a = \(a), b = \(b), x = \(x)")
      expectClose(second, Tensor(ofB), Tolerance(relative: 1e-11), "a = \(a), b = \(b), x = \(x)")
    }
  }
}
