import FluxionCore

/// A set of nodes that one kernel computes.
struct Group {
  enum Kind {
    /// A tile program.
    case fused
    /// A product, with a tile program after it if `nodes` has more than one.
    case product
    /// A kernel of its own, a loop or a branch.
    case single
    /// Nothing to do: a point in time.
    case barrier
  }
  var kind: Kind
  /// Ascending; the product of a `product` is `anchor`.
  var nodes: [Int]
  var anchor: Int
  var extents: [Int]
  /// Groups whose results it needs (by any of their numbers).
  var predecessors: [Int32]
  var hasReduction: Bool
  var first: Int, last: Int
  /// Values it reads from memory, about.
  var reads: Set<Int>
  var isAlive = true
}

/// Puts nodes together into kernels: greedily in program order, each node into the latest group that makes one of its operands,
/// as long as no group comes to wait for itself.
struct Grouping {
  let roles: ValueRoles
  private(set) var groups: [Group] = []
  /// The group that makes each value, -1 for none. Resolve through ``group(of:)``.
  private(set) var groupOf: [Int32]
  /// Groups that were merged point to the one they were merged into.
  private var merged: [Int32] = []
  private var visited: [Int32] = []
  private var visit: Int32 = 0
  private var recentReaders: [Int: [Int32]] = [:]
  private let fuses: Bool

  private static let mostNodes = 160
  private static let mostReads = 40

  private struct Reference {
    let value: ValueID
    /// Read in the order in which the reader runs.
    let isAligned: Bool
  }

  init(_ roles: ValueRoles, fuses: Bool) {
    self.roles = roles
    self.fuses = fuses
    groupOf = [Int32](repeating: -1, count: roles.graph.types.count)
    for n in roles.graph.nodes.indices { place(n) }
    for i in groupOf.indices where groupOf[i] >= 0 { groupOf[i] = find(groupOf[i]) }
    for g in groups.indices where groups[g].isAlive {
      var seen = Set<Int32>()
      let own = Int32(g)
      groups[g].predecessors = groups[g].predecessors.compactMap { p in
        let p = find(p)
        return p != own && seen.insert(p).inserted ? p : nil
      }
    }
    markStored()
  }

  private func find(_ g: Int32) -> Int32 {
    var g = g
    while merged[Int(g)] != g { g = merged[Int(g)] }
    return g
  }

  private func group(of v: ValueID) -> Int32 { groupOf[v.int] < 0 ? -1 : find(groupOf[v.int]) }

  // MARK: Placing

  private mutating func place(_ n: Int) {
    let graph = roles.graph
    let node = graph.nodes[n]
    let v = node.firstResult
    var references: [Reference] = []
    switch roles.role[v.int] {
    case .scalar: return
    case .memory:
      if case .constant = node.operation { return }
      for x in node.operands { gather(x, false, &references) }
      if case .dot = node.operation {
        open(n, .product, iterationExtents(graph.types[v.int].shape), references)
      } else {
        open(n, .single, [], references)
      }
    case .fenced:
      for x in node.operands { gather(x, false, &references) }
      open(n, .barrier, [], references)
    case .view where !roles.isPinned[v.int]: return
    case .computed where !roles.isMaterialised(v): return
    case .view:
      if let x = node.operands.first { gather(x, false, &references) }
      join(n, iterationExtents(graph.types[v.int].shape), references, reduces: false)
    case .computed:
      let isRandom = if case .threefry = node.operation { true } else { false }
      for x in node.operands { gather(x, !isRandom, &references) }
      join(n, iterationExtents(graph.types[v.int].shape), references, reduces: false)
    case .reduced:
      gather(node.operands[0], true, &references)
      join(n, iterationExtents(graph.types[node.operands[0].int].shape), references, reduces: true)
    }
  }

  /// The materialised values that `v` is made of.
  private func gather(_ v: ValueID, _ isAligned: Bool, _ found: inout [Reference]) {
    if roles.isMaterialised(v) {
      found.append(Reference(value: v, isAligned: isAligned))
      return
    }
    if roles.role[v.int] == .scalar { return }
    let node = roles.graph.nodes[roles.maker(v)!]
    switch roles.role[v.int] {
    case .fenced:
      // The barrier itself comes first, then what stands behind it.
      found.append(Reference(value: v, isAligned: false))
      gather(node.operands[v.int - node.firstResult.int], false, &found)
    case .view:
      guard let x = node.operands.first else { return }
      gather(x, isAligned && isAlignedView(node), &found)
    default:
      for x in node.operands { gather(x, isAligned, &found) }
    }
  }

  /// Views that only add or remove axes of length 1.
  private func isAlignedView(_ node: Node) -> Bool {
    let from = roles.graph.types[node.operands[0].int].shape
    let to = roles.graph.types[node.firstResult.int].shape
    switch node.operation {
    case .reshape: return iterationExtents(from) == iterationExtents(to)
    case let .transpose(axes):
      let long = axes.filter { from[$0] != 1 }
      return zip(long, long.dropFirst()).allSatisfy { $0 < $1 }
    case .broadcast: return from.elementCount == to.elementCount
    default: return false
    }
  }

  private mutating func open(_ n: Int, _ kind: Group.Kind, _ extents: [Int], _ references: [Reference], reduces: Bool = false) {
    let g = Int32(groups.count)
    groups.append(
      Group(
        kind: kind, nodes: [n], anchor: n, extents: extents, predecessors: predecessors(references), hasReduction: reduces,
        first: n, last: n, reads: Set(references.map(\.value.int))))
    merged.append(g)
    visited.append(0)
    assign(n, g)
    if kind == .fused { noteReads(g, references) }
  }

  private func predecessors(_ references: [Reference]) -> [Int32] {
    references.compactMap { let g = group(of: $0.value); return g < 0 ? nil : g }
  }

  private mutating func assign(_ n: Int, _ g: Int32) {
    let node = roles.graph.nodes[n]
    for i in 0..<node.resultCount { groupOf[node.firstResult.int + i] = g }
  }

  private mutating func noteReads(_ g: Int32, _ references: [Reference]) {
    for r in references {
      var recent = recentReaders[r.value.int] ?? []
      if recent.last == g { continue }
      if recent.count >= 4 { recent.removeFirst() }
      recent.append(g)
      recentReaders[r.value.int] = recent
    }
    if groups[Int(g)].extents.isEmpty {
      // Work on single numbers gathers in few groups.
      recentReaders[-1] = [g]
    }
  }

  private mutating func join(_ n: Int, _ extents: [Int], _ references: [Reference], reduces: Bool) {
    guard fuses else { return open(n, .fused, extents, references, reduces: reduces) }
    var candidates: [Int32] = []
    var barred: [Int32] = []
    for r in references {
      let g = group(of: r.value)
      if g < 0 { continue }
      let group = groups[Int(g)]
      let isCandidate =
        r.isAligned && roles.role[r.value.int] != .reduced && group.extents == extents
        && (group.kind == .fused || group.kind == .product && !reduces)
      if isCandidate {
        if !candidates.contains(g) { candidates.append(g) }
      } else if !barred.contains(g) {
        barred.append(g)
      }
    }
    candidates.removeAll { barred.contains($0) }
    candidates.sort { a, b in
      let (p, q) = (groups[Int(a)].kind == .product, groups[Int(b)].kind == .product)
      return p != q ? p : a > b
    }
    let all = predecessors(references)
    var chosen = candidates.first { accepts($0, n, references) && !depends(all, on: $0) }
    if chosen == nil {
      // Not on what it computes, then with what reads the same.
      search: for key in references.map(\.value.int) + (extents.isEmpty ? [-1] : []) {
        for g in (recentReaders[key] ?? []).reversed() {
          let g = find(g)
          let group = groups[Int(g)]
          if group.kind == .fused, group.extents == extents, group.last >= n - 64, !all.contains(g), !barred.contains(g),
            accepts(g, n, references), !depends(all, on: g)
          {
            chosen = g
            break search
          }
        }
      }
    }
    guard var chosen else { return open(n, .fused, extents, references, reduces: reduces) }
    // Several groups that feed the node become one, if they can; the node needs none of them from outside then.
    for other in candidates where find(other) != find(chosen) && !depends(all, on: find(other)) {
      mergeIfPossible(find(chosen), find(other), reduces)
      chosen = find(chosen)
    }
    add(n, to: chosen, references, reduces)
  }

  private func accepts(_ g: Int32, _ n: Int, _ references: [Reference]) -> Bool {
    groups[Int(g)].nodes.count < Grouping.mostNodes && groups[Int(g)].reads.count + references.count <= Grouping.mostReads
  }

  private mutating func add(_ n: Int, to g: Int32, _ references: [Reference], _ reduces: Bool) {
    let all = predecessors(references)
    let i = Int(g)
    groups[i].nodes.append(n)
    groups[i].last = n
    groups[i].hasReduction = groups[i].hasReduction || reduces
    for p in all where p != g && !groups[i].predecessors.contains(p) { groups[i].predecessors.append(p) }
    for r in references where group(of: r.value) != g { groups[i].reads.insert(r.value.int) }
    assign(n, g)
    if groups[i].kind == .fused { noteReads(g, references.filter { group(of: $0.value) != g }) }
  }

  private mutating func mergeIfPossible(_ a: Int32, _ b: Int32, _ reduces: Bool) {
    let (x, y) = (groups[Int(a)], groups[Int(b)])
    guard !(x.kind == .product && y.kind == .product), x.extents == y.extents,
      x.nodes.count + y.nodes.count <= Grouping.mostNodes, x.reads.count + y.reads.count <= Grouping.mostReads,
      !((x.kind == .product || y.kind == .product) && (x.hasReduction || y.hasReduction)),
      !(reduces && (x.kind == .product || y.kind == .product)),
      !x.predecessors.contains(where: { find($0) == b }), !y.predecessors.contains(where: { find($0) == a }),
      !depends(x.predecessors, on: b), !depends(y.predecessors, on: a)
    else { return }
    let (into, from) = y.kind == .product ? (b, a) : (a, b)
    let gone = groups[Int(from)]
    let i = Int(into)
    groups[i].nodes = (groups[i].nodes + gone.nodes).sorted()
    groups[i].predecessors += gone.predecessors
    groups[i].hasReduction = groups[i].hasReduction || gone.hasReduction
    groups[i].first = Swift.min(groups[i].first, gone.first)
    groups[i].last = Swift.max(groups[i].last, gone.last)
    groups[i].reads.formUnion(gone.reads)
    groups[Int(from)].isAlive = false
    merged[Int(from)] = into
  }

  /// Whether one of `starts` (other than `target` itself) needs `target`, directly or not.
  private mutating func depends(_ starts: [Int32], on target: Int32) -> Bool {
    visit += 1
    var pending: [Int32] = []
    for s in starts where find(s) != target { pending.append(find(s)) }
    while let g = pending.popLast() {
      let i = Int(g)
      if visited[i] == visit { continue }
      visited[i] = visit
      for p in groups[i].predecessors {
        let p = find(p)
        if p == target { return true }
        pending.append(p)
      }
    }
    return false
  }

  // MARK: What must be written

  /// What other groups read is stored, unless it is cheaper for them to compute it again from what is in memory anyway: the slope
  /// of an activation from the activation, a mask from its comparison.
  private func markStored() {
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
        for x in node.operands { gather(x, aligned, &references) }
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
      for node in graph.nodes where node.resultCount == 1 {
        let v = node.firstResult
        guard isRead[v.int], roles.role[v.int] == .computed, !roles.isPinned[v.int],
          let sources = sources(of: v, lastUse, isRead, { again[$0.int] != nil })
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
  /// wide, and one that lives about as long.
  private func sources(
    of v: ValueID, _ lastUse: [Int], _ isRead: [Bool], _ isAgain: (ValueID) -> Bool
  ) -> (leaves: [ValueID], between: [ValueID])? {
    var budget = 4
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
        if case .broadcast = node.operation { return visit(source, isRoot: false) }
        return false
      case .computed where isRoot || !isRead[x.int] && !roles.isPinned[x.int]:
        guard node.operation.isCheap, budget > 0 else { return false }
        budget -= 1
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
    guard visit(v, isRoot: true) else { return nil }
    let wide = leaves.filter { roles.graph.types[$0.int].shape.elementCount > 1 }
    guard wide.count == 1, leaves.count <= 2, lastUse[wide[0].int] + 64 >= lastUse[v.int],
      roles.graph.types[wide[0].int].byteCount <= roles.graph.types[v.int].byteCount * 4
    else { return nil }
    return (leaves, between)
  }
}
