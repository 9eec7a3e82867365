internal import FluxionCore

extension OperationCase {
  static let windowCases: [OperationCase] = [
    window("sum", .sum, [[2, 7], [0, 7], [30, 40]], [1, 3], .range(-2, 2)) { $0.reduce(0, +) },
    window("sum.strided", .sum, [[9, 8]], [2, 3], stride: [3, 2], dilation: [1, 2], low: [1, -1], high: [2, 3], .range(-2, 2)) { $0.reduce(0, +) },
    window("sum.doubling", .sum, [[2, 31], [30, 50]], [1, 11], stride: [1, 3], dilation: [1, 2], .range(-2, 2)) { $0.reduce(0, +) },
    window("sum.edgeToEdge", .sum, [[29, 2], [29, 0], [65, 20]], [9, 1], stride: [9, 1], .range(-2, 2)) { $0.reduce(0, +) },
    window("product", .product, [[8], [1], [1009]], [3], stride: [2], low: [2], high: [1], .range(0.5, 1.5), complex: windowProduct(3, 2, 2, 1)) { $0.reduce(1, *) },
    window("product.doubling", .product, [[14]], [10], .range(0.5, 1.5), complex: windowProduct(10, 1, 0, 0)) { $0.reduce(1, *) },
    window("maximum", .maximum, [[3, 6], [2, 0]], [2, 3], stride: [1, 2], low: [1, 1], high: [0, 1], .distinct) { $0.max() ?? -.infinity },
    window("maximum.doubling", .maximum, [[2, 25]], [1, 12], .distinct) { $0.max() ?? -.infinity },
    window("maximum.edgeToEdge", .maximum, [[33], [1020]], [11], stride: [11], .distinct) { $0.max() ?? -.infinity },
    window("minimum", .minimum, [[2, 3, 4]], [2, 1, 3], .distinct) { $0.min() ?? .infinity },
    window("minimum.integer", .minimum, [[3, 7], [1, 1], [40, 30]], [2, 3], low: [1, 1], high: [1, 1], .integers(-9, 9), types: integers) { $0.min() ?? 0 },
    window("maximum.wide", .maximum, [[40, 30]], [3, 9], .distinct) { $0.max() ?? -.infinity },
    OperationCase(
      "window.sum.circular", [.init(.vector, [5]), .init(.large, [1009])], [.range(-2, 2)], complex: .linear, tolerance: windowTolerance,
      { x in x[0].windowReduced(by: .sum, window: [4], padding: .extended(.circular)) },
      expected: { x in
        let n = x[0].shape[0]
        return PlainArray([n]) { i in (0..<4).reduce(0) { $0 + x[0][(i[0] + $1 - 1 + n) % n] } }
      }),
    OperationCase(
      "maxPool", [.init(.tensor, [2, 4, 6, 2])], [.distinct], { x in maxPool(x[0], window: [2, 3]) },
      expected: { x in
        PlainArray([2, 2, 2, 2]) { i in
          PlainArray.indices(of: [2, 3]).map { x[0][i[0], 2 * i[1] + $0[0], 3 * i[2] + $0[1], i[3]] }.max()!
        }
      }),
    OperationCase(
      "minPool", [.init(.tensor, [1, 7, 2])], [.distinct], { x in minPool(x[0], window: [3], stride: [2], padding: .same) },
      expected: { x in
        PlainArray([1, 4, 2]) { i in
          (0..<3).map { 2 * i[1] + $0 - 1 }.filter { $0 >= 0 && $0 < 7 }.map { x[0][0, $0, i[2]] }.min()!
        }
      }),
    OperationCase(
      "sumPool", [.init(.tensor, [1, 3, 3, 4, 1])], [.range(-2, 2)], complex: .linear, tolerance: windowTolerance, { x in sumPool(x[0], window: [2], stride: [1]) },
      expected: { x in
        PlainArray([1, 2, 2, 3, 1]) { i in
          PlainArray.indices(of: [2, 2, 2]).reduce(0) { $0 + x[0][0, i[1] + $1[0], i[2] + $1[1], i[3] + $1[2], 0] }
        }
      }),
    OperationCase(
      "averagePool", [.init(.tensor, [1, 5, 4, 1])], [.range(-2, 2)], complex: .linear, tolerance: windowTolerance,
      { x in averagePool(x[0], window: [3], stride: [2], padding: .same) },
      expected: { x in
        PlainArray([1, 3, 2, 1]) { i in
          // Height 5 needs one more on either side, width 4 one more at its end.
          let found = PlainArray.indices(of: [3, 3]).map { [2 * i[1] + $0[0] - 1, 2 * i[2] + $0[1]] }
            .filter { $0[0] >= 0 && $0[0] < 5 && $0[1] < 4 }
          return found.reduce(0) { $0 + x[0][0, $1[0], $1[1], 0] } / Double(found.count)
        }
      }),
    OperationCase(
      "averagePool.countsPadding", [.init(.tensor, [2, 5, 1])], [.range(-2, 2)], complex: .linear, tolerance: windowTolerance,
      { x in averagePool(x[0], window: [3], stride: [1], padding: .same, countsPadding: true) },
      expected: { x in
        PlainArray([2, 5, 1]) { i in
          (0..<3).map { i[1] + $0 - 1 }.filter { $0 >= 0 && $0 < 5 }.reduce(0) { $0 + x[0][i[0], $1, 0] } / 3
        }
      }),
    OperationCase(
      "patches", [.init(.tensor, [1, 5, 6, 2])], [.range(-2, 2)], complex: .linear,
      { x in x[0].patches(window: [2, 3], stride: [2, 1], dilation: [1, 2], padding: .explicit(low: [1, 0], high: [0, 1])) },
      expected: { x in
        PlainArray([1, 3, 3, 2, 3, 2]) { i in
          let (row, column) = (2 * i[1] + i[3] - 1, i[2] + 2 * i[4])
          return row < 0 || column > 5 ? 0 : x[0][0, row, column, i[5]]
        }
      }),
    OperationCase(
      "foldedPatches", [.init(.tensor, [1, 3, 3, 2, 3, 2])], [.range(-2, 2)], complex: .linear, tolerance: windowTolerance,
      { x in x[0].foldedPatches(to: [5, 6], stride: [2, 1], dilation: [1, 2], padding: .explicit(low: [1, 0], high: [0, 1])) },
      expected: { x in
        PlainArray([1, 5, 6, 2]) { i in
          PlainArray.indices(of: [3, 3, 2, 3]).reduce(0) { total, p in
            2 * p[0] + p[2] - 1 == i[1] && p[1] + 2 * p[3] == i[2] ? total + x[0][0, p[0], p[1], p[2], p[3], i[3]] : total
          }
        }
      }),
    border(.circular) { place, n in ((place % n) + n) % n },
    border(.reflect) { place, n in
      let p = ((place % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2)
      return p < n ? p : 2 * n - 2 - p
    },
    border(.symmetric) { place, n in
      let p = ((place % (2 * n)) + 2 * n) % (2 * n)
      return p < n ? p : 2 * n - 1 - p
    },
    border(.replicate) { place, n in min(max(place, 0), n - 1) },
  ]

  private static let windowTolerance = Tolerance(ulps: 4, epsilons: 32)

  private static func window(
    _ name: String, _ reduction: Reduction, _ shapes: [Shape], _ size: [Int], stride: [Int]? = nil, dilation: [Int]? = nil,
    low: [Int]? = nil, high: [Int]? = nil, _ domain: Domain, complex: ComplexExpectation? = nil, types: [ElementType] = reals,
    _ f: @escaping @Sendable ([Double]) -> Double
  ) -> OperationCase {
    let n = size.count
    let (ones, zeros) = ([Int](repeating: 1, count: n), [Int](repeating: 0, count: n))
    let (stride, dilation, low, high) = (stride ?? ones, dilation ?? ones, low ?? zeros, high ?? zeros)
    return OperationCase(
      "window.\(name)",
      shapes.map { .init(shapeClass(of: $0), $0) },
      [domain], complex: complex ?? (reduction == .sum ? .linear : nil), elementTypes: types, tolerance: windowTolerance, isDifferentiable: types.contains(.float64),
      { x in
        x[0].windowReduced(by: reduction, window: size, stride: stride, dilation: dilation, padding: .explicit(low: low, high: high))
      },
      expected: { x in
        let result = (0..<n).map { a -> Int in
          let span: Int = (size[a] - 1) * dilation[a] + 1
          let room: Int = x[0].shape[a] + low[a] + high[a] - span
          return room < 0 ? 0 : room / stride[a] + 1
        }
        return PlainArray(result) { i in
          f(PlainArray.indices(of: size).compactMap { (p: [Int]) -> Double? in
            let at = (0..<n).map { a -> Int in
              let moved: Int = i[a] * stride[a] + p[a] * dilation[a]
              return moved - low[a]
            }
            let isInside: Bool = at.indices.allSatisfy { at[$0] >= 0 && at[$0] < x[0].shape[$0] }
            return isInside ? x[0][at] : nil
          })
        }
      })
  }

  /// Products over windows of a vector.
  private static func windowProduct(_ size: Int, _ stride: Int, _ low: Int, _ high: Int) -> ComplexExpectation {
    .formula { x in
      let (n, z) = (x[0].values.count, x[0].complexNumbers)
      let count = Swift.max(0, n + low + high - size + stride) / stride
      let products = (0..<count).map { i in
        (0..<size).map { i * stride + $0 - low }.filter { $0 >= 0 && $0 < n }.reduce(PlainComplex(1)) { $0 * z[$1] }
      }
      return [PlainArray([count], products)]
    }
  }

  private static func shapeClass(of shape: Shape) -> ShapeClass {
    switch shape.elementCount {
    case 0: .empty
    case 1: .one
    case 1000...: .large
    default: shape.rank == 1 ? .vector : shape.rank == 2 ? .matrix : .tensor
    }
  }

  private static func border(_ mode: PaddingMode, _ place: @escaping @Sendable (Int, Int) -> Int) -> OperationCase {
    OperationCase(
      "padded.\(mode)", [.init(.matrix, [3, 4]), .init(.matrix, [2, 7]), .init(.large, [25, 41])], [.range(-2, 2)], complex: .linear,
      { x in x[0].padded(low: [5, 1], high: [4, -1], mode: mode) },
      expected: { x in
        let (n, m) = (x[0].shape[0], x[0].shape[1] - 1)
        return PlainArray([n + 9, m + 1]) { i in x[0][place(i[0] - 5, n), place(i[1] - 1, m)] }
      })
  }
}
