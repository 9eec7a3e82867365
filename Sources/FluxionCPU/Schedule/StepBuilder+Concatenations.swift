import CFluxionKernels
import FluxionCore

// Concatenations without a step of their own: what tile programs make they write right into its place there.

extension StepBuilder {
  /// An operand of a concatenation that is copied, and where to.
  struct ConcatenatedPart {
    var source: MemoryForm, place: MemoryForm
    var type: TensorType
  }

  /// Finds the concatenations of whose operands tile programs make half, and asks these for them.
  ///
  /// - Returns: by group, the operands that are left to be copied.
  mutating func concatenationsInPlace(_ grouping: Grouping) -> [Int: [ConcatenatedPart]] {
    var found: [Int: [ConcatenatedPart]] = [:]
    for (g, group) in grouping.groups.enumerated() where group.isAlive && group.kind == .single {
      let node = graph.nodes[group.anchor]
      guard case let .concatenate(axis) = node.operation else { continue }
      let target = node.firstResult.int, shape = graph.types[target].shape
      guard buffers[target].isArena, shape.elementCount > 0, iterationExtents(shape).count <= 8 else { continue }
      let strides = shape.rowMajorStrides
      var start = 0
      var made: [(base: Int, place: MemoryForm)] = []
      var left: [ConcatenatedPart] = []
      for x in node.operands {
        let type = graph.types[x.int], source = roles.form(x)!, whole = graph.types[source.base].shape
        let place = MemoryForm(base: target, strides: strides, offset: start * strides[axis])
        start += type.shape[axis]
        if type.shape.elementCount == 0 { continue }
        if isWholeResultOfTiles(source, type, grouping),
          let own = place.viewed(by: .reshape(whole), operand: type.shape, result: whole)
        {
          made.append((source.base, own))
        } else {
          left.append(ConcatenatedPart(source: source, place: place, type: type))
        }
      }
      if made.isEmpty || left.count > made.count { continue }   // one kernel copies many sooner
      for part in made { places[part.base, default: []].append(part.place) }
      found[g] = left
    }
    return found
  }

  /// Whether the elements are all that a tile program makes of one value.
  private func isWholeResultOfTiles(_ form: MemoryForm, _ type: TensorType, _ grouping: Grouping) -> Bool {
    let base = ValueID(form.base)
    guard roles.isComputed(base), roles.isStored(base), grouping.groupOf[base.int] >= 0, form.offset == 0 else { return false }
    return graph.types[base.int].shape.elementCount == type.shape.elementCount
  }

  mutating func appendCopy(of part: ConcatenatedPart, node: Int) {
    let map = ElementMap(identityOf: part.type.shape), type = part.type.elementType
    var program = TileProgram(extents: map.extents)
    program.inputs = [
      program.view(part.source.base, type, offset: part.source.offset * type.byteCount, map.strides(part.source.strides).strides)
    ]
    let value = program.append(fx_make_instruction(FX_LOAD, type.kernelType, type.kernelType, 0, 0, 0))
    program.store(value, in: part.place.base, type, map.strides(part.place.strides).strides, offset: part.place.offset * type.byteCount)
    steps.append(
      Step(work: .tiles(program), node: node, reads: [part.source.base], writes: [part.place.base], order: 0))
  }

  /// What is in its place in a concatenation, and is read nowhere else, is not written anywhere else.
  mutating func dropUnreadStores() {
    let read = Set(steps.flatMap(\.reads))
    for s in steps.indices {
      var program: TileProgram
      var target = -1   // of a product, which it needs
      switch steps[s].work {
      case let .tiles(own): program = own
      case let .product(product):
        guard let epilogue = product.epilogue else { continue }
        (program, target) = (epilogue, product.target)
      default: continue
      }
      let unread = Set(program.outputs.map { Int($0.view.slot) }.filter { buffers[$0].isArena && !read.contains($0) })
      if unread.isEmpty { continue }
      program.outputs.removeAll { unread.contains(Int($0.view.slot)) }
      if case var .product(product) = steps[s].work {
        product.epilogue = program
        steps[s].work = .product(product)
      } else {
        steps[s].work = .tiles(program)
      }
      steps[s].writes.removeAll { unread.contains($0) && $0 != target }
      steps[s].inPlace.removeAll { unread.contains($0.output) }
    }
  }
}
