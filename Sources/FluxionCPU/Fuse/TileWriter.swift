import CFluxionKernels
import FluxionCore

/// Writes the tile program of one group of nodes, from its results backwards. What is not in memory is computed where it is read.
struct TileWriter {
  let roles: ValueRoles
  /// The group being written; values that other groups make are loaded.
  let group: Int32
  let groupOf: [Int32]
  var program: TileProgram
  private var known: [Int: [(map: ElementMap, value: UInt32)]] = [:]
  private var loads: [LoadKey: UInt32] = [:]

  private struct LoadKey: Hashable {
    let buffer: Int
    let type: ElementType
    let offset: Int
    let strides: [Int]
  }

  init(_ roles: ValueRoles, group: Int32, groupOf: [Int32], extents: [Int]) {
    self.roles = roles
    self.group = group
    self.groupOf = groupOf
    program = TileProgram(extents: extents)
  }

  private var graph: Graph { roles.graph }

  /// The number of the instruction that gives `v` at the places `map` says.
  mutating func value(_ v: ValueID, _ map: ElementMap) throws(EngineError) -> UInt32 {
    if let made = known[v.int] {
      for entry in made where entry.map == map { return entry.value }
    }
    let made = try make(v, map)
    known[v.int, default: []].append((map, made))
    return made
  }

  private mutating func make(_ v: ValueID, _ map: ElementMap) throws(EngineError) -> UInt32 {
    let type = graph.types[v.int]
    if let scalar = roles.scalarConstant(v) {
      return program.append(fx_make_constant(type.elementType.kernelType, scalar.immediate))
    }
    if roles.isMaterialised(v) {
      if groupOf[v.int] == group, group >= 0, roles.isComputed(v) { return try compute(v, map) }
      if roles.isRecomputed(v.int) { return try compute(v, map) }
      return load(roles.form(v)!, type.elementType, map)
    }
    if roles.isView(v), let form = roles.form(v), roles.role[form.base] != .scalar {
      // A view of what this group computes is seen in registers.
      let base = ValueID(form.base)
      let isOwn = groupOf[form.base] == group && group >= 0 && roles.isComputed(base) || roles.isRecomputed(form.base)
      if !isOwn { return load(form, type.elementType, map) }
    }
    return try compute(v, map)
  }

  /// Reads the value itself from memory, even if this group could compute it.
  mutating func load(_ form: MemoryForm, _ type: ElementType, _ map: ElementMap) -> UInt32 {
    let (offset, strides) = map.strides(form.strides)
    return load(form.base, type, (form.offset + offset) * type.byteCount, strides)
  }

  private mutating func load(_ buffer: Int, _ type: ElementType, _ offset: Int, _ strides: [Int]) -> UInt32 {
    let key = LoadKey(buffer: buffer, type: type, offset: offset, strides: strides)
    if let seen = loads[key] { return seen }
    program.inputs.append(program.view(buffer, type, offset: offset, strides))
    let made = program.append(
      fx_make_instruction(FX_LOAD, type.kernelType, type.kernelType, UInt32(program.inputs.count - 1), 0, 0))
    loads[key] = made
    return made
  }

  /// A ramp: `offset + Σ strides[d] · i_d` as a number.
  private mutating func ramp(_ type: ElementType, _ offset: Int, _ strides: [Int]) -> UInt32 {
    load(Int(FX_INDEX_SLOT_NUMBER), type, offset, strides)
  }

  // MARK: Nodes

  /// Computes a value from its node, whether or not it is in memory as well.
  mutating func compute(_ v: ValueID, _ map: ElementMap) throws(EngineError) -> UInt32 {
    let node = graph.nodes[roles.maker(v)!]
    let x = node.operands
    let type = graph.types[v.int].elementType
    switch node.operation {
    case let .iota(rampType, axis):
      var strides = [Int](repeating: 0, count: rampType.shape.rank)
      strides[axis] = 1
      let (offset, steps) = map.strides(strides)
      if type == .bool || type.isComplex || type.wide != nil {
        return try emit(FX_CONVERT, node.operation, .int32, type, ramp(.int32, offset, steps))
      }
      return ramp(type, offset, steps)
    case let .unary(f):
      let operand = graph.types[x[0].int].elementType
      if !operand.isComplex {
        if f == .real || f == .conjugate { return try value(x[0], map) }
        if f == .imaginary { return number(0, type) }
      }
      if !operand.isFloatingPoint && !operand.isComplex && (f == .isFinite || f == .isNaN) {
        return number(f == .isFinite ? 1 : 0, .bool)
      }
      guard let op = f.kernel else { throw unsupported(node.operation, operand) }
      return try emit(op, node.operation, operand, type, value(x[0], map))
    case let .binary(f):
      if f == .xor, let both = try bothWords(x, map) { return both }
      let (a, b) = (try value(x[0], map), try value(x[1], map))
      let result = try emit(f.kernel, node.operation, type, type, a, b)
      guard f == .multiplyNoNaN else { return result }
      let zero = number(0, type)
      let isZero = try emit(FX_EQ, node.operation, type, .bool, a, zero)
      return try emit(FX_SELECT, node.operation, type, type, isZero, zero, result)
    case let .compare(c):
      return try emit(c.kernel, node.operation, graph.types[x[0].int].elementType, .bool, value(x[0], map), value(x[1], map))
    case .select:
      return try emit(FX_SELECT, node.operation, type, type, value(x[0], map), value(x[1], map), value(x[2], map))
    case .clamp:
      return try emit(FX_CLAMP, node.operation, type, type, value(x[0], map), value(x[1], map), value(x[2], map))
    case .convert:
      return try emit(FX_CONVERT, node.operation, graph.types[x[0].int].elementType, type, value(x[0], map))
    case .bitcast:
      let from = graph.types[x[0].int].elementType
      if from == type { return try value(x[0], map) }
      return try emit(FX_BITCAST, node.operation, from, type, value(x[0], map))
    case .complex:
      return try emit(FX_COMPLEX, node.operation, graph.types[x[0].int].elementType, type, value(x[0], map), value(x[1], map))
    case let .threefry(shape):
      let op = v == node.firstResult ? FX_THREEFRY_FIRST : FX_THREEFRY_SECOND
      return try threefry(op, shape, x, map)
    case .barrier:
      return try value(x[v.int - node.firstResult.int], map)
    default:
      guard let inner = map.before(node.operation, operand: graph.types[x[0].int].shape, result: graph.types[v.int].shape) else {
        throw EngineError("\(node.operation.name): a view that the fusion did not foresee. This is a fault of the cpu engine.")
      }
      return try value(x[0], inner)
    }
  }

  private mutating func number(_ value: Double, _ type: ElementType) -> UInt32 {
    let tensor = Tensor(value, as: type)
    return program.append(
      fx_make_constant(type.kernelType, Constant(tensor.type, tensor.hostBuffer("constant")).immediate))
  }

  private mutating func emit(
    _ op: fx_op, _ operation: Operation, _ operand: ElementType, _ result: ElementType, _ a: UInt32, _ b: UInt32 = 0,
    _ c: UInt32 = 0
  ) throws(EngineError) -> UInt32 {
    guard fx_supports(op, operand.kernelType, result.kernelType) else { throw unsupported(operation, operand) }
    return program.append(fx_make_instruction(op, result.kernelType, operand.kernelType, a, b, c))
  }

  // MARK: Random words

  private mutating func threefry(_ op: fx_op, _ shape: Shape, _ x: [ValueID], _ map: ElementMap) throws(EngineError) -> UInt32 {
    let batch = graph.types[x[1].int].shape
    let (offset, steps) = map.strides([Int](repeating: 0, count: batch.rank) + shape.rowMajorStrides)
    let place = ramp(.int64, offset, steps)
    let outer = map.beforeBroadcast(Array(0..<batch.rank), of: batch)
    let first = try emit(FX_CONVERT, .convert(.int64), .uint32, .int64, value(x[1], outer))
    let counter = try emit(FX_ADD, .binary(.add), .int64, .int64, place, first)
    let high = try value(x[0], outer.appendingAxis(at: 0))
    let low = try value(x[0], outer.appendingAxis(at: 1))
    return program.append(fx_make_instruction(op, FX_U32, FX_I64, counter, high, low))
  }

  /// The exclusive or of the two words of one counter, which is what random bits are, costs no more than one word.
  private mutating func bothWords(_ x: [ValueID], _ map: ElementMap) throws(EngineError) -> UInt32? {
    guard let maker = roles.maker(x[0]), maker == roles.maker(x[1]), x[0] != x[1],
      case let .threefry(shape) = graph.nodes[maker].operation,
      groupOf[x[0].int] == group, !roles.isStored(x[0]), !roles.isStored(x[1])
    else { return nil }
    return try threefry(FX_THREEFRY_XOR, shape, graph.nodes[maker].operands, map)
  }
}

extension ElementMap {
  /// The map of a view's operand; nil for what is no view.
  func before(_ operation: Operation, operand: Shape, result: Shape) -> ElementMap? {
    switch operation {
    case let .broadcast(_, axes): beforeBroadcast(axes, of: operand)
    case let .transpose(axes): beforeTranspose(axes)
    case let .slice(start, _, stride): beforeSlice(start, stride)
    case let .reverse(axes): beforeReverse(axes, of: operand)
    case .reshape: beforeReshape(from: operand, to: result)
    default: nil
    }
  }
}
