import FluxionCore

/// Where the points of an iteration space lie in a value's index space: index a is `offsets[a] + Σ_d coefficients[a, d] · i_d`.
///
/// Views (broadcast, transpose, slice, reverse, most reshapes) turn a map of their result into a map of their operand, so that a
/// fused kernel reads through any chain of them at no cost.
struct ElementMap: Equatable {
  /// The lengths of the iteration space, none of them 1.
  let extents: [Int]
  private(set) var offsets: [Int]
  /// `extents.count` numbers for each axis of the value.
  private(set) var coefficients: [Int]

  private init(extents: [Int], axes: Int) {
    self.extents = extents
    offsets = [Int](repeating: 0, count: axes)
    coefficients = [Int](repeating: 0, count: axes * extents.count)
  }

  /// The map of a value that is iterated over itself: the iteration space is its shape without axes of length 1.
  init(identityOf shape: Shape) {
    self.init(extents: iterationExtents(shape), axes: shape.rank)
    var d = 0
    for axis in 0..<shape.rank where shape[axis] != 1 {
      coefficients[axis * extents.count + d] = 1
      d += 1
    }
  }

  /// The steps in memory that the dimensions make, and the first element, for a value that lies with these strides.
  func strides(_ memory: [Int]) -> (offset: Int, strides: [Int]) {
    var offset = 0
    var steps = [Int](repeating: 0, count: extents.count)
    for a in 0..<memory.count {
      offset += offsets[a] * memory[a]
      for d in 0..<extents.count { steps[d] += coefficients[a * extents.count + d] * memory[a] }
    }
    return (offset, steps)
  }

  private mutating func copyAxis(_ target: Int, from source: ElementMap, _ axis: Int, scale: Int = 1, shift: Int = 0) {
    let n = extents.count
    offsets[target] = shift + scale * source.offsets[axis]
    for d in 0..<n { coefficients[target * n + d] = scale * source.coefficients[axis * n + d] }
  }

  /// The map with a further, last axis of the value that stays at one place.
  func appendingAxis(at place: Int) -> ElementMap {
    var result = self
    result.offsets.append(place)
    result.coefficients += [Int](repeating: 0, count: extents.count)
    return result
  }

  // MARK: Through views

  /// The map of a broadcast's operand.
  func beforeBroadcast(_ axes: [Int], of operand: Shape) -> ElementMap {
    var result = ElementMap(extents: extents, axes: operand.rank)
    for i in 0..<operand.rank where operand[i] != 1 { result.copyAxis(i, from: self, axes[i]) }
    return result
  }

  func beforeTranspose(_ axes: [Int]) -> ElementMap {
    var result = ElementMap(extents: extents, axes: axes.count)
    for (new, old) in axes.enumerated() { result.copyAxis(old, from: self, new) }
    return result
  }

  func beforeSlice(_ start: [Int], _ stride: [Int]) -> ElementMap {
    var result = ElementMap(extents: extents, axes: start.count)
    for a in start.indices { result.copyAxis(a, from: self, a, scale: stride[a], shift: start[a]) }
    return result
  }

  func beforeReverse(_ axes: [Int], of shape: Shape) -> ElementMap {
    var result = self
    for a in axes { result.copyAxis(a, from: self, a, scale: -1, shift: shape[a] - 1) }
    return result
  }

  /// The map of a reshape's operand, or nil when an index of it is no linear function of the iteration.
  func beforeReshape(from operand: Shape, to result: Shape) -> ElementMap? {
    var made = ElementMap(extents: extents, axes: operand.rank)
    guard operand.elementCount > 0 else { return made }
    let n = extents.count
    for group in reshapeGroups(operand, result) {
      if group.operand.isEmpty { continue }
      // The row-major place within the group.
      var offset = 0
      var terms = [Int](repeating: 0, count: n)
      var step = 1
      for axis in group.result.reversed() {
        offset += offsets[axis] * step
        for d in 0..<n { terms[d] += coefficients[axis * n + d] * step }
        step *= result[axis]
      }
      if group.operand.count == 1 {
        made.offsets[group.operand[0]] = offset
        for d in 0..<n { made.coefficients[group.operand[0] * n + d] = terms[d] }
        continue
      }
      // Split again: each dimension's step must fall on one axis, and no axis may overflow into the one before it.
      guard offset >= 0 else { return nil }
      var rest = offset
      for axis in group.operand.reversed() {
        let length = operand[axis]
        let isOutermost = axis == group.operand[0]
        var reach = isOutermost ? 0 : rest % length
        made.offsets[axis] = isOutermost ? rest : rest % length
        for d in 0..<n where terms[d] != 0 {
          guard terms[d] > 0 else { return nil }
          if isOutermost {
            made.coefficients[axis * n + d] = terms[d]
          } else if terms[d] % length != 0 {
            guard terms[d] < length else { return nil }
            made.coefficients[axis * n + d] = terms[d]
            reach += terms[d] * (extents[d] - 1)
            terms[d] = 0
          } else {
            terms[d] /= length
          }
        }
        guard reach < length || isOutermost else { return nil }
        rest /= length
      }
    }
    return made
  }
}

/// A shape without its axes of length 1: what a loop over it needs.
func iterationExtents(_ shape: Shape) -> [Int] { shape.dimensions.filter { $0 != 1 } }

/// The smallest runs of axes of two shapes that hold the same elements, without axes of length 1. None for shapes without elements.
func reshapeGroups(_ a: Shape, _ b: Shape) -> [(operand: [Int], result: [Int])] {
  var groups: [(operand: [Int], result: [Int])] = []
  if a.elementCount == 0 { return groups }
  var (i, j) = (0, 0)
  while i < a.rank || j < b.rank {
    while i < a.rank, a[i] == 1 { i += 1 }
    while j < b.rank, b[j] == 1 { j += 1 }
    if i == a.rank || j == b.rank { break }
    var group: (operand: [Int], result: [Int]) = ([i], [j])
    var (p, q) = (a[i], b[j])
    i += 1
    j += 1
    while p != q {
      if p < q {
        p *= a[i]
        if a[i] != 1 { group.operand.append(i) }
        i += 1
      } else {
        q *= b[j]
        if b[j] != 1 { group.result.append(j) }
        j += 1
      }
    }
    groups.append(group)
  }
  return groups
}

/// A value's elements in the memory of a materialised value, the base.
struct MemoryForm {
  var base: Int
  /// Elements, for each axis of the value.
  var strides: [Int]
  var offset: Int

  /// Whether the elements lie one after another in row-major order.
  func isContiguous(_ shape: Shape) -> Bool {
    var step = 1
    for axis in stride(from: shape.rank - 1, through: 0, by: -1) where shape[axis] != 1 {
      if shape[axis] == 0 { return true }
      if strides[axis] != step { return false }
      step *= shape[axis]
    }
    return true
  }

  /// The form of a view of this value, or nil when strides cannot express it.
  func viewed(by operation: Operation, operand: Shape, result: Shape) -> MemoryForm? {
    switch operation {
    case let .broadcast(_, axes):
      var made = [Int](repeating: 0, count: result.rank)
      for (i, axis) in axes.enumerated() where operand[i] != 1 { made[axis] = strides[i] }
      return MemoryForm(base: base, strides: made, offset: offset)
    case let .transpose(axes): return MemoryForm(base: base, strides: axes.map { strides[$0] }, offset: offset)
    case let .slice(start, _, step):
      var first = offset
      for a in start.indices where result.elementCount > 0 { first += start[a] * strides[a] }
      return MemoryForm(base: base, strides: zip(strides, step).map { $0 * $1 }, offset: first)
    case let .reverse(axes):
      var made = self
      for a in axes where operand[a] > 0 {
        made.offset += (operand[a] - 1) * strides[a]
        made.strides[a] = -strides[a]
      }
      return made
    case .reshape:
      if isContiguous(operand) || operand.elementCount == 0 {
        return MemoryForm(base: base, strides: result.rowMajorStrides, offset: offset)
      }
      var made = [Int](repeating: 0, count: result.rank)
      for group in reshapeGroups(operand, result) {
        // The operand's axes of a group must follow one another in memory.
        for (outer, inner) in zip(group.operand, group.operand.dropFirst())
        where strides[outer] != strides[inner] * operand[inner] { return nil }
        var step = strides[group.operand.last!]
        for axis in group.result.reversed() {
          made[axis] = step
          step *= result[axis]
        }
      }
      return MemoryForm(base: base, strides: made, offset: offset)
    default: return nil
    }
  }
}
