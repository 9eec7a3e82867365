import CFluxionKernels
import FluxionCore

// Nodes that are one step of the runtime each.

extension PlanWriter {
  mutating func writeSingle(_ step: Step) throws(EngineError) {
    let node = graph.nodes[step.node]
    if let product = builder.roles.sparseProduct(of: step.node) { return try append(FX_STEP_SPARSE, sparse(product, node), step) }
    let x = node.operands
    let types = x.map { graph.types[$0.int] }
    let result = graph.types[node.firstResult.int]
    switch node.operation {
    case let .pad(low, high, interior):
      guard result.shape.rank <= 8 else { throw manyAxes(node) }
      var made = fx_pad()
      made.type = type(result)
      made.rank = UInt32(result.shape.rank)
      (made.source, made.source_offset) = place(x[0])
      made.target = slot(node.firstResult.int)
      if let scalar = builder.roles.scalarConstant(x[1]) {
        made.value_slot = UInt32.max
        made.value = scalar.immediate
      } else {
        // A view of a number may begin inside its buffer; the kernel wants a slot, so such values were given their own.
        made.value_slot = place(x[1]).slot
      }
      fill(&made.shape, types[0].shape.dimensions)
      fill(&made.low, low)
      fill(&made.high, high)
      fill(&made.interior, interior)
      try append(FX_STEP_PAD, made, step)

    case let .concatenate(axis):
      var made = fx_concatenate()
      made.type = type(result)
      made.part_count = UInt32(x.count)
      made.target = slot(node.firstResult.int)
      made.outer = product(result.shape.dimensions[..<axis])
      made.inner = product(result.shape.dimensions[(axis + 1)...])
      var parts: [fx_concatenate_part] = []
      for (v, type) in zip(x, types) {
        let (slot, offset) = place(v)
        parts.append(fx_concatenate_part(slot: slot, offset: offset, length: Int64(type.shape[axis])))
      }
      made.parts = UnsafePointer(storage.store(parts))
      try append(FX_STEP_CONCATENATE, made, step)

    case let .gather(batch):
      var made = fx_gather()
      made.type = type(result)
      made.index_type = type(types[1])
      (made.operand, made.operand_offset) = place(x[0])
      (made.indices, made.indices_offset) = place(x[1])
      made.target = slot(node.firstResult.int)
      let parts = try indexing(types[0].shape, types[1].shape, batch, node)
      (made.batch, made.count, made.rest, made.k) = (parts.batch, parts.count, parts.rest, UInt32(parts.dims.count))
      fill(&made.dims, parts.dims)
      made.bounds = FX_BOUNDS_ERROR.rawValue
      try append(FX_STEP_GATHER, made, step)

    case let .scatter(mode, batch):
      var made = fx_scatter()
      made.type = type(result)
      made.index_type = type(types[1])
      (made.operand, made.operand_offset) = place(x[0])
      (made.indices, made.indices_offset) = place(x[1])
      (made.updates, made.updates_offset) = place(x[2])
      made.target = slot(node.firstResult.int)
      let parts = try indexing(types[0].shape, types[1].shape, batch, node)
      (made.batch, made.count, made.rest, made.k) = (parts.batch, parts.count, parts.rest, UInt32(parts.dims.count))
      fill(&made.dims, parts.dims)
      made.bounds = FX_BOUNDS_ERROR.rawValue
      made.mode = mode.kernel.rawValue
      try append(FX_STEP_SCATTER, made, step)

    case let .dynamicSlice(sizes):
      try append(
        FX_STEP_DYNAMIC_SLICE, window(step, types[0], sizes, update: nil, starts: Array(x.dropFirst())), step)
    case .dynamicUpdateSlice:
      try append(
        FX_STEP_DYNAMIC_UPDATE,
        window(step, types[0], types[1].shape.dimensions, update: x[1], starts: Array(x.dropFirst(2))), step)

    case let .argReduce(reduction, axis):
      var made = fx_arg_reduce()
      made.type = type(types[0])
      made.maximum = reduction == .maximum ? 1 : 0
      (made.source, made.source_offset) = place(x[0])
      made.target = slot(node.firstResult.int)
      (made.outer, made.length, made.inner) = around(axis, types[0].shape)
      try append(FX_STEP_ARG_REDUCE, made, step)

    case let .cumulate(reduction, axis, reverse):
      var made = fx_cumulate()
      made.type = type(types[0])
      made.op = reduction.kernel.rawValue
      (made.source, made.source_offset) = place(x[0])
      made.target = slot(node.firstResult.int)
      (made.outer, made.length, made.inner) = around(axis, types[0].shape)
      made.reverse = reverse ? 1 : 0
      try append(FX_STEP_CUMULATE, made, step)

    case let .sort(axis, descending):
      guard x.count <= 8 else { throw EngineError("sort: the cpu engine sorts at most 8 arrays together.") }
      var made = fx_sort()
      made.operand_count = UInt32(x.count)
      made.descending = descending ? 1 : 0
      (made.outer, made.length, made.inner) = around(axis, types[0].shape)
      if !context.searchesForNaN, let wanted = builder.placesRead(of: node, axis: axis) {
        (made.first, made.end) = (Int64(wanted.lowerBound), Int64(wanted.upperBound))
      }
      var operands: [fx_sort_operand] = []
      for (i, v) in x.enumerated() {
        let (source, offset) = place(v)
        operands.append(
          fx_sort_operand(
            type: type(types[i]), source: source, target: slot(node.firstResult.int + i), source_offset: offset, target_offset: 0))
      }
      withUnsafeMutableBytes(of: &made.operands) { raw in
        let target = raw.bindMemory(to: fx_sort_operand.self)
        for (i, operand) in operands.enumerated() { target[i] = operand }
      }
      try append(FX_STEP_SORT, made, step)

    case let .linearAlgebra(f): try append(FX_STEP_FACTOR, factor(node, f, types), step)

    case let .convolution(geometry, role):
      try append(FX_STEP_CONVOLUTION, convolution(node, geometry, role, result), step)

    case let .fourier(transform):
      try append(FX_STEP_FOURIER, fourier(node, transform, types[0]), step)

    default: throw unsupported(node.operation, result.elementType)
    }
  }

  // MARK: Parts

  private func type(_ t: TensorType) -> UInt32 { UInt32(t.elementType.rawValue) }
  private func product(_ lengths: ArraySlice<Int>) -> Int64 { Int64(lengths.reduce(1, *)) }

  private func manyAxes(_ node: Node) -> EngineError {
    EngineError("\(node.operation.name): the cpu engine works on at most 8 axes here.")
  }

  /// Slot and offset in bytes of a contiguous operand.
  private mutating func place(_ v: ValueID) -> (slot: UInt32, offset: Int64) {
    let form = builder.roles.form(v)!
    return (slot(form.base), Int64(form.offset * graph.types[v.int].elementType.byteCount))
  }

  private func around(_ axis: Int, _ shape: Shape) -> (Int64, Int64, Int64) {
    (product(shape.dimensions[..<axis]), Int64(shape[axis]), product(shape.dimensions[(axis + 1)...]))
  }

  private func indexing(
    _ operand: Shape, _ indices: Shape, _ batch: Int, _ node: Node
  ) throws(EngineError) -> (batch: Int64, count: Int64, rest: Int64, dims: [Int]) {
    let k = indices[indices.rank - 1]
    guard k <= 8 else { throw EngineError("\(node.operation.name): the cpu engine indexes at most 8 axes at once.") }
    let d = operand.dimensions
    return (
      product(d[..<batch]), product(indices.dimensions[batch..<indices.rank - 1]), product(d[(batch + k)...]),
      Array(d[batch..<batch + k])
    )
  }

  private mutating func sparse(_ product: SparseProduct, _ node: Node) -> fx_sparse {
    var made = fx_sparse()
    let x = graph.types[product.x.int]
    made.type = type(x)
    (made.row_type, made.column_type) = (type(graph.types[product.rows.int]), type(graph.types[product.columns.int]))
    (made.rows, made.rows_offset) = place(product.rows)
    (made.columns, made.columns_offset) = place(product.columns)
    (made.x, made.x_offset) = place(product.x)
    made.factors = UInt32.max
    if let factors = product.factors { (made.factors, made.factors_offset) = place(factors) }
    made.target = slot(node.firstResult.int)
    (made.count, made.width) = (Int64(graph.types[product.columns.int].shape[0]), self.product(x.shape.dimensions.dropFirst()))
    made.column_count = Int64(x.shape[0])
    switch product.kind {
    case .sum:
      made.kind = FX_SPARSE_PRODUCT.rawValue
      made.masks = product.isMasked ? 1 : 0
      made.row_count = Int64(graph.types[node.firstResult.int].shape[0])
    case .sampled:
      made.kind = FX_SPARSE_SAMPLED.rawValue
      made.row_count = Int64(graph.types[product.factors!.int].shape[0])
    }
    made.row_step_id = context.number(origin(of: graph.nodes[product.rowPicker]))
    made.column_step_id = context.number(origin(of: graph.nodes[product.columnPicker]))
    return made
  }

  private mutating func window(
    _ step: Step, _ operand: TensorType, _ sizes: [Int], update: ValueID?, starts: [ValueID]
  ) throws(EngineError) -> fx_dynamic_slice {
    let node = graph.nodes[step.node]
    guard operand.shape.rank <= 8 else { throw manyAxes(node) }
    var made = fx_dynamic_slice()
    made.type = type(operand)
    made.rank = UInt32(operand.shape.rank)
    (made.operand, made.operand_offset) = place(node.operands[0])
    made.update = UInt32.max
    if let update { (made.update, made.update_offset) = place(update) }
    made.target = slot(node.firstResult.int)
    fill(&made.shape, operand.shape.dimensions)
    fill(&made.sizes, sizes)
    let places = starts.map { place($0) }
    fill(&made.starts, places.map(\.slot))
    fill(&made.start_offsets, places.map { Int($0.offset) })
    if let first = starts.first {
      made.start_type = type(graph.types[first.int])
      guard starts.allSatisfy({ graph.types[$0.int].elementType == graph.types[first.int].elementType }) else {
        throw EngineError("\(node.operation.name): all starts must have one element type on the cpu engine.")
      }
    }
    made.bounds = FX_BOUNDS_ERROR.rawValue
    if case .window = step.work { made.is_view = 1 }
    return made
  }

  private mutating func factor(_ node: Node, _ f: LinearAlgebra, _ types: [TensorType]) -> fx_factor {
    var made = fx_factor()
    made.type = type(types[0])
    (made.a, made.a_offset) = place(node.operands[0])
    made.b = UInt32.max
    let results = (0..<3).map { $0 < node.resultCount ? slot(node.firstResult.int + $0) : UInt32.max }
    made.out = (results[0], results[1], results[2])
    let shape = types[0].shape.dimensions
    made.batch = product(shape.dropLast(2))
    (made.m, made.n) = (Int64(shape[shape.count - 2]), Int64(shape[shape.count - 1]))
    let kind: fx_factor_kind
    switch f {
    case .cholesky: kind = FX_FACTOR_CHOLESKY
    case let .triangularSolve(triangle):
      kind = FX_FACTOR_TRIANGULAR_SOLVE
      (made.b, made.b_offset) = place(node.operands[1])
      made.k = Int64(types[1].shape[types[1].shape.rank - 1])
      made.lower = triangle.isLower ? 1 : 0
      made.unit = triangle.isUnit ? 1 : 0
      made.form = UInt32(triangle.form.rawValue)
    case .lu: kind = FX_FACTOR_LU
    case let .qr(full):
      kind = FX_FACTOR_QR
      made.full = full ? 1 : 0
    case .eigh: kind = FX_FACTOR_EIGH
    case let .svd(full):
      kind = FX_FACTOR_SVD
      made.full = full ? 1 : 0
    case .eig: kind = FX_FACTOR_EIG
    case .schur: kind = FX_FACTOR_SCHUR
    }
    made.kind = kind.rawValue
    return made
  }

  private mutating func convolution(
    _ node: Node, _ g: ConvolutionGeometry, _ role: ConvolutionRole, _ result: TensorType
  ) -> fx_convolution {
    var made = fx_convolution()
    made.type = type(result)
    made.role =
      switch role {
      case .output: FX_CONVOLUTION_OUTPUT.rawValue
      case .input: FX_CONVOLUTION_INPUT_GRADIENT.rawValue
      case .kernel: FX_CONVOLUTION_KERNEL_GRADIENT.rawValue
      }
    (made.first, made.first_offset) = place(node.operands[0])
    (made.second, made.second_offset) = place(node.operands[1])
    made.out = slot(node.firstResult.int)
    // The kernel has three spatial axes: those that are missing have length 1, in front.
    let n = g.spatialRank
    func three(_ numbers: some Sequence<Int>, missing: Int) -> [Int] { [Int](repeating: missing, count: 3 - n) + numbers }
    (made.batch, made.channels, made.features) = (Int64(g.input[0]), Int64(g.input[n + 1]), Int64(g.kernel[n + 1]))
    fill(&made.size, three(g.input.dimensions[1...n], missing: 1))
    fill(&made.kernel, three(g.kernel.prefix(n), missing: 1))
    fill(&made.out_size, three(g.output.dimensions[1...n], missing: 1))
    fill(&made.stride, three(g.stride, missing: 1))
    fill(&made.padding, three(g.paddingLow, missing: 0))
    fill(&made.dilation, three(g.dilation, missing: 1))
    made.groups = Int64(g.groups)
    return made
  }

  private mutating func fourier(_ node: Node, _ f: FourierTransform, _ operand: TensorType) -> fx_fourier {
    var made = fx_fourier()
    made.type = UInt32(operand.elementType.realPart.rawValue)
    made.kind =
      switch f.kind {
      case .forward: FX_FOURIER_FORWARD.rawValue
      case .inverse: FX_FOURIER_INVERSE.rawValue
      case .realForward: FX_FOURIER_REAL_FORWARD.rawValue
      case .realInverse: FX_FOURIER_REAL_INVERSE.rawValue
      }
    made.rank = UInt32(f.lengths.count)
    (made.source, made.source_offset) = place(node.operands[0])
    made.target = slot(node.firstResult.int)
    made.batch = product(operand.shape.dimensions.dropLast(f.lengths.count)[...])
    fill(&made.lengths, f.lengths)
    let bytes = Int(fx_fourier_table_bytes(&made))
    made.table = UnsafeMutableRawPointer(storage.allocate(bytes, of: UInt8.self))
    return made
  }
}
