internal import FluxionCore
internal import FluxionTransforms
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

private let loopTolerance = Tolerance(ulps: 16, epsilons: 64)
private let noReverse = OperationCase.Exception(
  "the trip count is not known before the loop runs, so that nothing can be kept for a way back", transforms: Transform.reverseDerivatives)

extension OperationCase {
  static let controlFlowCases: [OperationCase] = [
    OperationCase(
      "scan.last", [.init(.matrix, [5, 3], [3]), .init(.empty, [5, 0], [0]), .init(.empty, [0, 3], [3]), .init(.one, [1, 1], [1]), .init(.large, [9, 127], [127])],
      [.parts(.range(-1, 1), .range(-0.5, 0.5)), .parts(.range(-1, 1), .range(-0.5, 0.5))],
      complex: .formula { x in
        let last = x[1].values.indices.map { c in
          (0..<x[0].shape[0]).reduce(x[1].complex([c])) { h, t in (h * 0.5 + x[0].complex([t, c])).hyperbolicTangent }
        }
        return [PlainArray(x[1].shape, last)]
      }, tolerance: loopTolerance,
      { x in scan(over: x[0], from: x[1]) { (h: Tensor, row: Tensor) -> Tensor in tanh(0.5 * h + row) } },
      expected: { x in
        PlainArray(x[1].shape) { i in (0..<x[0].shape[0]).reduce(x[1][i]) { h, t in tanh(0.5 * h + x[0][t, i[0]]) } }
      }),
    OperationCase(
      "scan.outputsReversed", [.init(.matrix, [5, 3], [3]), .init(.one, [1, 1], [1]), .init(.empty, [0, 3], [3]), .init(.large, [9, 127], [127])],
      [.range(-1, 1), .range(-1, 1)],
      complex: .formula { x in
        var h = x[1].complexNumbers
        var outputs = x[0].complexNumbers
        for t in (0..<x[0].shape[0]).reversed() {
          for c in h.indices {
            let next = h[c].sine * x[0].complex([t, c])
            outputs[t * h.count + c] = next + h[c]
            h[c] = next
          }
        }
        return [PlainArray(x[0].shape, outputs)]
      }, tolerance: loopTolerance,
      { x in
        scan(over: x[0], from: x[1], reverse: true) { (h: Tensor, row: Tensor) -> (Tensor, Tensor) in
          let next = sin(h) * row
          return (next, next + h)
        }.outputs
      },
      expected: { x in
        x[0].withColumns { column, rows in
          var h = x[1][column]
          var outputs = rows
          for t in rows.indices.reversed() {
            let next = sin(h) * rows[t]
            outputs[t] = next + h
            h = next
          }
          return outputs
        }
      }),
    OperationCase(
      "whileLoop", [.init(.vector, [4]), .init(.scalar, []), .init(.empty, [0]), .init(.one, [1]), .init(.matrix, [2, 3]), .init(.large, [1009])],
      [.range(-1, 1)], complex: .each { (0..<5).reduce($0) { y, _ in y.sine + 0.1 } }, tolerance: loopTolerance, exceptions: [noReverse],
      { x in
        whileLoop(from: [x[0], Tensor(Int32(0))], while: { $0[1] .< 5 }, do: { [sin($0[0]) + 0.1, $0[1] + 1] })[0]
      },
      expected: { x in PlainArray.elementwise(x) { v in (0..<5).reduce(v[0]) { y, _ in sin(y) + 0.1 } } }),
    // The number of steps is an operand: under vmap each row has its own.
    OperationCase(
      "whileLoop.counted", [.init(.vector, [4], []), .init(.scalar, [], []), .init(.empty, [0], []), .init(.one, [1], []), .init(.matrix, [2, 3], []), .init(.large, [1009], [])],
      [.range(-1, 1), .indices(6)], complex: repeatedSine, tolerance: loopTolerance, exceptions: [noReverse],
      { x in
        whileLoop(from: [x[0], Tensor(Int32(0))], while: { $0[1] .< x[1] }, do: { [sin($0[0]) + 0.1, $0[1] + 1] })[0]
      },
      expected: { x in PlainArray.elementwise([x[0]]) { v in (0..<Int(x[1].values[0])).reduce(v[0]) { y, _ in sin(y) + 0.1 } } }),
    boundedLoop("whileLoop.bounded", savingMemory: false),
    boundedLoop("whileLoop.savingMemory", savingMemory: true),
    OperationCase(
      "cond", [.init(.vector, [4], [4], []), .init(.scalar, [], [], []), .init(.empty, [0], [0], []), .init(.one, [1], [1], []), .init(.broadcast, [3, 1], [4], []), .init(.large, [31, 37], [31, 37], [])],
      [.range(-1, 1), .range(-1, 1), .truth],
      complex: .formula { x in
        [PlainArray.complexElementwise([x[0], x[1]]) { v in x[2].values[0] != 0 ? v[0].sine * v[1] : v[0] - v[1] * v[1] }]
      }, tolerance: loopTolerance,
      { x in cond(x[2]) { sin(x[0]) * x[1] } else: { x[0] - x[1] * x[1] } },
      expected: { x in
        PlainArray.elementwise([x[0], x[1]]) { v in x[2].values[0] != 0 ? sin(v[0]) * v[1] : v[0] - v[1] * v[1] }
      }),
    OperationCase(
      "switchCase", [.init(.vector, [4], []), .init(.scalar, [], []), .init(.empty, [0], []), .init(.one, [1], []), .init(.matrix, [2, 3], []), .init(.large, [1009], [])],
      [.range(-1, 1), .indices(3)],
      complex: .formula { x in
        [PlainArray.complexElementwise([x[0]]) { v in [v[0].sine, v[0] * v[0], v[0].exp][Int(x[1].values[0])] }]
      }, tolerance: loopTolerance,
      { x in switchCase(x[1], [{ sin(x[0]) }, { x[0] * x[0] }, { exp(x[0]) }]) },
      expected: { x in PlainArray.elementwise([x[0]]) { v in [sin(v[0]), v[0] * v[0], exp(v[0])][Int(x[1].values[0])] } }),
    OperationCase(
      "checkpoint", [.init(.vector, [4]), .init(.scalar, []), .init(.empty, [0]), .init(.one, [1]), .init(.matrix, [2, 3]), .init(.large, [1009])],
      [.range(-1, 1)], complex: .each { ($0.sine * $0).exp }, tolerance: loopTolerance,
      { x in
        let kept: @Sendable (Tensor) -> Tensor = checkpoint { (v: Tensor) -> Tensor in exp(sin(v) * v) }
        return kept(x[0])
      },
      expected: { x in PlainArray.elementwise(x) { exp(sin($0[0]) * $0[0]) } }),
    OperationCase(
      "checkpoint.policy", [.init(.matrix, [2, 3]), .init(.empty, [0, 3]), .init(.one, [1, 1]), .init(.large, [31, 33])],
      [.range(-1, 1)],
      complex: .formula { x in
        let (rows, columns) = (x[0].shape[0], x[0].shape[1])
        let sines = PlainArray.indices(of: [rows, rows]).map { (i: [Int]) -> PlainComplex in
          let terms = (0..<columns).map { k -> PlainComplex in x[0].complex([i[0], k]) * x[0].complex([i[0], k]) * x[0].complex([i[1], k]) }
          return terms.sum.sine
        }
        return [PlainArray([rows, rows], sines)]
      }, tolerance: Tolerance(ulps: 16, epsilons: 1024),
      { x in
        let kept: @Sendable (Tensor) -> Tensor = checkpoint(policy: .names(["inner"]).or(.dots)) { (v: Tensor) -> Tensor in
          sin(named("inner", v * v).matmul(v.transposed()))
        }
        return kept(x[0])
      },
      expected: { x in
        let (rows, columns) = (x[0].shape[0], x[0].shape[1])
        return PlainArray([rows, rows]) { i in
          var product = 0.0
          for k in 0..<columns { product += x[0][i[0], k] * x[0][i[0], k] * x[0][i[1], k] }
          return sin(product)
        }
      }),
    OperationCase(
      "customVJP", [.init(.vector, [4]), .init(.scalar, []), .init(.empty, [0]), .init(.one, [1]), .init(.matrix, [2, 3]), .init(.large, [1009])],
      [.range(-1, 1)], complex: .each { $0 * $0 * $0 }, tolerance: loopTolerance,
      { x in
        let cube: @Sendable (Tensor) -> Tensor = customVJP(
          { (v: Tensor) -> Tensor in v * v * v },
          forward: { (v: Tensor) -> (value: Tensor, residuals: Tensor) in (v * v * v, v) },
          pullback: { (v: Tensor, cotangent: Tensor) -> Tensor in
            let slope = v.squared() * 3
            return cotangent * (v.elementType.isComplex ? slope.conjugate() : slope)
          })
        return cube(x[0])
      },
      expected: { x in PlainArray.elementwise(x) { (v: [Double]) -> Double in v[0] * v[0] * v[0] } }),
    OperationCase(
      "customJVP", [.init(.vector, [4]), .init(.scalar, []), .init(.empty, [0]), .init(.one, [1]), .init(.matrix, [2, 3]), .init(.large, [1009])],
      [.range(-1, 1)], complex: .each { $0.exp }, tolerance: loopTolerance,
      { x in
        let exponential: @Sendable (Tensor) -> Tensor = customJVP({ exp($0) }, tangent: { x, t in
          let e = exp(x)
          return (e, e * t)
        })
        return exponential(x[0])
      },
      expected: { x in PlainArray.elementwise(x) { exp($0[0]) } }),
  ]
}

/// y ← sin y + 0.1 as often as the second operand says.
private let repeatedSine = ComplexExpectation.formula { x in
  [PlainArray.complexElementwise([x[0]]) { v in (0..<Int(x[1].values[0])).reduce(v[0]) { y, _ in y.sine + 0.1 } }]
}

/// A loop that ends before its bound, after as many steps as an operand says.
private func boundedLoop(_ name: String, savingMemory: Bool) -> OperationCase {
  OperationCase(
    name, [.init(.vector, [4], []), .init(.scalar, [], []), .init(.empty, [0], []), .init(.one, [1], []), .init(.matrix, [2, 3], []), .init(.large, [257], [])],
    [.range(-1, 1), .indices(6)], complex: repeatedSine, tolerance: loopTolerance,
    { x in
      whileLoop(
        from: [x[0], Tensor(Int32(0))], atMost: 7, savingMemory: savingMemory, while: { $0[1] .< x[1] },
        do: { [sin($0[0]) + 0.1, $0[1] + 1] })[0]
    },
    expected: { x in PlainArray.elementwise([x[0]]) { v in (0..<Int(x[1].values[0])).reduce(v[0]) { y, _ in sin(y) + 0.1 } } })
}

extension PlainArray {
  /// A matrix whose columns are those that `f` makes of this one's.
  fileprivate func withColumns(_ f: (Int, [Double]) -> [Double]) -> PlainArray {
    let columns = (0..<shape[1]).map { c in f(c, (0..<shape[0]).map { self[$0, c] }) }
    return PlainArray(shape) { columns[$0[1]][$0[0]] }
  }
}
