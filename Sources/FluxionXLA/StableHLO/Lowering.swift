// One rule for each primitive: what stands for it in StableHLO.

internal import FluxionCore

extension FunctionWriter {
  /// The graph's operations in their order; gives its outputs.
  ///
  /// - Parameter hoisted: arguments that stand for constants.
  func lower(_ graph: Graph, _ inputs: [Value], hoisted: [Constant: Value] = [:]) -> [Value] {
    var values = [Value?](repeating: nil, count: graph.types.count)
    for (i, input) in inputs.enumerated() { values[i] = input }
    for node in graph.nodes {
      let results: [Value]
      if case let .constant(constant) = node.operation, let argument = hoisted[constant] {
        results = [argument]
      } else {
        results = lower(node.operation, node.operands.map { values[$0.int]! }, node.results.map { graph.type(of: $0) })
      }
      for (i, result) in results.enumerated() { values[node.firstResult.int + i] = result }
    }
    return graph.outputs.map { values[$0.int]! }
  }

  func lower(_ operation: Operation, _ x: [Value], _ types: [TensorType]) -> [Value] {
    if operation.isComputedInSinglePrecision, (x.map(\.type) + types).contains(where: \.elementType.isNarrow) {
      return inSinglePrecision(operation, x, types)
    }
    switch operation {
    case let .constant(constant): return [self.constant(constant)]
    case let .iota(type, axis): return [iota(type, axis)]
    case let .empty(type): return [zeros(type)]
    case .threefry: return expanded(operation, x, types)

    case let .unary(f): return unary(f, x[0], types[0]).map { [$0] } ?? expanded(operation, x, types)
    case let .binary(f): return binary(f, x[0], x[1], types[0]).map { [$0] } ?? expanded(operation, x, types)
    case let .compare(c): return [compare(c, x[0], x[1])]
    case .select: return [select(x[0], x[1], x[2])]
    case .clamp: return [emit("minimum", emit("maximum", x[1], x[0], result: types[0]), x[2], result: types[0])]
    case .convert: return [convert(x[0], types[0].elementType)]
    case let .bitcast(type): return [bitcast(x[0], type)]
    case .complex: return emit("complex", x, results: types)

    case let .broadcast(_, axes): return emit("broadcast_in_dim", x, ["broadcast_dimensions = \(integerArray(axes))"], results: types)
    case let .reshape(shape): return [reshape(x[0], shape)]
    case let .transpose(axes): return [transpose(x[0], axes)]
    case let .slice(start, limit, stride):
      return emit(
        "slice", x,
        ["start_indices = \(integerArray(start))", "limit_indices = \(integerArray(limit))", "strides = \(integerArray(stride))"], results: types)
    case let .dynamicSlice(sizes):
      return emit("dynamic_slice", [x[0]] + starts(x.dropFirst()), ["slice_sizes = \(integerArray(sizes))"], results: types)
    case .dynamicUpdateSlice:
      // An empty window changes nothing, wherever it is.
      return x[1].shape.elementCount == 0 ? [x[0]] : emit("dynamic_update_slice", [x[0], x[1]] + starts(x.dropFirst(2)), results: types)
    case let .pad(low, high, interior):
      return emit(
        "pad", x,
        [
          "edge_padding_low = \(integerArray(low))", "edge_padding_high = \(integerArray(high))", "interior_padding = \(integerArray(interior))",
        ], results: types)
    case let .concatenate(axis): return emit("concatenate", x, ["dimension = \(axis) : i64"], results: types)
    case let .reverse(axes): return emit("reverse", x, ["dimensions = \(integerArray(axes))"], results: types)
    case let .gather(batch): return [gather(x[0], x[1], batch, types[0])]
    case let .scatter(mode, batch): return [scatter(mode, x[0], x[1], x[2], batch)]

    case let .reduce(reduction, axes): return [reduce(reduction, x[0], axes, types[0])]
    case let .argReduce(reduction, axis): return [argReduce(reduction, x[0], axis, types[0])]
    case .cumulate: return expanded(operation, x, types)
    case let .dot(dimensions): return [dot(x[0], x[1], dimensions, types[0])]
    case let .convolution(geometry, role): return [convolution(x[0], x[1], geometry, role)]
    case let .fourier(transform): return [fourier(x[0], transform, types[0])]
    case let .linearAlgebra(f): return linearAlgebra(f, x, types) ?? expanded(operation, x, types)
    case let .sort(axis, descending): return sort(x, axis, descending)

    case let .scan(scan): return self.scan(scan, x, types)
    case let .whileLoop(loop): return whileLoop(loop, x)
    case let .conditional(branches): return conditional(branches, x, types)
    case let .call(call):
      if let collective = module.options.collectives[call.rules] { return self.collective(collective, x, types[0]) }
      if let mesh = module.options.mesh, let constraint = Constraint.of(call.rules), constraint.mesh == mesh {
        return [constrained(x[0], constraint.layout(of: types[0]))]
      }
      if let mesh = module.options.mesh, let axis = BatchDivision.axis(of: call.rules) {
        return [mesh.batchLayout(of: types[0], axis: axis).map { constrained(x[0], $0) } ?? x[0]]
      }
      return self.call(module.function(call.name, call.body), x, results: types)
    case .barrier: return emit("optimization_barrier", x, results: types)
    }
  }

  /// A call of the private function that the primitive's expansion makes.
  private func expanded(_ operation: Operation, _ x: [Value], _ types: [TensorType]) -> [Value] {
    if types.allSatisfy({ $0.shape.elementCount == 0 }) { return types.map(zeros) }
    return call(module.function(operation.name, module.expansion(operation, x.map(\.type))), x, results: types)
  }

  /// Narrow floats are stored; sums of them, and what is computed with them, are rounded once.
  private func inSinglePrecision(_ operation: Operation, _ x: [Value], _ types: [TensorType]) -> [Value] {
    func wide(_ type: TensorType) -> TensorType { type.elementType.isNarrow ? TensorType(type.shape, .float32) : type }
    let operands = x.map { $0.elementType.isNarrow ? convert($0, .float32) : $0 }
    return zip(lower(operation, operands, types.map(wide)), types).map { convert($0, $1.elementType) }
  }

  private func starts(_ values: ArraySlice<Value>) -> [Value] {
    // They must be of one type.
    let type: ElementType = values.contains { $0.elementType == .int64 } ? .int64 : .int32
    return values.map { convert($0, type) }
  }
}

extension ElementType {
  var isNarrow: Bool { floatFormat != nil }
}

extension Operation {
  /// Whether the results for narrow floats are those for `f32`, rounded.
  fileprivate var isComputedInSinglePrecision: Bool {
    switch self {
    case .unary(.stopGradient), .unary(.real), .unary(.conjugate), .binary(.nextAfter), .scatter(.set, _): false
    case .unary, .binary, .compare, .clamp, .scatter, .reduce, .argReduce, .cumulate, .convolution: true
    default: false
    }
  }
}

// MARK: - Movements

extension FunctionWriter {
  func iota(_ type: TensorType, _ axis: Int) -> Value {
    // XLA counts in whole and in floating-point numbers; a narrow float is rounded from an exact count.
    let counted: ElementType = type.elementType == .bool || type.elementType.isNarrow || type.elementType.isComplex ? .int64 : type.elementType
    return convert(emit("iota", attributes: ["iota_dimension = \(axis) : i64"], result: TensorType(type.shape, counted)), type.elementType)
  }

  func reshape(_ x: Value, _ shape: Shape) -> Value {
    shape == x.shape ? x : emit("reshape", x, result: TensorType(shape, x.elementType))
  }

  func transpose(_ x: Value, _ axes: [Int]) -> Value {
    emit(
      "transpose", x, attributes: ["permutation = \(integerArray(axes))"], result: TensorType(Shape(axes.map { x.shape[$0] }), x.elementType))
  }

  func broadcast(_ scalar: Value, _ shape: Shape) -> Value {
    emit("broadcast_in_dim", scalar, attributes: ["broadcast_dimensions = \(integerArray([]))"], result: TensorType(shape, scalar.elementType))
  }

  func bitcast(_ x: Value, _ type: ElementType) -> Value {
    if x.elementType == type { return x }
    let result = TensorType(x.shape, type)
    // Of a complex number XLA does not say how it lies in memory: its parts are put together, the real one lowest.
    let (half, whole) = (TensorType(x.shape, .uint32), TensorType(x.shape, .uint64))
    let width = full(32, whole)
    if x.elementType.isComplex {
      let (low, high) = (bits(real(x), half), bits(imaginary(x), half))
      let shifted = emit("shift_left", convert(high, .uint64), width, result: whole)
      return bits(emit("or", shifted, convert(low, .uint64), result: whole), result)
    }
    if type.isComplex {
      let word = bits(x, whole)
      let parts = [word, emit("shift_right_logical", word, width, result: whole)]
      return emit("complex", parts.map { bits(convert($0, .uint32), TensorType(x.shape, .float32)) }, results: [result])[0]
    }
    return bits(x, result)
  }

  private func bits(_ x: Value, _ type: TensorType) -> Value { x.type == type ? x : emit("bitcast_convert", x, result: type) }

  /// x `[B…, X…, R…]`, indices `[B…, I…, K]`, result `[B…, I…, R…]`.
  func gather(_ x: Value, _ indices: Value, _ batch: Int, _ type: TensorType) -> Value {
    let k = indices.shape.last!
    let (indexRank, rest) = (indices.shape.rank - 1, x.shape.rank - batch - k)
    let numbers =
      "#stablehlo.gather<offset_dims = [\(list(Array(indexRank..<indexRank + rest)))], "
      + "collapsed_slice_dims = [\(list(Array(batch..<batch + k)))], operand_batching_dims = [\(list(Array(0..<batch)))], "
      + "start_indices_batching_dims = [\(list(Array(0..<batch)))], "
      + "start_index_map = [\(list(Array(batch..<batch + k)))], index_vector_dim = \(indexRank)>"
    let sizes = x.shape.enumerated().map { axis, length in axis < batch + k ? 1 : length }
    return emit(
      "gather", x, indices, attributes: ["dimension_numbers = \(numbers)", "slice_sizes = \(integerArray(sizes))", "indices_are_sorted = false"],
      result: type)
  }

  /// Updates `[B…, I…, R…]` combined with x at the indexed places.
  func scatter(_ mode: ScatterMode, _ x: Value, _ indices: Value, _ updates: Value, _ batch: Int) -> Value {
    if updates.shape.elementCount == 0 { return x }
    let k = indices.shape.last!
    let (indexRank, rest) = (indices.shape.rank - 1, x.shape.rank - batch - k)
    let numbers =
      "#stablehlo.scatter<update_window_dims = [\(list(Array(indexRank..<indexRank + rest)))], "
      + "inserted_window_dims = [\(list(Array(batch..<batch + k)))], input_batching_dims = [\(list(Array(0..<batch)))], "
      + "scatter_indices_batching_dims = [\(list(Array(0..<batch)))], "
      + "scatter_dims_to_operand_dims = [\(list(Array(batch..<batch + k)))], index_vector_dim = \(indexRank)>"
    let scalar = TensorType([], x.elementType)
    let region = Region([scalar, scalar]) { a in
      switch mode {
      case .set: [a[1]]
      case .add: [self.emit("add", a, results: [scalar])[0]]
      case .multiply: [self.emit("multiply", a, results: [scalar])[0]]
      case .minimum: [self.emit("minimum", a, results: [scalar])[0]]
      case .maximum: [self.emit("maximum", a, results: [scalar])[0]]
      }
    }
    return emit(
      "scatter", x, indices, updates,
      attributes: ["scatter_dimension_numbers = \(numbers)", "indices_are_sorted = false", "unique_indices = false"], regions: [region],
      result: x.type)
  }
}
