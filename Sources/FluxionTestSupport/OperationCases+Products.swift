internal import FluxionCore

private let productTolerance = Tolerance(ulps: 4, epsilons: 256)
private let window = OperationCase.Exception("its row names a fixed window", shapeClasses: [.one])

extension OperationCase {
  static let productCases: [OperationCase] = [
    OperationCase(
      "dot", [.init(.vector, [7], [7]), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.large, [1009], [1009])], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
      { x in x[0].dot(x[1]) }, expected: { x in PlainArray(zip(x[0].values, x[1].values).reduce(0) { $0 + $1.0 * $1.1 }) }),
    OperationCase(
      "dotGeneral",
      [
        .init(.tensor, [2, 4, 3, 5], [5, 2, 6, 4]), .init(.one, [1, 1, 1, 1], [1, 1, 1, 1]), .init(.empty, [2, 0, 3, 5], [5, 2, 6, 0]),
        .init(.large, [3, 4, 17, 5], [5, 3, 13, 4]),
      ], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
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
      ], [.range(-2, 2), .range(-2, 2)], elementTypes: reals, tolerance: productTolerance, { x in x[0].matmul(x[1]) },
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
      [.init(.broadcast, [2, 1, 3, 4], [5, 4, 2]), .init(.empty, [2, 1, 3, 4], [0, 4, 2]), .init(.one, [1, 1, 1, 1], [1, 1, 1]), .init(.large, [2, 1, 13, 4], [5, 4, 17])], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
      { x in x[0].matmul(x[1]) },
      expected: { x in
        PlainArray([x[0].shape[0], x[1].shape[0], x[0].shape[2], x[1].shape[2]]) { i in (0..<x[0].shape[3]).reduce(0) { $0 + x[0][i[0], 0, i[2], $1] * x[1][i[1], $1, i[3]] } }
      }),
    OperationCase(
      "matmulVectorLeft", [.init(.broadcast, [4], [5, 4, 2]), .init(.empty, [4], [0, 4, 2]), .init(.one, [1], [1, 1, 1]), .init(.large, [4], [31, 4, 17])], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
      { x in x[0].matmul(x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[1].shape[2]]) { i in (0..<x[0].shape[0]).reduce(0) { $0 + x[0][$1] * x[1][i[0], $1, i[1]] } } }),
    OperationCase(
      "matmulVectorRight", [.init(.broadcast, [5, 3, 4], [4]), .init(.empty, [5, 0, 4], [4]), .init(.one, [1, 1, 1], [1]), .init(.large, [31, 17, 4], [4])], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
      { x in x[0].matmul(x[1]) },
      expected: { x in PlainArray([x[0].shape[0], x[0].shape[1]]) { i in (0..<x[1].shape[0]).reduce(0) { $0 + x[0][i[0], i[1], $1] * x[1][$1] } } }),
    OperationCase(
      "outer", [.init(.vector, [3], [4]), .init(.empty, [0], [4]), .init(.one, [1], [1]), .init(.large, [31], [1009])], [.range(-2, 2), .range(-2, 2)], tolerance: .ulps(1), { x in outer(x[0], x[1]) },
      expected: { x in PlainArray([x[0].shape[0], x[1].shape[0]]) { i in x[0][i[0]] * x[1][i[1]] } }),
    OperationCase(
      "einsumBilinear",
      [
        .init(.tensor, [2, 3], [3, 4, 3], [2, 4]), .init(.empty, [0, 3], [3, 4, 3], [0, 4]), .init(.one, [1, 1], [1, 1, 1], [1, 1]),
        .init(.large, [7, 11], [11, 9, 11], [7, 9]),
      ], [.range(-2, 2), .range(-2, 2), .range(-2, 2)],
      tolerance: productTolerance, { x in einsum("bi,ioi,bo->b", x[0], x[1], x[2]) },
      expected: { x in
        PlainArray([x[0].shape[0]]) { b in
          PlainArray.indices(of: [x[1].shape[0], x[1].shape[1]]).reduce(0) { $0 + x[0][b[0], $1[0]] * x[1][$1[0], $1[1], $1[0]] * x[2][b[0], $1[1]] }
        }
      }),
    OperationCase(
      "einsumImplicit",
      [.init(.matrix, [3, 2], [4, 3]), .init(.empty, [0, 2], [4, 0]), .init(.one, [1, 1], [1, 1]), .init(.large, [29, 37], [31, 29])], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
      { x in einsum("kb,ak", x[0], x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[0].shape[1]]) { i in (0..<x[0].shape[0]).reduce(0) { $0 + x[1][i[0], $1] * x[0][$1, i[1]] } } }),
    OperationCase(
      "einsumTrace", [.init(.matrix, [3, 3]), .init(.empty, [0, 0]), .init(.one, [1, 1]), .init(.large, [33, 33])], [.range(-2, 2)], tolerance: productTolerance, { x in einsum("ii->", x[0]) },
      expected: { x in PlainArray((0..<x[0].shape[0]).reduce(0) { $0 + x[0][$1, $1] }) }),
    OperationCase(
      "einsumOuterTransposed",
      [.init(.matrix, [2, 3], [4]), .init(.empty, [2, 0], [4]), .init(.one, [1, 1], [1]), .init(.large, [7, 11], [17])], [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance,
      { x in einsum("ij,k->kji", x[0], x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[0].shape[1], x[0].shape[0]]) { i in x[0][i[2], i[1]] * x[1][i[0]] } }),
    convolution("valid", input: [2, 5, 6, 3], kernel: [2, 3, 3, 4], stride: [1, 1], low: [0, 0], high: [0, 0], dilation: [1, 1], groups: 1),
    convolution("strided", input: [1, 7, 6, 2], kernel: [3, 2, 2, 3], stride: [2, 3], low: [1, 0], high: [0, 1], dilation: [1, 1], groups: 1),
    convolution("dilated", input: [1, 7, 7, 2], kernel: [2, 3, 2, 2], stride: [1, 2], low: [1, 2], high: [1, 2], dilation: [3, 2], groups: 1),
    convolution("grouped", input: [2, 4, 4, 4], kernel: [2, 2, 2, 6], stride: [1, 1], low: [0, 1], high: [1, 0], dilation: [1, 1], groups: 2),
    convolution("cropped", input: [1, 6, 5, 1], kernel: [2, 2, 1, 2], stride: [1, 1], low: [-1, 0], high: [0, -1], dilation: [1, 1], groups: 1),
    convolution("depthwise", input: [1, 4, 5, 3], kernel: [3, 3, 1, 3], stride: [1, 1], low: [1, 1], high: [1, 1], dilation: [1, 1], groups: 3),
    OperationCase(
      "convolutionSame",
      [.init(.tensor, [1, 5, 4, 2], [3, 2, 2, 3]), .init(.empty, [0, 5, 4, 2], [3, 2, 2, 3]), .init(.large, [26, 5, 4, 2], [3, 2, 2, 3])],
      [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance, exceptions: [window],
      { x in FluxionCore.convolution(x[0], x[1], stride: [2, 1], padding: .same) },
      expected: { x in convolved(x[0], x[1], [2, 1], [1, 0], [1, 1], [1, 1], 1) }),
    OperationCase(
      "transposedConvolution",
      [.init(.tensor, [2, 3, 4, 3], [2, 3, 2, 3]), .init(.empty, [0, 3, 4, 3], [2, 3, 2, 3]), .init(.large, [29, 3, 4, 3], [2, 3, 2, 3])],
      [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance, exceptions: [window],
      { x in transposedConvolution(x[0], x[1], stride: [2, 1], padding: (low: [0, 1], high: [1, 0])) },
      expected: { x in
        // Every element of y adds the kernel, scaled, at its place in the result.
        let (y, k) = (x[0], x[1])
        return PlainArray([y.shape[0], 5, 5, 2]) { i in
          var total = 0.0
          for p in PlainArray.indices(of: [3, 4, 2, 3, 3]) {
            let (row, column) = (p[0] * 2 + p[2], p[1] + p[3] - 1)
            if row == i[1] && column == i[2] { total += y[i[0], p[0], p[1], p[4]] * k[p[2], p[3], i[3], p[4]] }
          }
          return total
        }
      }),
  ]

  private static func convolution(
    _ name: String, input: Shape, kernel: Shape, stride: [Int], low: [Int], high: [Int], dilation: [Int], groups: Int
  ) -> OperationCase {
    func examples(_ n: Int) -> Shape { Shape([n] + input.dimensions.dropFirst()) }
    return OperationCase(
      "convolution.\(name)",
      [.init(.tensor, input, kernel), .init(.empty, examples(0), kernel), .init(.large, examples(1 + 1000 / (input.elementCount / input[0])), kernel)],
      [.range(-2, 2), .range(-2, 2)], tolerance: productTolerance, exceptions: [window],
      { x in
        FluxionCore.convolution(x[0], x[1], stride: stride, padding: .explicit(low: low, high: high), dilation: dilation, groups: groups)
      }, expected: { x in convolved(x[0], x[1], stride, low, high, dilation, groups) })
  }
}

/// By its definition, output element by output element.
private func convolved(
  _ x: PlainArray, _ k: PlainArray, _ stride: [Int], _ low: [Int], _ high: [Int], _ dilation: [Int], _ groups: Int
) -> PlainArray {
  func length(_ a: Int) -> Int { (x.shape[a + 1] + low[a] + high[a] - ((k.shape[a] - 1) * dilation[a] + 1)) / stride[a] + 1 }
  let perGroup = k.shape[3] / groups
  return PlainArray([x.shape[0], length(0), length(1), k.shape[3]]) { i in
    var total = 0.0
    for p in PlainArray.indices(of: Array(k.shape.dropLast())) {
      let row = i[1] * stride[0] + p[0] * dilation[0] - low[0]
      let column = i[2] * stride[1] + p[1] * dilation[1] - low[1]
      if row < 0 || row >= x.shape[1] || column < 0 || column >= x.shape[2] { continue }
      total += x[i[0], row, column, i[3] / perGroup * k.shape[2] + p[2]] * k[p[0], p[1], p[2], i[3]]
    }
    return total
  }
}
