/// The order in which steps run.
///
/// Program order, but a step that frees more memory than it takes goes first as soon as it can: gradients are used up where they
/// are made, and large temporaries do not pile up.
func schedule(_ steps: [Step], _ buffers: [Buffer]) -> [Int] {
  var waiting = [Int](repeating: 0, count: steps.count)
  var followers = [[Int32]](repeating: [], count: steps.count)
  for (s, step) in steps.enumerated() {
    for p in Set(step.predecessors) where p != s {
      waiting[s] += 1
      followers[p].append(Int32(s))
    }
  }
  var readers = [Int32](repeating: 0, count: buffers.count)
  for step in steps { for b in step.reads { readers[b] += 1 } }

  func growth(_ step: Step) -> Int {
    var bytes = 0
    for b in step.writes where buffers[b].isArena { bytes += buffers[b].byteCount }
    for b in step.reads where buffers[b].isArena && readers[b] == 1 { bytes -= buffers[b].byteCount }
    return bytes
  }

  var ready = steps.indices.filter { waiting[$0] == 0 }
  var order: [Int] = []
  order.reserveCapacity(steps.count)
  while !ready.isEmpty {
    var best = 0
    var bestKey = (Int.max, Int.max)
    for (i, s) in ready.enumerated() {
      let key = (Swift.min(0, growth(steps[s])), steps[s].order)
      if key < bestKey { (best, bestKey) = (i, key) }
    }
    let s = ready.remove(at: best)
    order.append(s)
    for b in steps[s].reads { readers[b] -= 1 }
    for f in followers[s] {
      waiting[Int(f)] -= 1
      if waiting[Int(f)] == 0 { ready.append(Int(f)) }
    }
  }
  precondition(order.count == steps.count, "steps wait for each other")
  return order
}
