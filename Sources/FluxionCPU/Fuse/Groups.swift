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
  /// Whether it makes a place at which others read or write where they are: it should not wait for more than that needs.
  var findsWindow = false
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
  /// Nodes that make places of windows.
  private let windowStarts: Set<Int>
  let fuses: Bool

  private static let mostNodes = 160
  private static let mostReads = 40

  struct Reference {
    let value: ValueID
    /// Read in the order in which the reader runs.
    let isAligned: Bool
  }

  init(_ roles: ValueRoles, fuses: Bool) {
    self.roles = roles
    self.fuses = fuses
    windowStarts = roles.windowStarts
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

  func find(_ g: Int32) -> Int32 {
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
    case .scalar, .spared: return
    case .memory:
      if case .constant = node.operation { return }
      for x in roles.operands(of: n) { gather(x, false, &references) }
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
      gather(roles.operands(of: n)[0], true, &references)
      join(n, iterationExtents(graph.types[node.operands[0].int].shape), references, reduces: true)
    }
  }

  /// The materialised values that `v` is made of.
  func gather(_ v: ValueID, _ isAligned: Bool, _ found: inout [Reference]) {
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
    groups[Int(g)].findsWindow = windowStarts.contains(n)
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
          // Numbers that can be made at once do not wait for what the others need.
          if key == -1 && all.isEmpty != group.predecessors.isEmpty { continue }
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
    let group = groups[Int(g)], isStart = windowStarts.contains(n)
    guard group.nodes.count < Grouping.mostNodes, group.reads.count + references.count <= Grouping.mostReads else { return false }
    guard isStart || group.findsWindow else { return true }
    let new = Set(predecessors(references)).subtracting([g]), old = Set(group.predecessors.map(find))
    return (!isStart || old.isSubset(of: new)) && (!group.findsWindow || new.isSubset(of: old))
  }

  private mutating func add(_ n: Int, to g: Int32, _ references: [Reference], _ reduces: Bool) {
    let all = predecessors(references)
    let i = Int(g)
    groups[i].nodes.append(n)
    groups[i].last = n
    groups[i].hasReduction = groups[i].hasReduction || reduces
    groups[i].findsWindow = groups[i].findsWindow || windowStarts.contains(n)
    for p in all where p != g && !groups[i].predecessors.contains(p) { groups[i].predecessors.append(p) }
    for r in references where group(of: r.value) != g { groups[i].reads.insert(r.value.int) }
    assign(n, g)
    if groups[i].kind == .fused { noteReads(g, references.filter { group(of: $0.value) != g }) }
  }

  private mutating func mergeIfPossible(_ a: Int32, _ b: Int32, _ reduces: Bool) {
    let (x, y) = (groups[Int(a)], groups[Int(b)])
    guard !(x.kind == .product && y.kind == .product), x.extents == y.extents, !x.findsWindow, !y.findsWindow,
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
}
