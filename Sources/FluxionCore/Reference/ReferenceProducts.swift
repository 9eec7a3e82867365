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

/// One walk over the terms input[n, s, c] · kernel[k, c′, o] · output[n, s′, o] of the trilinear form, s, k and s′ places along the
/// spatial axes; the role says which of the three is summed into.
func referenceConvolution(
  _ a: ReferenceArray, _ b: ReferenceArray, _ g: ConvolutionGeometry, _ role: ConvolutionRole, _ type: TensorType
) -> ReferenceArray {
  let (first, second) = (a.reals, b.reals)
  var result = [Double](repeating: 0, count: type.shape.elementCount)
  let axes = 0..<g.spatialRank
  let (input, kernel, output) = (Array(g.input.dimensions[1...axes.count]), Array(g.kernel.prefix(axes.count)), g.output)
  let (channels, features) = (g.input[axes.count + 1], g.kernel[axes.count + 1])
  let (inputsPerGroup, outputsPerGroup) = (g.kernel[axes.count], features / g.groups)
  func indices(_ lengths: [Int]) -> [[Int]] {
    lengths.reduce([[]]) { found, n in found.flatMap { prefix in (0..<n).map { prefix + [$0] } } }
  }
  let outputPositions = indices(Array(output.dimensions[1...axes.count]))
  let kernelPositions = indices(kernel)
  let inputSize = input.reduce(1, *)
  for n in 0..<output[0] {
    for (p, position) in outputPositions.enumerated() {
      for (k, offset) in kernelPositions.enumerated() {
        let at = axes.map { position[$0] * g.stride[$0] + offset[$0] * g.dilation[$0] - g.paddingLow[$0] }
        guard axes.allSatisfy({ at[$0] >= 0 && at[$0] < input[$0] }) else { continue }
        let inputStart = (n * inputSize + axes.reduce(0) { $0 * input[$1] + at[$1] }) * channels
        let outputStart = (n * outputPositions.count + p) * features
        for o in 0..<features {
          for c in 0..<inputsPerGroup {
            let inputPlace = inputStart + o / outputsPerGroup * inputsPerGroup + c
            let kernelPlace = (k * inputsPerGroup + c) * features + o
            let outputPlace = outputStart + o
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
  return ReferenceArray(type, .real(result))
}
