internal import FluxionCore

private let atLeast = OperationCase.Exception("its row takes a place that one element does not have", shapeClasses: [.one])
private let table = OperationCase.Exception("its row searches tables that are not empty", shapeClasses: [.one, .empty])
private let pattern = OperationCase.Exception("its row needs several places", shapeClasses: [.one])

/// Places in the order of the keys, the first key counting most.
private func order(_ keys: [[Double]], descending: Bool = false) -> [Int] {
  keys[0].indices.sorted { a, b in
    for key in keys where key[a] != key[b] { return descending ? key[a] > key[b] : key[a] < key[b] }
    return a < b
  }
}
private func line(_ x: PlainArray, _ row: Int) -> [Double] { (0..<x.shape[1]).map { x[row, $0] } }

extension OperationCase {
  static let orderingCases: [OperationCase] = [
    OperationCase(
      "sortedByKeys", [.init(.matrix, [3, 5], [3, 5]), .init(.one, [1, 1], [1, 1]), .init(.empty, [3, 0], [3, 0]), .init(.large, [7, 151], [7, 151])],
      [.distinct, .range(-2, 2)], resultTypes: [.same, .same],
      results: { x in
        let (keys, values) = FluxionCore.sorted(x[1], by: x[0])
        return [keys, values]
      },
      expected: { x in
        let places = PlainArray(x[0].shape) { i in Double(order([line(x[0], i[0])])[i[1]]) }
        return [PlainArray(x[0].shape) { i in x[0][i[0], Int(places[i])] }, PlainArray(x[0].shape) { i in x[1][i[0], Int(places[i])] }]
      }),
    OperationCase(
      "sortedRows", [.init(.matrix, [5], [5, 2]), .init(.one, [1], [1, 1]), .init(.empty, [0], [0, 2]), .init(.large, [151], [151, 7])],
      [.real(.distinct), .range(-2, 2)], complex: .linear, { x in FluxionCore.sorted(x[1], by: x[0], descending: true).values },
      expected: { x in
        let places = order([x[0].values], descending: true)
        return PlainArray(x[1].shape) { i in x[1][places[i[0]], i[1]] }
      }),
    OperationCase(
      "sortedLexicographically",
      [.init(.vector, [9], [9], [9]), .init(.one, [1], [1], [1]), .init(.empty, [0], [0], [0]), .init(.large, [1009], [1009], [1009])],
      [.typed(.int32, .integers(0, 3)), .typed(.int32, .integers(0, 2)), .range(-2, 2)], complex: .linear,
      { x in FluxionCore.sorted(x[2], by: [x[0], x[1]] as [Tensor]).values },
      expected: { x in
        let places = order([x[0].values, x[1].values])
        return PlainArray(x[2].shape) { i in x[2].values[places[i[0]]] }
      }),
    OperationCase(
      "argsortLexicographic", [.init(.vector, [9], [9]), .init(.one, [1], [1]), .init(.empty, [0], [0]), .init(.large, [1009], [1009])],
      [.integers(0, 3), .integers(0, 3)], elementTypes: numbers, resultType: .int32, isDifferentiable: false,
      { x in FluxionCore.argsort([x[0], x[1]] as [Tensor]) },
      expected: { x in PlainArray(x[0].shape, order([x[0].values, x[1].values]).map { Double($0) }) }),
    OperationCase(
      "topKAxis", [.init(.matrix, [6, 3]), .init(.empty, [6, 0]), .init(.large, [211, 5])], [.distinct], exceptions: [atLeast],
      { x in x[0].topK(2, alongAxis: 0, smallest: true).values },
      expected: { x in PlainArray([2, x[0].shape[1]]) { i in (0..<x[0].shape[0]).map { x[0][$0, i[1]] }.sorted()[i[0]] } }),
    OperationCase(
      "kthSmallest", [.init(.matrix, [6, 3]), .init(.empty, [6, 0]), .init(.large, [211, 5])], [.distinct], exceptions: [atLeast],
      { x in x[0].kthSmallest(2, alongAxis: 0) }, expected: { x in x[0].reduced([0]) { $0.sorted()[2] } }),
    OperationCase(
      "searchSorted.left", [.init(.vector, [7], [5]), .init(.matrix, [1], [3, 2]), .init(.one, [1], [1]), .init(.empty, [0], [3]), .init(.large, [1009], [401])],
      [.integers(0, 9), .integers(-1, 10)], elementTypes: numbers, resultType: .int32, isDifferentiable: false,
      { x in searchSorted(x[0].sorted(), x[1]) },
      expected: { x in PlainArray(x[1].shape, x[1].values.map { v in Double(x[0].values.filter { $0 < v }.count) }) }),
    OperationCase(
      "searchSorted.right", [.init(.matrix, [2, 7], [2, 5]), .init(.tensor, [2, 3], [2, 2, 2]), .init(.one, [1, 1], [1, 1]), .init(.empty, [2, 0], [2, 3]), .init(.large, [3, 401], [3, 211])],
      [.integers(0, 9), .integers(-1, 10)], elementTypes: numbers, resultType: .int32, isDifferentiable: false,
      { x in searchSorted(x[0].sorted(), x[1], side: .right) },
      expected: { x in PlainArray(x[1].shape) { i in Double(line(x[0], i[0]).filter { $0 <= x[1][i] }.count) } }),
    OperationCase(
      "digitized", [.init(.vector, [6]), .init(.scalar, []), .init(.one, [1]), .init(.empty, [0]), .init(.large, [1009])], [.integers(-1, 5)],
      elementTypes: numbers, resultType: .int32, isDifferentiable: false, { x in x[0].digitized(arange(4), right: true) },
      expected: { x in PlainArray(x[0].shape, x[0].values.map { v in Double((0..<4).filter { Double($0) < v }.count) }) }),
    OperationCase(
      "bincount", [.init(.vector, [9], [9]), .init(.matrix, [2, 3], [2, 3]), .init(.one, [1], [1]), .init(.empty, [0], [0]), .init(.large, [1009], [1009])],
      [.indices(5), .range(-2, 2)], complex: .linear, tolerance: Tolerance(epsilons: 512), { x in x[0].bincount(6, weights: x[1]) },
      expected: { x in PlainArray([6]) { i in zip(x[0].values, x[1].values).reduce(0) { $0 + (Int($1.0) == i[0] ? $1.1 : 0) } } }),
    OperationCase(
      "histogram", [.init(.vector, [9], [9]), .init(.one, [1], [1]), .init(.empty, [0], [0]), .init(.large, [1009], [1009])],
      [.typed(.int32, .integers(-1, 5)), .range(-2, 2)], complex: .linear, tolerance: Tolerance(epsilons: 512),
      { x in histogram(x[0], edges: arange(5), weights: x[1]).counts },
      expected: { x in
        PlainArray([4]) { i in
          zip(x[0].values, x[1].values).reduce(0) { $0 + (Int($1.0) == i[0] || i[0] == 3 && $1.0 == 4 ? $1.1 : 0) }
        }
      }),
    OperationCase(
      "histogramDensity", [.init(.vector, [9]), .init(.one, [1]), .init(.large, [1009])], [.range(0, 1)], tolerance: Tolerance(ulps: 8),
      isDifferentiable: false,
      exceptions: [
        .init("a density of nothing is not defined", shapeClasses: [.empty]),
        .init("counts are constant between the jumps", transforms: Transform.derivatives),
      ],
      { x in histogram(x[0], count: 4, range: 0...1, density: true).counts.converted(to: x[0].elementType) },
      expected: { x in
        PlainArray([4]) { i in
          Double(x[0].values.filter { Swift.min(Int($0 * 4), 3) == i[0] }.count) * 4 / Double(x[0].values.count)
        }
      }),
    OperationCase(
      "distinct", [.init(.vector, [9]), .init(.matrix, [3, 4]), .init(.one, [1]), .init(.empty, [0]), .init(.large, [1009])], [.integers(0, 5)],
      elementTypes: numbers, resultTypes: [.same, .int32, .int32, .int32], isDifferentiable: false,
      exceptions: [.init("its row's elements are equal, where a derivative has no meaning", transforms: Transform.derivatives)],
      results: { x in
        let d = x[0].distinct(size: 7, filledWith: -1)
        return [d.values, d.firstPlaces, d.inverse, d.counts]
      },
      expected: { x in
        let v = x[0].values
        let distinct = Set(v).sorted()
        func padded(_ a: [Double], _ fill: Double) -> PlainArray { PlainArray([7], a + [Double](repeating: fill, count: 7 - a.count)) }
        let first = distinct.map { d in Double(v.firstIndex(of: d)!) }
        return [
          padded(distinct, -1), padded(first, first.first ?? 0), PlainArray(x[0].shape, v.map { Double(distinct.firstIndex(of: $0)!) }),
          padded(distinct.map { d in Double(v.filter { $0 == d }.count) }, 0),
        ]
      }),
    OperationCase(
      "distinctValues", [.init(.vector, [5]), .init(.one, [1]), .init(.large, [1009])], [.distinct],
      exceptions: [.init("none of nothing can be told apart without a value to fill with", shapeClasses: [.empty])],
      { x in x[0].distinct(size: x[0].elementCount).values }, expected: { x in PlainArray(x[0].shape, x[0].values.sorted()) }),
    OperationCase(
      "nonzero", [.init(.matrix, [3, 4]), .init(.vector, [5]), .init(.scalar, []), .init(.one, [1]), .init(.empty, [0, 3]), .init(.large, [31, 37])],
      [.integers(0, 1)],
      complex: .formula { x in
        let places = PlainArray.indices(of: x[0].shape).filter { x[0].complex($0) != PlainComplex(0) }
        return [PlainArray([8, x[0].shape.count]) { i in i[0] < places.count ? Double(places[i[0]][i[1]]) : -1 }]
      }, elementTypes: numbers, resultType: .int32, isDifferentiable: false, { x in x[0].nonzero(size: 8, filledWith: -1) },
      expected: { x in
        let places = PlainArray.indices(of: x[0].shape).filter { x[0][$0] != 0 }
        return PlainArray([8, x[0].shape.count]) { i in i[0] < places.count ? Double(places[i[0]][i[1]]) : -1 }
      }),
    OperationCase(
      "unravelled", [.init(.vector, [5]), .init(.scalar, []), .init(.one, [1]), .init(.empty, [0]), .init(.large, [1009])], [.integers(0, 23)],
      elementTypes: integers, isDifferentiable: false, { x in unravelled(x[0], in: [2, 3, 4]) },
      expected: { x in
        PlainArray(x[0].shape + [3]) { i in
          let place = Int(x[0][Array(i.dropLast())])
          return Double([place / 12, place / 4 % 3, place % 4][i.last!])
        }
      }),
    OperationCase(
      "ravelled", [.init(.matrix, [5, 2]), .init(.vector, [2]), .init(.empty, [0, 2]), .init(.large, [1009, 2])], [.integers(0, 3)],
      elementTypes: integers, isDifferentiable: false, exceptions: [pattern], { x in ravelled(x[0], in: [4, 5]) },
      expected: { x in PlainArray(Array(x[0].shape.dropLast())) { i in x[0][i + [0]] * 5 + x[0][i + [1]] } }),
  ]
}
