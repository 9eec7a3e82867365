import FluxionCore

func whileTangents(_ loop: WhileLoop, _ x: [Tensor], _ t: [Tensor?]) -> ([Tensor], [Tensor?]) {
  let (kc, kb) = (loop.conditionConstantCount, loop.bodyConstantCount)
  let first = kc + kb
  let carries = Array(x[first...])
  let active = Array(
    closedActivity(t[kc...].map { $0 != nil }, carries: kb..<kb + carries.count) { activeOutputs(loop.body, $0) }[kb...])
  guard active.contains(true) else {
    return (apply(.whileLoop(loop), x), [Tensor?](repeating: nil, count: carries.count))
  }
  if isLinearizing {
    trapAtCaller(
      ProgramError(
        "whileLoop",
        "a loop of unknown length cannot be differentiated backwards, as its steps would have to be kept. Use scan with a bound, forward mode, or an implicit derivative."))
  }
  let places = active.indices.filter { active[$0] }
  let starts = carries + places.map { t[first + $0] ?? zerosLike(carries[$0]) }
  let conditionConstants = Array(x[..<kc]), bodyConstants = Array(x[kc..<first])
  let (condition, conditionCaptures) = traceGraph(starts.map(\.type)) { inputs in
    loop.condition(conditionConstants + inputs.prefix(carries.count))
  }
  let (body, bodyCaptures) = traceGraph(starts.map(\.type)) { inputs in
    var slopes = [Tensor?](repeating: nil, count: carries.count)
    for (i, place) in places.enumerated() { slopes[place] = inputs[carries.count + i] }
    let (results, tangents) = pushforward(
      loop.body, bodyConstants + inputs.prefix(carries.count), Array(t[kc..<first]) + slopes)
    return results + places.map { tangents[$0] ?? zerosLike(results[$0]) }
  }
  var all = makeWhile(condition, conditionCaptures, body, bodyCaptures, starts)[...]
  let results = Array(all.prefix(carries.count))
  all = all.dropFirst(carries.count)
  return (results, active.map { $0 ? all.removeFirst() : nil })
}
