import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Conjugate gradients in a loop of unknown length, which has no reverse mode of its own.
private let conjugateGradients: @Sendable (@escaping @Sendable (Tensor) -> Tensor, Tensor) -> Tensor = { map, b in
  let start = [zerosLike(b), b, b, b.dot(b)]
  return whileLoop(from: start, while: { $0[3] .> 1e-28 }, do: { state in
    let product = map(state[2])
    let step = state[3] / state[2].dot(product)
    let residual = state[1] - step * product
    let square = residual.dot(residual)
    return [state[0] + step * state[2], residual, residual + (square / state[3]) * state[2], square]
  })[0]
}

/// Any matrix: the map's matrix from its columns, then LU.
private let dense: @Sendable (@escaping @Sendable (Tensor) -> Tensor, Tensor) -> Tensor = { map, b in
  let columns = vmap { (e: Tensor) -> Tensor in map(e) }(eye(b.count, as: b.elementType))
  return solve(columns.transposed(), b)
}

private func zerosLike(_ x: Tensor) -> Tensor { Tensor.zeros(x.shape, as: x.elementType) }

private let skew = Tensor([2.0, 0.7, -0.3, 0.1, 1.5, 0.4, -0.6, 0.2, 1.8], shape: [3, 3])

@Suite("Implicit derivatives") struct ImplicitTests {
  /// The function found implicitly, and the same by operations that are differentiated as such.
  private func expectSame(
    _ f: @escaping @Sendable (Tensor) -> Tensor, _ plain: @escaping @Sendable (Tensor) -> Tensor, _ name: String
  ) {
    let x = Tensor([0.3, -0.4, 0.7])
    let close = Tolerance(ulps: 64, epsilons: 16384)
    let weight = Tensor([1.0, -2.0, 0.5])
    let loss: @Sendable (Tensor) -> Tensor = { (f($0) * weight).sum() }
    let plainLoss: @Sendable (Tensor) -> Tensor = { (plain($0) * weight).sum() }
    expectClose(f(x), plain(x), close, "\(name): value")
    expectClose(jacobianForward(f)(x), jacobianForward(plain)(x), close, "\(name): forward")
    expectClose(jacobianReverse(f)(x), jacobianForward(plain)(x), close, "\(name): reverse")
    expectClose(hessian(loss)(x), hessian(plainLoss)(x), close, "\(name): forward over reverse")
    expectClose(jacobianReverse(gradient(loss))(x), hessian(plainLoss)(x), close, "\(name): reverse over reverse")
    expectClose(
      jacobianReverse { jvp(loss, at: $0, along: weight).tangent }(x), jacobianReverse { jvp(plainLoss, at: $0, along: weight).tangent }(x),
      close, "\(name): reverse over forward")
    let rows = stacked([x, x * 2, -x], alongAxis: 0)
    expectClose(vmap(f)(rows), vmap(plain)(rows), close, "\(name): mapped")
    expectClose(vmap(gradient(loss))(rows), vmap(gradient(plainLoss))(rows), close, "\(name): gradient, mapped")
    expectClose(
      gradient { vmap(loss)($0).sum() }(rows), gradient { vmap(plainLoss)($0).sum() }(rows), close, "\(name): gradient of mapped")
    let derivatives = directionalDerivatives(of: loss, at: x, along: weight, order: 3)
    let plainDerivatives = directionalDerivatives(of: plainLoss, at: x, along: weight, order: 3)
    expectClose(derivatives[3], plainDerivatives[3], Tolerance(ulps: 64, epsilons: 1_048_576), "\(name): third derivative")
  }

  @Test("a linear system by an iteration that cannot be differentiated") func conjugate() {
    expectSame(
      { x in
        let matrix = outer(x, x) + skew.matmul(skew.transposed())
        return customLinearSolve({ matrix.matmul($0) }, sin(x), solve: conjugateGradients)
      },
      { x in solve(outer(x, x) + skew.matmul(skew.transposed()), sin(x)) }, "conjugate gradients")
  }

  @Test("a system that is not symmetric: the transposed one is solved in reverse mode") func unsymmetric() {
    expectSame(
      { x in customLinearSolve({ skew.matmul($0) + x * $0.sum() }, cos(x), solve: dense) },
      { x in solve(skew + outer(x, Tensor([1.0, 1, 1])), cos(x)) }, "dense")
  }

  @Test("structures, complex numbers, and a transposed algorithm of its own") func structures() {
    struct Pair: Codable, Sendable {
      var a: Tensor
      var b: Tensor
    }
    // 2a + b = r, 3b = s.
    let slope = gradient { (p: Tensor) -> Tensor in
      let x = customLinearSolve(
        { (v: Pair) -> Pair in Pair(a: 2 * v.a + v.b, b: p * v.b) }, Pair(a: sin(p), b: p * p),
        solve: { _, r in Pair(a: (r.a - r.b / p) / 2, b: r.b / p) }, transposeSolve: { _, r in Pair(a: r.a / 2, b: (r.b - r.a / 2) / p) })
      return x.a * x.b
    }(Tensor([0.8]).sum())
    // a = (sin p - p)/2, b = p.
    let p = Tensor([0.8]).sum()
    expectClose(slope, ((cos(p) - 1) * p + sin(p) - p) / 2, .ulps(16), "structures")
    let z = complex(Tensor([1.0, 2.0]), Tensor([0.5, -1.0]))
    let loss: @Sendable (Tensor) -> Tensor = { w in
      let x = customLinearSolve({ $0 * w }, z, solve: { map, b in b / map(Tensor.ones(b.shape, as: b.elementType)) })
      return (x * x.conjugate()).real.sum()
    }
    expectClose(gradient(loss)(z * z), gradient { w in ((z / w) * (z / w).conjugate()).real.sum() }(z * z), .ulps(32), "complex")
  }

  @Test("roots") func roots() {
    // xᵢ + 0.1 Σ x³ = pᵢ, by a fixed number of Newton steps and by the implicit function theorem.
    let residual: @Sendable (Tensor, Tensor) -> Tensor = { x, p in x + 0.1 * pow(x, 3).sum() - sin(p) }
    let newton: @Sendable (Tensor) -> Tensor = { p in
      scan(count: 8, from: sin(p)) { x, _ in
        let jacobian = eye(3, as: .float64) + outer(Tensor([1.0, 1, 1]), 0.3 * x * x)
        return x - solve(jacobian, residual(x, p))
      }
    }
    let root = customRoot(residual: residual, solve: { p in stopGradient(newton(p)) }, linearSolve: dense)
    expectSame(root, newton, "root")
  }

  @Test("what the residual uses from outside is differentiated too; what only the algorithm uses is not") func outside() {
    let p = Tensor([4.0, 9.0])
    let slope = gradient { (c: Tensor) -> Tensor in
      let root = customRoot(
        residual: { (x: Tensor, q: Tensor) in x * x - q * c }, solve: { q in sqrt(q * c) },
        linearSolve: { map, b in b / map(Tensor.ones(b.shape, as: b.elementType)) })
      return root(p).sum()
    }(Tensor([1.0]).sum())
    // d/dc Σ √(pc) = Σ √p / 2 at c = 1.
    expectClose(slope, Tensor([2.5]).sum(), .ulps(8), "outside")
    let none = gradient { (t: Tensor) -> Tensor in
      customLinearSolve({ 2 * $0 }, p, solve: { _, b in b / 2 + 0 * t }).sum()
    }(Tensor([1.0]).sum())
    expectClose(none, Tensor([0.0]).sum(), .exact, "only the algorithm")
  }
}
