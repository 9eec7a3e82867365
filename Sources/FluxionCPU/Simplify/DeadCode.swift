import FluxionCore

extension Graph {
  /// The graph without nodes that no output needs. (Values that only a loop's own dead carries need: see
  /// ``simplifyingControlFlow()``.)
  func removingDeadCode() -> Graph {
    let live = liveValues(from: outputs)
    guard nodes.contains(where: { !$0.isLive(live) }) else { return self }
    var editor = GraphEditor(inputTypes: inputTypes)
    var renamed = [ValueID](repeating: ValueID(-1), count: types.count)
    for i in 0..<inputCount { renamed[i] = ValueID(i) }
    for node in nodes where node.isLive(live) {
      let first = node.firstResult.int
      let kept = editor.append(
        node.operation, node.operands.map { renamed[$0.int] }, types[first..<first + node.resultCount], node.callSite)
      for i in 0..<node.resultCount { renamed[first + i] = ValueID(kept.int + i) }
    }
    return editor.finish(outputs: outputs.map { renamed[$0.int] })
  }

  /// Which values `roots` depend on, themselves included.
  func liveValues(from roots: [ValueID]) -> [Bool] {
    var live = [Bool](repeating: false, count: types.count)
    for v in roots { live[v.int] = true }
    for node in nodes.reversed() where node.isLive(live) {
      for v in node.operands { live[v.int] = true }
    }
    return live
  }
}

extension Node {
  func isLive(_ live: [Bool]) -> Bool {
    for i in firstResult.int..<firstResult.int + resultCount where live[i] { return true }
    return false
  }
}
