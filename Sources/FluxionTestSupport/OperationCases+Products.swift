internal import FluxionCore

private let productTolerance = Tolerance(ulps: 4, epsilons: 256)

extension OperationCase {
  static let productCases: [OperationCase] = [
    OperationCase(
      "dot", [.init(.vector, [7], [7]), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.large, [1009], [1009])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in x[0].dot(x[1]) }, expected: { x in PlainArray(zip(x[0].values, x[1].values).reduce(0) { $0 + $1.0 * $1.1 }) }),
    OperationCase(
      "dotGeneral",
      [
        .init(.tensor, [2, 4, 3, 5], [5, 2, 6, 4]), .init(.one, [1, 1, 1, 1], [1, 1, 1, 1]), .init(.empty, [2, 0, 3, 5], [5, 2, 6, 0]),
        .init(.large, [3, 4, 17, 5], [5, 3, 13, 4]),
      ], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in x[0].dot(x[1], DotDimensions(lhsBatch: [0], rhsBatch: [1], lhsContracting: [3, 1], rhsContracting: [0, 3])) },
      expected: { x in
        PlainArray([x[0].shape[0], x[0].shape[2], x[1].shape[2]]) { i in
          PlainArray.indices(of: [x[0].shape[1], x[0].shape[3]]).reduce(0) { $0 + x[0][i[0], $1[0], i[1], $1[1]] * x[1][$1[1], i[0], i[2], $1[0]] }
        }
      }),
    OperationCase(
      "matmul",
      [
        .init(.matrix, [3, 4], [4, 2]), .init(.empty, [3, 0], [0, 2]), .init(.empty, [0, 4], [4, 2]), .init(.one, [1, 1], [1, 1]),
        .init(.large, [37, 29], [29, 31]),
      ], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), elementTypes: reals, tolerance: productTolerance, { x in x[0].matmul(x[1]) },
      expected: { x in
        PlainArray([x[0].shape[0], x[1].shape[1]]) { i in
          (0..<x[0].shape[1]).reduce(0) { $0 + x[0][i[0], $1] * x[1][$1, i[1]] }
        }
      }),
    OperationCase(
      "matmulInteger",
      [
        .init(.matrix, [3, 4], [4, 2]), .init(.empty, [3, 0], [0, 2]), .init(.one, [1, 1], [1, 1]), .init(.large, [37, 29], [29, 31]),
      ], [.integers(-9, 9), .integers(-9, 9)], elementTypes: integers,
      isDifferentiable: false, { x in x[0].matmul(x[1]) },
      expected: { x in PlainArray([x[0].shape[0], x[1].shape[1]]) { i in (0..<x[0].shape[1]).reduce(0) { $0 + x[0][i[0], $1] * x[1][$1, i[1]] } } }),
    OperationCase(
      "matmulBatched",
      [.init(.broadcast, [2, 1, 3, 4], [5, 4, 2]), .init(.empty, [2, 1, 3, 4], [0, 4, 2]), .init(.one, [1, 1, 1, 1], [1, 1, 1]), .init(.large, [2, 1, 13, 4], [5, 4, 17])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in x[0].matmul(x[1]) },
      expected: { x in
        PlainArray([x[0].shape[0], x[1].shape[0], x[0].shape[2], x[1].shape[2]]) { i in (0..<x[0].shape[3]).reduce(0) { $0 + x[0][i[0], 0, i[2], $1] * x[1][i[1], $1, i[3]] } }
      }),
    OperationCase(
      "matmulVectorLeft", [.init(.broadcast, [4], [5, 4, 2]), .init(.empty, [4], [0, 4, 2]), .init(.one, [1], [1, 1, 1]), .init(.large, [4], [31, 4, 17])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in x[0].matmul(x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[1].shape[2]]) { i in (0..<x[0].shape[0]).reduce(0) { $0 + x[0][$1] * x[1][i[0], $1, i[1]] } } }),
    OperationCase(
      "matmulVectorRight", [.init(.broadcast, [5, 3, 4], [4]), .init(.empty, [5, 0, 4], [4]), .init(.one, [1, 1, 1], [1]), .init(.large, [31, 17, 4], [4])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in x[0].matmul(x[1]) },
      expected: { x in PlainArray([x[0].shape[0], x[0].shape[1]]) { i in (0..<x[1].shape[0]).reduce(0) { $0 + x[0][i[0], i[1], $1] * x[1][$1] } } }),
    OperationCase(
      "outer", [.init(.vector, [3], [4]), .init(.empty, [0], [4]), .init(.one, [1], [1]), .init(.large, [31], [1009])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: .ulps(1), { x in outer(x[0], x[1]) },
      expected: { x in PlainArray([x[0].shape[0], x[1].shape[0]]) { i in x[0][i[0]] * x[1][i[1]] } }),
    OperationCase(
      "einsumBilinear",
      [
        .init(.tensor, [2, 3], [3, 4, 3], [2, 4]), .init(.empty, [0, 3], [3, 4, 3], [0, 4]), .init(.one, [1, 1], [1, 1, 1], [1, 1]),
        .init(.large, [7, 11], [11, 9, 11], [7, 9]),
      ], [.range(-2, 2), .range(-2, 2), .range(-2, 2)], complex: .multilinear(),
      tolerance: productTolerance, { x in einsum("bi,ioi,bo->b", x[0], x[1], x[2]) },
      expected: { x in
        PlainArray([x[0].shape[0]]) { b in
          PlainArray.indices(of: [x[1].shape[0], x[1].shape[1]]).reduce(0) { $0 + x[0][b[0], $1[0]] * x[1][$1[0], $1[1], $1[0]] * x[2][b[0], $1[1]] }
        }
      }),
    OperationCase(
      "einsumImplicit",
      [.init(.matrix, [3, 2], [4, 3]), .init(.empty, [0, 2], [4, 0]), .init(.one, [1, 1], [1, 1]), .init(.large, [29, 37], [31, 29])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in einsum("kb,ak", x[0], x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[0].shape[1]]) { i in (0..<x[0].shape[0]).reduce(0) { $0 + x[1][i[0], $1] * x[0][$1, i[1]] } } }),
    OperationCase(
      "einsumTrace", [.init(.matrix, [3, 3]), .init(.empty, [0, 0]), .init(.one, [1, 1]), .init(.large, [33, 33])], [.range(-2, 2)], complex: .multilinear(), tolerance: productTolerance, { x in einsum("ii->", x[0]) },
      expected: { x in PlainArray((0..<x[0].shape[0]).reduce(0) { $0 + x[0][$1, $1] }) }),
    OperationCase(
      "einsumOuterTransposed",
      [.init(.matrix, [2, 3], [4]), .init(.empty, [2, 0], [4]), .init(.one, [1, 1], [1]), .init(.large, [7, 11], [17])], [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: productTolerance,
      { x in einsum("ij,k->kji", x[0], x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[0].shape[1], x[0].shape[0]]) { i in x[0][i[2], i[1]] * x[1][i[0]] } }),
  ]
}
