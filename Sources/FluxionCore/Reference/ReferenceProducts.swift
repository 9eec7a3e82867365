// Sums of products, accumulated in double precision (integers: modulo 2⁶⁴) and rounded once.

func referenceDot(_ a: ReferenceArray, _ b: ReferenceArray, _ d: DotDimensions, _ type: TensorType) -> ReferenceArray {
  /// The elements as [batch, free, contracted].
  func arranged(_ x: ReferenceArray, _ order: [Int]) -> ReferenceArray.Elements {
    let strides = x.shape.rowMajorStrides
    return x.elements.taking(stridedPlaces(Shape(order.map { x.shape[$0] }), strides: order.map { strides[$0] }))
  }
  let (lhsFree, rhsFree) = (d.lhsFree(rank: a.shape.rank), d.rhsFree(rank: b.shape.rank))
  let left = arranged(a, d.lhsBatch + lhsFree + d.lhsContracting)
  let right = arranged(b, d.rhsBatch + rhsFree + d.rhsContracting)
  func size(_ axes: [Int], _ shape: Shape) -> Int { axes.reduce(1) { $0 * shape[$1] } }
  let batches = size(d.lhsBatch, a.shape)
  let (rows, columns) = (size(lhsFree, a.shape), size(rhsFree, b.shape))
  let depth = size(d.lhsContracting, a.shape)
  func products<T>(_ x: [T], _ y: [T], _ zero: T, _ multiplyAdd: (T, T, T) -> T) -> [T] {
    var result: [T] = []
    result.reserveCapacity(batches * rows * columns)
    for batch in 0..<batches {
      for row in 0..<rows {
        for column in 0..<columns {
          let (i, j) = ((batch * rows + row) * depth, (batch * columns + column) * depth)
          var sum = zero
          for k in 0..<depth { sum = multiplyAdd(sum, x[i + k], y[j + k]) }
          result.append(sum)
        }
      }
    }
    return result
  }
  switch (left, right) {
  case let (.real(x), .real(y)): return ReferenceArray(type, .real(products(x, y, 0) { $0 + $1 * $2 }))
  case let (.integer(x), .integer(y)): return ReferenceArray(type, .integer(products(x, y, 0) { $0 &+ $1 &* $2 }))
  case let (.complex(x), .complex(y)): return ReferenceArray(type, .complex(products(x, y, ComplexNumber(0, 0)) { $0 + $1 * $2 }))
  default: preconditionFailure("operands of two kinds")
  }
}

/// One walk over the terms input[n, y, x, c] · kernel[i, j, c′, o] · output[n, y′, x′, o] of the trilinear form; the role says which of
/// the three is summed into.
func referenceConvolution(
  _ a: ReferenceArray, _ b: ReferenceArray, _ g: ConvolutionGeometry, _ role: ConvolutionRole, _ type: TensorType
) -> ReferenceArray {
  let (first, second) = (a.reals, b.reals)
  var result = [Double](repeating: 0, count: type.shape.elementCount)
  let (input, kernel, output) = (g.input, g.kernel, g.output)
  let (inputsPerGroup, outputsPerGroup) = (kernel[2], kernel[3] / g.groups)
  for n in 0..<output[0] {
    for y in 0..<output[1] {
      for x in 0..<output[2] {
        for i in 0..<kernel[0] {
          for j in 0..<kernel[1] {
            let row = y * g.stride[0] + i * g.dilation[0] - g.paddingLow[0]
            let column = x * g.stride[1] + j * g.dilation[1] - g.paddingLow[1]
            guard row >= 0 && row < input[1] && column >= 0 && column < input[2] else { continue }
            for o in 0..<output[3] {
              let group = o / outputsPerGroup
              for c in 0..<inputsPerGroup {
                let channel = group * inputsPerGroup + c
                let inputPlace = ((n * input[1] + row) * input[2] + column) * input[3] + channel
                let kernelPlace = ((i * kernel[1] + j) * kernel[2] + c) * kernel[3] + o
                let outputPlace = ((n * output[1] + y) * output[2] + x) * output[3] + o
                switch role {
                case .output: result[outputPlace] += first[inputPlace] * second[kernelPlace]
                case .input: result[inputPlace] += first[outputPlace] * second[kernelPlace]
                case .kernel: result[kernelPlace] += first[inputPlace] * second[outputPlace]
                }
              }
            }
          }
        }
      }
    }
  }
  return ReferenceArray(type, .real(result))
}
