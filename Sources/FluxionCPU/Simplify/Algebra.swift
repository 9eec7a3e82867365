import FluxionCore

extension Graph {
  /// Identities of arithmetic and of shapes, applied once from the inputs to the outputs.
  ///
  /// Only rewrites that keep every IEEE result, NaN, infinity and the sign of zero included: `x · 0` stays, and `x + 0` goes only
  /// where `x` cannot be -0. (Sums may be taken in another order.)
  func simplifyingAlgebra() -> Graph {
    let uses = useCounts
    return rewritten(subgraphs: { $0.simplifyingAlgebra() }) { editor, node, operands in
      guard node.resultCount == 1 else { return nil }
      var rules = AlgebraRules(
        editor: editor, type: types[node.firstResult.int], site: node.callSite,
        isOnlyUse: { uses[node.operands[$0].int] == 1 })
      let result = rules.rewrite(node.operation, operands)
      guard let result else { return nil }
      editor = rules.editor
      return [result]
    }
  }
}

/// The rewriting of one node: its operands are already in the editor.
struct AlgebraRules {
  var editor: GraphEditor
  let type: TensorType
  let site: CallSite?
  /// Whether operand number i is used by this node alone.
  let isOnlyUse: (Int) -> Bool

  /// The value that stands for `operation` on `x`; nil when there is nothing to improve.
  mutating func rewrite(_ operation: Operation, _ x: [ValueID]) -> ValueID? {
    switch operation {
    case let .unary(f): unary(f, x[0])
    case let .binary(f): binary(f, x[0], x[1])
    case .select: select(x[0], x[1], x[2])
    case let .convert(target): convert(target, x[0])
    case let .bitcast(target):
      if target == editor.type(x[0]).elementType { x[0] }
      else if case .bitcast? = maker(x[0]), editor.type(operand(x[0])).elementType == target { operand(x[0]) }
      else { nil }
    default: rewriteShape(operation, x)
    }
  }

  // MARK: What is known of operands

  func maker(_ v: ValueID) -> Operation? { editor.node(v)?.operation }
  func operand(_ v: ValueID, _ i: Int = 0) -> ValueID { editor.node(v)!.operands[i] }

  func isUnary(_ v: ValueID, _ f: Unary) -> Bool {
    if case .unary(f)? = maker(v) { true } else { false }
  }

  /// Whether no element can be -0, so that adding 0 changes nothing.
  private func isNeverNegativeZero(_ v: ValueID) -> Bool {
    if !editor.type(v).elementType.isDifferentiable { return true }
    switch maker(v) {
    case .unary(.exp), .unary(.abs), .unary(.logistic), .unary(.erfc), .iota: return true
    case .unary(.square): return editor.type(v).elementType.isFloatingPoint
    case .convert: return !editor.type(operand(v)).elementType.isDifferentiable
    case .broadcast, .reshape, .transpose, .slice, .reverse: return isNeverNegativeZero(operand(v))
    default: return false
    }
  }

  private func isZero(_ v: ValueID, negative: Bool) -> Bool {
    guard let c = editor.uniform(v), c == 0 else { return false }
    return editor.type(v).elementType.isFloatingPoint ? (c.sign == .minus) == negative : true
  }

  mutating func make(_ operation: Operation, _ operands: ValueID...) -> ValueID { editor.make(operation, operands, site) }

  // MARK: Arithmetic

  private mutating func unary(_ f: Unary, _ x: ValueID) -> ValueID? {
    let element = editor.type(x).elementType
    switch f {
    case .stopGradient: return x
    case .negate:
      if isUnary(x, .negate) { return operand(x) }
      if case .binary(.subtract)? = maker(x), isOnlyUse(0), !element.isDifferentiable {
        return make(.binary(.subtract), operand(x, 1), operand(x))
      }
      return nil
    case .conjugate:
      if !element.isComplex { return x }
      return isUnary(x, .conjugate) ? operand(x) : nil
    case .not: return isUnary(x, .not) ? operand(x) : nil
    case .abs: return isUnary(x, .abs) ? x : isUnary(x, .negate) ? make(.unary(.abs), operand(x)) : nil
    case .square:
      let isSize = isUnary(x, .abs) && editor.type(operand(x)).elementType == element && element.isFloatingPoint
      return isUnary(x, .negate) || isSize ? make(.unary(.square), operand(x)) : nil
    case .cos, .cosh: return isUnary(x, .negate) ? make(.unary(f), operand(x)) : nil
    case .floor, .ceil, .round, .truncate:
      switch maker(x) {
      case .unary(.floor), .unary(.ceil), .unary(.round), .unary(.truncate): return x
      default: return nil
      }
    case .real:
      if !element.isComplex { return x }
      if case .complex? = maker(x) { return operand(x) }
      return nil
    case .imaginary:
      if case .complex? = maker(x) { return operand(x, 1) }
      return element.isComplex ? nil : editor.constant(0, type, site)
    case .isFinite, .isNaN:
      return element.isDifferentiable ? nil : editor.constant(f == .isFinite ? 1 : 0, type, site)
    default: return nil
    }
  }

  private mutating func binary(_ f: Binary, _ a: ValueID, _ b: ValueID) -> ValueID? {
    let element = type.elementType
    switch f {
    case .add:
      if isZero(b, negative: true) || isZero(b, negative: false) && isNeverNegativeZero(a) { return a }
      if isZero(a, negative: true) || isZero(a, negative: false) && isNeverNegativeZero(b) { return b }
      if isUnary(b, .negate) { return make(.binary(.subtract), a, operand(b)) }
      if isUnary(a, .negate) { return make(.binary(.subtract), b, operand(a)) }
    case .subtract:
      if isZero(b, negative: false) { return a }
      if isUnary(b, .negate) { return make(.binary(.add), a, operand(b)) }
      if isZero(a, negative: true) { return make(.unary(.negate), b) }
      if a == b, element.isInteger { return editor.constant(0, type, site) }
    case .multiply:
      if let c = editor.uniform(b) {
        if c == 1 { return a }
        if c == -1 { return make(.unary(.negate), a) }
      }
      if let c = editor.uniform(a) {
        if c == 1 { return b }
        if c == -1 { return make(.unary(.negate), b) }
      }
      if element.isInteger, isZero(a, negative: false) || isZero(b, negative: false) { return editor.constant(0, type, site) }
      if isUnary(a, .negate), isUnary(b, .negate) { return make(.binary(.multiply), operand(a), operand(b)) }
      if a == b { return make(.unary(.square), a) }
    case .divide:
      guard let c = editor.uniform(b) else { break }
      if c == 1 { return a }
      // The reciprocal of a power of two is exact, so multiplying by it rounds as dividing does.
      if element.isFloatingPoint, c.isNormal, c.magnitude.significand == 1, c.exponent.magnitude < 120 {
        let factor = editor.constant(1 / c, TensorType([], element), site)
        return make(.binary(.multiply), a, editor.spread(factor, to: type.shape, site))
      }
    case .power:
      guard element.isFloatingPoint, let c = editor.uniform(b) else { break }
      if c == 1 { return a }
      if c == 2 { return make(.unary(.square), a) }
      if c == -1 { return make(.unary(.reciprocal), a) }
      if c == 0 { return editor.constant(1, type, site) }
    case .and where a == b, .or where a == b: return a
    case .and where element == .bool:
      if let c = editor.uniform(b) { return c != 0 ? a : b }
      if let c = editor.uniform(a) { return c != 0 ? b : a }
    case .or where element == .bool:
      if let c = editor.uniform(b) { return c == 0 ? a : b }
      if let c = editor.uniform(a) { return c == 0 ? b : a }
    case .minimum where a == b, .maximum where a == b: return a
    case .shiftLeft, .shiftRightLogical, .shiftRightArithmetic:
      if isZero(b, negative: false) { return a }
    default: break
    }
    return nil
  }

  private mutating func select(_ condition: ValueID, _ a: ValueID, _ b: ValueID) -> ValueID? {
    if a == b { return a }
    if let c = editor.uniform(condition) { return c != 0 ? a : b }
    if isUnary(condition, .not) { return make(.select, operand(condition), b, a) }
    return nil
  }

  private mutating func convert(_ target: ElementType, _ x: ValueID) -> ValueID? {
    let middle = editor.type(x).elementType
    if middle == target { return x }
    guard case .convert? = maker(x) else { return nil }
    let origin = editor.type(operand(x)).elementType
    // Only through a middle that holds every value of the origin, and whose own way to the target agrees with the direct one.
    let agrees: Bool =
      switch (origin, middle) {
      case (.float32, .float64), (.int32, .int64), (.uint32, .int64): true
      case (.int32, .float64), (.uint32, .float64): target.isDifferentiable || target == .int64 || target == origin
      case (.bool, _): !target.isComplex || !middle.isComplex
      default: target == origin && middle == origin.wide
      }
    guard agrees else { return nil }
    return origin == target ? operand(x) : make(.convert(target), operand(x))
  }
}
