import FluxionCore

func whileTangents(_ loop: WhileLoop, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let active = loop.activeCarries(t.map { $0 != nil })
  guard active.contains(true) else { return (apply(.whileLoop(loop), x), active.map { _ in nil }) }
  guard isLinearizing else {
    let (results, slopes) = augmentedWhile(loop, x, t.map { [$0] }, .tangents)
    return (results, slopes.map { $0[0] })
  }
  guard let bound = loop.bound else {
    trapAtCaller(
      ProgramError(
        "whileLoop",
        "a loop of unknown length cannot be differentiated backwards, as its steps would have to be kept. Give it a bound with atMost:, or use scan, forward mode, or an implicit derivative."))
  }
  return pushforward(loop.asScan(bound), x, t)
}

extension WhileLoop {
  /// The loop as one of known length, whose steps do nothing once the condition fails. Operands and results are the loop's.
  fileprivate func asScan(_ bound: Bound) -> Graph {
    let (kc, first) = (conditionConstantCount, conditionConstantCount + bodyConstantCount)
    let types = Array(condition.inputTypes.prefix(kc)) + body.inputTypes
    let (graph, captures) = traceGraph(types) { inputs in
      let carryTypes = inputs[first...].map(\.type)
      /// `step`, or nothing if the condition does not hold.
      func ifGoing(_ carries: [Tensor], _ step: () -> [Tensor]) -> [Tensor] {
        let isGoing = condition(Array(inputs[..<kc]) + carries)[0]
        return makeConditional(isGoing.converted(to: .int32), [traceGraph([]) { _ in carries }, traceGraph([]) { _ in step() }])
      }
      func repeated(_ count: Int, _ carries: [Tensor], _ step: ([Tensor]) -> [Tensor]) -> [Tensor] {
        let (graph, captures) = traceGraph(carryTypes, step)
        return makeScan(graph, captures: captures, carries: carries, slices: [], length: count, reverse: false)
      }
      func steps(_ count: Int, _ carries: [Tensor]) -> [Tensor] {
        repeated(count, carries) { carries in ifGoing(carries) { body(Array(inputs[kc..<first]) + carries) } }
      }
      let carries = Array(inputs[first...])
      guard bound.recomputes, bound.steps > 1 else { return steps(bound.steps, carries) }
      // √n blocks of √n steps, of which only the first states are kept. Steps beyond n do nothing: the condition sees to it.
      let block = Int(Double(bound.steps).squareRoot().rounded(.up))
      return repeated((bound.steps + block - 1) / block, carries) { carries in
        ifGoing(carries) {
          let (inner, captures) = traceGraph(carryTypes) { steps(block, $0) }
          let call = Call(name: "checkpoint", body: inner, rules: checkpointRules(inner, .nothing))
          return apply(.call(call), carries + captures)
        }
      }
    }
    precondition(captures.isEmpty, "a loop refers to its operands only")
    return graph
  }
}
