internal import FluxionCore

private let window = OperationCase.Exception("its row names a fixed window", shapeClasses: [.empty, .one])
/// The same for rows that have an empty sample.
private let filledWindow = OperationCase.Exception("its row names a fixed window", shapeClasses: [.one])
private let pair = OperationCase.Exception("its row halves the array", shapeClasses: [.one])
private let bounded = OperationCase.Exception("its row's indices need several places to name", shapeClasses: [.one])

/// The shape an array of these lengths is repeated to: axes of length 1 become longer, a new axis comes first.
private func wide(_ lengths: [Int]) -> Shape { Shape([2] + lengths.map { $0 == 1 ? 3 : $0 }) }

extension OperationCase {
  static let shapingCases: [OperationCase] = [
    OperationCase(
      "broadcast", [.init(.scalar, []), .init(.one, [1]), .init(.vector, [4]), .init(.matrix, [3, 1]), .init(.empty, [0, 1, 1]), .init(.large, [31, 17, 1])], [.range(-2, 2)], complex: .linear,
      { x in x[0].broadcast(to: wide(x[0].shape.dimensions)) },
      expected: { x in PlainArray.elementwise([x[0], PlainArray(wide(x[0].shape).dimensions) { _ in 0 }]) { $0[0] } }),
    OperationCase(
      "reshape", [.init(.matrix, [3, 4]), .init(.empty, [0, 4]), .init(.vector, [12]), .init(.large, [31, 2, 17])], [.range(-2, 2)], complex: .linear, exceptions: [pair],
      { x in x[0].reshaped(to: x[0].elementCount == 0 ? [2, 0] : [2, -1]) },
      expected: { x in PlainArray([2, x[0].values.count / 2], x[0].values) }),
    OperationCase(
      "transposed", [.init(.tensor, [2, 3, 4]), .init(.empty, [2, 0, 4]), .init(.one, [1, 1, 1]), .init(.large, [13, 11, 9])], [.range(-2, 2)], complex: .linear, { x in x[0].transposed([2, 0, 1]) },
      expected: { x in PlainArray([x[0].shape[2], x[0].shape[0], x[0].shape[1]]) { i in x[0][i[1], i[2], i[0]] } }),
    OperationCase(
      "flattened", [.init(.scalar, []), .init(.matrix, [3, 4]), .init(.empty, [0, 4]), .init(.one, [1, 1]), .init(.large, [31, 37])],
      [.range(-2, 2)], complex: .linear, { x in x[0].flattened() }, expected: { x in PlainArray([x[0].values.count], x[0].values) }),
    OperationCase(
      "swappingAxes", [.init(.tensor, [2, 3, 4]), .init(.empty, [2, 0, 4]), .init(.one, [1, 1, 1]), .init(.large, [13, 11, 9])],
      [.range(-2, 2)], complex: .linear, { x in x[0].swappingAxes(0, -1) },
      expected: { x in PlainArray(x[0].shape.reversed()) { i in x[0][i[2], i[1], i[0]] } }),
    OperationCase(
      "movingAxis", [.init(.tensor, [2, 3, 4]), .init(.empty, [2, 0, 4]), .init(.one, [1, 1, 1]), .init(.large, [13, 11, 9])], [.range(-2, 2)], complex: .linear, { x in x[0].movingAxis(0, to: 2) },
      expected: { x in PlainArray([x[0].shape[1], x[0].shape[2], x[0].shape[0]]) { i in x[0][i[2], i[0], i[1]] } }),
    OperationCase(
      "matrixTranspose", [.init(.matrix, [3, 4]), .init(.empty, [0, 3]), .init(.one, [1, 1]), .init(.large, [37, 41])], [.range(-2, 2)], complex: .linear, { x in x[0].T },
      expected: { x in PlainArray(x[0].shape.reversed()) { i in x[0][i[1], i[0]] } }),
    OperationCase(
      "slice", [.init(.matrix, [5, 7]), .init(.large, [5, 401])], [.range(-2, 2)], complex: .linear, exceptions: [window],
      { x in x[0].sliced(start: [1, 0], limit: [4, 7], stride: [1, 3]) },
      expected: { x in PlainArray([3, 3]) { i in x[0][1 + i[0], 3 * i[1]] } }),
    OperationCase(
      "subscript", [.init(.tensor, [4, 5, 3]), .init(.large, [4, 301, 3]), .init(.empty, [4, 0, 3])], [.range(-2, 2)], complex: .linear, exceptions: [filledWindow],
      { x in x[0][2, .range(nil, nil, by: -2), .newAxis, 1...2] },
      expected: { x in PlainArray([(x[0].shape[1] + 1) / 2, 1, 2]) { i in x[0][2, x[0].shape[1] - 1 - 2 * i[0], 1 + i[2]] } }),
    OperationCase(
      "subscriptSet", [.init(.matrix, [4, 5], [2, 3]), .init(.large, [31, 37], [2, 3])], [.range(-2, 2), .range(-2, 2)], complex: .linear, exceptions: [window],
      { x in
        var y = x[0]
        y[1..<3, 0..<3] = x[1] * 2
        return y
      },
      expected: { x in
        PlainArray(x[0].shape) { i in
          let isInside = i[0] >= 1 && i[0] < 3 && i[1] < 3
          return isInside ? 2 * x[1][i[0] - 1, i[1]] : x[0][i]
        }
      }),
    OperationCase(
      "subscriptSetStrided", [.init(.matrix, [4, 5], [2, 3]), .init(.large, [31, 37], [16, 19])], [.range(-2, 2), .range(-2, 2)], complex: .linear, exceptions: [window],
      { x in
        var y = x[0]
        y[.range(0, nil, by: 2), .range(nil, nil, by: -2)] = x[1]
        return y
      },
      expected: { x in
        PlainArray(x[0].shape) { i in
          let isInside = i[0] % 2 == 0 && i[1] % 2 == 0
          return isInside ? x[1][i[0] / 2, (x[0].shape[1] - 1 - i[1]) / 2] : x[0][i]
        }
      }),
    OperationCase(
      "pad", [.init(.matrix, [3, 2], []), .init(.empty, [0, 2], []), .init(.large, [601, 2], [])], [.range(-2, 2), .range(-2, 2)], complex: .linear, exceptions: [filledWindow],
      { x in x[0].padded(low: [1, -1], high: [0, 2], interior: [1, 2], with: x[1]) },
      expected: { x in
        let n = x[0].shape[0]
        let rows = 1 + n + Swift.max(0, n - 1)
        return PlainArray([rows, 5]) { i in
          let (r, c) = (i[0] - 1, i[1] + 1)
          let isInside = r >= 0 && r % 2 == 0 && r / 2 < n && c % 3 == 0 && c / 3 < 2
          return isInside ? x[0][r / 2, c / 3] : x[1][[]]
        }
      }),
    OperationCase(
      "padCropped", [.init(.vector, [6]), .init(.empty, [3]), .init(.large, [1009])], [.range(-2, 2)], complex: .linear, exceptions: [window], { x in x[0].padded(low: [-2], high: [-1]) },
      expected: { x in PlainArray([x[0].shape[0] - 3]) { i in x[0][i[0] + 2] } }),
    OperationCase(
      "concatenated", [.init(.matrix, [2, 3], [2, 1]), .init(.empty, [2, 0], [2, 3]), .init(.one, [1, 1], [1, 1]), .init(.large, [31, 37], [31, 29])], [.range(-2, 2), .range(-2, 2)], complex: .linear,
      { x in concatenated(x[0], x[1], alongAxis: 1) },
      expected: { x in
        let n = x[0].shape[1]
        return PlainArray([x[0].shape[0], n + x[1].shape[1]]) { i in i[1] < n ? x[0][i] : x[1][i[0], i[1] - n] }
      }),
    OperationCase(
      "stacked", [.init(.vector, [3], [3]), .init(.scalar, [], []), .init(.empty, [0], [0]), .init(.one, [1], [1]), .init(.large, [1009], [1009])], [.range(-2, 2), .range(-2, 2)], complex: .linear,
      { x in stacked([x[0], x[1]], alongAxis: -1) },
      expected: { x in PlainArray(x[0].shape + [2]) { i in x[i.last!][Array(i.dropLast())] } }),
    OperationCase(
      "reversed", [.init(.matrix, [3, 4]), .init(.empty, [3, 0]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, { x in x[0].reversed(alongAxis: 0, 1) },
      expected: { x in PlainArray(x[0].shape) { i in x[0][x[0].shape[0] - 1 - i[0], x[0].shape[1] - 1 - i[1]] } }),
    OperationCase(
      "tiled", [.init(.matrix, [2, 3]), .init(.empty, [2, 0]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, { x in x[0].tiled([2, 3]) },
      expected: { x in PlainArray([2 * x[0].shape[0], 3 * x[0].shape[1]]) { i in x[0][i[0] % x[0].shape[0], i[1] % x[0].shape[1]] } }),
    OperationCase(
      "repeated", [.init(.matrix, [2, 3]), .init(.empty, [2, 0]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, { x in x[0].repeated(2, alongAxis: 1) },
      expected: { x in PlainArray([x[0].shape[0], 2 * x[0].shape[1]]) { i in x[0][i[0], i[1] / 2] } }),
    OperationCase(
      "rolled", [.init(.vector, [5]), .init(.empty, [0]), .init(.one, [1]), .init(.large, [1009])], [.range(-2, 2)], complex: .linear, { x in x[0].rolled(by: -7, alongAxis: 0) },
      expected: { x in PlainArray(x[0].shape) { i in x[0][(i[0] + 7) % x[0].shape[0]] } }),
    OperationCase(
      "expandedAndSqueezed", [.init(.matrix, [1, 3]), .init(.empty, [1, 0]), .init(.one, [1, 1]), .init(.large, [1, 1009])], [.range(-2, 2)], complex: .linear, { x in x[0].expanded(at: 1).squeezed([0]).expanded(at: -1) },
      expected: { x in PlainArray([1, x[0].shape[1], 1], x[0].values) }),
    OperationCase(
      "diagonal", [.init(.matrix, [3, 4]), .init(.tensor, [2, 3, 3]), .init(.empty, [0, 2]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, { x in x[0].diagonal() },
      expected: { x in PlainArray(x[0].shape.dropLast(2) + [x[0].shape.suffix(2).min()!]) { i in x[0][i.dropLast() + [i.last!, i.last!]] } }),
    OperationCase(
      "diagonalMatrix", [.init(.vector, [3]), .init(.matrix, [2, 3]), .init(.empty, [0]), .init(.one, [1]), .init(.large, [41, 5])], [.range(-2, 2)], complex: .linear, { x in x[0].diagonalMatrix() },
      expected: { x in
        PlainArray(x[0].shape + [x[0].shape.last!]) { i in i[i.count - 1] == i[i.count - 2] ? x[0][Array(i.dropLast())] : 0 }
      }),
    OperationCase(
      "lowerTriangle", [.init(.matrix, [3, 4]), .init(.empty, [3, 0]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, { x in x[0].lowerTriangle(-1) },
      expected: { x in PlainArray(x[0].shape) { i in i[1] <= i[0] - 1 ? x[0][i] : 0 } }),
    OperationCase(
      "trace", [.init(.matrix, [3, 3]), .init(.empty, [0, 0]), .init(.one, [1, 1]), .init(.large, [33, 33])], [.range(-2, 2)], complex: .linear, tolerance: Tolerance(epsilons: 64), { x in x[0].trace() },
      expected: { x in PlainArray((0..<x[0].shape[0]).reduce(0) { $0 + x[0][$1, $1] }) }),
    OperationCase(
      "iotaTimes", [.init(.matrix, [3, 4]), .init(.empty, [0, 4]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, tolerance: .ulps(1),
      { x in x[0] * iota(x[0].shape, alongAxis: 1, as: x[0].elementType) },
      expected: { x in PlainArray(x[0].shape) { i in x[0][i] * Double(i[1]) } }),
  ]

  static let indexingCases: [OperationCase] = [
    OperationCase(
      "dynamicSlice", [.init(.matrix, [5, 6], [], []), .init(.large, [31, 37], [], [])], [.range(-2, 2), .indices(3), .indices(4)], complex: .linear, exceptions: [window],
      { x in x[0].dynamicSlice(start: [x[1], x[2]], sizes: [3, 2]) },
      expected: { x in PlainArray([3, 2]) { i in x[0][Int(x[1].values[0]) + i[0], Int(x[2].values[0]) + i[1]] } }),
    OperationCase(
      "replacingWindow", [.init(.matrix, [5, 6], [3, 2], [], []), .init(.large, [31, 37], [3, 2], [], [])],
      [.range(-2, 2), .range(-2, 2), .indices(3), .indices(4)], complex: .linear, exceptions: [window],
      { x in x[0].replacingWindow(at: [x[2], x[3]], with: x[1]) },
      expected: { x in
        PlainArray(x[0].shape) { i in
          let (r, c) = (i[0] - Int(x[2].values[0]), i[1] - Int(x[3].values[0]))
          return r >= 0 && r < 3 && c >= 0 && c < 2 ? x[1][r, c] : x[0][i]
        }
      }),
    OperationCase(
      "gathered",
      [.init(.matrix, [5, 3], [4]), .init(.tensor, [5, 3], [2, 2]), .init(.empty, [5, 3], [0]), .init(.large, [5, 37], [31])],
      [.range(-2, 2), .indices(5)], complex: .linear, exceptions: [bounded],
      { x in x[0].gathered(x[1]) },
      expected: { x in PlainArray(x[1].shape + [x[0].shape[1]]) { i in x[0][Int(x[1][Array(i.dropLast())]), i.last!] } }),
    OperationCase(
      "gatheredAxis",
      [
        .init(.tensor, [2, 5, 3], [4]), .init(.tensor, [2, 5, 3], [2, 2]), .init(.empty, [2, 5, 3], [0]), .init(.large, [7, 5, 9], [31]),
      ], [.range(-2, 2), .indices(5)], complex: .linear, exceptions: [bounded],
      { x in x[0].gathered(x[1], alongAxis: 1) },
      expected: { x in
        PlainArray([x[0].shape[0]] + x[1].shape + [x[0].shape[2]]) { i in x[0][i[0], Int(x[1][Array(i.dropFirst().dropLast())]), i.last!] }
      }),
    OperationCase(
      "gatheredAlong", [.init(.matrix, [3, 5], [3, 4]), .init(.empty, [3, 5], [3, 0]), .init(.large, [31, 5], [31, 37])],
      [.range(-2, 2), .indices(5)], complex: .linear, exceptions: [bounded], { x in x[0].gatheredAlong(1, x[1]) },
      expected: { x in PlainArray(x[1].shape) { i in x[0][i[0], Int(x[1][i])] } }),
    OperationCase(
      "gatheredAt", [.init(.tensor, [3, 3, 2], [4, 2]), .init(.empty, [3, 3, 2], [0, 2]), .init(.large, [3, 3, 7], [151, 2])],
      [.range(-2, 2), .indices(3)], complex: .linear, exceptions: [bounded], { x in x[0].gatheredAt(x[1]) },
      expected: { x in PlainArray([x[1].shape[0], x[0].shape[2]]) { i in x[0][Int(x[1][i[0], 0]), Int(x[1][i[0], 1]), i[1]] } }),
    scatter(.set, complex: .linear) { _, new in new },
    scatter(.add, complex: .linear) { old, new in old + new },
    scatter(.multiply, complex: scatteredProduct) { old, new in old * new },
    scatter(.minimum) { old, new in Swift.min(old, new) },
    scatter(.maximum) { old, new in Swift.max(old, new) },
    OperationCase(
      "segmentSum", [.init(.matrix, [6, 2], [6]), .init(.empty, [0, 2], [0]), .init(.one, [1, 1], [1]), .init(.large, [31, 37], [31])], [.range(-2, 2), .indices(3)], complex: .linear, tolerance: Tolerance(epsilons: 16),
      { x in segmentSum(x[0], ids: x[1], count: 4) },
      expected: { x in
        PlainArray([4, x[0].shape[1]]) { i in x[1].values.indices.reduce(0) { $0 + (Int(x[1][$1]) == i[0] ? x[0][$1, i[1]] : 0) } }
      }),
    OperationCase(
      "segmentMean", [.init(.matrix, [6, 2], [6]), .init(.empty, [0, 2], [0]), .init(.one, [1, 1], [1]), .init(.large, [31, 37], [31])],
      [.range(-2, 2), .indices(3)], complex: .linear, tolerance: Tolerance(epsilons: 16), { x in segmentMean(x[0], ids: x[1], count: 4) },
      expected: { x in
        PlainArray([4, x[0].shape[1]]) { i in
          let rows = x[1].values.indices.filter { Int(x[1][$0]) == i[0] }
          return rows.reduce(0) { $0 + x[0][$1, i[1]] } / Double(Swift.max(1, rows.count))
        }
      }),
    OperationCase(
      "segmentMax", [.init(.matrix, [6, 2], [6]), .init(.empty, [0, 2], [0]), .init(.one, [1, 1], [1]), .init(.large, [31, 37], [31])],
      [.distinct, .indices(3)], { x in maximum(segmentMax(x[0], ids: x[1], count: 4), -960) },
      expected: { x in
        PlainArray([4, x[0].shape[1]]) { i in
          x[1].values.indices.filter { Int(x[1][$0]) == i[0] }.reduce(-960) { Swift.max($0, x[0][$1, i[1]]) }
        }
      }),
    OperationCase(
      "oneHotTimes", [.init(.vector, [3], [4]), .init(.empty, [3], [0]), .init(.large, [3], [401])], [.range(-2, 2), .indices(3)], complex: .linear,
      tolerance: .ulps(1), exceptions: [bounded],
      { x in oneHot(x[1], count: 3, as: x[0].elementType) * x[0] },
      expected: { x in PlainArray([x[1].shape[0], 3]) { i in Int(x[1][i[0]]) == i[1] ? x[0][i[1]] : 0 } }),
  ]

  private static let scatteredProduct = ComplexExpectation.formula { x in
    let numbers = PlainArray.indices(of: x[0].shape).map { i -> PlainComplex in
      (0..<x[1].values.count).filter { Int(x[1][$0]) == i[0] }.reduce(x[0].complex(i)) { $0 * (x[2].complex([$1, i[1]]) + 0.033) }
    }
    return [PlainArray(x[0].shape, numbers)]
  }

  /// Rows of updates combined with the rows of x that the indices name, one after the other.
  private static func scatter(
    _ mode: ScatterMode, complex: ComplexExpectation? = nil, _ combine: @escaping @Sendable (Double, Double) -> Double
  ) -> OperationCase {
    OperationCase(
      "scattered.\(mode)", [.init(.matrix, [4, 3], [6], [6, 3]), .init(.empty, [4, 3], [0], [0, 3]), .init(.large, [4, 211], [6], [6, 211])],
      [.distinct, .indices(4), .distinct], complex: complex, tolerance: Tolerance(ulps: 4, epsilons: 128), exceptions: [bounded],
      { x in x[0].scattered(x[2] + 0.033, at: x[1], mode: mode) },
      expected: { x in
        PlainArray(x[0].shape) { i in
          var value = x[0][i]
          for k in 0..<x[1].values.count where Int(x[1][k]) == i[0] { value = combine(value, x[2][k, i[1]] + 0.033) }
          return value
        }
      })
  }
}
