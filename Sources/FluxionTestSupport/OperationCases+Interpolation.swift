internal import FluxionCore
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

private let several = OperationCase.Exception("its row needs several samples", shapeClasses: [.one])

/// Increasing places from a row of distances: 0, d₁, d₁ + d₂ …, less than 1 · n.
private func places(_ distances: Tensor) -> Tensor { distances.cumulativeSum() - distances[0] }
private func places(_ distances: [Double]) -> [Double] { distances.indices.map { distances[0...$0].dropFirst().reduce(0, +) } }

/// The number of the piece that holds t.
private func piece(_ t: Double, _ x: [Double]) -> Int { Swift.max(0, Swift.min(x.count - 2, x.filter { $0 <= t }.count - 1)) }

/// Slopes of a spline by elimination on the full matrix of equations for continuous second derivatives.
private func smooth(_ x: [Double], _ y: [Double], _ first: ([Double], Double), _ last: ([Double], Double)) -> [Double] {
  let n = x.count
  var rows = [[Double]](repeating: [Double](repeating: 0, count: n + 1), count: n)
  for k in 0..<first.0.count { rows[0][k] = first.0[k] }
  rows[0][n] = first.1
  for k in 0..<last.0.count { rows[n - 1][n - last.0.count + k] = last.0[k] }
  rows[n - 1][n] = last.1
  for i in 1..<Swift.max(1, n - 1) {
    let a: Double = 1 / (x[i] - x[i - 1])
    let b: Double = 1 / (x[i + 1] - x[i])
    rows[i][i - 1] = a
    rows[i][i] = 2 * (a + b)
    rows[i][i + 1] = b
    let before: Double = a * a * (y[i] - y[i - 1])
    let after: Double = b * b * (y[i + 1] - y[i])
    rows[i][n] = 3 * (before + after)
  }
  for k in 0..<n {
    let pivot = (k..<n).max { Swift.abs(rows[$0][k]) < Swift.abs(rows[$1][k]) }!
    rows.swapAt(k, pivot)
    for r in 0..<n where r != k {
      let factor = rows[r][k] / rows[k][k]
      for c in k...n { rows[r][c] -= factor * rows[k][c] }
    }
  }
  return (0..<n).map { rows[$0][n] / rows[$0][$0] }
}

/// The cubic with given ends and slopes by de Casteljau's construction from its four control points.
private func cubic(_ t: Double, _ x: [Double], _ y: [Double], _ m: [Double]) -> Double {
  let i = piece(t, x)
  let h = x[i + 1] - x[i]
  let s = (t - x[i]) / h
  var p = [y[i], y[i] + h * m[i] / 3, y[i + 1] - h * m[i + 1] / 3, y[i + 1]]
  while p.count > 1 { p = zip(p, p.dropFirst()).map { $0 + s * ($1 - $0) } }
  return p[0]
}

extension OperationCase {
  /// Operands: the number of a place before the one asked for and the distance from it, distances between samples, values `[n, 2]`.
  /// So what is asked for is never so near a sample that differences would reach over the kink there.
  private static let splineSamples: [Sample] = [
    .init(.vector, [5], [5], [6], [6, 2]), .init(.matrix, [2, 2], [2, 2], [4], [4, 2]), .init(.empty, [0], [0], [5], [5, 2]),
    .init(.large, [1009], [1009], [5], [5, 2]),
  ]
  private static let between: [Domain] = [.indices(7), .real(.range(0.1, 0.6)), .real(.range(0.95, 1))]
  private static func asked(_ x: [Tensor]) -> Tensor { x[1] + (x[0] - 1).converted(to: x[1].elementType) }
  private static func asked(_ x: [PlainArray]) -> PlainArray { PlainArray(x[0].shape, zip(x[0].values, x[1].values).map { $0 - 1 + $1 }) }
  private static let splineTolerance = Tolerance(ulps: 32, epsilons: 1024)

  private static func spline(
    _ name: String, domain: Domain = .range(-2, 2), complex: ComplexExpectation? = nil,
    _ function: @escaping @Sendable (Tensor, Tensor, Tensor) -> Tensor,
    _ slopes: @escaping @Sendable ([Double], [Double]) -> [Double]
  ) -> OperationCase {
    OperationCase(
      name, splineSamples, between + [domain], complex: complex, tolerance: splineTolerance,
      derivativeTolerance: .init(float64: 1e-6, float32: 2e-4, because: "the slopes come from a chain of divisions"), exceptions: [several],
      { x in function(asked(x), places(x[2]), x[3]) },
      expected: { x in
        let (t, at) = (asked(x), places(x[2].values))
        let columns = (0..<2).map { c in (0..<at.count).map { x[3][$0, c] } }
        let m = columns.map { slopes(at, $0) }
        return PlainArray(t.shape + [2]) { i in
          let c = i.last!
          return cubic(t[Array(i.dropLast())], at, columns[c], m[c])
        }
      })
  }

  static let interpolationCases: [OperationCase] = [
    OperationCase(
      "interpolate", splineSamples + [.init(.scalar, [], [], [4], [4, 2]), .init(.one, [1], [1], [1], [1, 1])], between + [.range(-2, 2)], complex: .linear,
      tolerance: splineTolerance, { x in interpolate(asked(x), places(x[2]), x[3]) },
      expected: { x in
        let (all, at) = (asked(x), places(x[2].values))
        return PlainArray(all.shape + [x[3].shape[1]]) { i in
          let t = all[Array(i.dropLast())]
          if t <= at[0] || at.count == 1 { return x[3][t <= at[0] ? 0 : at.count - 1, i.last!] }
          if t >= at.last! { return x[3][at.count - 1, i.last!] }
          let k = piece(t, at)
          let s = (t - at[k]) / (at[k + 1] - at[k])
          return (1 - s) * x[3][k, i.last!] + s * x[3][k + 1, i.last!]
        }
      }),
    OperationCase(
      "interpolateContinued", splineSamples, between + [.range(-2, 2)], complex: .linear, tolerance: splineTolerance, exceptions: [several],
      { x in interpolate(asked(x), places(x[2]), x[3], extrapolation: .continued) },
      expected: { x in
        let (all, at) = (asked(x), places(x[2].values))
        return PlainArray(all.shape + [2]) { i in
          let t = all[Array(i.dropLast())]
          let k = piece(t, at)
          let s = (t - at[k]) / (at[k + 1] - at[k])
          return (1 - s) * x[3][k, i.last!] + s * x[3][k + 1, i.last!]
        }
      }),
    spline("cubicSpline.natural", complex: .linear, { CubicSpline($1, $2, boundary: .natural)($0) }) { x, y in
      let n = x.count
      let first: Double = (y[1] - y[0]) / (x[1] - x[0])
      let last: Double = (y[n - 1] - y[n - 2]) / (x[n - 1] - x[n - 2])
      return smooth(x, y, ([2, 1], 3 * first), ([1, 2], 3 * last))
    },
    spline("cubicSpline.flat", complex: .linear, { CubicSpline($1, $2, boundary: .flat)($0) }) { x, y in smooth(x, y, ([1], 0), ([1], 0)) },
    spline("cubicSpline.clamped", complex: .linear, { CubicSpline($1, $2, firstSlope: 0.5, lastSlope: -1)($0) }) { x, y in smooth(x, y, ([1], 0.5), ([1], -1)) },
    spline("cubicSpline.notAKnot", complex: .linear, { CubicSpline($1, $2)($0) }) { x, y in
      // Equal third derivatives (m₀ + m₁ - 2δ₀) / h₀² on both sides of the second place.
      func end(_ a: Int, _ b: Int, _ c: Int) -> ([Double], Double) {
        let (h0, h1) = (x[b] - x[a], x[c] - x[b])
        let u: Double = 1 / (h0 * h0)
        let v: Double = 1 / (h1 * h1)
        let first: Double = u * (y[b] - y[a]) / h0
        let second: Double = v * (y[c] - y[b]) / h1
        return ([u, u - v, -v], 2 * (first - second))
      }
      let n = x.count
      return smooth(x, y, end(0, 1, 2), end(n - 3, n - 2, n - 1))
    },
    spline("cubicSpline.slopes", { CubicSpline($1, $2, slopes: sin($2))($0) }) { _, y in y.map { sin($0) } },
    spline("cubicSpline.monotone", domain: .distinct, { CubicSpline.monotone($1, $2)($0) }) { x, y in
      let n = x.count
      let h = (0..<n - 1).map { (i: Int) -> Double in x[i + 1] - x[i] }
      let d = (0..<n - 1).map { (i: Int) -> Double in (y[i + 1] - y[i]) / h[i] }
      func end(_ i: Int, _ j: Int) -> Double {
        let sum: Double = (2 * h[i] + h[j]) * d[i] - h[i] * d[j]
        let m: Double = sum / (h[i] + h[j])
        if m * d[i] <= 0 { return 0 }
        return d[i] * d[j] < 0 && Swift.abs(m) > 3 * Swift.abs(d[i]) ? 3 * d[i] : m
      }
      let inside = (1..<n - 1).map { i -> Double in
        if d[i - 1] * d[i] <= 0 { return 0 }
        let w1: Double = 2 * h[i] + h[i - 1]
        let w2: Double = h[i] + 2 * h[i - 1]
        let sum: Double = w1 / d[i - 1] + w2 / d[i]
        return (w1 + w2) / sum
      }
      return [end(0, 1)] + inside + [end(n - 2, n - 3)]
    },
    spline("cubicSpline.akima", domain: .distinct, { CubicSpline.akima($1, $2)($0) }) { x, y in
      let n = x.count
      var d = (0..<n - 1).map { (i: Int) -> Double in (y[i + 1] - y[i]) / (x[i + 1] - x[i]) }
      for _ in 0..<2 {
        d.insert(2 * d[0] - d[1], at: 0)
        d.append(2 * d[d.count - 1] - d[d.count - 2])
      }
      return (0..<n).map { (i: Int) -> Double in
        let right: Double = Swift.abs(d[i + 3] - d[i + 2])
        let left: Double = Swift.abs(d[i + 1] - d[i])
        let sum: Double = right * d[i + 1] + left * d[i + 2]
        return sum / (right + left)
      }
    },
    OperationCase(
      "cubicSpline.derivative", splineSamples, between + [.range(-2, 2)], complex: .linear, tolerance: Tolerance(ulps: 64, epsilons: 8192),
      isDifferentiable: true, derivativeTolerance: .init(float64: 1e-6, float32: 1e-3, because: "of the second derivative's division by h²"),
      exceptions: [several], { x in CubicSpline(places(x[2]), x[3], slopes: x[3]).derivative(at: asked(x)) },
      expected: { x in
        let (all, at) = (asked(x), places(x[2].values))
        return PlainArray(all.shape + [2]) { i in
          let t = all[Array(i.dropLast())]
          let k = piece(t, at)
          let (h, y0, y1) = (at[k + 1] - at[k], x[3][k, i.last!], x[3][k + 1, i.last!])
          let s = (t - at[k]) / h
          // Bernstein's form of the derivative: differences of the control points.
          let (a, b) = (y0, y1)
          let middle: Double = 3 * (y1 - y0) / h - y0 - y1
          let ends: Double = (1 - s) * (1 - s) * a + s * s * b
          return ends + 2 * s * (1 - s) * middle
        }
      }),
    OperationCase(
      "cubicSpline.integral", splineSamples, between + [.range(-2, 2)], complex: .linear, tolerance: Tolerance(ulps: 64, epsilons: 1024), exceptions: [several],
      { x in CubicSpline(places(x[2]), x[3], slopes: x[3]).integral(from: asked(x), to: 0.125) },
      expected: { x in
        let (all, at) = (asked(x), places(x[2].values))
        return PlainArray(all.shape + [2]) { i in
          let t = all[Array(i.dropLast())]
          let y = (0..<at.count).map { x[3][$0, i.last!] }
          // Simpson's rule is exact for cubics: piece by piece.
          let inner = at.filter { $0 > Swift.min(t, 0.125) && $0 < Swift.max(t, 0.125) }
          let bounds = [Swift.min(t, 0.125)] + inner + [Swift.max(t, 0.125)]
          let total = zip(bounds, bounds.dropFirst()).reduce(0.0) { (sum: Double, ends: (Double, Double)) -> Double in
            let middle = (ends.0 + ends.1) / 2
            // At a place both neighbours have the same value.
            let values: Double = cubic(ends.0, at, y, y) + 4 * cubic(middle, at, y, y) + cubic(ends.1, at, y, y)
            return sum + (ends.1 - ends.0) / 6 * values
          }
          return t > 0.125 ? -total : total
        }
      }),
    sampled("sampled.linear", .linear, .clamped) { place, n in Swift.max(0, Swift.min(Double(n - 1), place)) },
    sampled("sampled.nearest", .nearest, .clamped) { place, n in Swift.max(0, Swift.min(Double(n - 1), place)).rounded(.toNearestOrEven) },
    sampled("sampled.constant", .linear, .constant(0.5)) { place, _ in place },
    OperationCase(
      "regularGrid", [.init(.matrix, [4, 5], [3, 2], [3, 2]), .init(.empty, [4, 5], [0, 2], [0, 2]), .init(.large, [4, 5], [401, 2], [401, 2])],
      [.range(-2, 2), .indices(4), .real(.range(0.1, 0.4))], complex: .linear,
      tolerance: Tolerance(epsilons: 256), exceptions: [several],
      { x in
        let axes = [arange(4, as: x[2].elementType) * 0.75, arange(5, as: x[2].elementType) * 0.5]
        // Places in units of the axes' steps, of which a few lie outside.
        let steps = stacked([Tensor(0.75, as: x[2].elementType), Tensor(0.5, as: x[2].elementType)])
        return RegularGrid(axes: axes, values: x[0])(asked(Array(x.dropFirst())) * steps)
      },
      expected: { x in
        let at = asked(Array(x.dropFirst()))
        return PlainArray([at.shape[0]]) { i in
          let (a, b) = (Swift.max(0, Swift.min(3, at[i[0], 0])), Swift.max(0, Swift.min(4, at[i[0], 1])))
          return bilinear(x[0], a, b) { a, b in x[0][Swift.min(a, 3), Swift.min(b, 4)] }
        }
      }),
    resized("resized.linear", .linear, [7, 3], 1) { Swift.max(0, 1 - $0) },
    resized("resized.cubic", .cubic, [9, 3], 2) { s in
      let inner: Double = 1.5 * s * s * s - 2.5 * s * s + 1
      let outer: Double = -0.5 * s * s * s + 2.5 * s * s - 4 * s + 2
      return s < 1 ? inner : s < 2 ? outer : 0
    },
    resized("resized.lanczos", .lanczos(3), [9, 3], 3) { s in
      func sinc(_ z: Double) -> Double { z == 0 ? 1 : sin(.pi * z) / (.pi * z) }
      return s < 3 ? sinc(s) * sinc(s / 3) : 0
    },
    OperationCase(
      "resized.nearest", [.init(.matrix, [4, 5]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear,
      exceptions: [.init("an empty axis has no nearest element", shapeClasses: [.empty])], { x in x[0].resized(to: [7, 3], method: .nearest) },
      expected: { x in
        PlainArray([7, 3]) { i in x[0][(2 * i[0] + 1) * x[0].shape[0] / 14, (2 * i[1] + 1) * x[0].shape[1] / 6] }
      }),
  ]

  private static func bilinear(_ x: PlainArray, _ a: Double, _ b: Double, _ element: (Int, Int) -> Double) -> Double {
    let (i, j) = (Int(a.rounded(.down)), Int(b.rounded(.down)))
    let (s, t) = (a - a.rounded(.down), b - b.rounded(.down))
    let upper = (1 - t) * element(i, j) + t * element(i, j + 1)
    let lower = (1 - t) * element(i + 1, j) + t * element(i + 1, j + 1)
    return (1 - s) * upper + s * lower
  }

  private static func sampled(
    _ name: String, _ method: GridMethod, _ extrapolation: Extrapolation, _ bounded: @escaping @Sendable (Double, Int) -> Double
  ) -> OperationCase {
    OperationCase(
      name,
      [
        .init(.tensor, [3, 4, 2], [5, 2], [5, 2]), .init(.tensor, [1, 1, 1], [3, 2], [3, 2]), .init(.empty, [3, 4, 2], [0, 2], [0, 2]),
        .init(.large, [3, 4, 2], [401, 2], [401, 2]),
      ], [.range(-2, 2), .indices(5), .real(.range(0.1, 0.4))], complex: .linear, tolerance: Tolerance(epsilons: 64), exceptions: [several],
      { x in x[0].sampled(at: asked(Array(x.dropFirst())), method: method, extrapolation: extrapolation) },
      expected: { x in
        let (n, m) = (x[0].shape[0], x[0].shape[1])
        let at = asked(Array(x.dropFirst()))
        return PlainArray([at.shape[0], x[0].shape[2]]) { i in
          bilinear(x[0], bounded(at[i[0], 0], n), bounded(at[i[0], 1], m)) { a, b in
            if case let .constant(c) = extrapolation, a < 0 || a >= n || b < 0 || b >= m { return c }
            return x[0][Swift.max(0, Swift.min(a, n - 1)), Swift.max(0, Swift.min(b, m - 1)), i[1]]
          }
        }
      })
  }

  /// Both axes one after the other, each element the weighted mean of those within the kernel's reach.
  private static func resized(
    _ name: String, _ method: ResizeMethod, _ shape: Shape, _ reach: Int, _ kernel: @escaping @Sendable (Double) -> Double
  ) -> OperationCase {
    OperationCase(
      name, [.init(.matrix, [4, 6]), .init(.one, [1, 1]), .init(.large, [31, 37])], [.range(-2, 2)], complex: .linear, tolerance: Tolerance(epsilons: 64),
      exceptions: [.init("an empty axis has no elements to weigh", shapeClasses: [.empty])], { x in x[0].resized(to: shape, method: method) },
      expected: { x in
        func weights(_ i: Int, _ old: Int, _ new: Int) -> [(Int, Double)] {
          let ratio = Double(old) / Double(new)
          let centre: Double = (Double(i) + 0.5) * ratio - 0.5
          let all = (0..<old).map { (j: Int) -> (Int, Double) in (j, kernel(Swift.abs(centre - Double(j)) / Swift.max(1, ratio))) }
          let total = all.reduce(0.0) { $0 + $1.1 }
          return old == new ? [(i, 1)] : all.map { ($0.0, $0.1 / total) }
        }
        return PlainArray(shape.dimensions) { i in
          let columns = weights(i[1], x[0].shape[1], shape[1])
          return weights(i[0], x[0].shape[0], shape[0]).reduce(0.0) { (sum: Double, a: (Int, Double)) -> Double in
            sum + columns.reduce(0.0) { (sum: Double, b: (Int, Double)) -> Double in sum + a.1 * b.1 * x[0][a.0, b.0] }
          }
        }
      })
  }
}
