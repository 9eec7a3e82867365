// Operations that move elements: each says from which place of the operand every element of the result comes.

/// Places along an axis; without one zeros.
func referenceIota(_ type: TensorType, _ axis: Int?) -> ReferenceArray {
  let strides = type.shape.indices.map { $0 == axis ? 1 : 0 }
  let places = stridedPlaces(type.shape, strides: strides)
  return ReferenceArray(TensorType(type.shape, .int64), .integer(places.map { Int64($0) })).converted(type)
}

func referenceBroadcast(_ x: ReferenceArray, _ shape: Shape, _ axes: [Int]) -> ReferenceArray {
  var strides = [Int](repeating: 0, count: shape.rank)
  for (i, stride) in x.shape.rowMajorStrides.enumerated() where x.shape[i] != 1 { strides[axes[i]] = stride }
  return x.taking(stridedPlaces(shape, strides: strides), TensorType(shape, x.elementType))
}

func referenceTranspose(_ x: ReferenceArray, _ axes: [Int], _ type: TensorType) -> ReferenceArray {
  let strides = x.shape.rowMajorStrides
  return x.taking(stridedPlaces(type.shape, strides: axes.map { strides[$0] }), type)
}

func referenceSlice(_ x: ReferenceArray, _ start: [Int], _ stride: [Int], _ type: TensorType) -> ReferenceArray {
  let strides = x.shape.rowMajorStrides
  let offset = zip(start, strides).reduce(0) { $0 + $1.0 * $1.1 }
  return x.taking(stridedPlaces(type.shape, strides: zip(strides, stride).map { $0 * $1 }, offset: offset), type)
}

func referenceReverse(_ x: ReferenceArray, _ axes: [Int]) -> ReferenceArray {
  var strides = x.shape.rowMajorStrides
  var offset = 0
  for axis in axes {
    offset += (x.shape[axis] - 1) * strides[axis]
    strides[axis] = -strides[axis]
  }
  return x.taking(stridedPlaces(x.shape, strides: strides, offset: offset), x.type)
}

/// Index i of axis a goes to `low[a] + i · (interior[a] + 1)`; what falls outside is cropped.
func referencePad(_ x: ReferenceArray, _ value: ReferenceArray, _ low: [Int], _ interior: [Int], _ type: TensorType) -> ReferenceArray {
  let background = value.elements.taking([Int](repeating: 0, count: type.shape.elementCount))
  let strides = type.shape.rowMajorStrides
  // Negative: outside the result.
  var places = [0]
  for axis in 0..<x.shape.rank {
    var next: [Int] = []
    for place in places {
      for i in 0..<x.shape[axis] {
        let target = low[axis] + i * (interior[axis] + 1)
        let isInside = place >= 0 && target >= 0 && target < type.shape[axis]
        next.append(isInside ? place + target * strides[axis] : -1)
      }
    }
    places = next
  }
  return ReferenceArray(type, background.replacing(places, with: x.elements))
}

func referenceConcatenate(_ x: [ReferenceArray], _ axis: Int, _ type: TensorType) -> ReferenceArray {
  let rows = type.shape.prefix(axis).reduce(1, *)
  var parts: [ReferenceArray.Elements] = []
  for row in 0..<rows {
    for part in x {
      let size = part.shape.dropFirst(axis).reduce(1, *)
      parts.append(part.elements.part(row * size..<(row + 1) * size))
    }
  }
  return ReferenceArray(type, .joined(parts, type.elementType))
}
