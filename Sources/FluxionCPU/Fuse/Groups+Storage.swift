import CFluxionKernels
import FluxionCore

extension Grouping {
  /// What other groups read is stored, unless it is cheaper for them to compute it again from what is in memory anyway: the slope
  /// of an activation from the activation, a mask from its comparison, the differences of an array's neighbours from the array.
  func markStored() {
    let graph = roles.graph
    var lastUse = [Int](repeating: -1, count: graph.types.count)
    for (n, node) in graph.nodes.enumerated() { for v in node.operands { lastUse[v.int] = n } }
    var readers: [(value: ValueID, group: Int)] = []
    var isRead = [Bool](repeating: false, count: graph.types.count)
    for (g, group) in groups.enumerated() where group.isAlive {
      for n in group.nodes {
        let node = graph.nodes[n]
        var references: [Reference] = []
        let aligned = roles.role[node.firstResult.int] != .memory && roles.role[node.firstResult.int] != .fenced
        for x in roles.operands(of: n) { gather(x, aligned, &references) }
        for r in references where groupOf[r.value.int] != Int32(g) {
          readers.append((r.value, g))
          isRead[r.value.int] = true
        }
      }
    }
    for v in graph.outputs { if let form = roles.form(v) { isRead[form.base] = true } }
    // In program order, so that what a value would be computed from is settled before.
    var again: [Int: (leaves: [ValueID], between: [ValueID])] = [:]
    if fuses {
      let readersOf = Dictionary(grouping: readers, by: \.value).mapValues { Set($0.map(\.group)) }
      for node in graph.nodes where node.resultCount == 1 {
        let v = node.firstResult
        guard isRead[v.int], roles.role[v.int] == .computed, !roles.isPinned[v.int],
          let sources = sources(of: v, for: readersOf[v] ?? [], lastUse, isRead, { again[$0.int] != nil })
        else { continue }
        again[v.int] = sources
      }
    }
    for (v, sources) in again {
      roles.recompute(v)
      for x in sources.between { roles.recompute(x.int) }
      for leaf in sources.leaves where groupOf[leaf.int] >= 0 { roles.store(leaf.int) }
    }
    for reader in readers where again[reader.value.int] == nil { roles.store(reader.value.int) }
    for v in graph.outputs { if let form = roles.form(v) { roles.store(form.base) } }
  }

  /// The array in memory from which `v` can be computed again by at most four cheap operations, if that is one array at most as
  /// wide, and one that lives about as long. Where the result would leave the cache, which writing and reading it takes longer than, small
  /// arrays may come in as well, and a division counts for two. Neighbours in an array are at hand with it: a stencil of up to eight
  /// operations is computed again by its only reader, beside what that one reads anyway, unless the first cache level would keep it or each
  /// operation would be a kernel.
  private func sources(
    of v: ValueID, for readers: Set<Int>, _ lastUse: [Int], _ isRead: [Bool], _ isAgain: (ValueID) -> Bool
  ) -> (leaves: [ValueID], between: [ValueID])? {
    let type = roles.graph.types[v.int]
    let leavesCache = type.byteCount >= 1 << 20
    func cost(of operation: Operation) -> Int? {
      if operation.isCheap { return 1 }
      if case .binary(.divide) = operation, type.elementType.isFloatingPoint, leavesCache { return 2 }
      return nil
    }
    let mayBeStencil = readers.count == 1 && type.byteCount >= 1 << 16 && fx_makes_code()
    var budget = mayBeStencil ? 8 : 4
    var windows = 0
    var leaves: [ValueID] = []
    var between: [ValueID] = []
    func visit(_ x: ValueID, isRoot: Bool) -> Bool {
      let graph = roles.graph
      if roles.role[x.int] == .scalar { return true }
      guard let maker = roles.maker(x) else { return leaf(x) }
      let node = graph.nodes[maker]
      switch roles.role[x.int] {
      case .view where !roles.isPinned[x.int]:
        guard let source = node.operands.first else { return false }
        switch node.operation {
        case .broadcast: return visit(source, isRoot: false)
        case let .slice(_, _, stride) where mayBeStencil && stride.allSatisfy { $0 == 1 }:
          windows += 1
          return visit(source, isRoot: false)
        default: return false
        }
      case .computed where isRoot || !isRead[x.int] && !roles.isPinned[x.int]:
        guard let cost = cost(of: node.operation), budget >= cost else { return false }
        budget -= cost
        if !isRoot { between.append(x) }
        for operand in node.operands where !visit(operand, isRoot: false) { return false }
        return true
      case .fenced: return false
      case .computed where isRead[x.int] && roles.isMaterialised(x) && isAgain(x): return false
      default: return leaf(x)
      }
    }
    func leaf(_ x: ValueID) -> Bool {
      if !leaves.contains(x) { leaves.append(x) }
      return true
    }
    guard visit(v, isRoot: true), windows > 1 || budget >= (mayBeStencil ? 4 : 0) else { return nil }
    // Beside a large array small ones do not count: they stay in the cache.
    let wide = leaves.filter { x in
      if windows > 1, readers.allSatisfy({ groups[$0].reads.contains(x.int) }) { return false }
      let leaf = roles.graph.types[x.int]
      return leaf.shape.elementCount > 1 && (!leavesCache || leaf.byteCount > type.byteCount / 16)
    }
    guard wide.count == 1 || windows > 1 && wide.isEmpty, leaves.count <= (leavesCache ? 3 : 2),
      wide.allSatisfy({ lastUse[$0.int] + 64 >= lastUse[v.int] && roles.graph.types[$0.int].byteCount <= type.byteCount * 4 })
    else { return nil }
    return (leaves, between)
  }
}
