internal import FluxionCore

private let convolutionTolerance = Tolerance(ulps: 4, epsilons: 256)
private let window = OperationCase.Exception("its row names a fixed window", shapeClasses: [.one])

/// One example or two, none, and so many that the input has a thousand elements.
private func imageSamples(_ input: Shape, _ kernel: Shape) -> [OperationCase.Sample] {
  func examples(_ n: Int) -> Shape { Shape([n] + input.dimensions.dropFirst()) }
  let many = 1 + 1000 / (input.elementCount / input[0])
  return [.init(.tensor, input, kernel), .init(.empty, examples(0), kernel), .init(.large, examples(many), kernel)]
}

extension OperationCase {
  static let convolutionCases: [OperationCase] = [
    convolution("valid", [2, 5, 6, 3], [2, 3, 3, 4]),
    convolution("strided", [1, 7, 6, 2], [3, 2, 2, 3], stride: [2, 3], low: [1, 0], high: [0, 1]),
    convolution("dilated", [1, 7, 7, 2], [2, 3, 2, 2], stride: [1, 2], low: [1, 2], high: [1, 2], dilation: [3, 2]),
    convolution("grouped", [2, 4, 4, 4], [2, 2, 2, 6], low: [0, 1], high: [1, 0], groups: 2),
    convolution("cropped", [1, 6, 5, 1], [2, 2, 1, 2], low: [-1, 0], high: [0, -1]),
    convolution("depthwise", [1, 4, 5, 3], [3, 3, 1, 3], low: [1, 1], high: [1, 1], groups: 3),
    convolution("1D", [2, 9, 2], [3, 2, 3], stride: [3], low: [1], high: [2]),
    convolution("1D.grouped", [1, 11, 4], [2, 2, 4], stride: [2], low: [-1], high: [3], dilation: [3], groups: 2),
    convolution("1D.element", [2, 3, 2], [1, 2, 3]),
    convolution("3D", [1, 3, 4, 3, 2], [2, 3, 2, 2, 2]),
    convolution("3D.strided", [1, 4, 5, 5, 1], [2, 2, 3, 1, 2], stride: [3, 1, 2], low: [1, 0, 2], high: [1, -1, 0], dilation: [1, 2, 1]),
    convolution("3D.grouped", [2, 2, 3, 3, 4], [1, 2, 2, 2, 2], stride: [1, 2, 1], low: [0, 1, -1], high: [1, 0, 1], groups: 2),
    OperationCase(
      "convolutionSame", imageSamples([1, 5, 4, 2], [3, 2, 2, 3]), [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: convolutionTolerance, exceptions: [window],
      { x in FluxionCore.convolution(x[0], x[1], stride: [2, 1], padding: .same) },
      expected: { x in convolved(x[0], x[1], [2, 1], [1, 0], [1, 1], [1, 1], 1) }),
    OperationCase(
      "convolutionCircular", imageSamples([2, 5, 1], [4, 1, 2]), [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: convolutionTolerance, exceptions: [window],
      { x in FluxionCore.convolution(x[0], x[1], padding: .extended(.circular)) },
      expected: { x in
        PlainArray([x[0].shape[0], 5, 2]) { i in
          (0..<4).reduce(0) { $0 + x[0][i[0], (i[1] + $1 - 1 + 5) % 5, 0] * x[1][$1, 0, i[2]] }
        }
      }),
    OperationCase(
      "convolutionInputDilated", imageSamples([1, 3, 4, 2], [2, 3, 2, 1]), [.range(-2, 2), .range(-2, 2)], complex: .multilinear(),
      tolerance: convolutionTolerance, exceptions: [window],
      { x in FluxionCore.convolution(x[0], x[1], padding: .explicit(low: [1, 0], high: [1, 1]), inputDilation: [2, 3]) },
      expected: { x in
        let apart = PlainArray([x[0].shape[0], 5, 10, 2]) { i in i[1] % 2 == 0 && i[2] % 3 == 0 ? x[0][i[0], i[1] / 2, i[2] / 3, i[3]] : 0 }
        return convolved(apart, x[1], [1, 1], [1, 0], [1, 1], [1, 1], 1)
      }),
    transposed("2D", [2, 3, 4, 3], [2, 3, 2, 3], stride: [2, 1], low: [0, 1], high: [1, 0]),
    transposed("1D", [2, 4, 3], [3, 2, 3], stride: [3], outputPadding: [2]),
    transposed("1D.grouped", [1, 3, 4], [2, 1, 4], stride: [2], low: [1], high: [-1], dilation: [3], groups: 2),
    transposed("3D", [1, 2, 2, 3, 2], [2, 1, 3, 2, 2], stride: [1, 3, 2], low: [1, 0, 0], high: [0, 0, 1], outputPadding: [0, 1, 1]),
    OperationCase(
      "transposedConvolution.same", imageSamples([1, 3, 2, 1], [3, 1, 2, 1]), [.range(-2, 2), .range(-2, 2)], complex: .multilinear(),
      tolerance: convolutionTolerance, exceptions: [window],
      { x in transposedConvolution(x[0], x[1], stride: [2, 2], padding: .same) },
      expected: { x in added(x[0], x[1], [2, 2], [0, 0], [1, 1], 1, [6, 4]) }),
    OperationCase(
      "convolution.complex", [.init(.tensor, [1, 6, 2], [1, 6, 2], [3, 2, 2], [3, 2, 2])], [Domain](repeating: .range(-2, 2), count: 4),
      tolerance: convolutionTolerance, exceptions: [window],
      { x in
        let y = FluxionCore.convolution(complex(x[0], x[1]), complex(x[2], x[3]), stride: [2], padding: .explicit(low: [1], high: [0]))
        return stacked([y.real, y.imaginary])
      },
      expected: { x in
        func product(_ a: Int, _ b: Int) -> [Double] { convolved(x[a], x[b], [2], [1], [0], [1], 1).values }
        let re = zip(product(0, 2), product(1, 3)).map { $0 - $1 }
        return PlainArray([2, 1, 3, 2], re + zip(product(0, 3), product(1, 2)).map { $0 + $1 })
      }),
    OperationCase(
      "transposedConvolution.complex", [.init(.tensor, [1, 3, 2], [1, 3, 2], [2, 1, 2], [2, 1, 2])],
      [Domain](repeating: .range(-2, 2), count: 4), tolerance: convolutionTolerance, exceptions: [window],
      { x in
        let y = transposedConvolution(complex(x[0], x[1]), complex(x[2], x[3]), stride: [2])
        return stacked([y.real, y.imaginary])
      },
      expected: { x in
        func product(_ a: Int, _ b: Int) -> [Double] { added(x[a], x[b], [2], [0], [1], 1, [6]).values }
        let re = zip(product(0, 2), product(1, 3)).map { $0 - $1 }
        return PlainArray([2, 1, 6, 1], re + zip(product(0, 3), product(1, 2)).map { $0 + $1 })
      }),
  ]

  /// A convolution by rank, against its definition.
  private static func convolution(
    _ name: String, _ input: Shape, _ kernel: Shape, stride: [Int]? = nil, low: [Int]? = nil, high: [Int]? = nil,
    dilation: [Int]? = nil, groups: Int = 1
  ) -> OperationCase {
    let n = kernel.rank - 2
    let (ones, zeros) = ([Int](repeating: 1, count: n), [Int](repeating: 0, count: n))
    return OperationCase(
      "convolution.\(name)", imageSamples(input, kernel), [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: convolutionTolerance, exceptions: [window],
      { x in
        FluxionCore.convolution(
          x[0], x[1], stride: stride, padding: .explicit(low: low ?? zeros, high: high ?? zeros), dilation: dilation, groups: groups)
      }, expected: { x in convolved(x[0], x[1], stride ?? ones, low ?? zeros, high ?? zeros, dilation ?? ones, groups) })
  }

  private static func transposed(
    _ name: String, _ y: Shape, _ kernel: Shape, stride: [Int], low: [Int]? = nil, high: [Int]? = nil, outputPadding: [Int]? = nil,
    dilation: [Int]? = nil, groups: Int = 1
  ) -> OperationCase {
    let n = kernel.rank - 2
    let (ones, zeros) = ([Int](repeating: 1, count: n), [Int](repeating: 0, count: n))
    return OperationCase(
      "transposedConvolution.\(name)", imageSamples(y, kernel), [.range(-2, 2), .range(-2, 2)], complex: .multilinear(), tolerance: convolutionTolerance, exceptions: [window],
      { x in
        transposedConvolution(
          x[0], x[1], stride: stride, padding: .explicit(low: low ?? zeros, high: high ?? zeros), outputPadding: outputPadding,
          dilation: dilation, groups: groups)
      },
      expected: { x in
        let size = (0..<n).map { a -> Int in
          let span: Int = (kernel[a] - 1) * (dilation ?? ones)[a] + 1
          let steps: Int = (y[a + 1] - 1) * stride[a]
          return steps + span - (low ?? zeros)[a] - (high ?? zeros)[a] + (outputPadding ?? zeros)[a]
        }
        return added(x[0], x[1], stride, low ?? zeros, dilation ?? ones, groups, size)
      })
  }
}

/// By its definition, output element by output element.
private func convolved(
  _ x: PlainArray, _ k: PlainArray, _ stride: [Int], _ low: [Int], _ high: [Int], _ dilation: [Int], _ groups: Int
) -> PlainArray {
  let n = stride.count
  let size = (0..<n).map { a -> Int in
    let span: Int = (k.shape[a] - 1) * dilation[a] + 1
    return (x.shape[a + 1] + low[a] + high[a] - span) / stride[a] + 1
  }
  let features = k.shape[n + 1]
  let perGroup = features / groups
  return PlainArray([x.shape[0]] + size + [features]) { i in
    var total = 0.0
    for p in PlainArray.indices(of: Array(k.shape.dropLast())) {
      let at: [Int] = places(Array(i[1...n]), p, stride, low, dilation)
      if !isInside(at, x.shape) { continue }
      let channel: Int = i[n + 1] / perGroup * k.shape[n] + p[n]
      let (inputPlace, kernelPlace): ([Int], [Int]) = ([i[0]] + at + [channel], p + [i[n + 1]])
      total += x[inputPlace] * k[kernelPlace]
    }
    return total
  }
}

/// The transposed convolution: every element of y adds the kernel, scaled, at its place in the result.
private func added(
  _ y: PlainArray, _ k: PlainArray, _ stride: [Int], _ low: [Int], _ dilation: [Int], _ groups: Int, _ size: [Int]
) -> PlainArray {
  let n = stride.count
  let (perGroup, features) = (k.shape[n], k.shape[n + 1])
  let shape = [y.shape[0]] + size + [perGroup * groups]
  var values = [Double](repeating: 0, count: shape.reduce(1, *))
  for i in PlainArray.indices(of: y.shape) {
    for p in PlainArray.indices(of: Array(k.shape.dropLast())) {
      let at: [Int] = places(Array(i[1...n]), p, stride, low, dilation)
      if !isInside(at, shape) { continue }
      let o: Int = i[n + 1]
      let channel: Int = o / (features / groups) * perGroup + p[n]
      let index: [Int] = [i[0]] + at + [channel]
      var place = 0
      for (a, length) in zip(index, shape) { place = place * length + a }
      let kernelPlace: [Int] = p + [o]
      values[place] += y[i] * k[kernelPlace]
    }
  }
  return PlainArray(shape, values)
}

/// Where the input is read for a place of the output and one of the kernel.
private func places(_ output: [Int], _ kernel: [Int], _ stride: [Int], _ low: [Int], _ dilation: [Int]) -> [Int] {
  var result: [Int] = []
  for a in 0..<output.count {
    let moved: Int = output[a] * stride[a] + kernel[a] * dilation[a]
    result.append(moved - low[a])
  }
  return result
}
/// Whether spatial places are within an array `[N, S…, C]`.
private func isInside(_ at: [Int], _ shape: [Int]) -> Bool { at.indices.allSatisfy { at[$0] >= 0 && at[$0] < shape[$0 + 1] } }
