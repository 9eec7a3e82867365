import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// What the derivative of a complex function means, on every engine; that every operation obeys it is the table's to judge.
@Suite("complex derivatives") struct ComplexDerivativeTests {
  private let z = complex(Tensor([0.3, -0.7, 1.1]), Tensor([0.5, 0.2, -0.4]))
  private let one = Tensor(1.0)
  private let close = Tolerance(ulps: 16, epsilons: 32)

  private func message(_ body: (Tensor) -> Tensor, like x: Tensor) -> String {
    do {
      _ = try trace({ (xs: [Tensor]) in body(xs[0]) }, like: [x])
      return "no error"
    } catch {
      return "\(error.operation): \(error.message)"
    }
  }

  /// The gradient of a real loss is ∂L/∂x + i ∂L/∂y: of |z|² it is 2z, of Re(wz) it is conj(w), of Im z it is i.
  @Test(arguments: [Device.reference, .default]) func convention(device: Device) {
    device.active {
      let w = complex(Tensor([2.0, 1, -1]), Tensor([1.0, -3, 0.5]))
      expectClose(gradient(of: { (abs($0).squared()).sum() }, at: z), z * 2, close)
      expectClose(gradient(of: { ($0 * w).real.sum() }, at: z), w.conjugate(), close)
      expectClose(gradient(of: { $0.imaginary.sum() }, at: z), complex(Tensor([0.0, 0, 0]), Tensor([1.0, 1, 1])), close)
      // The same by parts.
      let loss: @Sendable (Tensor) -> Tensor = { (sin($0) * $0.conjugate()).real.sum() + abs($0).sum() }
      let (dx, dy) = gradient(of: { (p: [Tensor]) in loss(complex(p[0], p[1])) }, at: [z.real, z.imaginary]).pair
      expectClose(gradient(of: loss, at: z), complex(dx, dy), close)
      // A step against it makes the loss smaller, as for real numbers.
      #expect(loss(z - gradient(of: loss, at: z) * 0.01).item() < loss(z).item())
    }
  }

  @Test(arguments: [Device.reference, .default]) func tangents(device: Device) {
    device.active {
      let t = complex(Tensor([1.0, 0, 0.5]), Tensor([0.0, 1, -0.5]))
      expectClose(jvp({ exp($0) }, at: z, along: t).tangent, exp(z) * t, close)
      expectClose(jvp({ $0.conjugate() }, at: z, along: t).tangent, t.conjugate(), close)
      expectClose(vjp({ exp($0) }, at: z).pullback(t), exp(z).conjugate() * t, close)
      // ⟨w, J t⟩ = ⟨Jᵀw, t⟩ as Re Σ āb, for a function that is not holomorphic.
      let f: @Sendable (Tensor) -> Tensor = { $0 * $0.conjugate() * sqrt($0) + sign($0) }
      let w = complex(Tensor([0.2, -1, 0.4]), Tensor([0.6, 0.1, 1]))
      func inner(_ a: Tensor, _ b: Tensor) -> Tensor { (a.conjugate() * b).real.sum() }
      expectClose(inner(w, jvp(f, at: z, along: t).tangent), inner(vjp(f, at: z).pullback(w), t), close)
    }
  }

  @Test(arguments: [Device.reference, .default]) func holomorphic(device: Device) {
    device.active {
      let point = z[0]
      expectClose(holomorphicGradient({ sin($0) })(point), cos(point), close)
      let third = holomorphicGradient(holomorphicGradient(holomorphicGradient { exp($0 * 2) }))
      expectClose(third(point), exp(point * 2) * 8, close)
      let (value, slope) = valueAndHolomorphicGradient(of: { ($0 * $0 * $0).sum() }, at: z)
      expectClose(value, (z * z * z).sum(), close)
      expectClose(slope, z * z * 3, close)
      // ∂²/∂zᵢ∂zⱼ of z₀²z₁ + z₁z₂³.
      let f: @Sendable (Tensor) -> Tensor = { z in z[0] * z[0] * z[1] + z[1] * z[2] * z[2] * z[2] }
      let zero = z[0] * 0
      let rows = [z[1] * 2, z[0] * 2, zero, z[0] * 2, zero, z[2] * z[2] * 3, zero, z[2] * z[2] * 3, z[1] * z[2] * 6]
      expectClose(holomorphicHessian(f)(z), stacked(rows).reshaped(to: [3, 3]), close)
      // Backwards where there are fewer results than arguments, forwards else.
      let matrix = complex(Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3]), Tensor([0.0, 1, -1, 2, 0.5, 0], shape: [2, 3]))
      let product = holomorphicJacobian { (x: Tensor) -> Tensor in matrix.matmul(x) }
      expectClose(product(z), matrix, close)
      let elementwise = holomorphicJacobian { (x: Tensor) -> Tensor in exp(x) }
      expectClose(elementwise(z), exp(z).diagonalMatrix(), close)
      let logarithm: @Sendable (Tensor) -> Tensor = { holomorphicGradient(of: { log($0) }, at: $0) }
      expectClose(vmap(logarithm)(z), reciprocal(z), close)
      let program = compiled { (z: Tensor) -> Tensor in holomorphicGradient(of: { tanh($0).sum() }, at: z) }
      expectClose(program(z), reciprocal(cosh(z)).squared(), close)
    }
  }

  /// On a cut the derivative is that of the side which the sign of the zero names.
  @Test(arguments: [Device.reference, .default]) func cuts(device: Device) {
    device.active {
      for y in [0.0, -0.0] {
        let point = complex(Tensor([2.0, -2, 3]), Tensor([y, y, y]))
        let side = complex(point.real, Tensor(y.sign == .minus ? -1e-12 : 1e-12))
        for f in [{ asin($0) }, { acos($0) }, { acosh($0) }, { sqrt($0) }, { log($0) }, { atanh($0) }] as [@Sendable (Tensor) -> Tensor] {
          let slope: @Sendable (Tensor) -> Tensor = { z in holomorphicGradient { f($0).sum() }(z) }
          expectClose(slope(point), slope(side), Tolerance(relative: 1e-10, absolute: 1e-11), "\(y)")
        }
        let turned = complex(Tensor([y, y]), Tensor([2.0, -3]))
        let beside = complex(Tensor(y.sign == .minus ? -1e-12 : 1e-12), turned.imaginary)
        let slope: @Sendable (Tensor) -> Tensor = { z in holomorphicGradient { asinh($0).sum() }(z) }
        expectClose(slope(turned), slope(beside), Tolerance(relative: 1e-10, absolute: 1e-11), "asinh \(y)")
      }
    }
  }

  @Test(arguments: [Device.reference, .default]) func singularPoints(device: Device) {
    device.active {
      let zero = complex(Tensor([0.0]), Tensor([0.0]))
      let one = complex(Tensor([1.0]), Tensor([0.0]))
      expectClose(gradient(of: { abs($0).sum() }, at: zero), zero, .exact)
      expectClose(gradient(of: { sqrt($0).real.sum() }, at: zero), zero, .exact)
      expectClose(gradient(of: { sign($0).real.sum() }, at: zero), zero, .exact)
      expectClose(gradient(of: { pow($0, one).real.sum() }, at: zero), one, .exact)
      expectClose(gradient(of: { pow($0, one * 2).real.sum() }, at: zero), zero, .exact)
    }
  }

  @Test func wrongUse() {
    #expect(
      message({ gradient(of: { exp($0).sum() }, at: $0) }, like: z)
        == "gradient: the function must give one real number, but it gives c128[]. Take its .real or abs, or use holomorphicGradient if the function is holomorphic.")
    #expect(
      message({ holomorphicGradient(of: { abs($0).sum() }, at: $0) }, like: z)
        == "holomorphicGradient: the function must give one complex number, but it gives f64[]. Real functions of complex numbers have a gradient(of:at:).")
    #expect(
      message({ x in jvp({ sin($0) }, at: x, along: complex(x, x)).tangent }, like: Tensor([1.0, 2]))
        == "jvp: a tangent of c128 for a value of f64 would lose its imaginary part. Take its .real, or convert the value.")
    #expect(
      message({ x in vjp({ sin($0) }, at: x).pullback(complex(x, x)) }, like: Tensor([1.0, 2]))
        == "vjp: a cotangent of c128 for a value of f64 would lose its imaginary part. Take its .real, or convert the value.")
    #expect(message(jacobianForward { exp($0) }, like: z).hasPrefix("jacobianForward: its argument is c128[3]: the derivative of a complex function"))
    #expect(message(jacobianReverse { exp($0) }, like: z).hasPrefix("jacobianReverse: the function gives c128[3]"))
    #expect(message(hessian { abs($0).sum() }, like: z).hasPrefix("jacobianForward: its argument is c128[3]"))
    // Real functions of complex numbers and complex ones of real numbers have matrices.
    expectClose(jacobian { abs($0).squared() }(z), (z * 2).diagonalMatrix(), close)
    expectClose(jacobian { complex(sin($0), $0) }(z.real), complex(cos(z.real), one.broadcast(to: [3])).diagonalMatrix(), close)
  }

  @Test func realArgumentsTrap() async {
    await #expect(processExitsWith: .failure) { _ = holomorphicGradient(of: { sin($0) }, at: Tensor(1.0)) }
    await #expect(processExitsWith: .failure) { _ = holomorphicJacobian { sin($0) }(Tensor([1.0, 2])) }
  }
}

extension [Tensor] {
  fileprivate var pair: (Tensor, Tensor) { (self[0], self[1]) }
}
