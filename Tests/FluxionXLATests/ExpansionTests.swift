import FluxionCore
import FluxionTestSupport
import Testing

@testable import FluxionXLA

/// Expansions are programs of other primitives: the reference interpreter runs them beside the primitives they stand for.
@Suite("Expansions of what StableHLO lacks")
struct ExpansionTests {
  private static let realFunctions: [Unary] = [
    .tan, .asin, .acos, .sinh, .cosh, .asinh, .acosh, .atanh, .erf, .erfc, .erfInverse, .logGamma, .digamma, .trigamma,
  ]
  private static let complexFunctions: [Unary] = [
    .abs, .sign, .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .cbrt, .reciprocal, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh, .asinh,
    .acosh, .atanh, .logistic,
  ]

  private func run(_ operation: Operation, _ x: [Tensor]) -> (expanded: [Tensor], primitive: [Tensor]) {
    Device.reference.active { (operation.expansion(x.map(\.type))(x), apply(operation, x)) }
  }

  @Test("functions of real numbers", arguments: realFunctions)
  func real(_ f: Unary) {
    let x = Tensor(
      [-170.3, -33.2, -7.75, -3.0, -2.5, -1.25, -1, -0.999, -0.75, -0.3, -1e-3, -1e-9, 0, 1e-12, 1e-5, 0.02, 0.1, 0.49, 0.51, 0.9, 0.99999, 1, 1.001,
        1.46, 1.9, 2, 2.001, 2.6, 3.5, 5.9, 9.99, 12.5, 25, 31, 80, 300, 5e3, 1e9, 1e30, -.infinity, .infinity, .nan])
    for type in [ElementType.float64, .float32] {
      let (expanded, primitive) = run(.unary(f), [x.converted(to: type)])
      // Functions that reach 0 elsewhere than at 0 cancel there: some units of what they are made of. tan has poles.
      let near = type == .float64 ? Tolerance(epsilons: 64, relative: 2e-13) : Tolerance(ulps: f == .tan ? 64 : 8, epsilons: 4)
      expectClose(expanded[0], primitive[0], near, "\(f) of \(type)")
    }
  }

  @Test("functions of complex numbers, at infinity too", arguments: complexFunctions)
  func complex(_ f: Unary) {
    for special in SpecialValues.all where special.operation == .unary(f) && special.elementType == .complex128 {
      let (expanded, primitive) = run(special.operation, special.arguments)
      expectClose(expanded[0], primitive[0], Tolerance(relative: 1e-13, absolute: 1e-13), "\(f)")
    }
  }

  @Test("whole powers, next numbers and complex quotients at the ends of the types")
  func binary() {
    for special in SpecialValues.all {
      guard case let .binary(f) = special.operation, f == .nextAfter || f == .power && special.elementType.isInteger else { continue }
      let (expanded, primitive) = run(special.operation, special.arguments)
      expectClose(expanded[0], primitive[0], .exact, "\(f) of \(special.elementType)")
    }
    for f in [Binary.divide, .power] {
      // e^(b log a) with b = 10²⁰⁰ (1 + i) turns by an angle of which no digit is known, and with it the sign of its infinity.
      let parts: [Double] = [0, -0.0, 1, -2.5, 3, .infinity, .nan] + (f == .divide ? [1e200] : [])
      let z = FluxionCore.complex(Tensor(parts.flatMap { x in parts.map { _ in x } }), Tensor(parts.flatMap { _ in parts }))
      let n = z.elementCount
      let pair = [z.expanded(at: 1).broadcast(to: [n, n]), z.expanded(at: 0).broadcast(to: [n, n])]
      let (expanded, primitive) = run(.binary(f), pair)
      expectClose(expanded[0], primitive[0], Tolerance(relative: 1e-12), "\(f)")
    }
  }

  @Test("random words and running reductions")
  func words() {
    let key = Tensor([UInt32(7), .max, 1, 2], shape: [2, 2])
    // The counter passes into its upper word.
    let (expanded, primitive) = run(.threefry([2, 5]), [key, Tensor([UInt32.max - 3, 0])])
    for (a, e) in zip(expanded, primitive) { expectClose(a, e, .exact) }
    let x = Tensor([3, .nan, 1, 2, -1, 5, 0.5, 4, 2, 7.0], shape: [2, 5])
    for reduction in [Reduction.sum, .product, .minimum, .maximum] {
      for reverse in [false, true] {
        let (expanded, primitive) = run(.cumulate(reduction, axis: 1, reverse: reverse), [x])
        expectClose(expanded[0], primitive[0], .ulps(4), "\(reduction)")
      }
    }
  }

  // MARK: - Factorisations, by what makes them such

  private static let shapes: [Shape] = [[1, 1], [4, 4], [2, 5, 3], [3, 6], [7, 7]]

  private func matrices(_ shape: Shape, _ type: ElementType) -> Tensor {
    var arrays = TestArrays(seed: 5)
    return arrays.tensor(shape, .range(-1, 1), as: type)
  }

  private func expectOrthonormal(_ q: Tensor, _ comment: String) {
    expectClose(q.adjoint.matmul(q), eye(q.shape[q.rank - 1], as: q.elementType).broadcast(to: q.adjoint.matmul(q).shape), Tolerance(absolute: 1e-13), comment)
  }

  @Test("factors give the matrix again", arguments: shapes, [ElementType.float64, .complex128])
  func factors(_ shape: Shape, _ type: ElementType) {
    Device.reference.active {
      let a = matrices(shape, type)
      let (m, n) = (shape[shape.rank - 2], shape[shape.rank - 1])
      let k = Swift.min(m, n)
      let near = Tolerance(absolute: 1e-13)

      let lu = run(.linearAlgebra(.lu), [a])
      for (x, y) in zip(lu.expanded, lu.primitive) { expectClose(x, y, near, "LU of \(shape)") }
      for isFull in [false, true] {
        let qr = run(.linearAlgebra(.qr(full: isFull)), [a]).expanded
        expectClose(qr[0].matmul(qr[1]), a, near, "QR of \(shape)")
        expectOrthonormal(qr[0], "Q of \(shape)")
        let svd = run(.linearAlgebra(.svd(full: isFull)), [a])
        expectClose(svd.expanded[1], svd.primitive[1], near, "singular values of \(shape)")
        let u = svd.expanded[0].sliced(0..<k, alongAxis: -1), v = svd.expanded[2].sliced(0..<k, alongAxis: -2)
        expectClose((u * svd.expanded[1].expanded(at: -2).converted(to: type)).matmul(v), a, near, "SVD of \(shape)")
        expectOrthonormal(svd.expanded[0], "U of \(shape)")
        expectOrthonormal(svd.expanded[2].adjoint, "V of \(shape)")
      }
      guard m == n else { return }
      let hermitian = a + a.adjoint
      let eigh = run(.linearAlgebra(.eigh), [hermitian])
      expectClose(eigh.expanded[0], eigh.primitive[0], near, "eigenvalues of \(shape)")
      expectOrthonormal(eigh.expanded[1], "eigenvectors of \(shape)")
      expectClose(hermitian.matmul(eigh.expanded[1]), eigh.expanded[1] * eigh.expanded[0].expanded(at: -2).converted(to: type), near)

      let eig = run(.linearAlgebra(.eig), [a]).expanded
      let complexType = eig[0].elementType
      expectClose(a.converted(to: complexType).matmul(eig[1]), eig[1] * eig[0].expanded(at: -2), Tolerance(absolute: 1e-12), "eigenvectors of \(shape)")
      expectClose(eig[0].sum(), a.trace().sum().converted(to: complexType), Tolerance(absolute: 1e-12), "trace of \(shape)")
      if type.isComplex {
        let schur = run(.linearAlgebra(.schur), [a]).expanded
        expectOrthonormal(schur[1], "Schur vectors of \(shape)")
        expectClose(schur[1].matmul(schur[0]).matmul(schur[1].adjoint), a, Tolerance(absolute: 1e-12), "Schur form of \(shape)")
      }
    }
  }

  @Test("a matrix that is not finite, or has no full rank, spoils no other")
  func hardMatrices() {
    Device.reference.active {
      let good = matrices([3, 3], .float64)
      let bad = Tensor([1, .nan, 2, 0, 1, 0, 3, 1, 1.0], shape: [3, 3])
      let flat = Tensor([1, 2, 3, 2, 4, 6, 0, 0, 0.0], shape: [3, 3])
      let all = stacked([good, bad, flat])
      for operation in [LinearAlgebra.lu, .qr(full: true), .svd(full: true), .eigh, .eig] {
        let results = run(.linearAlgebra(operation), [all]).expanded
        let alone = run(.linearAlgebra(operation), [good]).expanded
        for (together, single) in zip(results, alone) {
          expectClose(together[0], single, Tolerance(absolute: 1e-14), "\(operation.name)")
          if together.elementType.isDifferentiable {
            #expect(isNaN(together[1]).all().item() == 1, "\(operation.name) of a matrix that is not finite")
            #expect(isFinite(together[2]).all().item() == 1, "\(operation.name) of a matrix without full rank")
          }
        }
        if case .svd = operation { expectOrthonormal(results[0][2], "U of a matrix of rank 1") }
      }
    }
  }
}
