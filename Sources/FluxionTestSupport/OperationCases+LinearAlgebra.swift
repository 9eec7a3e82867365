internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

// Factors that are determined up to phases or bases are compared through functions that do not depend on the choice.

private let square: [OperationCase.Sample] = [
  .init(.one, [1, 1]), .init(.matrix, [3, 3]), .init(.tensor, [2, 4, 4]), .init(.matrix, [10, 10]), .init(.empty, [0, 3, 3]), .init(.large, [120, 3, 3]),
]
private let tall: [OperationCase.Sample] = [
  .init(.one, [1, 1]), .init(.matrix, [3, 3]), .init(.nonSquare, [5, 3]), .init(.tensor, [2, 4, 2]), .init(.nonSquare, [11, 9]), .init(.empty, [0, 4, 2]),
  .init(.large, [90, 4, 3]),
]
private let anyShape: [OperationCase.Sample] = tall + [.init(.nonSquare, [3, 5]), .init(.nonSquare, [9, 11])]
private let withRight: [OperationCase.Sample] = [
  .init(.one, [1, 1], [1, 1]), .init(.matrix, [3, 3], [3, 2]), .init(.tensor, [2, 4, 4], [2, 4, 1]), .init(.matrix, [10, 10], [10, 3]),
  .init(.empty, [0, 3, 3], [0, 3, 2]), .init(.large, [120, 3, 3], [120, 3, 2]),
]
private let fewWithRight: [OperationCase.Sample] = [
  .init(.one, [1, 1], [1, 1]), .init(.matrix, [3, 3], [3, 2]), .init(.tensor, [2, 4, 4], [2, 4, 1]), .init(.empty, [0, 3, 3], [0, 3, 2]),
  .init(.large, [250, 2, 2], [250, 2, 1]),
]

private let few: [OperationCase.Sample] = [
  .init(.one, [1, 1]), .init(.matrix, [3, 3]), .init(.tensor, [2, 2, 2]), .init(.empty, [0, 2, 2]), .init(.large, [250, 2, 2]),
]
/// Cubes of matrices whose norm comes near ten: a thousand times what rounding does to numbers of order one, and a few of them.
private let cubed = 16384.0

/// What rounding does to well-conditioned matrices of up to ten rows.
private func rounding(_ epsilons: Double) -> Tolerance { Tolerance(ulps: 8, epsilons: epsilons) }

/// Well away from singular: the identity, and a little of the operand.
private func nearIdentity(_ x: Tensor) -> Tensor { x * 0.3 + eye(x.shape[x.rank - 1], as: x.elementType) * 2 }
private func nearIdentity(_ a: PlainMatrix) -> PlainMatrix { a * 0.3 + PlainMatrix.identity(a.rows) * 2 }
/// A Aᴴ + 1.
private func positive(_ x: Tensor) -> Tensor { x.matmul(x.adjoint) + eye(x.shape[x.rank - 1], as: x.elementType) }
private func positive(_ a: PlainMatrix) -> PlainMatrix { a * a.transposed + PlainMatrix.identity(a.rows) }
private func symmetric(_ x: Tensor) -> Tensor { x + x.adjoint }
private func symmetric(_ a: PlainMatrix) -> PlainMatrix { a + a.transposed }

private func matrixRow(
  _ name: String, on samples: [OperationCase.Sample] = square, within epsilons: Double = 256,
  exceptions: [OperationCase.Exception] = [], complex: ComplexExpectation? = nil,
  _ f: @escaping @Sendable (Tensor) -> Tensor, _ formula: @escaping @Sendable (PlainMatrix) -> PlainMatrix
) -> OperationCase {
  OperationCase(
    name, samples, [.range(-1, 1)], complex: complex, tolerance: rounding(epsilons), exceptions: exceptions, { x in f(x[0]) },
    expected: { x in x[0].mapMatrices(formula) })
}

/// A row whose formula is the same for complex matrices: sums, products, inverses and adjoints of what `prepared`, affine, makes of them.
private func algebraicRow(
  _ name: String, on samples: [OperationCase.Sample] = square, within epsilons: Double = 256, exceptions: [OperationCase.Exception] = [],
  after prepared: @escaping @Sendable (PlainMatrix) -> PlainMatrix = { $0 },
  _ f: @escaping @Sendable (Tensor) -> Tensor, _ formula: @escaping @Sendable (PlainMatrix) -> PlainMatrix
) -> OperationCase {
  matrixRow(
    name, on: samples, within: epsilons, exceptions: exceptions, complex: .matrices(after: prepared) { formula($0[0]) }, f,
    { formula(prepared($0)) })
}

private func numberRow(
  _ name: String, on samples: [OperationCase.Sample] = square, within epsilons: Double = 256,
  complex: (@Sendable (PlainComplexMatrix) -> PlainComplex)? = nil, result: OperationCase.ResultType = .same,
  _ f: @escaping @Sendable (Tensor) -> Tensor, _ formula: @escaping @Sendable (PlainMatrix) -> Double
) -> OperationCase {
  OperationCase(
    name, samples, [.range(-1, 1)],
    complex: complex.map { formula in
      .formula { x in [PlainArray(Array(x[0].shape.dropLast(2)), zip(x[0].real.matrices, x[0].imaginaryPart.matrices).map { formula(PlainComplexMatrix($0, $1)) })] }
    }, resultType: result, tolerance: rounding(epsilons), { x in f(x[0]) }, expected: { x in x[0].numbers(formula) })
}

private func solveRow(
  _ name: String, on samples: [OperationCase.Sample] = withRight, within epsilons: Double = 512,
  exceptions: [OperationCase.Exception] = [], after prepared: @escaping @Sendable (PlainMatrix) -> PlainMatrix = { $0 },
  _ f: @escaping @Sendable (Tensor, Tensor) -> Tensor, _ formula: @escaping @Sendable (PlainMatrix, PlainMatrix) -> PlainMatrix
) -> OperationCase {
  OperationCase(
    name, samples, [.range(-1, 1), .range(-1, 1)], complex: .matrices(after: prepared) { formula($0[0], $0[1]) }, tolerance: rounding(epsilons), exceptions: exceptions, { x in f(x[0], x[1]) },
    expected: { x in
      let pairs = zip(x[0].matrices, x[1].matrices).flatMap { formula(prepared($0), $1).values }
      return PlainArray(x[1].shape, pairs)
    })
}

extension OperationCase {
  static let linearAlgebraCases: [OperationCase] = [
    matrixRow("cholesky", complex: .complexMatrices { ($0 * $0.adjoint).cholesky(adding: 1) }, { cholesky(positive($0)) }, { positive($0).cholesky }),
    matrixRow("qr.q", on: tall, within: 1024, complex: .complexMatrices { moved($0).gramSchmidt }, { qr(moved($0)).q }, { moved($0).gramSchmidt }),
    matrixRow("qr.r", on: tall, within: 1024, complex: .complexMatrices { moved($0).gramSchmidt.adjoint * moved($0) }, { qr(moved($0)).r }, {
      moved($0).gramSchmidt.transposed * moved($0)
    }),
    matrixRow("qr.product", on: anyShape, within: 512, complex: .linear, { let f = qr(moved($0)); return f.q.matmul(f.r) }, { moved($0) }),
    matrixRow("qr.full", on: tall, within: 512, complex: .linear, { let f = qr(moved($0), full: true); return f.q.matmul(f.r) }, { moved($0) }),
    matrixRow(
      "lu", on: anyShape, within: 256, complex: .linear,
      { x in
        let f = lu(moved(x))
        let places = f.permutation.argsort(alongAxis: -1)
        let product = f.l.matmul(f.u)
        return product.gatheredAlong(product.rank - 2, places.expanded(at: places.rank).broadcast(to: product.shape))
      }, { moved($0) }),
    algebraicRow(
      "eigh", on: square, within: 4096,
      { x in
        let (values, vectors) = eigh(symmetric(x))
        return (vectors * (values * values.squared()).expanded(at: values.rank - 1)).matmul(vectors.adjoint)
      }, { let s = symmetric($0); return s * s * s }),
    numberRow("eigh.values", on: square, within: 2048, complex: { a in
      let s = a + a.adjoint
      return (s * s * s).trace
    }, result: .realPart, { let v = eigh(symmetric($0)).values; return (v * v.squared()).sum(alongAxis: -1) }, { a in
      let s = symmetric(a)
      let cube = s * s * s
      return (0..<a.rows).reduce(0) { $0 + cube[$1, $1] }
    }),
    algebraicRow(
      "svd", on: anyShape, within: cubed, after: moved,
      { x in
        let f = svd(moved(x))
        return (f.u * (f.s * f.s.squared()).expanded(at: f.s.rank - 1)).matmul(f.vAdjoint)
      }, { a in a * a.transposed * a }),
    algebraicRow(
      "svd.full", on: tall, within: cubed, after: moved,
      { x in
        let f = svd(moved(x), full: true)
        let k = f.s.shape[f.s.rank - 1]
        let cubes = (f.s * f.s.squared()).expanded(at: f.s.rank - 1)
        return (f.u.sliced(0..<k, alongAxis: -1) * cubes).matmul(f.vAdjoint.sliced(0..<k, alongAxis: -2))
      }, { a in a * a.transposed * a }),
    numberRow("singularValues", on: anyShape, within: 1024, complex: { squares(moved($0)) }, result: .realPart, { singularValues(moved($0)).squared().sum(alongAxis: -1) }, { a in
      moved(a).values.reduce(0) { $0 + $1 * $1 }
    }),
    algebraicRow(
      "eigen", on: square, within: cubed, after: spread,
      { x in
        let (values, vectors) = eigen(spread(x))
        let cubes = (vectors * (values * values.squared()).expanded(at: values.rank - 1)).matmul(inverse(vectors))
        return x.elementType.isComplex ? cubes : cubes.real
      }, { a in a * a * a }),
    solveRow("solve", { solve(nearIdentity($0), $1) }, { nearIdentity($0).inverse * $1 }),
    solveRow("solvePositiveDefinite", within: 4096, { solvePositiveDefinite(positive($0), $1) }, { positive($0).inverse * $1 }),
    solveRow("solveTriangular", after: lowerPart, { solveTriangular(nearIdentity($0), $1) }, { a, b in a.inverse * b }),
    solveRow("solveTriangular.upper", after: upperPart, { solveTriangular(nearIdentity($0), $1, isLower: false, form: .adjoint) }, { a, b in
      a.transposed.inverse * b
    }),
    solveRow("solveTriangular.unit", after: unitPart, { solveTriangular($0 * 0.3, $1, isUnit: true, form: .adjoint) }, { a, b in
      a.transposed.inverse * b
    }),
    solveRow("solveTriangular.transpose", after: { lowerPart($0).transposed }, { solveTriangular(nearIdentity($0), $1, form: .transpose) }, { a, b in
      a.inverse * b
    }),
    solveRow("leastSquares", on: fewWithRight, { leastSquares(nearIdentity($0), $1) }, { nearIdentity($0).inverse * $1 }),
    algebraicRow("inverse", { inverse(nearIdentity($0)) }, { nearIdentity($0).inverse }),
    algebraicRow("pseudoInverse", on: tall, within: 2048, after: moved, { pseudoInverse(moved($0)) }, { a in (a.transposed * a).inverse * a.transposed }),
    numberRow("determinant", on: smallSquare, within: 512, complex: { $0.determinant }, { determinant($0) }, { $0.determinant }),
    numberRow("logDeterminant", on: smallSquare, within: 256, complex: { a in
      let near = PlainComplexMatrix(a.rows.indices.map { i in a.rows[i].indices.map { j in a.rows[i][j] * 0.3 + (i == j ? 2 : 0) } })
      return PlainComplex(near.determinant.log.re)
    }, result: .realPart, { logDeterminant(nearIdentity($0)).logarithm }, { log(abs(nearIdentity($0).determinant)) }),
    algebraicRow("matrixExponential", on: square, within: 2048, { matrixExponential($0 * 0.5) }, { a in
      // The series at a 2⁻⁶th, squared six times.
      var factorial = 1.0
      var result = (a * (0.5 / 64)).series(16) { k in
        factorial *= k == 0 ? 1 : Double(k)
        return 1 / factorial
      }
      for _ in 0..<6 { result = result * result }
      return result
    }),
    algebraicRow("matrixSquareRoot", on: few, within: 1024, { matrixSquareRoot(near($0)) }, { near($0).root }),
    algebraicRow("matrixLogarithm", on: few, within: 4096, { matrixLogarithm(near($0)) }, { a in
      // log(1 + X) from a root near 1: X of the size of 0.1.
      var root = near(a)
      for _ in 0..<4 { root = root.root }
      let x = root + PlainMatrix.identity(a.rows) * -1
      return x.series(40) { k in k == 0 ? 0 : (k % 2 == 1 ? 1.0 : -1.0) / Double(k) } * 16
    }),
    algebraicRow("matrixPower", on: square, within: 512, { matrixPower($0, 5) }, { a in let s = a * a; return s * s * a }),
    algebraicRow("matrixPower.negative", on: square, within: 512, { matrixPower(nearIdentity($0), -2) }, { let b = nearIdentity($0).inverse; return b * b }),
    numberRow("matrixNorm.one", on: anyShape, within: 16, complex: { largestRowSum($0.adjoint) }, result: .realPart, { (($0 + 3) * weights(of: $0)).matrixNorm(.one) }, { a in
      (0..<a.columns).map { j in (0..<a.rows).reduce(0) { $0 + (a[$1, j] + 3) * Double(1 << (2 * j)) } }.max() ?? 0
    }),
    numberRow("matrixNorm.infinity", on: anyShape, within: 16, complex: largestRowSum, result: .realPart, { (($0 + 3) * weights(of: $0.matrixTransposed).matrixTransposed).matrixNorm(.infinity) }, { a in
      (0..<a.rows).map { i in (0..<a.columns).reduce(0) { $0 + (a[i, $1] + 3) * Double(1 << (2 * i)) } }.max() ?? 0
    }),
    numberRow("matrixNorm.frobenius", on: anyShape, within: 16, complex: { PlainComplex(($0 * $0.adjoint).trace.re.squareRoot()) }, result: .realPart, { $0.matrixNorm() }, { a in a.values.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
    numberRow("matrixNorm.nuclear", on: smallSquare, within: 1024, complex: { a in (a * a.adjoint).trace + Double(a.rows.count) }, result: .realPart, { positive($0).matrixNorm(.nuclear) }, { a in
      // Of a positive definite matrix it is the trace.
      (0..<a.rows).reduce(0) { $0 + positive(a)[$1, $1] }
    }),
    OperationCase(
      "vectorNorm", [.init(.vector, [7]), .init(.matrix, [3, 4]), .init(.one, [1]), .init(.empty, [0, 3]), .init(.large, [40, 30])],
      [.awayFromZero(0.2, 2)],
      complex: .formula { x in
        [x[0].complexReduced([x[0].shape.count - 1]) { v in PlainComplex(cbrt(v.reduce(0) { $0 + $1.size * $1.size * $1.size })) }]
      }, resultType: .realPart, tolerance: rounding(16), { x in x[0].vectorNorm(order: 3) },
      expected: { x in x[0].reduced([x[0].shape.count - 1]) { v in cbrt(v.reduce(0) { $0 + abs($1 * $1 * $1) }) } }),
    OperationCase(
      "cross", [.init(.vector, [3], [3]), .init(.broadcast, [2, 1, 3], [4, 3]), .init(.empty, [0, 3], [0, 3]), .init(.large, [350, 3], [350, 3])],
      [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: rounding(8),
      exceptions: [OperationCase.Exception("vectors of three coordinates have more than one element", shapeClasses: [.one])],
      { x in cross(x[0], x[1]) },
      expected: { x in
        let shape = PlainArray.elementwise(x) { $0[0] + $0[1] }.shape
        func at(_ a: PlainArray, _ index: [Int], _ k: Int) -> Double {
          let own = Array(index.suffix(a.shape.count).dropLast()) + [k]
          return a[zip(own, a.shape).map { $1 == 1 ? 0 : $0 }]
        }
        return PlainArray(shape) { i in
          let k = i[i.count - 1]
          let (p, q) = ((k + 1) % 3, (k + 2) % 3)
          return at(x[0], i, p) * at(x[1], i, q) - at(x[0], i, q) * at(x[1], i, p)
        }
      }),
    OperationCase(
      "kronecker", [.init(.matrix, [2, 3], [3, 2]), .init(.one, [1, 1], [1, 1]), .init(.empty, [0, 2], [2, 2]), .init(.large, [6, 6], [6, 6])],
      [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: .ulps(1), { x in kronecker(x[0], x[1]) },
      expected: { x in
        let (p, q) = (x[1].shape[0], x[1].shape[1])
        return PlainArray([x[0].shape[0] * p, x[0].shape[1] * q]) { i in x[0][i[0] / p, i[1] / q] * x[1][i[0] % p, i[1] % q] }
      }),
  ]
}

/// The triangles of a matrix near the identity, and one with ones on the diagonal.
private func lowerPart(_ a: PlainMatrix) -> PlainMatrix { PlainMatrix(a.rows, a.rows) { $0 >= $1 ? nearIdentity(a)[$0, $1] : 0 } }
private func upperPart(_ a: PlainMatrix) -> PlainMatrix { PlainMatrix(a.rows, a.rows) { $0 <= $1 ? nearIdentity(a)[$0, $1] : 0 } }
private func unitPart(_ a: PlainMatrix) -> PlainMatrix { PlainMatrix(a.rows, a.rows) { $0 > $1 ? 0.3 * a[$0, $1] : $0 == $1 ? 1 : 0 } }

private let smallSquare: [OperationCase.Sample] = [
  .init(.one, [1, 1]), .init(.matrix, [2, 2]), .init(.matrix, [3, 3]), .init(.tensor, [2, 5, 5]), .init(.empty, [0, 4, 4]), .init(.large, [120, 3, 3]),
]

/// Weights of columns so far apart that no two sums come near each other.
private func weights(of x: Tensor) -> Tensor {
  let powers = (0..<x.shape[x.rank - 1]).map { Double(1 << (2 * $0)) }
  return Tensor(powers, shape: [1, powers.count]).converted(to: x.elementType)
}

/// Columns that are far from dependent: ones on the diagonal.
private func moved(_ x: Tensor) -> Tensor {
  let square: Shape = [x.shape[x.rank - 2], x.shape[x.rank - 1]]
  let diagonal = (iota(square, alongAxis: 0) .== iota(square, alongAxis: 1)).converted(to: x.elementType)
  let weights = arange(square[1], as: x.elementType) * 0.5 + 2
  return x * 0.4 + diagonal * weights
}
private func moved(_ a: PlainMatrix) -> PlainMatrix { PlainMatrix(a.rows, a.columns) { i, j in 0.4 * a[i, j] + (i == j ? 2 + 0.5 * Double(j) : 0) } }
private func moved(_ a: PlainComplexMatrix) -> PlainComplexMatrix {
  PlainComplexMatrix(a.rows.indices.map { i in a.rows[i].indices.map { j in a.rows[i][j] * 0.4 + (i == j ? 2 + 0.5 * Double(j) : 0) } })
}

/// The largest of 4ⁱ Σ |aᵢⱼ + 3| over j.
@Sendable private func largestRowSum(_ a: PlainComplexMatrix) -> PlainComplex {
  let sums = a.rows.enumerated().map { i, row in row.reduce(0.0) { $0 + ($1 + 3).size } * Double(1 << (2 * i)) }
  return PlainComplex(sums.max() ?? 0)
}

/// Σ |aᵢⱼ|².
private func squares(_ a: PlainComplexMatrix) -> PlainComplex { (a * a.adjoint).trace }

/// Distinct eigenvalues about a unit apart.
private func spread(_ x: Tensor) -> Tensor { x * 0.2 + (arange(x.shape[x.rank - 1], as: x.elementType) + 1).diagonalMatrix() }
private func spread(_ a: PlainMatrix) -> PlainMatrix { PlainMatrix(a.rows, a.rows) { i, j in 0.2 * a[i, j] + (i == j ? Double(i + 1) : 0) } }

/// Eigenvalues in the right half plane.
private func near(_ x: Tensor) -> Tensor { x * 0.2 + eye(x.shape[x.rank - 1], as: x.elementType) * 1.5 }
private func near(_ a: PlainMatrix) -> PlainMatrix { a * 0.2 + PlainMatrix.identity(a.rows) * 1.5 }

extension PlainMatrix {
  /// The principal root by the coupled iteration Y ← (Y + Z⁻¹)/2, Z ← (Z + Y⁻¹)/2.
  ///
  /// > E. D. Denman, A. N. Beavers. "The matrix sign function and computations in systems." *Appl. Math. Comput.* 2(1), 1976.
  fileprivate var root: PlainMatrix {
    var (y, z) = (self, PlainMatrix.identity(rows))
    for _ in 0..<12 { (y, z) = ((y + z.inverse) * 0.5, (z + y.inverse) * 0.5) }
    return y
  }
}
