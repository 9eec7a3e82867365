internal import FluxionCore

private let products = Tolerance(ulps: 4, epsilons: 512)
private let pattern = OperationCase.Exception("its row needs several places", shapeClasses: [.one])

/// The dense matrix of entries (operands 0, 1, 2: values, rows, columns).
private func dense(_ x: [PlainArray], _ shape: [Int]) -> PlainArray {
  PlainArray(shape) { i in
    x[0].values.indices.reduce(0) { $0 + (Int(x[1].values[$1]) == i[0] && Int(x[2].values[$1]) == i[1] ? x[0].values[$1] : 0) }
  }
}
private func matrix(_ x: [Tensor]) -> COOMatrix { COOMatrix(values: x[0], rows: x[1], columns: x[2], shape: [4, 5]) }
private func product(_ a: PlainArray, _ b: PlainArray) -> PlainArray {
  PlainArray([a.shape[0], b.shape[1]]) { i in (0..<a.shape[1]).reduce(0) { $0 + a[i[0], $1] * b[$1, i[1]] } }
}

extension OperationCase {
  private static func entries(_ further: Shape...) -> [Sample] {
    [(ShapeClass.vector, 7), (.empty, 0), (.large, 1009)].map { kind, n in Sample(kind, shapes: [[n], [n], [n]] + further) }
  }
  private static let places: [Domain] = [.range(-2, 2), .indices(4), .indices(5)]

  static let sparseCases: [OperationCase] = [
    OperationCase(
      "sparse.dot", entries([5, 3]), places + [.range(-2, 2)], complex: .multilinear(), tolerance: products, exceptions: [pattern], { x in matrix(x).dot(x[3]) },
      expected: { x in product(dense(x, [4, 5]), x[3]) }),
    OperationCase(
      "sparse.dotVector", entries([5]), places + [.range(-2, 2)], complex: .multilinear(), tolerance: products, exceptions: [pattern], { x in CSRMatrix(matrix(x)).dot(x[3]) },
      expected: { x in PlainArray([4], product(dense(x, [4, 5]), PlainArray([5, 1], x[3].values)).values) }),
    OperationCase(
      "sparse.dotFromLeft", entries([3, 4]), places + [.range(-2, 2)], complex: .multilinear(), tolerance: products, exceptions: [pattern], { x in x[3].dot(matrix(x)) },
      expected: { x in product(x[3], dense(x, [4, 5])) }),
    OperationCase(
      "sparse.transposed", entries([4, 3]), places + [.range(-2, 2)], complex: .multilinear(), tolerance: products, exceptions: [pattern],
      { x in CSRMatrix(matrix(x)).transposed.dot(x[3]) },
      expected: { x in
        let a = dense(x, [4, 5])
        return product(PlainArray([5, 4]) { a[$0[1], $0[0]] }, x[3])
      }),
    OperationCase(
      "sparse.dense", entries(), places, complex: .linear, tolerance: products, exceptions: [pattern], { x in matrix(x).dense }, expected: { x in dense(x, [4, 5]) }),
    OperationCase(
      "sparse.sums", entries(), places, complex: .linear, resultTypes: [.same, .same, .same], tolerance: products, exceptions: [pattern],
      results: { x in [matrix(x).rowSums, matrix(x).columnSums, matrix(x).diagonal] },
      expected: { x in
        let a = dense(x, [4, 5])
        return [a.reduced([1]) { $0.reduce(0, +) }, a.reduced([0]) { $0.reduce(0, +) }, PlainArray([4]) { a[$0[0], $0[0]] }]
      }),
    OperationCase(
      "sparse.combined", entries([4], [5]), places + [.range(-2, 2), .range(-2, 2)],
      complex: .formula { x in
        let (re, im) = (dense([x[0].real, x[1], x[2]], [4, 5]), dense([x[0].imaginaryPart, x[1], x[2]], [4, 5]))
        let z = PlainArray(re.shape, re.values, imaginary: im.values)
        return [PlainArray([4, 5], PlainArray.indices(of: [4, 5]).map { i in z.complex(i) * (x[3].complex([i[0]]) - x[4].complex([i[1]]) * 2) })]
      }, tolerance: Tolerance(ulps: 16, epsilons: 4096), exceptions: [pattern],
      { x in
        let (byRow, byColumn) = (matrix(x).scalingRows(by: x[3]), matrix(x).scalingColumns(by: x[4]))
        return byRow.subtracting(byColumn.scaled(by: 2)).summingDuplicates(size: 20).dense
      },
      expected: { x in
        let a = dense(x, [4, 5])
        return PlainArray([4, 5]) { i in a[i] * (x[3].values[i[0]] - 2 * x[4].values[i[1]]) }
      }),
    OperationCase(
      "sparse.fromDense", [.init(.matrix, [4, 5], [5, 3]), .init(.empty, [0, 5], [5, 3]), .init(.large, [31, 37], [37, 3])], [.awayFromZero(0.5, 2), .range(-2, 2)], complex: .multilinear(),
      tolerance: products, exceptions: [pattern], { x in COOMatrix(x[0], size: x[0].elementCount + 2).dot(x[1]) }, expected: { x in product(x[0], x[1]) }),
    OperationCase(
      "sparse.sampledProduct", [7, 0, 1009].map { n in Sample(n == 0 ? .empty : n > 7 ? .large : .vector, shapes: [[n], [n], [n], [4, 3], [3, 5]]) },
      places + [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: products, exceptions: [pattern],
      { x in sampledProduct(x[3], x[4], at: matrix(x)).values * x[0] },
      expected: { x in
        let p = product(x[3], x[4])
        return PlainArray(x[0].shape) { i in x[0].values[i[0]] * p[Int(x[1].values[i[0]]), Int(x[2].values[i[0]])] }
      }),
  ]
}
