internal import FluxionCore

extension OperationCase {
  static let shapingCases: [OperationCase] = [
    OperationCase(
      "broadcast", [.init(.scalar, []), .init(.one, [1]), .init(.vector, [4]), .init(.matrix, [3, 1])], [.range(-2, 2)],
      { x in x[0].broadcast(to: [2, 3, 4]) },
      expected: { x in PlainArray.elementwise([x[0], PlainArray([2, 3, 4]) { _ in 0 }]) { $0[0] } }),
    OperationCase(
      "reshape", [.init(.matrix, [3, 4]), .init(.empty, [0, 4]), .init(.vector, [12])], [.range(-2, 2)],
      { x in x[0].reshaped(to: x[0].elementCount == 0 ? [2, 0] : [2, -1]) },
      expected: { x in PlainArray([2, x[0].values.count / 2], x[0].values) }),
    OperationCase(
      "transposed", [.init(.tensor, [2, 3, 4]), .init(.empty, [2, 0, 4])], [.range(-2, 2)], { x in x[0].transposed([2, 0, 1]) },
      expected: { x in PlainArray([x[0].shape[2], x[0].shape[0], x[0].shape[1]]) { i in x[0][i[1], i[2], i[0]] } }),
    OperationCase(
      "movingAxis", [.init(.tensor, [2, 3, 4])], [.range(-2, 2)], { x in x[0].movingAxis(0, to: 2) },
      expected: { x in PlainArray([3, 4, 2]) { i in x[0][i[2], i[0], i[1]] } }),
    OperationCase(
      "matrixTranspose", [.init(.matrix, [3, 4]), .init(.empty, [0, 3])], [.range(-2, 2)], { x in x[0].T },
      expected: { x in PlainArray(x[0].shape.reversed()) { i in x[0][i[1], i[0]] } }),
    OperationCase(
      "slice", [.init(.matrix, [5, 7])], [.range(-2, 2)], { x in x[0].sliced(start: [1, 0], limit: [4, 7], stride: [1, 3]) },
      expected: { x in PlainArray([3, 3]) { i in x[0][1 + i[0], 3 * i[1]] } }),
    OperationCase(
      "subscript", [.init(.tensor, [4, 5, 3])], [.range(-2, 2)], { x in x[0][2, .range(nil, nil, by: -2), .newAxis, 1...2] },
      expected: { x in PlainArray([3, 1, 2]) { i in x[0][2, 4 - 2 * i[0], 1 + i[2]] } }),
    OperationCase(
      "subscriptSet", [.init(.matrix, [4, 5], [2, 3])], [.range(-2, 2), .range(-2, 2)],
      { x in
        var y = x[0]
        y[1..<3, 0..<3] = x[1] * 2
        return y
      },
      expected: { x in
        PlainArray([4, 5]) { i in
          let isInside = i[0] >= 1 && i[0] < 3 && i[1] < 3
          return isInside ? 2 * x[1][i[0] - 1, i[1]] : x[0][i]
        }
      }),
    OperationCase(
      "subscriptSetStrided", [.init(.matrix, [4, 5], [2, 3])], [.range(-2, 2), .range(-2, 2)],
      { x in
        var y = x[0]
        y[.range(0, nil, by: 2), .range(nil, nil, by: -2)] = x[1]
        return y
      },
      expected: { x in
        PlainArray([4, 5]) { i in
          let isInside = i[0] % 2 == 0 && i[1] % 2 == 0
          return isInside ? x[1][i[0] / 2, (4 - i[1]) / 2] : x[0][i]
        }
      }),
    OperationCase(
      "pad", [.init(.matrix, [3, 2], []), .init(.empty, [0, 2], [])], [.range(-2, 2), .range(-2, 2)],
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
      "padCropped", [.init(.vector, [6])], [.range(-2, 2)], { x in x[0].padded(low: [-2], high: [-1]) },
      expected: { x in PlainArray([3]) { i in x[0][i[0] + 2] } }),
    OperationCase(
      "concatenated", [.init(.matrix, [2, 3], [2, 1]), .init(.empty, [2, 0], [2, 3])], [.range(-2, 2), .range(-2, 2)],
      { x in concatenated(x[0], x[1], alongAxis: 1) },
      expected: { x in
        let n = x[0].shape[1]
        return PlainArray([2, n + x[1].shape[1]]) { i in i[1] < n ? x[0][i] : x[1][i[0], i[1] - n] }
      }),
    OperationCase(
      "stacked", [.init(.vector, [3], [3]), .init(.scalar, [], [])], [.range(-2, 2), .range(-2, 2)],
      { x in stacked([x[0], x[1]], alongAxis: -1) },
      expected: { x in PlainArray(x[0].shape + [2]) { i in x[i.last!][Array(i.dropLast())] } }),
    OperationCase(
      "reversed", [.init(.matrix, [3, 4]), .init(.empty, [3, 0])], [.range(-2, 2)], { x in x[0].reversed(alongAxis: 0, 1) },
      expected: { x in PlainArray(x[0].shape) { i in x[0][x[0].shape[0] - 1 - i[0], x[0].shape[1] - 1 - i[1]] } }),
    OperationCase(
      "tiled", [.init(.matrix, [2, 3])], [.range(-2, 2)], { x in x[0].tiled([2, 3]) },
      expected: { x in PlainArray([4, 9]) { i in x[0][i[0] % 2, i[1] % 3] } }),
    OperationCase(
      "repeated", [.init(.matrix, [2, 3])], [.range(-2, 2)], { x in x[0].repeated(2, alongAxis: 1) },
      expected: { x in PlainArray([2, 6]) { i in x[0][i[0], i[1] / 2] } }),
    OperationCase(
      "rolled", [.init(.vector, [5]), .init(.empty, [0])], [.range(-2, 2)], { x in x[0].rolled(by: -7, alongAxis: 0) },
      expected: { x in PlainArray(x[0].shape) { i in x[0][(i[0] + 7) % x[0].shape[0]] } }),
    OperationCase(
      "expandedAndSqueezed", [.init(.matrix, [1, 3])], [.range(-2, 2)], { x in x[0].expanded(at: 1).squeezed([0]).expanded(at: -1) },
      expected: { x in PlainArray([1, 3, 1], x[0].values) }),
    OperationCase(
      "diagonal", [.init(.matrix, [3, 4]), .init(.tensor, [2, 3, 3])], [.range(-2, 2)], { x in x[0].diagonal() },
      expected: { x in PlainArray(x[0].shape.dropLast(2) + [3]) { i in x[0][i.dropLast() + [i.last!, i.last!]] } }),
    OperationCase(
      "diagonalMatrix", [.init(.vector, [3]), .init(.matrix, [2, 3])], [.range(-2, 2)], { x in x[0].diagonalMatrix() },
      expected: { x in
        PlainArray(x[0].shape + [3]) { i in i[i.count - 1] == i[i.count - 2] ? x[0][Array(i.dropLast())] : 0 }
      }),
    OperationCase(
      "lowerTriangle", [.init(.matrix, [3, 4])], [.range(-2, 2)], { x in x[0].lowerTriangle(-1) },
      expected: { x in PlainArray([3, 4]) { i in i[1] <= i[0] - 1 ? x[0][i] : 0 } }),
    OperationCase(
      "trace", [.init(.matrix, [3, 3])], [.range(-2, 2)], tolerance: Tolerance(epsilons: 8), { x in x[0].trace() },
      expected: { x in PlainArray(x[0][0, 0] + x[0][1, 1] + x[0][2, 2]) }),
    OperationCase(
      "iotaTimes", [.init(.matrix, [3, 4])], [.range(-2, 2)], tolerance: .ulps(1),
      { x in x[0] * iota([3, 4], alongAxis: 1, as: x[0].elementType) },
      expected: { x in PlainArray([3, 4]) { i in x[0][i] * Double(i[1]) } }),
  ]

  static let indexingCases: [OperationCase] = [
    OperationCase(
      "dynamicSlice", [.init(.matrix, [5, 6], [], [])], [.range(-2, 2), .indices(3), .indices(4)],
      { x in x[0].dynamicSlice(start: [x[1], x[2]], sizes: [3, 2]) },
      expected: { x in PlainArray([3, 2]) { i in x[0][Int(x[1].values[0]) + i[0], Int(x[2].values[0]) + i[1]] } }),
    OperationCase(
      "replacingWindow", [.init(.matrix, [5, 6], [3, 2], [], [])], [.range(-2, 2), .range(-2, 2), .indices(3), .indices(4)],
      { x in x[0].replacingWindow(at: [x[2], x[3]], with: x[1]) },
      expected: { x in
        PlainArray([5, 6]) { i in
          let (r, c) = (i[0] - Int(x[2].values[0]), i[1] - Int(x[3].values[0]))
          return r >= 0 && r < 3 && c >= 0 && c < 2 ? x[1][r, c] : x[0][i]
        }
      }),
    OperationCase(
      "gathered", [.init(.matrix, [5, 3], [4]), .init(.tensor, [5, 3], [2, 2]), .init(.empty, [5, 3], [0])], [.range(-2, 2), .indices(5)],
      { x in x[0].gathered(x[1]) },
      expected: { x in PlainArray(x[1].shape + [3]) { i in x[0][Int(x[1][Array(i.dropLast())]), i.last!] } }),
    OperationCase(
      "gatheredAxis", [.init(.tensor, [2, 5, 3], [4]), .init(.tensor, [2, 5, 3], [2, 2])], [.range(-2, 2), .indices(5)],
      { x in x[0].gathered(x[1], alongAxis: 1) },
      expected: { x in
        PlainArray([2] + x[1].shape + [3]) { i in x[0][i[0], Int(x[1][Array(i.dropFirst().dropLast())]), i.last!] }
      }),
    OperationCase(
      "gatheredAlong", [.init(.matrix, [3, 5], [3, 4])], [.range(-2, 2), .indices(5)], { x in x[0].gatheredAlong(1, x[1]) },
      expected: { x in PlainArray([3, 4]) { i in x[0][i[0], Int(x[1][i])] } }),
    OperationCase(
      "gatheredAt", [.init(.tensor, [3, 3, 2], [4, 2])], [.range(-2, 2), .indices(3)], { x in x[0].gatheredAt(x[1]) },
      expected: { x in PlainArray([4, 2]) { i in x[0][Int(x[1][i[0], 0]), Int(x[1][i[0], 1]), i[1]] } }),
    scatter(.set) { _, new in new },
    scatter(.add) { old, new in old + new },
    scatter(.multiply) { old, new in old * new },
    scatter(.minimum) { old, new in Swift.min(old, new) },
    scatter(.maximum) { old, new in Swift.max(old, new) },
    OperationCase(
      "segmentSum", [.init(.matrix, [6, 2], [6])], [.range(-2, 2), .indices(3)], tolerance: Tolerance(epsilons: 16),
      { x in segmentSum(x[0], ids: x[1], count: 4) },
      expected: { x in
        PlainArray([4, 2]) { i in (0..<6).reduce(0) { $0 + (Int(x[1][$1]) == i[0] ? x[0][$1, i[1]] : 0) } }
      }),
    OperationCase(
      "oneHotTimes", [.init(.vector, [3], [4])], [.range(-2, 2), .indices(3)], tolerance: .ulps(1),
      { x in oneHot(x[1], count: 3, as: x[0].elementType) * x[0] },
      expected: { x in PlainArray([4, 3]) { i in Int(x[1][i[0]]) == i[1] ? x[0][i[1]] : 0 } }),
  ]

  /// Rows of updates combined with the rows of x that the indices name, one after the other.
  private static func scatter(_ mode: ScatterMode, _ combine: @escaping @Sendable (Double, Double) -> Double) -> OperationCase {
    OperationCase(
      "scattered.\(mode)", [.init(.matrix, [4, 3], [6], [6, 3]), .init(.empty, [4, 3], [0], [0, 3])],
      [.distinct, .indices(4), .distinct], tolerance: Tolerance(ulps: 4, epsilons: 16),
      { x in x[0].scattered(x[2] + 0.033, at: x[1], mode: mode) },
      expected: { x in
        PlainArray([4, 3]) { i in
          var value = x[0][i]
          for k in 0..<x[1].values.count where Int(x[1][k]) == i[0] { value = combine(value, x[2][k, i[1]] + 0.033) }
          return value
        }
      })
  }
}
