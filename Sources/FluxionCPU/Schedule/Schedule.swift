/// The order in which steps run.
///
/// Program order, but a step that frees more memory than it takes goes first as soon as it can: gradients are used up where they
/// are made, and large temporaries do not pile up. Small gradients of weights, which are sums over rows, wait while there are steps that go on with
/// the rows at hand, and then follow each other: so a backward pass through all layers becomes one ``Band``, and they another. What they would have
/// freed lives longer for that, so there is a bound to it.
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
  let isSmallSum = steps.map { $0.sumsOverRows && ($0.rowsToCut?.operations ?? .infinity) <= Band.mostOperationsAlone }
  let rowsOf = steps.map { step in step.rowsToCut.flatMap { $0.rows >= Band.fewestRows ? $0.rows : nil } }
  let mostWaiting = 1 << 20  // about what the second cache level holds
  func continues(_ s: Int) -> Bool {
    guard let last = order.last, let rows = rowsOf[last], let own = rowsOf[s] else { return false }
    return Band.commonRows(rows, own) != nil && isSmallSum[s] == isSmallSum[last]
  }

  var ready = steps.indices.filter { waiting[$0] == 0 }
  while !ready.isEmpty {
    var best = 0
    var bestKey = (Int.max, Int.max, Int.max)
    let growths = ready.map { Swift.min(0, growth(steps[$0])) }
    let goesOn = ready.contains { !isSmallSum[$0] && continues($0) }
    let waitingBytes = zip(ready, growths).reduce(0) { isSmallSum[$1.0] ? $0 - $1.1 : $0 }
    for (i, s) in ready.enumerated() {
      let waits = goesOn ? isSmallSum[s] && waitingBytes <= mostWaiting : order.last.map { isSmallSum[$0] } == true && !continues(s)
      let key = (waits ? 1 : 0, growths[i], steps[s].order)
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
