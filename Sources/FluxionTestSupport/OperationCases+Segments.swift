internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension OperationCase {
  private static let segmentSamples: [Sample] = [
    .init(.matrix, [7, 2], [7]), .init(.vector, [5], [5]), .init(.empty, [0, 2], [0]), .init(.one, [1, 1], [1]), .init(.large, [41, 31], [41]),
  ]

  /// Rows with an id of 3 segments, of which there are 4, reduced.
  private static func segments(
    _ name: String, _ domain: Domain, complex: (@Sendable ([PlainComplex]) -> PlainComplex)? = nil, result: ResultType = .same,
    tolerance: Tolerance = .exact, _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    _ formula: @escaping @Sendable ([Double]) -> Double
  ) -> OperationCase {
    OperationCase(
      name, segmentSamples, [domain, .indices(3)],
      complex: complex.map { formula in
        .formula { x in
          let shape = [4] + x[0].shape.dropFirst()
          let numbers = PlainArray.indices(of: shape).map { i in
            formula(x[1].values.indices.filter { Int(x[1].values[$0]) == i[0] }.map { x[0].complex([$0] + i.dropFirst()) })
          }
          return [PlainArray(shape, numbers)]
        }
      }, resultType: result, tolerance: tolerance, { x in function(x[0], x[1]) },
      expected: { x in
        PlainArray([4] + x[0].shape.dropFirst()) { i in
          formula(x[1].values.indices.filter { Int(x[1].values[$0]) == i[0] }.map { x[0][[$0] + i.dropFirst()] })
        }
      })
  }

  static let segmentCases: [OperationCase] = [
    segments("segmentProduct", .parts(.awayFromZero(0.5, 1.5), .range(-0.3, 0.3)), complex: { $0.reduce(PlainComplex(1), *) }, tolerance: Tolerance(ulps: 64), { segmentProduct($0, ids: $1, count: 4) }) { $0.reduce(1, *) },
    segments("segmentMin", .distinct, { minimum(segmentMin($0, ids: $1, count: 4), 960) }) { $0.reduce(960) { Swift.min($0, $1) } },
    segments("segmentVariance", .range(-2, 2), complex: { v in
      if v.isEmpty { return PlainComplex(0) }
      let mean = v.reduce(PlainComplex(0), +) * (1 / Double(v.count))
      return v.reduce(PlainComplex(0)) { $0 + ($1 - mean) * ($1 - mean).conjugate } * (1 / Double(v.count))
    }, result: .realPart, tolerance: Tolerance(epsilons: 64), { segmentVariance($0, ids: $1, count: 4) }) { v in
      if v.isEmpty { return 0 }
      let mean = v.reduce(0, +) / Double(v.count)
      return v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(v.count)
    },
    segments("segmentLogSumExp", .range(-2, 2), tolerance: Tolerance(epsilons: 64), { maximum(segmentLogSumExp($0, ids: $1, count: 4), -999) }) { v in
      v.isEmpty ? -999 : log(v.reduce(0) { $0 + exp($1) })
    },
    OperationCase(
      "segmentSoftmax", segmentSamples, [.range(-2, 2), .indices(3)], tolerance: Tolerance(ulps: 64), { x in segmentSoftmax(x[0], ids: x[1], count: 4) },
      expected: { x in
        PlainArray(x[0].shape) { i in
          let total = x[1].values.indices.filter { x[1].values[$0] == x[1].values[i[0]] }.reduce(0.0) { $0 + exp(x[0][[$1] + i.dropFirst()]) }
          return exp(x[0][i]) / total
        }
      }),
  ]
}
