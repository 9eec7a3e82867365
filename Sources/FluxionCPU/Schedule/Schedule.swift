/// The order in which steps run.
///
/// Program order, but windows are found as soon as they can be, and a step that frees more memory than it takes goes first as soon as it
/// can: gradients are used up where they are made, and large temporaries do not pile up. Small sums over rows, gradients of weights for example, wait while there are steps that go on with
/// the rows at hand, and then follow each other: so a backward pass through all layers becomes one ``Band`` with them. What they would have
/// freed lives longer for that, so there is a bound to it. A few numbers that can be made before a band are made before it, lest what reads
/// them has to stand behind it: the step sizes of an optimiser, which the gradients' epilogues take.
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

  var order: [Int] = []
  order.reserveCapacity(steps.count)
  let isFold = steps.map { $0.rowsToCut == nil && $0.rowsToFold != nil }
  let rowsOf = steps.map { step in (step.rowsToCut?.rows ?? step.rowsToFold?.rows).flatMap { $0 >= Band.fewestRows ? $0 : nil } }
  let isOfFewNumbers = steps.map { step in
    switch step.work {
    case .tiles, .copy: step.writes.reduce(0) { $0 + buffers[$1].byteCount } <= 4096
    default: false
    }
  }
  let mostWaiting = 1 << 20  // about what the second cache level holds
  func continues(_ s: Int) -> Bool {
    guard let last = order.last, let rows = rowsOf[last], let own = rowsOf[s] else { return false }
    return Band.commonRows(rows, own) != nil && (isFold[s] || !isFold[last])
  }

  var ready: [Int] = []
  // What others have assembled takes no place in the order: it is there when they are done.
  func begin(_ s: Int) {
    if case .assembled = steps[s].work { end(s) } else { ready.append(s) }
  }
  func end(_ s: Int) {
    for f in followers[s] {
      waiting[Int(f)] -= 1
      if waiting[Int(f)] == 0 { begin(Int(f)) }
    }
  }
  for s in steps.indices.filter({ waiting[$0] == 0 }) { begin(s) }
  while !ready.isEmpty {
    var best = 0
    var bestKey = (Int.max, Int.max, Int.max)
    let growths = ready.map { Swift.min(0, growth(steps[$0])) }
    let goesOn = ready.contains { !isFold[$0] && continues($0) }, folds = ready.contains { isFold[$0] && continues($0) }
    let few = ready.contains { isOfFewNumbers[$0] && rowsOf[$0] == nil }
    let waitingBytes = zip(ready, growths).reduce(0) { isFold[$1.0] ? $0 - $1.1 : $0 }
    func waits(_ s: Int) -> Bool {
      if goesOn { return isFold[s] && waitingBytes <= mostWaiting }
      if folds { return !(isFold[s] && continues(s)) }
      return few && rowsOf[s] != nil
    }
    for (i, s) in ready.enumerated() {
      let isWindow = if case .window = steps[s].work { true } else { false }
      let key = (isWindow ? -1 : waits(s) ? 1 : 0, growths[i], steps[s].order)
      if key < bestKey { (best, bestKey) = (i, key) }
    }
    let s = ready.remove(at: best)
    order.append(s)
    for b in steps[s].reads { readers[b] -= 1 }
    end(s)
  }
  precondition(waiting.allSatisfy { $0 == 0 }, "steps wait for each other")
  return order
}
