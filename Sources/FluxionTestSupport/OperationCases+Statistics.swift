internal import FluxionCore

private let sums = Tolerance(ulps: 4, epsilons: 256)
private let noElement = OperationCase.Exception("its row needs elements to choose from", shapeClasses: [.empty])
private let two = OperationCase.Exception("its row needs two elements", shapeClasses: [.one])
private let several = OperationCase.Exception("its row needs several places", shapeClasses: [.one, .empty])

private func mean(_ v: [Double]) -> Double { v.reduce(0, +) / Double(v.count) }
private func products(_ a: [Double], _ b: [Double]) -> Double {
  let (ma, mb) = (mean(a), mean(b))
  return zip(a, b).reduce(0) { $0 + ($1.0 - ma) * ($1.1 - mb) }
}
private func row(_ x: PlainArray, _ i: Int) -> [Double] { (0..<x.shape[1]).map { x[i, $0] } }
private func quantile(_ v: [Double], _ q: Double, _ method: QuantileMethod) -> Double {
  let s = v.sorted()
  let place = q * Double(s.count - 1)
  let (low, high) = (s[Int(place.rounded(.down))], s[Int(place.rounded(.up))])
  switch method {
  case .linear: return low + (place - place.rounded(.down)) * (high - low)
  case .lower: return low
  case .higher: return high
  case .nearest: return s[Int(place.rounded(.toNearestOrEven))]
  case .midpoint: return (low + high) / 2
  }
}

/// Σ (x - x̄) conj(y - ȳ) / (n - 1) of rows.
private func complexCovariance(_ x: PlainArray) -> PlainArray {
  let n = x.shape[1]
  let rows = (0..<x.shape[0]).map { r -> [PlainComplex] in
    let z = (0..<n).map { x.complex([r, $0]) }
    let m = z.mean
    return z.map { $0 - m }
  }
  let products = rows.flatMap { a in
    rows.map { b in zip(a, b).reduce(PlainComplex(0)) { $0 + $1.0 * $1.1.conjugate } * (1 / Double(n - 1)) }
  }
  return PlainArray([rows.count, rows.count], products)
}

private func complexCorrelation(_ x: PlainArray) -> PlainArray {
  let c = complexCovariance(x)
  return PlainArray(c.shape, PlainArray.indices(of: c.shape).map { i in
    c.complex(i) * (1 / (c.complex([i[0], i[0]]).re * c.complex([i[1], i[1]]).re).squareRoot())
  })
}

extension OperationCase {
  static let statisticsCases: [OperationCase] =
    QuantileMethod.allCases.map { method in
      OperationCase(
        "quantile.\(method)", [.init(.matrix, [6, 3]), .init(.one, [1, 1]), .init(.empty, [3, 0]), .init(.large, [102, 11])], [.distinct],
        tolerance: Tolerance(epsilons: 4096),
        { x in x[0].quantile(Tensor([0.0, 0.3125, 0.59375, 1]), alongAxis: 0, method: method) },
        expected: { x in
          PlainArray([4, x[0].shape[1]]) { i in quantile((0..<x[0].shape[0]).map { x[0][$0, i[1]] }, [0, 0.3125, 0.59375, 1][i[0]], method) }
        })
    } + [
      OperationCase(
        "quantileAt", [.init(.matrix, [5, 3], [2]), .init(.one, [1, 1], [1]), .init(.empty, [5, 3], [0]), .init(.large, [5, 3], [1009])],
        [.distinct, .range(0.295, 0.345)], tolerance: Tolerance(epsilons: 4096), { x in x[0].quantile(x[1]) },
        expected: { x in PlainArray(x[1].shape, x[1].values.map { quantile(x[0].values, $0, .linear) }) }),
      OperationCase(
        "percentile", [.init(.matrix, [5, 3]), .init(.one, [1]), .init(.large, [11, 101])], [.distinct], tolerance: Tolerance(epsilons: 4096),
        exceptions: [noElement], { x in x[0].percentile(37.5) }, expected: { x in PlainArray(quantile(x[0].values, 0.375, .linear)) }),
      OperationCase(
        "median", [.init(.tensor, [2, 5, 4]), .init(.one, [1, 1, 1]), .init(.empty, [0, 3, 2]), .init(.large, [7, 23, 11])], [.distinct],
        tolerance: Tolerance(ulps: 1, epsilons: 64), { x in x[0].median(alongAxes: [1, -1], keepingAxes: true) },
        expected: { x in PlainArray([x[0].shape[0], 1, 1], x[0].reduced([1, 2]) { quantile($0, 0.5, .linear) }.values) }),
      OperationCase(
        "nanQuantile", [.init(.matrix, [3, 6]), .init(.one, [1, 1]), .init(.empty, [0, 6]), .init(.large, [11, 101])], [.distinct],
        tolerance: Tolerance(epsilons: 4096), { x in masked(x[0]).nanQuantile(0.4375, alongAxes: [1]) },
        expected: { x in x[0].reduced([1]) { quantile(present($0), 0.4375, .linear) } }),
      OperationCase(
        "nanMedian", [.init(.matrix, [3, 6]), .init(.one, [1, 1]), .init(.empty, [0, 6]), .init(.large, [11, 101])], [.distinct],
        tolerance: Tolerance(epsilons: 64), { x in masked(x[0]).nanMedian(alongAxes: [1]) },
        expected: { x in x[0].reduced([1]) { quantile(present($0), 0.5, .linear) } }),
      nanReduction("nanSum", .range(-2, 2), { $0.nanSum(alongAxes: $1) }) { $0.reduce(0, +) } complex: { $0.sum },
      nanReduction("nanProduct", .parts(.awayFromZero(0.8, 1.2), .range(-0.3, 0.3)), { $0.nanProduct(alongAxes: $1) }) { $0.reduce(1, *) } complex: { $0.product },
      nanReduction("nanMean", .range(-2, 2), { $0.nanMean(alongAxes: $1) }) { mean($0) } complex: { $0.mean },
      nanReduction("nanMax", .distinct, { $0.nanMax(alongAxes: $1) }) { $0.max()! },
      nanReduction("nanMin", .distinct, { $0.nanMin(alongAxes: $1) }) { $0.min()! },
      nanReduction("nanVariance", .range(-2, 2), result: .realPart, { $0.nanVariance(alongAxes: $1) }) { products($0, $0) / Double($0.count) } complex: {
        PlainComplex($0.squaredDeviation / Double($0.count))
      },
      OperationCase(
        "nanStandardDeviation", [.init(.matrix, [3, 6]), .init(.empty, [0, 6]), .init(.large, [11, 101])], [.distinct],
        complex: .formula { x in
          [x[0].complexReduced([1]) { PlainComplex((present($0).squaredDeviation / Double(present($0).count - 1)).squareRoot()) }]
        }, resultType: .realPart, tolerance: sums,
        exceptions: [two], { x in masked(x[0]).nanStandardDeviation(alongAxes: [1], correction: 1) },
        expected: { x in x[0].reduced([1]) { (products(present($0), present($0)) / Double(present($0).count - 1)).squareRoot() } }),
      OperationCase(
        "peakToPeak", [.init(.matrix, [3, 4]), .init(.one, [1, 1]), .init(.empty, [3, 0]), .init(.large, [31, 37])], [.distinct], tolerance: .ulps(1),
        { x in x[0].peakToPeak(alongAxes: [0]) }, expected: { x in x[0].reduced([0]) { $0.max()! - $0.min()! } }),
      OperationCase(
        "average", [.init(.matrix, [3, 4], [4]), .init(.one, [1, 1], [1]), .init(.empty, [0, 4], [4]), .init(.large, [31, 37], [37])],
        [.range(-2, 2), .real(.range(0.5, 1.5))], complex: .linear, tolerance: sums, { x in x[0].average(weights: x[1], alongAxes: [1]) },
        expected: { x in
          PlainArray([x[0].shape[0]]) { i in
            zip(row(x[0], i[0]), x[1].values).reduce(0) { $0 + $1.0 * $1.1 } / x[1].values.reduce(0, +)
          }
        }),
      OperationCase(
        "standardised", [.init(.matrix, [4, 3]), .init(.one, [1, 1]), .init(.empty, [4, 0]), .init(.large, [31, 37])], [.range(-2, 2)],
        complex: .formula { x in
          [x[0].complexMappingLines(0) { v in v.map { ($0 - v.mean) * (1 / (v.squaredDeviation / Double(v.count) + 0.125).squareRoot()) } }]
        },
        tolerance: sums, { x in x[0].standardised(alongAxes: [0], epsilon: 0.125) },
        expected: { x in
          x[0].mappingLines(0) { v in v.map { ($0 - mean(v)) / (products(v, v) / Double(v.count) + 0.125).squareRoot() } }
        }),
      OperationCase(
        "mode", [.init(.matrix, [3, 9]), .init(.one, [1, 1]), .init(.empty, [0, 9]), .init(.large, [3, 401])], [.integers(0, 4)], elementTypes: numbers,
        isDifferentiable: false, exceptions: [.init("its row's elements are equal, where a derivative has no meaning", transforms: Transform.derivatives)],
        { x in x[0].mode() },
        expected: { x in
          x[0].reduced([1]) { v in Set(v).sorted().max { a, b in
            let (m, n) = (v.filter { $0 == a }.count, v.filter { $0 == b }.count)
            return m < n || m == n && a > b
          }! }
        }),
      OperationCase(
        "covariance", [.init(.matrix, [3, 5]), .init(.empty, [0, 5]), .init(.large, [5, 401])], [.range(-2, 2)],
        complex: .formula { x in [complexCovariance(x[0])] }, tolerance: sums,
        exceptions: [two], { x in x[0].covariance() },
        expected: { x in
          PlainArray([x[0].shape[0], x[0].shape[0]]) { i in products(row(x[0], i[0]), row(x[0], i[1])) / Double(x[0].shape[1] - 1) }
        }),
      OperationCase(
        "correlation", [.init(.matrix, [3, 5]), .init(.empty, [0, 5]), .init(.large, [5, 401])], [.range(-2, 2)],
        complex: .formula { x in [complexCorrelation(x[0])] }, tolerance: sums,
        exceptions: [two], { x in x[0].correlation() },
        expected: { x in
          PlainArray([x[0].shape[0], x[0].shape[0]]) { i in
            let (a, b) = (row(x[0], i[0]), row(x[0], i[1]))
            return products(a, b) / (products(a, a) * products(b, b)).squareRoot()
          }
        }),
    ]

  /// Every third element NaN, but the first of a line.
  private static func masked(_ x: Tensor) -> Tensor {
    select((iota(x.shape, alongAxis: 1) % 3) .== 2, Tensor(.nan, as: x.elementType), x)
  }
  private static func present<Number>(_ v: [Number]) -> [Number] { v.indices.filter { $0 % 3 != 2 }.map { v[$0] } }

  private static func nanReduction(
    _ name: String, _ domain: Domain, result: ResultType = .same, _ function: @escaping @Sendable (Tensor, [Int]?) -> Tensor,
    _ formula: @escaping @Sendable ([Double]) -> Double, complex: (@Sendable ([PlainComplex]) -> PlainComplex)? = nil
  ) -> OperationCase {
    OperationCase(
      name, [.init(.matrix, [3, 7]), .init(.one, [1, 1]), .init(.empty, [0, 7]), .init(.large, [11, 101])], [domain],
      complex: complex.map { formula in .formula { x in [x[0].complexReduced([1]) { formula(present($0)) }] } }, resultType: result,
      tolerance: Tolerance(ulps: 64, epsilons: 256), { x in function(masked(x[0]), [1]) }, expected: { x in x[0].reduced([1]) { formula(present($0)) } })
  }

  static let gridCases: [OperationCase] = [
    OperationCase(
      "meshgrid", [.init(.vector, [3], [4]), .init(.one, [1], [1]), .init(.empty, [0], [4]), .init(.large, [31], [37])], [.range(-2, 2), .range(-2, 2)], complex: .linear,
      resultTypes: [.same, .same, .same], results: { x in meshgrid(x[0], x[1]) + [meshgrid(x[0], x[1], rowsFirst: false)[0]] },
      expected: { x in
        let (n, m) = (x[0].shape[0], x[1].shape[0])
        return [PlainArray([n, m]) { x[0][$0[0]] }, PlainArray([n, m]) { x[1][$0[1]] }, PlainArray([m, n]) { x[0][$0[1]] }]
      }),
    OperationCase(
      "vandermonde", [.init(.vector, [4]), .init(.one, [1]), .init(.empty, [0]), .init(.large, [401])], [.range(-2, 2)],
      complex: .formula { x in
        let z = x[0].complexNumbers
        return [PlainArray(x[0].shape + [4], z.flatMap { z in [z * z * z, z * z, z, PlainComplex(1)] })]
      }, tolerance: .ulps(4),
      { x in vandermonde(x[0], 4) },
      expected: { x in PlainArray(x[0].shape + [4]) { i in (0..<3 - i[1]).reduce(1) { p, _ in p * x[0][i[0]] } } }),
    OperationCase(
      "polynomial", [.init(.vector, [4], [5]), .init(.scalar, [3], []), .init(.one, [1], [1]), .init(.empty, [4], [0]), .init(.large, [4], [1009])],
      [.range(-2, 2), .range(-1, 1)],
      complex: .formula { x in
        [PlainArray(x[1].shape, x[1].complexNumbers.map { t in x[0].complexNumbers.reduce(PlainComplex(0)) { $0 * t + $1 } })]
      }, tolerance: Tolerance(epsilons: 64), { x in polynomial(x[0], at: x[1]) },
      expected: { x in PlainArray(x[1].shape, x[1].values.map { t in x[0].values.reduce(0) { $0 * t + $1 } }) }),
    OperationCase(
      "split", [.init(.matrix, [3, 6]), .init(.empty, [0, 6]), .init(.large, [31, 38])], [.range(-2, 2)], complex: .linear, resultTypes: [.same, .same],
      exceptions: [two], results: { x in x[0].split(into: 2, alongAxis: 1) },
      expected: { x in
        let half = x[0].shape[1] / 2
        return (0..<2).map { part in PlainArray([x[0].shape[0], half]) { i in x[0][i[0], part * half + i[1]] } }
      }),
    OperationCase(
      "splitAt", [.init(.matrix, [6, 2]), .init(.empty, [6, 0]), .init(.large, [601, 2])], [.range(-2, 2)], complex: .linear, resultTypes: [.same, .same, .same],
      exceptions: [several], results: { x in x[0].split(at: [1, 4]) },
      expected: { x in
        [(0, 1), (1, 4), (4, x[0].shape[0])].map { from, to in PlainArray([to - from, x[0].shape[1]]) { i in x[0][from + i[0], i[1]] } }
      }),
    OperationCase(
      "unstacked", [.init(.matrix, [4, 2]), .init(.empty, [0, 2]), .init(.large, [601, 2])], [.range(-2, 2)], complex: .linear, resultTypes: [.same, .same],
      exceptions: [two], results: { x in x[0].unstacked(alongAxis: 1) },
      expected: { x in (0..<2).map { k in PlainArray([x[0].shape[0]]) { i in x[0][i[0], k] } } }),
    OperationCase(
      "rotated", [.init(.matrix, [3, 4]), .init(.one, [1, 1]), .init(.empty, [0, 4]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear,
      resultTypes: [.same, .same, .same], results: { x in [x[0].rotated(), x[0].rotated(quarters: 2), x[0].rotated(quarters: -1)] },
      expected: { x in
        let (n, m) = (x[0].shape[0], x[0].shape[1])
        return [
          PlainArray([m, n]) { i in x[0][i[1], m - 1 - i[0]] }, PlainArray([n, m]) { i in x[0][n - 1 - i[0], m - 1 - i[1]] },
          PlainArray([m, n]) { i in x[0][n - 1 - i[1], i[0]] },
        ]
      }),
    OperationCase(
      "upperTriangle", [.init(.matrix, [3, 4]), .init(.empty, [3, 0]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear,
      { x in x[0].upperTriangle(1) }, expected: { x in PlainArray(x[0].shape) { i in i[1] >= i[0] + 1 ? x[0][i] : 0 } }),
    OperationCase(
      "triangleTimes", [.init(.matrix, [3, 3]), .init(.empty, [0, 0]), .init(.one, [1, 1]), .init(.large, [37, 37])], [.range(-2, 2)], complex: .linear,
      { x in x[0] * triangle(x[0].shape[0], nil, -1, as: x[0].elementType) }, expected: { x in PlainArray(x[0].shape) { i in i[1] < i[0] ? x[0][i] : 0 } }),
    OperationCase(
      "diagonalOffset", [.init(.matrix, [4, 6]), .init(.tensor, [2, 3, 3]), .init(.empty, [0, 3]), .init(.one, [1, 1]), .init(.large, [31, 37])],
      [.range(-2, 2)], complex: .linear, resultTypes: [.same, .same], results: { x in [x[0].diagonal(offset: 1), x[0].diagonal(offset: -2)] },
      expected: { x in
        [(0, 1), (2, 0)].map { down, right in
          let n = Swift.max(0, Swift.min(x[0].shape[x[0].shape.count - 2] - down, x[0].shape.last! - right))
          return PlainArray(x[0].shape.dropLast(2) + [n]) { i in x[0][i.dropLast() + [i.last! + down, i.last! + right]] }
        }
      }),
    OperationCase(
      "diagonalMatrixOffset", [.init(.vector, [3]), .init(.matrix, [2, 3]), .init(.empty, [0]), .init(.one, [1]), .init(.large, [5, 41])], [.range(-2, 2)], complex: .linear,
      resultTypes: [.same, .same], results: { x in [x[0].diagonalMatrix(offset: 1), x[0].diagonalMatrix(offset: -2)] },
      expected: { x in
        [(0, 1), (2, 0)].map { down, right in
          let n = x[0].shape.last! + down + right
          return PlainArray(x[0].shape.dropLast() + [n, n]) { i in
            let (r, c) = (i[i.count - 2] - down, i.last! - right)
            return r == c && r >= 0 ? x[0][i.dropLast(2) + [r]] : 0
          }
        }
      }),
    OperationCase(
      "scatteredAlong", [.init(.matrix, [3, 5], [3, 4], [3, 4]), .init(.empty, [3, 5], [3, 0], [3, 0]), .init(.large, [31, 5], [31, 37], [31, 37])],
      [.range(-2, 2), .indices(5), .range(-2, 2)], complex: .linear, tolerance: Tolerance(epsilons: 256), exceptions: [two],
      { x in x[0].scatteredAlong(1, x[1], x[2], mode: .add) },
      expected: { x in
        PlainArray(x[0].shape) { i in
          (0..<x[1].shape[1]).reduce(x[0][i]) { $0 + (Int(x[1][i[0], $1]) == i[1] ? x[2][i[0], $1] : 0) }
        }
      }),
    OperationCase(
      "isClose", [.init(.vector, [5], [5]), .init(.broadcast, [3, 1], [4]), .init(.scalar, [], []), .init(.one, [1], [1]), .init(.empty, [0], [0]), .init(.large, [1009], [1009])],
      [.integers(0, 3), .integers(0, 3)], complex: .elementwise { PlainComplex(($0[0] - $0[1]).size <= 0.5 + 0.25 * $0[1].size ? 1 : 0) },
      resultType: .bool, isDifferentiable: false, { x in x[0].isClose(to: x[1], relative: 0.25, absolute: 0.5) },
      expected: { x in PlainArray.elementwise(x) { Swift.abs($0[0] - $0[1]) <= 0.5 + 0.25 * $0[1] ? 1 : 0 } }),
    OperationCase(
      "allClose", [.init(.vector, [5], [5]), .init(.scalar, [], []), .init(.one, [1], [1]), .init(.empty, [0], [0]), .init(.large, [1009], [1009])],
      [.integers(0, 3), .integers(0, 3)],
      complex: .formula { x in [PlainArray([], [zip(x[0].complexNumbers, x[1].complexNumbers).allSatisfy { ($0 - $1).size <= 2 } ? 1 : 0])] },
      resultType: .bool, isDifferentiable: false, { x in x[0].allClose(to: x[1], relative: 0, absolute: 2) },
      expected: { x in PlainArray([], [zip(x[0].values, x[1].values).allSatisfy { Swift.abs($0 - $1) <= 2 } ? 1 : 0]) }),
    OperationCase(
      "differences", [.init(.matrix, [3, 6]), .init(.one, [1, 1]), .init(.empty, [0, 6]), .init(.large, [11, 101])], [.range(-2, 2)], complex: .linear,
      tolerance: Tolerance(epsilons: 16), exceptions: [], { x in x[0].differences(order: 2) },
      expected: { x in
        PlainArray([x[0].shape[0], Swift.max(0, x[0].shape[1] - 2)]) { (i: [Int]) -> Double in
          let ends: Double = x[0][i] + x[0][i[0], i[1] + 2]
          return ends - 2 * x[0][i[0], i[1] + 1]
        }
      }),
    OperationCase(
      "numericalGradient", [.init(.matrix, [6, 3]), .init(.matrix, [2, 3]), .init(.empty, [6, 0]), .init(.large, [101, 11])], [.range(-2, 2)], complex: .linear,
      tolerance: Tolerance(epsilons: 64), exceptions: [two], { x in x[0].numericalGradient(spacing: 0.5, alongAxis: 0) },
      expected: { x in
        x[0].mappingLines(0) { v in
          v.indices.map { i in
            let (a, b) = (Swift.max(i - 1, 0), Swift.min(i + 1, v.count - 1))
            return (v[b] - v[a]) / (0.5 * Double(b - a))
          }
        }
      }),
    OperationCase(
      "numericalGradientAt", [.init(.matrix, [3, 5], [5]), .init(.empty, [0, 5], [5]), .init(.large, [11, 101], [101])], [.range(-2, 2), .real(.range(0.5, 1.5))], complex: .linear,
      tolerance: Tolerance(epsilons: 4096), exceptions: [two], { x in x[0].numericalGradient(at: x[1].cumulativeSum()) },
      expected: { x in
        let places = x[1].values.indices.map { x[1].values[0...$0].reduce(0, +) }
        return x[0].mappingLines(1) { v in
          // The derivative of Lagrange's parabola through the neighbours.
          v.indices.map { (i: Int) -> Double in
            if i == 0 { return (v[1] - v[0]) / (places[1] - places[0]) }
            if i == v.count - 1 { return (v[i] - v[i - 1]) / (places[i] - places[i - 1]) }
            let (p, q, r): (Double, Double, Double) = (places[i - 1], places[i], places[i + 1])
            let before: Double = v[i - 1] * (q - r) / ((p - q) * (p - r))
            let after: Double = v[i + 1] * (q - p) / ((r - p) * (r - q))
            let here: Double = v[i] * (2 * q - p - r) / ((q - p) * (q - r))
            return before + here + after
          }
        }
      }),
    OperationCase(
      "trapezoid", [.init(.matrix, [3, 6]), .init(.one, [1, 1]), .init(.empty, [3, 0]), .init(.large, [11, 101])], [.range(-2, 2)], complex: .linear, tolerance: sums,
      { x in x[0].trapezoid(spacing: 0.5) },
      expected: { x in x[0].reduced([1]) { v in zip(v, v.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 4 } } }),
    OperationCase(
      "trapezoidAt", [.init(.matrix, [5, 3], [5]), .init(.one, [1, 1], [1]), .init(.empty, [5, 0], [5]), .init(.large, [101, 11], [101])],
      [.range(-2, 2), .real(.range(-2, 2))], complex: .linear, tolerance: Tolerance(ulps: 4, epsilons: 1024), { x in x[0].trapezoid(at: x[1], alongAxis: 0) },
      expected: { x in
        let at = x[1].values
        return x[0].reduced([0]) { v in
          (1..<Swift.max(1, v.count)).reduce(0.0) { (sum: Double, i: Int) -> Double in sum + (v[i] + v[i - 1]) / 2 * (at[i] - at[i - 1]) }
        }
      }),
  ]
}
