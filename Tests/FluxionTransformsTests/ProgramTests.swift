import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// A smooth function of a vector of three, made of what programs are made of.
struct Program: Sendable, CustomTestStringConvertible {
  let name: String
  /// Whether it can be differentiated backwards.
  var isReversible = true
  let f: @Sendable (Tensor) -> Tensor
  var testDescription: String { name }

  init(_ name: String, isReversible: Bool = true, _ f: @escaping @Sendable (Tensor) -> Tensor) {
    (self.name, self.isReversible, self.f) = (name, isReversible, f)
  }
}

private struct Pair: Codable, Sendable {
  var position: Tensor
  var velocity: Tensor
}

private let matrix = Tensor([0.5, -0.3, 0.2, 0.1, 0.4, -0.6, -0.2, 0.7, 0.3], shape: [3, 3])

/// exp with a derivative of its own (which is right).
private let exponential: @Sendable (Tensor) -> Tensor = customJVP({ exp($0) }, tangent: { x, t in
  let e = exp(x)
  return (e, e * t)
})

/// x³ with a pullback of its own (which is right).
private let cube: @Sendable (Tensor) -> Tensor = customVJP(
  { $0 * $0 * $0 }, forward: { x in (x * x * x, x) }, pullback: { x, cotangent in cotangent * x.squared() * 3 })

private let layer: @Sendable (Tensor) -> Tensor = checkpoint { x in tanh(matrix.matmul(sin(x)) + x) }

let programs: [Program] = [
  Program("elementwise") { x in (sin(x) * exp(x * 0.5)).sum() },
  Program("layers") { x in tanh(matrix.matmul(tanh(matrix.matmul(x)) + x)).squared().sum() },
  Program("logSumExp") { x in (x * 2).logSumExp() + x.softmax().squared().sum() },
  Program("scan") { x in
    scan(count: 4, from: x) { carry, i in tanh(matrix.matmul(carry)) + x * (i.converted(to: .float64) * 0.1) }.squared().sum()
  },
  Program("scanOverSlices") { x in
    let rows = outer(x, cos(x))
    let (last, outputs) = scan(over: rows, from: x.mean()) { carry, row in (sin(carry) + row.dot(row), carry * row) }
    return last + outputs.squared().sum()
  },
  Program("scanBackwards") { x in
    let start = Pair(position: x, velocity: cos(x))
    let end = scan(over: x, from: start, reverse: true) { s, force in
      let v = s.velocity - s.position * 0.1 * force
      return Pair(position: s.position + v * 0.1, velocity: v)
    }
    return (end.position * end.velocity).sum()
  },
  Program("scanInScan") { x in
    scan(count: 3, from: x) { outerCarry, i in
      scan(count: 2, from: outerCarry) { c, j in sin(c) + outerCarry * 0.3 + (i * j).converted(to: .float64) * 0.1 }
    }.sum()
  },
  Program("cond") { x in
    let y = cond(x[0] .> 0, then: { sin(x) * x }, else: { exp(x) })
    let z = cond(x[1] .> 0, then: { cos(y) }, else: { y * y * x })
    return (y * z).sum()
  },
  Program("switchInScan") { x in
    scan(count: 5, from: x) { c, i in switchCase(i % 3, [{ sin(c) }, { c * x }, { c + 0.5 }]) }.squared().sum()
  },
  Program("while", isReversible: false) { x in
    let end = whileLoop(from: [x, Tensor(0.0)], while: { $0[1] .< 5 }, do: { [tanh(matrix.matmul($0[0])) + x * 0.5, $0[1] + 1] })
    return end[0].squared().sum()
  },
  Program("whileOfValue", isReversible: false) { x in
    // Halved until small: the number of steps depends on the value, but not near the points of the test.
    whileLoop(from: x, while: { $0.squared().sum() .> 0.05 }, do: { sin($0) * 0.6 }).squared().sum()
  },
  Program("customJVP") { x in (exponential(x * 0.5) * x).sum() },
  Program("customVJP") { x in (cube(sin(x)) + cube(x) * 0.2).sum() },
  Program("checkpoint") { x in layer(layer(layer(x))).squared().sum() },
  Program("checkpointInScan") { x in scan(count: 3, from: x) { c, _ in layer(c) * 0.9 }.squared().sum() },
  Program("customInScan") { x in scan(over: x, from: x.mean()) { c, e in exponential(c * 0.3) + cube(e) * 0.1 } },
  Program("gather") { x in
    let picked = x[Tensor([Int32(2), 0, 2, 1])]
    return (picked * sin(picked)).scattered(Tensor([0.5]), at: Tensor([Int32(1)]), mode: .multiply).sum()
  },
  Program("sorted") { x in (x.sorted() * Tensor([1.0, -2, 3]) * x).sum() },
  Program("extremes") { x in maximum(sin(x), x * 0.2).sum() * x.max() - minimum(x, x.reversed(alongAxis: 0) + 0.1).product() },
  Program("convolution") { x in
    let image = outer(x, sin(x)).reshaped(to: [1, 3, 3, 1])
    let kernel = x.sliced(0..<2, alongAxis: 0).reshaped(to: [2, 1, 1, 1])
    return convolution(image, kernel, padding: .same).squared().sum() * 0.1
  },
  Program("einsum") { x in einsum("i,ij,j,k->k", x, matrix, cos(x), x).squared().sum() },
  Program("complex") { x in
    let z = exp(complex(x * 0.3, x.rolled(by: 1, alongAxis: 0)))
    return abs(z * z + complex(x, 1)).sum() + (z / complex(2, x)).imaginary.sum()
  },
  Program("complexCarries") { x in
    let z = complex(x * 0.5, x.rolled(by: 1, alongAxis: 0) * 0.3)
    let last = scan(count: 3, from: z) { w, _ in sin(w) * z + w.conjugate() * 0.2 }
    let chosen = cond(x[0] .> 0, then: { last * z }, else: { exp(last) })
    return abs(chosen).squared().sum() + (last / sqrt(z + 2)).real.sum()
  },
  Program("complexWhile", isReversible: false) { x in
    let start = complex(x, x * 0.5)
    let end = whileLoop(from: [start, Tensor(0.0)], while: { $0[1] .< 4 }, do: { [tanh($0[0] * 0.7) + start * 0.3, $0[1] + 1] })
    return (end[0] * end[0].conjugate()).real.sum()
  },
  Program("gradientInside") { x in gradient(of: { y in (sin(y) * y * x).sum() }, at: x * 0.5).squared().sum() },
  Program("mapInside") { x in vmap { (row: Tensor) in tanh(row * x).sum() }(matrix).squared().sum() },
]

/// Every program under every pair and triple of transforms.
@Suite("nested transforms", .device(.reference)) struct ProgramTests {
  private let x = Tensor([0.3, -0.5, 0.8])
  private let u = Tensor([0.7, 0.2, -0.4]), v = Tensor([-0.1, 0.9, 0.5]), w = Tensor([0.6, -0.3, 0.2])

  private func difference(_ f: @escaping @Sendable (Tensor) -> Tensor, along d: Tensor, at x: Tensor) -> Tensor {
    finiteDifference(of: { f($0[0]) }, at: [x], along: [d])
  }

  @Test("one deep", arguments: programs) func first(program: Program) {
    let f = program.f
    let expected = difference(f, along: u, at: x)
    let tolerance = Tolerance(relative: 1e-8, absolute: 1e-9)
    expectClose(jvp(f, at: x, along: u).tangent, expected, tolerance, "jvp")
    guard program.isReversible else { return }
    expectClose(gradient(of: f, at: x).dot(u), expected, tolerance, "gradient")
    let step = compiled { (x: Tensor) -> Tensor in gradient(of: f, at: x) }
    expectClose(step(x), gradient(of: f, at: x), Tolerance(relative: 1e-13, absolute: 1e-14), "compiled")
    let (value, map) = linearize(f, at: x)
    expectClose(value, f(x), Tolerance(relative: 1e-14), "value of linearize")
    expectClose(map(w), jvp(f, at: x, along: w).tangent, Tolerance(relative: 1e-12, absolute: 1e-12), "linearize")
  }

  /// Each order of the three directions by another mix of modes; D³f[u, v, w] is symmetric in them.
  @Test("three deep", arguments: programs) func third(program: Program) {
    let f = program.f
    let (u, v, w) = (u, v, w)
    let alongU: @Sendable (Tensor) -> Tensor = { jvp(f, at: $0, along: u).tangent }
    let alongUV: @Sendable (Tensor) -> Tensor = { jvp(alongU, at: $0, along: v).tangent }
    let second = difference(alongU, along: v, at: x)
    expectClose(alongUV(x), second, Tolerance(relative: 1e-7, absolute: 1e-8), "jvp jvp")
    let third = difference(alongUV, along: w, at: x)
    let tolerance = Tolerance(relative: 1e-6, absolute: 1e-7)
    expectClose(jvp(alongUV, at: x, along: w).tangent, third, tolerance, "jvp jvp jvp")
    guard program.isReversible else { return }
    let slope: @Sendable (Tensor) -> Tensor = { gradient(of: f, at: $0) }
    let slopeSlope: @Sendable (Tensor) -> Tensor = { gradient(of: { slope($0).dot(u) }, at: $0) }
    expectClose(slopeSlope(x).dot(v), second, Tolerance(relative: 1e-7, absolute: 1e-8), "gradient gradient")
    expectClose(gradient(of: { slopeSlope($0).dot(v) }, at: x).dot(w), third, tolerance, "gradient gradient gradient")
    expectClose(gradient(of: alongUV, at: x).dot(w), third, tolerance, "gradient jvp jvp")
    expectClose(jvp(slopeSlope, at: x, along: w).tangent.dot(v), third, tolerance, "jvp gradient gradient")
    let product: @Sendable (Tensor) -> Tensor = { hessianVectorProduct(of: f, at: $0, along: u) }
    expectClose(gradient(of: { product($0).dot(v) }, at: x).dot(w), third, tolerance, "gradient jvp gradient")
    expectClose(jvp(product, at: x, along: w).tangent.dot(v), third, tolerance, "jvp jvp gradient")
    let mixed: @Sendable (Tensor) -> Tensor = { gradient(of: alongU, at: $0) }
    expectClose(gradient(of: { mixed($0).dot(v) }, at: x).dot(w), third, tolerance, "gradient gradient jvp")
    expectClose(jvp(mixed, at: x, along: w).tangent.dot(v), third, tolerance, "jvp gradient jvp")
  }

  @Test("Hessians and Jacobians", arguments: programs.filter(\.isReversible)) func matrices(program: Program) {
    let f = program.f
    let slope: @Sendable (Tensor) -> Tensor = { gradient(of: f, at: $0) }
    let rows = (0..<3).map { i in difference(slope, along: oneHot(Tensor(Int32(i)), count: 3, as: .float64), at: x) }
    let expected = stacked(rows)
    let tolerance = Tolerance(relative: 1e-7, absolute: 1e-8)
    expectClose(hessian(f)(x), expected, tolerance, "hessian")
    expectClose(jacobianReverse(slope)(x), expected, tolerance, "reverse over reverse")
    expectClose(jacobianForward(slope)(x), expected, tolerance, "forward over reverse")
  }

  @Test("mapped", arguments: programs) func mapped(program: Program) {
    let f = program.f
    let xs = stacked([x, x + 0.21, x * -0.7, x.rolled(by: 1, alongAxis: 0)])
    let tolerance = Tolerance(relative: 1e-12, absolute: 1e-12)
    func loop(_ g: (Tensor) -> Tensor) -> Tensor { stacked((0..<4).map { g(xs[$0]) }) }
    expectClose(vmap(f)(xs), loop(f), tolerance, "vmap")
    let (u, v) = (u, v)
    let tangent: @Sendable (Tensor) -> Tensor = { jvp(f, at: $0, along: u).tangent }
    expectClose(vmap(tangent)(xs), loop(tangent), tolerance, "vmap jvp")
    expectClose(jvp({ vmap(f)($0) }, at: xs, along: u.broadcast(to: [4, 3])).tangent, loop(tangent), tolerance, "jvp vmap")
    let twice: @Sendable (Tensor) -> Tensor = { jvp(tangent, at: $0, along: v).tangent }
    expectClose(vmap(twice)(xs), loop(twice), tolerance, "vmap jvp jvp")
    // Two mapped axes, and a mapped axis that is not the first.
    let grid = stacked([xs, xs * 0.5])
    let both = vmap({ (row: Tensor) in vmap(f)(row) })(grid)
    expectClose(both, stacked([vmap(f)(xs), vmap(f)(xs * 0.5)]), tolerance, "vmap vmap")
    expectClose(vmap(f, over: 1)(xs.T), loop(f), tolerance, "vmap over the second axis")
    guard program.isReversible else { return }
    let slope: @Sendable (Tensor) -> Tensor = { gradient(of: f, at: $0) }
    expectClose(vmap(slope)(xs), loop(slope), tolerance, "vmap gradient")
    expectClose(gradient(of: { vmap(f)($0).sum() }, at: xs), loop(slope), tolerance, "gradient vmap")
    let product: @Sendable (Tensor) -> Tensor = { hessianVectorProduct(of: f, at: $0, along: u) }
    expectClose(vmap(product)(xs), loop(product), tolerance, "vmap jvp gradient")
    expectClose(jvp({ vmap(slope)($0) }, at: xs, along: u.broadcast(to: [4, 3])).tangent, loop(product), tolerance, "jvp vmap gradient")
    expectClose(
      gradient(of: { ys in (vmap(slope)(ys) * u).sum() }, at: xs), loop(product), tolerance, "gradient vmap gradient")
    let reverseTwice: @Sendable (Tensor) -> Tensor = { gradient(of: { slope($0).dot(u) }, at: $0) }
    expectClose(vmap(reverseTwice)(xs), loop(product), tolerance, "vmap gradient gradient")
  }

  /// The graphs that transforms make are programs.
  @Test("verified", arguments: programs) func verified(program: Program) throws {
    let f = program.f
    let u = u
    var functions: [@Sendable (Tensor) -> Tensor] = [f, { jvp(f, at: $0, along: u).tangent }, { vmap(f)(stacked([$0, $0 * 2])) }]
    if program.isReversible {
      functions.append { gradient(of: f, at: $0) }
      functions.append { hessian(f)($0) }
      functions.append { x in vmap { gradient(of: f, at: $0) }(stacked([x, x * 2])) }
    }
    for function in functions {
      let graph = try trace(function, like: x)
      #expect(throws: Never.self) { try graph.verify() }
      expectClose(graph([x])[0], function(x), Tolerance(relative: 1e-13, absolute: 1e-13))
    }
  }
}
