import CFluxionKernels
import FluxionCore

// Matrix products, with what follows them done while their rows are in the cache.

extension StepBuilder {
  mutating func appendProduct(_ group: Group, _ g: Int32, _ groupOf: [Int32]) throws(EngineError) {
    let node = graph.nodes[group.anchor]
    guard case let .dot(d) = node.operation else { preconditionFailure("the anchor of a product is a dot") }
    let (a, b) = (node.operands[0], node.operands[1])
    let (x, y) = (graph.types[a.int].shape, graph.types[b.int].shape)
    let v = node.firstResult
    guard
      let lhs = MatrixForm(
        roles.form(a)!, x, batch: d.lhsBatch, rows: d.lhsFree(rank: x.rank), columns: d.lhsContracting),
      let rhs = MatrixForm(
        roles.form(b)!, y, batch: d.rhsBatch, rows: d.rhsContracting, columns: d.rhsFree(rank: y.rank))
    else { throw EngineError("dot: operands that are no matrices. This is a fault of the cpu engine.") }
    var product = Product(
      lhs: lhs, rhs: rhs, type: graph.types[v.int].elementType, rows: lhs.rows, columns: rhs.columns, inner: lhs.columns,
      batch: d.lhsBatch.map { x[$0] }, target: v.int, epilogue: nil)
    var step = Step(
      work: .product(product), node: group.anchor, reads: lhs.base == rhs.base ? [lhs.base] : [lhs.base, rhs.base],
      writes: [v.int], order: 0)

    let others = group.nodes.filter { $0 != group.anchor }
    guard !others.isEmpty else {
      steps.append(step)
      return
    }
    let placesBefore = places
    var epilogue = try program(group, g, groupOf, others)
    let fits = epilogue.mergeDimensions(dimensionGroups(of: v, batch: d.lhsBatch.count, left: d.lhsFree(rank: x.rank).count))
    guard fits, epilogue.extents.count <= 6, graph.types[v.int].shape.elementCount > 0 else {
      // As two steps: the product, then the rest.
      roles.store(v.int)
      places = placesBefore
      steps.append(step)
      return try appendTiles(group, g, groupOf, others)
    }
    // Few columns are dot products, to which a row is no cheaper added.
    if !roles.isStored(v), product.type == .float32 || product.type == .float64, product.rows > 4, product.columns > 12 {
      product.row = epilogue.takeAddedRow(of: v.int)
    }
    let writes = epilogue.outputs.map { Int($0.view.slot) }
    var separate = Array(epilogue.outputs.indices)
    if !roles.isStored(v) {
      // The product itself is not kept: it is made where one of the results is to be, or in a place of its own.
      let pairs = inPlacePairs(epilogue, separate, excluding: [])
      let size = graph.types[v.int].byteCount
      let places = separate.filter { o in
        let target = writes[o]
        return buffers[target].byteCount == size && !pairs.contains { $0.output == target && $0.input != v.int }
          && epilogue.mayOverwrite(v.int, with: o)
      }
      step.writes = []
      if let o = places.first(where: { epilogue.stores(v.int, as: $0) }) {
        // With its row added it is a result.
        epilogue.rename(v.int, to: writes[o])
        product.target = writes[o]
        epilogue.outputs.remove(at: o)
        separate = Array(epilogue.outputs.indices)
      } else if let o = places.first {
        separate.removeAll { $0 == o }
        epilogue.rename(v.int, to: writes[o])
        product.target = writes[o]
      } else {
        step.temporaries = [v.int]
      }
    }
    step.inPlace = inPlacePairs(epilogue, separate, excluding: [lhs.base, rhs.base, product.target])
    product.epilogue = epilogue.outputs.isEmpty ? nil : epilogue
    step.work = .product(product)
    step.node = others.last!
    step.writes += writes
    let reads = epilogue.readBuffers + (product.row.map { [Int($0.slot)] } ?? [])
    for b in reads where b != product.target && !step.reads.contains(b) { step.reads.append(b) }
    steps.append(step)
  }

  /// The iteration dimensions that make up each batch axis, the rows, and the columns of a product.
  private func dimensionGroups(of v: ValueID, batch: Int, left: Int) -> [[Int]] {
    let shape = graph.types[v.int].shape
    var groups: [[Int]] = []
    var rows: [Int] = []
    var columns: [Int] = []
    var d = 0
    for axis in 0..<shape.rank where shape[axis] != 1 {
      if axis < batch {
        groups.append([d])
      } else if axis < batch + left {
        rows.append(d)
      } else {
        columns.append(d)
      }
      d += 1
    }
    return groups + [rows, columns]
  }
}

extension TileProgram {
  /// Takes the addition of one row to all rows of `buffer` out of the program, which then finds the sums in the buffer.
  ///
  /// - Returns: the row; nil, and no change, if no row is added, or if the buffer itself is read for anything else.
  mutating func takeAddedRow(of buffer: Int) -> fx_view? {
    func loaded(_ value: UInt32) -> fx_view? {
      let instruction = instructions[Int(value)]
      return instruction.op == UInt16(FX_LOAD.rawValue) ? inputs[Int(instruction.a)] : nil
    }
    func readers(_ value: UInt32) -> [Int] { instructions.indices.filter { instructions[$0].values.contains(value) } }
    func isStored(_ value: UInt32) -> Bool { outputs.contains { $0.value == value } || reductions.contains { $0.value == value } }
    let own = instructions.indices.filter { loaded(UInt32($0))?.slot == UInt32(truncatingIfNeeded: buffer) }
    guard own.count == 1, let product = own.first.map({ UInt32($0) }), !isStored(product) else { return nil }
    let users = readers(product)
    guard users.count == 1, let sum = users.first, instructions[sum].op == UInt16(FX_ADD.rawValue) else { return nil }
    let added = instructions[sum].a == product ? instructions[sum].b : instructions[sum].a
    guard added != product, let row = loaded(added), row.slot != FX_INDEX_SLOT_NUMBER,
      strides(of: row) == [Int](repeating: 0, count: extents.count - 1) + [1]
    else { return nil }

    instructions[sum] = instructions[Int(product)]
    let dropped = isStored(added) || readers(added).count > 0 ? [product] : [product, added]
    var numbers: [UInt32] = []   // after what is dropped is gone
    for i in instructions.indices { numbers.append(UInt32(i - dropped.count { $0 < i })) }
    for i in instructions.indices where instructions[i].op > UInt16(FX_CONSTANT.rawValue) {
      (instructions[i].a, instructions[i].b, instructions[i].c) =
        (numbers[Int(instructions[i].a)], numbers[Int(instructions[i].b)], numbers[Int(instructions[i].c)])
    }
    for o in outputs.indices { outputs[o].value = numbers[Int(outputs[o].value)] }
    instructions = instructions.indices.filter { !dropped.contains(UInt32($0)) }.map { instructions[$0] }
    dropUnusedInputs()
    return row
  }

  /// Whether output number `o` is what lies in `buffer`, unchanged.
  func stores(_ buffer: Int, as o: Int) -> Bool {
    let instruction = instructions[Int(outputs[o].value)]
    return instruction.op == UInt16(FX_LOAD.rawValue) && inputs[Int(instruction.a)].slot == UInt32(truncatingIfNeeded: buffer)
  }

  private mutating func dropUnusedInputs() {
    let loads = instructions.indices.filter { instructions[$0].op == UInt16(FX_LOAD.rawValue) }
    let used = inputs.indices.filter { i in loads.contains { Int(instructions[$0].a) == i } }
    for i in loads { instructions[i].a = UInt32(used.firstIndex(of: Int(instructions[i].a))!) }
    inputs = used.map { inputs[$0] }
  }

  /// Views of one buffer made views of another.
  mutating func rename(_ old: Int, to new: Int) {
    for i in inputs.indices where inputs[i].slot == UInt32(truncatingIfNeeded: old) {
      inputs[i].slot = UInt32(truncatingIfNeeded: new)
    }
  }
}
