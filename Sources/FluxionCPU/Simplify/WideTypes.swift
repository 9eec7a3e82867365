import FluxionCore

// The runtime has kernels for numbers of 32 and 64 bits. Narrower ones it moves, sorts and converts; to compute with them they are
// brought to a wide type and back, which a fused kernel does in registers. Each operation rounds its result once, or wraps it.

extension ElementType {
  /// The type in which the runtime computes with a type it only moves; nil for those it has kernels for.
  var wide: ElementType? {
    switch kind {
    case .floatingPoint where byteCount < 4: .float32
    case .signedInteger where byteCount < 4: .int32
    case .unsignedInteger where byteCount < 4: .uint32
    default: nil
    }
  }

  /// The types on the way to `target`, each of which the runtime converts to the next; the last is the target. None rounds or wraps
  /// to other numbers than the direct conversion would.
  func conversionSteps(to target: ElementType) -> [ElementType] {
    if let wide { return wide == target ? [target] : [wide] + wide.conversionSteps(to: target) }
    if target.wide == nil { return [target] }
    if isComplex { return [realPart, target] }
    if target.isInteger && isInteger && byteCount == 8 { return [kind == .signedInteger ? .int32 : .uint32, target] }
    return [target]
  }

  /// The integer type of the same width that is unsigned, or signed.
  fileprivate func counterpart(isSigned: Bool) -> ElementType {
    switch (byteCount, isSigned) {
    case (1, true): .int8
    case (1, false): .uint8
    case (2, true): .int16
    default: .uint16
    }
  }
}

extension Graph {
  func computingInWideTypes() -> Graph {
    guard hasNarrowTypes else { return self }
    return rewritten(subgraphs: { $0.computingInWideTypes() }) { editor, node, operands in
      let resultTypes = types[node.firstResult.int..<node.firstResult.int + node.resultCount]
      let narrow = operands.map { editor.type($0).elementType }.first { $0.wide != nil }
      if case let .convert(target) = node.operation {
        guard narrow != nil || target.wide != nil else { return nil }
        return [editor.converted(operands[0], to: target, node.callSite)]
      }
      guard let narrow, node.operation.computes else { return nil }
      switch node.operation {
      case .unary(.populationCount), .unary(.countLeadingZeros), .binary(.shiftRightLogical):
        return [editor.computed(node, operands, as: narrow.counterpart(isSigned: false))]
      case .binary(.shiftRightArithmetic):
        return [editor.computed(node, operands, as: narrow.counterpart(isSigned: true))]
      case .binary(.nextAfter):
        return inserted(into: &editor, node, operands) { nextAfterInBits($0[0], $0[1]) }
      default:
        let wide = operands.map { editor.widened($0, node.callSite) }
        let made = editor.append(
          node.operation, wide, resultTypes.map { TensorType($0.shape, $0.elementType.wide ?? $0.elementType) }, node.callSite)
        return resultTypes.enumerated().map { i, type in editor.converted(ValueID(made.int + i), to: type.elementType, node.callSite) }
      }
    }
  }

  private var hasNarrowTypes: Bool {
    types.contains { $0.elementType.wide != nil } || nodes.contains { $0.operation.subgraphs.contains(where: \.hasNarrowTypes) }
  }
}

extension Operation {
  /// Whether it does arithmetic with elements, rather than move, sort or convert them.
  fileprivate var computes: Bool {
    switch self {
    case let .unary(f): f != .stopGradient
    case let .scatter(mode, _): mode != .set
    case .binary, .compare, .clamp, .complex, .reduce, .argReduce, .cumulate, .dot, .convolution, .fourier, .linearAlgebra: true
    case .constant, .iota, .empty, .threefry, .select, .convert, .bitcast, .broadcast, .reshape, .transpose, .slice,
      .dynamicSlice, .dynamicUpdateSlice, .pad, .concatenate, .reverse, .gather, .sort, .scan, .whileLoop, .conditional, .call, .barrier:
      false
    }
  }
}

extension GraphEditor {
  fileprivate mutating func converted(_ x: ValueID, to target: ElementType, _ site: CallSite?) -> ValueID {
    if type(x).elementType == target { return x }
    var x = x
    for step in type(x).elementType.conversionSteps(to: target) { x = make(.convert(step), [x], site) }
    return x
  }

  fileprivate mutating func widened(_ x: ValueID, _ site: CallSite?) -> ValueID {
    type(x).elementType.wide.map { converted(x, to: $0, site) } ?? x
  }

  /// The operation on operands read as integers of another signedness.
  fileprivate mutating func computed(_ node: Node, _ operands: [ValueID], as type: ElementType) -> ValueID {
    let origin = self.type(operands[0]).elementType
    let wide = operands.map { x in
      let read = converted(x, to: type, node.callSite)
      return widened(read, node.callSite)
    }
    var result = make(node.operation, wide, node.callSite)
    if node.operation == .unary(.countLeadingZeros) {
      let added = constant(Double(32 - 8 * type.byteCount), self.type(result), node.callSite)
      result = make(.binary(.subtract), [result, added], node.callSite)
    }
    return converted(result, to: origin, node.callSite)
  }
}

/// The next number of a small float type: its neighbour in the order of the patterns without sign.
private func nextAfterInBits(_ a: Tensor, _ b: Tensor) -> Tensor {
  let type = a.elementType
  let bits: ElementType = type.byteCount == 1 ? .uint8 : .uint16
  func real(_ x: Tensor) -> Tensor { x.converted(to: .float32) }
  let (x, y) = (real(a), real(b))
  let pattern = a.bitcast(to: bits).converted(to: .int32)
  let growsInSize = (x .< y) .== (x .> 0.0)
  let neighbour = select(growsInSize, pattern + 1, pattern - 1)
  let sign = 1 << (8 * type.byteCount - 1)
  let least = select(y .> 0.0, Tensor(integerLiteral: 1), Tensor(integerLiteral: sign + 1)).converted(to: .int32)
  let moved = select(x .== 0.0, least, neighbour).converted(to: bits).bitcast(to: type)
  let settled = select(x .== y, b, moved)
  return select(isNaN(x) .| isNaN(y), Tensor(Double.nan, as: type), settled)
}
