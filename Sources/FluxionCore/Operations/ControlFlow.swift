// Loops and branches that belong to the program: they compile once and run without returning to Swift. Values they carry may be any
// structure of tensors. What the closures use from outside becomes an operand.

/// Runs `step` over the leading axis of `xs`, carrying a value along.
///
/// - Parameters:
///   - xs: tensors (any structure) of one leading length; each step sees one slice.
///   - initial: the first carry; every step must give a carry of the same structure, shapes and element types.
///   - reverse: from the last slice to the first.
///   - step: from a carry and a slice, the next carry.
/// - Returns: the last carry.
public func scan<Xs: Codable, Carry: Codable>(
  over xs: Xs, from initial: Carry, reverse: Bool = false, _ step: (Carry, Xs) -> Carry
) -> Carry {
  scan(over: xs, from: initial, reverse: reverse) { carry, x in (step(carry, x), [Tensor]()) }.carry
}

/// Runs `step` over the leading axis of `xs`, carrying a value along and stacking what each step puts out.
///
/// - Returns: the last carry, and the outputs with a new leading axis; with `reverse` each output stays at its slice's place.
public func scan<Xs: Codable, Carry: Codable, Output: Codable>(
  over xs: Xs, from initial: Carry, reverse: Bool = false, _ step: (Carry, Xs) -> (Carry, Output)
) -> (carry: Carry, outputs: Output) {
  let (slices, structure) = flatten(xs)
  guard let length = slices.first?.shape.first else {
    trapAtCaller(ProgramError("scan", "there is nothing to scan over: give tensors with a leading axis, or use scan(count:)."))
  }
  return scanLeaves(slices, structure, length, initial, reverse, step)
}

/// Runs `step` `count` times with the place 0, 1, … as a scalar `i32`.
public func scan<Carry: Codable>(count: Int, from initial: Carry, _ step: (Carry, Tensor) -> Carry) -> Carry {
  scan(over: arange(count), from: initial, step)
}

private func scanLeaves<Xs: Codable, Carry: Codable, Output: Codable>(
  _ slices: [Tensor], _ structure: TreeStructure, _ length: Int, _ initial: Carry, _ reverse: Bool,
  _ step: (Carry, Xs) -> (Carry, Output)
) -> (carry: Carry, outputs: Output) {
  let (carries, carryStructure) = flatten(initial)
  let start = carries.map { $0.resolved(meeting: nil) }
  var outputStructure: TreeStructure?
  let results = staged(start + slices.map { $0.resolved(meeting: nil) }) { operands in
    let carries = Array(operands.prefix(start.count))
    let slices = Array(operands.dropFirst(start.count))
    for s in slices where s.shape.first != length {
      trapAtCaller(
        ProgramError("scan", "arrays scanned over need one leading length, but \(s.shape) begins with \(s.shape.first.map(String.init) ?? "nothing") and another with \(length)."))
    }
    let types = carries.map(\.type) + slices.map { TensorType(Shape(Array($0.shape.dropFirst())), $0.elementType) }
    let (body, captures) = traceGraph(types) { inputs in
      let carry = unflatten(Carry.self, carryStructure, Array(inputs.prefix(carries.count)))
      let x = unflatten(Xs.self, structure, Array(inputs.dropFirst(carries.count)))
      let (next, output) = step(carry, x)
      let (nextLeaves, nextStructure) = flatten(next)
      guard nextStructure == carryStructure else {
        trapAtCaller(ProgramError("scan", "the carry changes its structure: \(describeDifference(carryStructure, nextStructure))."))
      }
      let (outputLeaves, s) = flatten(output)
      outputStructure = s
      // Literals take the carried type: `scan(from: 0.0) { … 1.0 }` is meant as such.
      let settled = zip(nextLeaves, carries).map { $0.resolved(meeting: $1.elementType) }
      return settled + outputLeaves.map { $0.resolved(meeting: nil) }
    }
    return makeScan(body, captures: captures, carries: carries, slices: slices, length: length, reverse: reverse)
  }
  return (
    unflatten(Carry.self, carryStructure, Array(results.prefix(start.count))),
    unflatten(Output.self, outputStructure!, Array(results.dropFirst(start.count)))
  )
}

/// Emits a scan whose traced body takes carries, slices, then captures.
package func makeScan(
  _ body: Graph, captures: [Tensor], carries: [Tensor], slices: [Tensor], length: Int, reverse: Bool
) -> [Tensor] {
  // Operands are constants first; the traced body has its captures last.
  let k = captures.count
  let reordered = body.permutingInputs { old in old < carries.count + slices.count ? old + k : old - carries.count - slices.count }
  let scan = Scan(body: reordered, constantCount: k, carryCount: carries.count, length: length, reverse: reverse)
  return apply(.scan(scan), captures + carries + slices)
}

/// Repeats `body` while `condition` (one truth value) holds.
///
/// Its trip count is not known beforehand, so it can be differentiated forward but not backward; for the latter say a bound
/// (``whileLoop(from:atMost:savingMemory:while:do:)``), or give an implicit derivative.
///
/// Under `vmap` every row has its own trip count: the loop goes on while any row would, and rows that are done keep their values.
public func whileLoop<Carry: Codable>(
  from initial: Carry, while condition: (Carry) -> Tensor, do body: (Carry) -> Carry
) -> Carry {
  recordWhile(initial, condition, body, bound: nil)
}

/// Repeats `body` while `condition` holds, `count` times at most: a loop that can be differentiated backward.
///
/// It stops as soon as the condition fails, in either direction; what the backward pass needs is kept for `count` steps, taken or not.
/// The value is that of the loop without a bound if that ends in time; else that after `count` steps.
///
/// - Parameters:
///   - initial: any structure of tensors; every step must give the same structure, shapes and element types.
///   - count: the bound.
///   - savingMemory: keep about √`count` states instead of what each step needs, and run the steps between them again on the way back.
///   - condition: one truth value.
///   - body: one step.
public func whileLoop<Carry: Codable>(
  from initial: Carry, atMost count: Int, savingMemory: Bool = false, while condition: (Carry) -> Tensor, do body: (Carry) -> Carry
) -> Carry {
  guard count >= 0, count <= Int32.max else {
    trapAtCaller(ProgramError("whileLoop", "the bound must be between 0 and \(Int32.max), but it is \(count)."))
  }
  let start = Counted(step: Tensor(Int32(0)), carry: initial)
  let end = recordWhile(
    start, { ($0.step .< Tensor(Int32(count))) .& condition($0.carry) }, { Counted(step: $0.step + 1, carry: body($0.carry)) },
    bound: WhileLoop.Bound(steps: count, recomputes: savingMemory))
  return end.carry
}

private struct Counted<Carry: Codable>: Codable {
  var step: Tensor
  var carry: Carry
}

private func recordWhile<Carry: Codable>(
  _ initial: Carry, _ condition: (Carry) -> Tensor, _ body: (Carry) -> Carry, bound: WhileLoop.Bound?
) -> Carry {
  let (carries, structure) = flatten(initial)
  let results = staged(carries.map { $0.resolved(meeting: nil) }) { carries in
    let types = carries.map(\.type)
    let (conditionGraph, conditionCaptures) = traceGraph(types) {
      [condition(unflatten(Carry.self, structure, $0)).resolved(meeting: nil)]
    }
    let (bodyGraph, bodyCaptures) = traceGraph(types) { inputs in
      let (leaves, next) = flatten(body(unflatten(Carry.self, structure, inputs)))
      guard next == structure else {
        trapAtCaller(ProgramError("whileLoop", "the carry changes its structure: \(describeDifference(structure, next))."))
      }
      return zip(leaves, carries).map { $0.resolved(meeting: $1.elementType) }
    }
    return makeWhile(conditionGraph, conditionCaptures, bodyGraph, bodyCaptures, carries, bound: bound)
  }
  return unflatten(Carry.self, structure, results)
}

/// Emits a loop whose traced parts take carries, then captures.
package func makeWhile(
  _ condition: Graph, _ conditionCaptures: [Tensor], _ body: Graph, _ bodyCaptures: [Tensor], _ carries: [Tensor],
  bound: WhileLoop.Bound? = nil
) -> [Tensor] {
  func constantsFirst(_ graph: Graph, _ k: Int) -> Graph {
    graph.permutingInputs { old in old < carries.count ? old + k : old - carries.count }
  }
  let loop = WhileLoop(
    condition: constantsFirst(condition, conditionCaptures.count), body: constantsFirst(body, bodyCaptures.count),
    conditionConstantCount: conditionCaptures.count, bodyConstantCount: bodyCaptures.count, bound: bound)
  return apply(.whileLoop(loop), conditionCaptures + bodyCaptures + carries)
}

/// One of two programs, chosen by a truth value when it runs; only that one runs. Both must give one structure and types.
public func cond<Result: Codable>(_ predicate: Tensor, then first: () -> Result, else second: () -> Result) -> Result {
  withoutActuallyEscaping(first) { first in
    withoutActuallyEscaping(second) { second in switchCase(predicate.converted(to: .int32), [second, first]) }
  }
}

/// The program at place `index` of `branches`. An index outside them is an error when it runs.
public func switchCase<Result: Codable>(_ index: Tensor, _ branches: [() -> Result]) -> Result {
  guard !branches.isEmpty else { trapAtCaller(ProgramError("switchCase", "needs at least one branch.")) }
  var structure: TreeStructure?
  let results = staged([index.asIndex.converted(to: .int32)]) { operands in
    let traced = branches.map { branch in
      traceGraph([]) { _ in
        let (leaves, s) = flatten(branch())
        if let known = structure, known != s {
          trapAtCaller(ProgramError("cond", "the branches give different structures: \(describeDifference(known, s))."))
        }
        structure = s
        return leaves.map { $0.resolved(meeting: nil) }
      }
    }
    return makeConditional(operands[0], traced)
  }
  return unflatten(Result.self, structure!, results)
}

/// Emits a choice between traced branches, each taking its own captures: they are given the captures of all.
package func makeConditional(_ index: Tensor, _ branches: [(graph: Graph, captures: [Tensor])]) -> [Tensor] {
  let captures = branches.flatMap(\.captures)
  let types = captures.map(\.type)
  var offset = 0
  let widened = branches.map { branch -> Graph in
    let first = offset
    offset += branch.captures.count
    return branch.graph.placingInputs(among: types) { $0 + first }
  }
  return apply(.conditional(branches: widened), [index] + captures)
}
