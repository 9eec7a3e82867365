/// Pairs arguments that may be overwritten with results that may take their memory: the result must be written after the argument's
/// last reading, or by a step that can work in place. The order that this needs is added to the steps.
///
/// - Parameters:
///   - arguments: argument numbers, each with the only result it may become, or nil for any of its size.
/// - Returns: for each of them the result it becomes, if any.
func pairDonations(
  _ steps: inout [Step], _ buffers: [Buffer], _ resultBuffers: [Int], arguments: [(argument: Int, result: Int?)]
) -> [Int?] {
  var writer = [Int](repeating: -1, count: buffers.count)
  var readers: [Int: [Int]] = [:]
  let wanted = Set(arguments.map(\.argument))
  for (s, step) in steps.enumerated() {
    for b in step.writes { writer[b] = s }
    for b in step.reads + step.held where wanted.contains(b) { readers[b, default: []].append(s) }
  }
  var taken = [Bool](repeating: false, count: resultBuffers.count)
  var visited = [Int](repeating: 0, count: steps.count)
  var visit = 0

  func depends(_ s: Int, on target: Int) -> Bool {
    visit += 1
    var pending = [s]
    while let at = pending.popLast() {
      if at == target { return true }
      if visited[at] == visit { continue }
      visited[at] = visit
      pending.append(contentsOf: steps[at].predecessors)
    }
    return false
  }

  func mayTake(_ argument: Int, _ result: Int) -> Bool {
    let target = resultBuffers[result]
    let s = writer[target]
    guard s >= 0, !taken[result], buffers[target].byteCount == buffers[argument].byteCount else { return false }
    for r in readers[argument] ?? [] {
      if r == s {
        guard steps[s].inPlace.contains(where: { $0.output == target && $0.input == argument }) else { return false }
      } else if depends(r, on: s) {
        return false
      }
    }
    return true
  }

  func take(_ argument: Int, _ result: Int) -> Int {
    taken[result] = true
    let s = writer[resultBuffers[result]]
    for r in readers[argument] ?? [] where r != s { steps[s].predecessors.append(r) }
    return result
  }

  return arguments.map { argument, only in
    if let only { return mayTake(argument, only) ? take(argument, only) : nil }
    // First what is written by a step that reads the argument: that is an update of it.
    let ownWriters = Set(readers[argument] ?? [])
    let updates = resultBuffers.indices.filter { ownWriters.contains(writer[resultBuffers[$0]]) }
    for r in updates where mayTake(argument, r) { return take(argument, r) }
    for r in resultBuffers.indices where mayTake(argument, r) { return take(argument, r) }
    return nil
  }
}
