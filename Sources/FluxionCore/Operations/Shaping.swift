// Operations that move elements without changing them.

extension Tensor {
  package func axis(_ axis: Int, _ operation: @autoclosure () -> String) -> Int {
    guard let a = shape.normalizedAxis(axis) else {
      trapAtCaller(ProgramError(operation(), "axis \(axis) is not an axis of shape \(shape), which has \(rank) axes."))
    }
    return a
  }

  /// Repeats axes of length 1, and adds axes in front, until the shape is `shape` (NumPy's rule).
  public func broadcast(to shape: Shape) -> Tensor {
    if self.shape == shape {
      if case .literal = payload { return resolved(meeting: nil) }
      return self
    }
    guard shape.rank >= rank else {
      return reject1("broadcast", "shape \(self.shape) cannot be broadcast to \(shape), which has fewer axes.", like: type)
    }
    return apply1(.broadcast(shape, axes: Array(shape.rank - rank..<shape.rank)), resolved(meeting: nil))
  }

  /// Operand axis i becomes axis `axes[i]` of `shape`.
  package func broadcast(to shape: Shape, axes: [Int]) -> Tensor {
    if self.shape == shape && axes == Array(0..<rank) { return self }
    return apply1(.broadcast(shape, axes: axes), resolved(meeting: nil))
  }

  /// The same elements, row-major, under another shape. One length may be -1: it is computed from the others.
  public func reshaped(to shape: Shape) -> Tensor {
    var dimensions = shape.dimensions
    if let open = dimensions.firstIndex(of: -1) {
      let known = dimensions.enumerated().reduce(1) { $1.offset == open ? $0 : $0 * $1.element }
      guard known > 0, elementCount % known == 0, dimensions.filter({ $0 == -1 }).count == 1 else {
        return reject1("reshape", "shape \(self.shape) has \(elementCount) elements and cannot become \(shape).", like: type)
      }
      dimensions[open] = elementCount / known
    }
    let target = Shape(dimensions)
    return self.shape == target ? self : apply1(.reshape(target), resolved(meeting: nil))
  }

  /// All elements as a vector.
  public func flattened() -> Tensor { reshaped(to: [elementCount]) }

  /// Axis i of the result is axis `axes[i]` of this tensor; without arguments the order of all axes is reversed.
  public func transposed(_ axes: [Int]? = nil) -> Tensor {
    let order = axes?.map { axis($0, "transpose") } ?? Array((0..<rank).reversed())
    return order == Array(0..<rank) ? self : apply1(.transpose(order), self)
  }

  /// The matrix transpose: the last two axes exchanged.
  public var T: Tensor {
    guard rank >= 2 else { return self }
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    return transposed(order)
  }

  public func swappingAxes(_ a: Int, _ b: Int) -> Tensor {
    var order = Array(0..<rank)
    order.swapAt(axis(a, "swappingAxes"), axis(b, "swappingAxes"))
    return transposed(order)
  }

  /// Axis `source` moved to place `destination`, the others keeping their order.
  public func movingAxis(_ source: Int, to destination: Int) -> Tensor {
    let (from, to) = (axis(source, "movingAxis"), axis(destination, "movingAxis"))
    if from == to { return self }
    var order = Array(0..<rank)
    order.remove(at: from)
    order.insert(from, at: to)
    return transposed(order)
  }

  /// A new axis of length 1 at place `axis` of the result; negative places count from its end.
  public func expanded(at axis: Int) -> Tensor {
    let place = axis < 0 ? axis + rank + 1 : axis
    guard place >= 0 && place <= rank else {
      return reject1("expanded", "place \(axis) is not between 0 and \(rank) for shape \(shape).", like: type)
    }
    var dimensions = shape.dimensions
    dimensions.insert(1, at: place)
    return reshaped(to: Shape(dimensions))
  }

  /// Without the axes of length 1 (all, or those named).
  public func squeezed(_ axes: [Int]? = nil) -> Tensor {
    let drop = axes?.map { axis($0, "squeezed") } ?? shape.dimensions.indices.filter { shape[$0] == 1 }
    guard drop.allSatisfy({ shape[$0] == 1 }) else {
      return reject1("squeezed", "axes \(drop) of shape \(shape) do not all have length 1.", like: type)
    }
    return reshaped(to: shape.removing(axes: drop))
  }

  /// Elements `start[i]..<limit[i]` of each axis, every `stride[i]`-th.
  public func sliced(start: [Int], limit: [Int], stride: [Int]? = nil) -> Tensor {
    let step = stride ?? [Int](repeating: 1, count: rank)
    if start.allSatisfy({ $0 == 0 }) && limit == shape.dimensions && step.allSatisfy({ $0 == 1 }) { return self }
    return apply1(.slice(start: start, limit: limit, stride: step), self)
  }

  /// Elements `range` of one axis.
  public func sliced(_ range: Range<Int>, alongAxis a: Int) -> Tensor {
    let at = axis(a, "sliced")
    var (start, limit) = ([Int](repeating: 0, count: rank), shape.dimensions)
    start[at] = range.lowerBound
    limit[at] = range.upperBound
    return sliced(start: start, limit: limit)
  }

  /// A window of `sizes` that begins at `start` (one scalar integer tensor per axis).
  public func dynamicSlice(start: [Tensor], sizes: [Int]) -> Tensor {
    apply1(.dynamicSlice(sizes: sizes), [self] + start.map(\.asIndex))
  }

  /// The window that begins at `start` replaced by `update`.
  public func replacingWindow(at start: [Tensor], with update: Tensor) -> Tensor {
    apply1(.dynamicUpdateSlice, [self, update.resolved(meeting: elementType)] + start.map(\.asIndex))
  }

  package var asIndex: Tensor {
    let x = resolved(meeting: .int32)
    switch x.elementType {
    case .int32, .int64: return x
    case .uint32, .uint64: return x.converted(to: .int64)
    case .int8, .uint8, .int16, .uint16: return x.converted(to: .int32)
    default:
      return reject1("index", "an index must have an integer type, not \(x.elementType).", like: TensorType(x.shape, .int32))
    }
  }

  /// Adds `low` elements before and `high` after each axis, `interior` between neighbours; negative low or high crops.
  public func padded(low: [Int], high: [Int], interior: [Int]? = nil, with value: Tensor = 0) -> Tensor {
    apply1(
      .pad(low: low, high: high, interior: interior ?? [Int](repeating: 0, count: rank)), self,
      value.resolved(meeting: elementType).converted(to: elementType))
  }

  /// The order of elements reversed along `axes`.
  public func reversed(alongAxis axes: Int...) -> Tensor { apply1(.reverse(axes: axes.map { axis($0, "reversed") }), self) }

  /// Repeats the whole tensor `counts[i]` times along axis i.
  public func tiled(_ counts: [Int]) -> Tensor {
    guard counts.count == rank, counts.allSatisfy({ $0 >= 0 }) else {
      return reject1("tiled", "counts \(counts) must give one non-negative number for each axis of \(shape).", like: type)
    }
    var (interleaved, axes, result): ([Int], [Int], [Int]) = ([], [], [])
    for (i, n) in counts.enumerated() {
      interleaved += [n, shape[i]]
      axes.append(2 * i + 1)
      result.append(n * shape[i])
    }
    return broadcast(to: Shape(interleaved), axes: axes).reshaped(to: Shape(result))
  }

  /// Each element repeated `count` times along `axis`.
  public func repeated(_ count: Int, alongAxis a: Int) -> Tensor {
    let at = axis(a, "repeated")
    var dimensions = shape.dimensions
    dimensions.insert(count, at: at + 1)
    let axes = (0...rank).filter { $0 != at + 1 }
    var result = shape.dimensions
    result[at] *= count
    return broadcast(to: Shape(dimensions), axes: Array(axes)).reshaped(to: Shape(result))
  }

  /// Rolled by `shift` places along `axis`: what leaves at one end comes in at the other.
  public func rolled(by shift: Int, alongAxis a: Int) -> Tensor {
    let at = axis(a, "rolled")
    let n = shape[at]
    guard n > 0 else { return self }
    let s = ((shift % n) + n) % n
    return s == 0 ? self : concatenated([sliced(n - s..<n, alongAxis: at), sliced(0..<n - s, alongAxis: at)], alongAxis: at)
  }
}

package func apply1(_ operation: Operation, _ operands: [Tensor]) -> Tensor { apply(operation, operands)[0] }

/// Joins tensors along an axis they may differ in. Element types are promoted.
public func concatenated(_ tensors: [Tensor], alongAxis axis: Int) -> Tensor {
  guard let first = tensors.first else { return reject1("concatenated", "needs at least one tensor.") }
  let common = tensors.dropFirst().reduce(first.elementType) { ElementType.promoted($0, $1.elementType) }
  let at = first.axis(axis, "concatenated")
  if tensors.count == 1 { return first }
  return apply1(.concatenate(axis: at), tensors.map { $0.converted(to: common) })
}

public func concatenated(_ tensors: Tensor..., alongAxis axis: Int) -> Tensor { concatenated(tensors, alongAxis: axis) }

/// Joins tensors of one shape along a new axis.
public func stacked(_ tensors: [Tensor], alongAxis axis: Int = 0) -> Tensor {
  concatenated(tensors.map { $0.resolved(meeting: nil).expanded(at: axis) }, alongAxis: axis)
}

// MARK: - Creation

/// 0, 1, … `count` - 1.
public func arange(_ count: Int, as elementType: ElementType = .int32) -> Tensor {
  apply1(.iota(TensorType([count], elementType), axis: 0), [])
}

/// The place along `axis` of every element of `shape`.
public func iota(_ shape: Shape, alongAxis axis: Int, as elementType: ElementType = .int32) -> Tensor {
  apply1(.iota(TensorType(shape, elementType), axis: axis), [])
}

/// `count` evenly spaced numbers from `start` to `end`, both included.
public func linspace(_ start: Double, _ end: Double, _ count: Int, as elementType: ElementType = .float32) -> Tensor {
  guard count > 1 else { return Tensor(repeating: start, shape: [max(count, 0)], as: elementType) }
  // Small floats cannot count that far.
  if elementType.floatFormat != nil { return linspace(start, end, count).converted(to: elementType) }
  let i = arange(count, as: elementType)
  let last = Double(count - 1)
  // Weighted ends rather than start + i·step: both ends come out exact.
  return Tensor(floatLiteral: start) * ((last - i) / last) + Tensor(floatLiteral: end) * (i / last)
}

/// The identity matrix.
public func eye(_ count: Int, as elementType: ElementType = .float32) -> Tensor {
  (iota([count, count], alongAxis: 0) .== iota([count, count], alongAxis: 1)).converted(to: elementType)
}

/// 1 at the place along a new last axis that each index names, else 0.
public func oneHot(_ indices: Tensor, count: Int, as elementType: ElementType = .float32) -> Tensor {
  let places = iota(indices.shape + [count], alongAxis: indices.rank, as: indices.asIndex.elementType)
  return (indices.asIndex.expanded(at: -1) .== places).converted(to: elementType)
}

extension Tensor {
  /// The main diagonal of the last two axes.
  public func diagonal() -> Tensor { diagonal(offset: 0) }
  /// The diagonal of the last two axes that begins `offset` columns to the right, or for a negative one rows down.
  public func diagonal(offset: Int) -> Tensor {
    let (rows, columns) = (shape[rank - 2], shape[rank - 1])
    let length = Swift.max(0, Swift.min(rows + Swift.min(offset, 0), columns - Swift.max(offset, 0)))
    let lines = reshaped(to: Shape(Array(shape.dropLast(2))) + [rows * columns])
    // Neighbours on a diagonal are one row and one column apart.
    let first = length == 0 ? 0 : offset >= 0 ? offset : -offset * columns
    var (start, limit) = ([Int](repeating: 0, count: rank - 1), lines.shape.dimensions)
    var stride = [Int](repeating: 1, count: rank - 1)
    start[rank - 2] = first
    limit[rank - 2] = length == 0 ? 0 : first + (length - 1) * (columns + 1) + 1
    stride[rank - 2] = columns + 1
    return lines.sliced(start: start, limit: limit, stride: stride)
  }
  /// A square matrix with this vector on its `offset`-th diagonal.
  public func diagonalMatrix(offset: Int = 0) -> Tensor {
    let size = shape[rank - 1] + Swift.abs(offset)
    let (row, column) = (iota([size, size], alongAxis: 0), iota([size, size], alongAxis: 1))
    var high = [Int](repeating: 0, count: rank)
    high[rank - 1] = Swift.abs(offset)
    // An element stands in the row of its own number, or below the main diagonal in the column.
    let spread = padded(low: high.map { _ in 0 }, high: high).expanded(at: offset >= 0 ? -1 : -2)
    return select(column - row .== Tensor(integerLiteral: offset), spread.broadcast(to: shape.removing(axes: [rank - 1]) + [size, size]), 0)
  }
  /// The elements on and below the `k`-th diagonal, the rest 0.
  public func lowerTriangle(_ k: Int = 0) -> Tensor {
    let s: Shape = [shape[rank - 2], shape[rank - 1]]
    let keep = iota(s, alongAxis: 0) .>= iota(s, alongAxis: 1) - Tensor(integerLiteral: k)
    return select(keep, self, 0)
  }
  /// The sum of the main diagonal.
  public func trace() -> Tensor { diagonal().sum(alongAxis: -1) }
}
