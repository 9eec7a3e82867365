import FluxionCore

// Windows of arrays at places that are found while a program runs, such as the rows of a batch or the room for what a loop keeps of each
// step. One that lies in a piece is neither copied out nor in: what reads it, or makes it, does so where it is.

extension StepBuilder {
  /// Turns slices and updates into steps that only find their windows.
  mutating func openWindows(_ grouping: Grouping) {
    var nodes: [(node: Int, group: Int)] = []
    for (g, group) in grouping.groups.enumerated() where group.isAlive && group.kind == .single {
      switch graph.nodes[group.anchor].operation {
      case .dynamicSlice, .dynamicUpdateSlice: nodes.append((group.anchor, g))
      default: break
      }
    }
    if nodes.isEmpty { return }
    for (n, g) in nodes {
      if case .dynamicSlice = graph.nodes[n].operation { readInPlace(n, groupSteps[g].first) } else { writeInPlace(n, g, grouping) }
    }
  }

  private func isPiece(_ window: [Int], of shape: Shape) -> Bool {
    let rest = window.drop { $0 == 1 }
    return !window.contains(0) && zip(rest, shape.dimensions.suffix(rest.count)).dropFirst().allSatisfy { $0 == $1 }
  }

  /// A slice of what nobody writes.
  private mutating func readInPlace(_ n: Int, _ s: Int) {
    let node = graph.nodes[n], result = node.firstResult.int
    let array = roles.form(node.operands[0])!.base
    switch buffers[array].storage {
    case .argument, .constant: break
    default: return
    }
    guard buffers[result].isArena, isPiece(graph.types[result].shape.dimensions, of: graph.types[node.operands[0].int].shape),
      !steps.contains(where: { step in step.inPlace.contains { $0.input == array } })
    else { return }
    buffers[result].storage = .window
    steps[s].work = .window
    for r in steps.indices where steps[r].reads.contains(result) { steps[r].held.append(array) }
  }

  /// An update by what a tile program or a product makes. The window is found first, in the array as it then is; so whatever else reads
  /// the array must be able to do so before.
  private mutating func writeInPlace(_ n: Int, _ g: Int, _ grouping: Grouping) {
    let node = graph.nodes[n], s = groupSteps[g].first, result = node.firstResult.int
    let array = roles.form(node.operands[0])!.base
    let type = graph.types[node.operands[1].int], form = roles.form(node.operands[1])!
    let update = form.base
    guard buffers[update].isArena, grouping.groupOf[update] >= 0, form.offset == 0, form.isContiguous(type.shape),
      graph.types[update].shape.elementCount == type.shape.elementCount,
      node.operands.count(where: { roles.form($0)!.base == update }) == 1, isPiece(type.shape.dimensions, of: graph.types[result].shape)
    else { return }
    let makers = steps.indices.filter { steps[$0].writes.contains(update) }
    let areOfTiles = makers.allSatisfy {
      switch steps[$0].work {
      case .tiles, .product: true
      default: false
      }
    }
    // What the step itself waits for: all operands but the update.
    let sources = node.operands.indices.filter { $0 != 1 }.map { grouping.groupOf[roles.form(node.operands[$0])!.base] }
    let needed = Set(sources.filter { $0 >= 0 })
    guard areOfTiles, needed.union([grouping.groupOf[update]]).isSuperset(of: grouping.groups[g].predecessors) else { return }
    let readers = steps.indices.filter { $0 != s && (steps[$0].reads + steps[$0].held).contains(array) }
    let first = needed.map { groupSteps[Int($0)].last } + readers
    if dependsOnAny(of: makers + [s], first) { return }

    buffers[update].storage = .window
    steps[s].work = .window
    steps[s].predecessors = first
    steps.append(Step(work: .assembled, node: n, reads: [], writes: [], predecessors: makers + [s], order: steps[s].order))
    let end = steps.count - 1
    for q in steps.indices.dropLast() {
      steps[q].predecessors = steps[q].predecessors.map { $0 == s ? end : $0 }
      if steps[q].reads.contains(update) { steps[q].held.append(result) }
    }
    for m in makers {
      steps[m].predecessors.append(s)
      steps[m].held.append(result)
    }
    groupSteps[g].last = end
  }

  /// Whether some of the steps can begin only when one of `targets` is done, or are among them.
  private func dependsOnAny(of targets: [Int], _ starts: [Int]) -> Bool {
    var seen = Set<Int>()
    var pending = starts
    while let s = pending.popLast() {
      if targets.contains(s) { return true }
      if seen.insert(s).inserted { pending += steps[s].predecessors }
    }
    return false
  }
}
