import FluxionCore

// Identities of operations that move elements, and of reductions and products.

extension AlgebraRules {
  mutating func rewriteShape(_ operation: Operation, _ x: [ValueID]) -> ValueID? {
    switch operation {
    case let .broadcast(shape, axes): broadcast(shape, axes, x[0])
    case let .reshape(shape): reshape(shape, x[0])
    case let .transpose(axes): transpose(axes, x[0])
    case let .slice(start, limit, stride): slice(start, limit, stride, x[0])
    case let .dynamicSlice(sizes): dynamicSlice(sizes, x)
    case .dynamicUpdateSlice: editor.type(x[0]) == editor.type(x[1]) && startsAreZero(x.dropFirst(2)) ? x[1] : nil
    case let .pad(low, high, interior):
      low.allSatisfy { $0 == 0 } && high.allSatisfy { $0 == 0 }
        && (interior.allSatisfy { $0 == 0 } || zip(interior, shape(x[0])).allSatisfy { $0 == 0 || $1 <= 1 }) ? x[0] : nil
    case let .concatenate(axis): concatenate(axis, x)
    case let .reverse(axes): reverse(axes, x[0])
    case let .reduce(reduction, axes): reduce(reduction, axes, x[0])
    case let .gather(batch): gather(batch, x)
    case let .scatter(mode, batch): scatter(mode, batch, x)
    default: nil
    }
  }

  private func shape(_ v: ValueID) -> [Int] { editor.type(v).shape.dimensions }

  // MARK: Views

  private mutating func broadcast(_ target: Shape, _ axes: [Int], _ x: ValueID) -> ValueID? {
    let source = editor.type(x).shape
    if source == target { return x }
    if source.elementCount == target.elementCount {
      // Only axes of length 1 are added.
      return make(.reshape(target), x)
    }
    switch maker(x) {
    case let .broadcast(_, inner): return make(.broadcast(target, axes: inner.map { axes[$0] }), operand(x))
    case .reshape:
      // A reshape that only adds or removes axes of length 1 names the same axes otherwise.
      let y = operand(x)
      let long = source.indices.filter { source[$0] != 1 }
      let original = shape(y)
      let longOriginal = original.indices.filter { original[$0] != 1 }
      guard long.map({ source[$0] }) == longOriginal.map({ original[$0] }) else { return nil }
      let squeezed =
        longOriginal.count == original.count ? y : make(.reshape(Shape(longOriginal.map { original[$0] })), y)
      return make(.broadcast(target, axes: long.map { axes[$0] }), squeezed)
    default: return nil
    }
  }

  private mutating func reshape(_ target: Shape, _ x: ValueID) -> ValueID? {
    if editor.type(x).shape == target { return x }
    switch maker(x) {
    case .reshape: return make(.reshape(target), operand(x))
    case let .constant(constant):
      let type = TensorType(target, constant.type.elementType)
      return editor.append(.constant(Constant(type, constant.buffer)), [], CollectionOfOne(type), site)
    case .broadcast:
      guard let source = editor.uniformSource(x) else { return nil }
      return editor.spread(source, to: target, site)
    default: return nil
    }
  }

  private mutating func transpose(_ axes: [Int], _ x: ValueID) -> ValueID? {
    let source = shape(x)
    if axes == Array(axes.indices) { return x }
    let moved = axes.filter { source[$0] != 1 }
    if zip(moved, moved.dropFirst()).allSatisfy({ $0 < $1 }) { return make(.reshape(type.shape), x) }
    switch maker(x) {
    case let .transpose(inner): return make(.transpose(axes.map { inner[$0] }), operand(x))
    case let .broadcast(_, inner):
      // Where each axis of the source ends; the source's own axes may have to change places.
      var place = [Int](repeating: 0, count: axes.count)
      for (new, old) in axes.enumerated() { place[old] = new }
      let ends = inner.map { place[$0] }
      let order = ends.indices.sorted { ends[$0] < ends[$1] }
      let y = order == Array(order.indices) ? operand(x) : make(.transpose(order), operand(x))
      return make(.broadcast(type.shape, axes: order.map { ends[$0] }), y)
    case let .dot(d) where isOnlyUse(0):
      // (a b)ᵀ = bᵀ aᵀ, and a product names its axes, so its factors need not move.
      let rank = axes.count
      let batch = d.lhsBatch.count
      let left = rank - batch - (shape(operand(x, 1)).count - d.rhsBatch.count - d.rhsContracting.count)
      let swapped = Array(0..<batch) + Array(batch + left..<rank) + Array(batch..<batch + left)
      guard axes == swapped else { return nil }
      let dimensions = DotDimensions(
        lhsBatch: d.rhsBatch, rhsBatch: d.lhsBatch, lhsContracting: d.rhsContracting, rhsContracting: d.lhsContracting)
      return make(.dot(dimensions), operand(x, 1), operand(x))
    default: return nil
    }
  }

  private mutating func slice(_ start: [Int], _ limit: [Int], _ stride: [Int], _ x: ValueID) -> ValueID? {
    if type.shape == editor.type(x).shape { return x }
    if let source = editor.uniformSource(x) { return editor.spread(source, to: type.shape, site) }
    guard case let .slice(innerStart, _, innerStride)? = maker(x) else { return nil }
    var (s, l, step): ([Int], [Int], [Int]) = ([], [], [])
    for axis in start.indices {
      let first = innerStart[axis] + start[axis] * innerStride[axis]
      let pace = innerStride[axis] * stride[axis]
      s.append(first)
      l.append(type.shape[axis] == 0 ? first : first + (type.shape[axis] - 1) * pace + 1)
      step.append(pace)
    }
    guard zip(l, shape(operand(x))).allSatisfy({ $0 <= $1 }) else { return nil }
    return make(.slice(start: s, limit: l, stride: step), operand(x))
  }

  private mutating func reverse(_ axes: [Int], _ x: ValueID) -> ValueID? {
    let source = shape(x)
    let long = axes.filter { source[$0] > 1 }
    if long.isEmpty || editor.uniformSource(x) != nil { return x }
    if case let .reverse(inner)? = maker(x), Set(inner) == Set(long) { return operand(x) }
    return long.count < axes.count ? make(.reverse(axes: long), x) : nil
  }

  private mutating func concatenate(_ axis: Int, _ x: [ValueID]) -> ValueID? {
    if x.count == 1 { return x[0] }
    let filled = x.filter { shape($0)[axis] > 0 }
    if filled.count == x.count || filled.isEmpty { return nil }
    return filled.count == 1 ? filled[0] : editor.make(.concatenate(axis: axis), filled, site)
  }

  // MARK: Windows and places

  private func startsAreZero(_ starts: ArraySlice<ValueID>) -> Bool { starts.allSatisfy { editor.uniform($0) == 0 } }

  private mutating func dynamicSlice(_ sizes: [Int], _ x: [ValueID]) -> ValueID? {
    var starts: [Int] = []
    for v in x.dropFirst() {
      guard let c = editor.uniform(v) else { return nil }
      starts.append(Int(c))
    }
    let limits = zip(starts, sizes).map { $0 + $1 }
    // A window that leaves the array is an error when it runs, and stays one.
    guard zip(starts, zip(limits, shape(x[0]))).allSatisfy({ $0 >= 0 && $1.0 <= $1.1 }) else { return nil }
    if Shape(sizes) == editor.type(x[0]).shape { return x[0] }
    return make(.slice(start: starts, limit: limits, stride: [Int](repeating: 1, count: sizes.count)), x[0])
  }

  /// An index of no entries names the whole array: it is given an axis of length 1 to index.
  private mutating func withOneEntry(_ batch: Int, _ x: ValueID, _ indices: ValueID) -> (x: ValueID, indices: ValueID)? {
    let places = editor.type(indices)
    guard places.shape.last == 0 else { return nil }
    var wide = shape(x)
    wide.insert(1, at: batch)
    let zeros = TensorType(Shape(places.shape.dimensions.dropLast() + [1]), places.elementType)
    return (make(.reshape(Shape(wide)), x), editor.constant(0, zeros, site))
  }

  private mutating func gather(_ batch: Int, _ x: [ValueID]) -> ValueID? {
    guard let (wide, indices) = withOneEntry(batch, x[0], x[1]) else { return nil }
    return make(.gather(batch: batch), wide, indices)
  }

  private mutating func scatter(_ mode: ScatterMode, _ batch: Int, _ x: [ValueID]) -> ValueID? {
    guard let (wide, indices) = withOneEntry(batch, x[0], x[1]) else { return nil }
    return make(.reshape(type.shape), make(.scatter(mode, batch: batch), wide, indices, x[2]))
  }

  // MARK: Reductions

  private mutating func reduce(_ reduction: Reduction, _ axes: [Int], _ x: ValueID) -> ValueID? {
    let source = shape(x)
    if axes.allSatisfy({ source[$0] == 1 }) { return make(.reshape(type.shape), x) }
    if let found = extremeBeforeScaling(reduction, axes, x) { return found }
    switch maker(x) {
    case .reduce(reduction, let inner) where isOnlyUse(0):
      let kept = shape(operand(x)).indices.filter { !inner.contains($0) }
      return make(.reduce(reduction, axes: (inner + axes.map { kept[$0] }).sorted()), operand(x))
    case let .reshape(from) where from.elementCount > 0:
      // Axes of length 1 that were added need not be reduced.
      let y = operand(x)
      let original = shape(y)
      let long = source.indices.filter { source[$0] != 1 }
      let longOriginal = original.indices.filter { original[$0] != 1 }
      guard long.map({ source[$0] }) == longOriginal.map({ original[$0] }) else { return nil }
      var reduced: [Int] = []
      for (new, old) in zip(long, longOriginal) where axes.contains(new) { reduced.append(old) }
      let made = make(.reduce(reduction, axes: reduced), y)
      return editor.type(made).shape == type.shape ? made : make(.reshape(type.shape), made)
    case let .broadcast(_, inner) where reduction != .sum && reduction != .product:
      // Copies change no extreme. Axes that are only copies go; the others are reduced before.
      let y = operand(x)
      let original = shape(y)
      guard source.allSatisfy({ $0 > 0 }) else { return nil }
      let reduced = inner.indices.filter { axes.contains(inner[$0]) }
      let small = reduced.isEmpty ? y : make(.reduce(reduction, axes: reduced), y)
      var ends: [Int] = []
      let kept = source.indices.filter { !axes.contains($0) }
      for i in original.indices where !reduced.contains(i) { ends.append(kept.firstIndex(of: inner[i])!) }
      return editor.type(small).shape == type.shape ? small : make(.broadcast(type.shape, axes: ends), small)
    case let .broadcast(_, inner) where reduction == .sum:
      // The sum of n copies is n times the element.
      let y = operand(x)
      let original = shape(y)
      guard type.elementType.isFloatingPoint, source.allSatisfy({ $0 > 0 }) else { return nil }
      let copied = axes.filter { axis in
        guard let i = inner.firstIndex(of: axis) else { return true }
        return original[i] == 1 && source[axis] != 1
      }
      guard !copied.isEmpty else { return nil }
      let copies = copied.reduce(1) { $0 * source[$1] }
      guard copies < 1 << 24 else { return nil }
      let rest = inner.indices.filter { axes.contains(inner[$0]) && original[$0] != 1 }
      let unit = inner.indices.filter { axes.contains(inner[$0]) && original[$0] == 1 }
      var small = y
      if !unit.isEmpty {
        let squeezed = original.indices.filter { !unit.contains($0) }.map { original[$0] }
        small = make(.reshape(Shape(squeezed)), small)
      }
      let left = inner.indices.filter { !unit.contains($0) }
      let reduced = rest.map { left.firstIndex(of: $0)! }
      if !reduced.isEmpty { small = make(.reduce(.sum, axes: reduced), small) }
      let kept = source.indices.filter { !axes.contains($0) }
      let ends = left.filter { !rest.contains($0) }.map { kept.firstIndex(of: inner[$0])! }
      let factor = editor.constant(Double(copies), editor.type(small), site)
      let scaled = make(.binary(.multiply), small, factor)
      return editor.type(scaled).shape == type.shape ? scaled : make(.broadcast(type.shape, axes: ends), scaled)
    default: return nil
    }
  }

  /// The extreme of `-x`, `x · c`, `x / c`, `x ± c` or `c - x` by the extreme of x. Rounding keeps order, so with a finite c nothing
  /// changes, and what is applied to every element is applied to the extreme alone: the scores of a softmax need not be scaled to find the
  /// greatest.
  private mutating func extremeBeforeScaling(_ reduction: Reduction, _ axes: [Int], _ x: ValueID) -> ValueID? {
    guard reduction == .minimum || reduction == .maximum, editor.type(x).elementType.isFloatingPoint, let scaling = editor.node(x),
      let order = scaling.operation.keptOrder({ editor.uniform(scaling.operands[$0]) })
    else { return nil }
    let found = extreme(order.source(of: reduction), axes, scaling.operands[order.operand])
    let operands = scaling.operands.enumerated().map { i, v in
      i == order.operand ? found : editor.spread(editor.uniformSource(v)!, to: type.shape, site)
    }
    return editor.make(scaling.operation, operands, site)
  }

  private mutating func extreme(_ reduction: Reduction, _ axes: [Int], _ x: ValueID) -> ValueID {
    extremeBeforeScaling(reduction, axes, x) ?? make(.reduce(reduction, axes: axes), x)
  }
}
