// Loops and branches.

extension ReferenceInterpreter {
  func runScan(_ scan: Scan, _ operands: [ReferenceArray], _ types: [TensorType]) throws(ExecutionError) -> [ReferenceArray] {
    let constants = Array(operands.prefix(scan.constantCount))
    var carries = Array(operands.dropFirst(scan.constantCount).prefix(scan.carryCount))
    let arrays = operands.dropFirst(scan.constantCount + scan.carryCount)
    let sliceTypes = scan.body.inputTypes.dropFirst(scan.constantCount + scan.carryCount)
    var stacks = [[ReferenceArray.Elements]](repeating: [], count: types.count - scan.carryCount)
    for i in 0..<scan.length {
      let step = scan.reverse ? scan.length - 1 - i : i
      var slices: [ReferenceArray] = []
      for (array, type) in zip(arrays, sliceTypes) {
        let size = type.shape.elementCount
        slices.append(ReferenceArray(type, array.elements.part(step * size..<(step + 1) * size)))
      }
      let results = try inside("step \(step) of scan").run(scan.body, constants + carries + slices)
      carries = Array(results.prefix(scan.carryCount))
      for (k, output) in results.dropFirst(scan.carryCount).enumerated() { stacks[k].append(output.elements) }
    }
    var outputs = carries
    for (stack, type) in zip(stacks, types.dropFirst(scan.carryCount)) {
      let inPlace = scan.reverse ? stack.reversed() : stack
      outputs.append(ReferenceArray(type, ReferenceArray.Elements.joined(inPlace, type.elementType)))
    }
    return outputs
  }

  func runWhile(_ loop: WhileLoop, _ operands: [ReferenceArray]) throws(ExecutionError) -> [ReferenceArray] {
    let conditionConstants = Array(operands.prefix(loop.conditionConstantCount))
    let bodyConstants = Array(operands.dropFirst(loop.conditionConstantCount).prefix(loop.bodyConstantCount))
    var carries = Array(operands.dropFirst(loop.conditionConstantCount + loop.bodyConstantCount))
    var step = 0
    while true {
      let here = inside("step \(step) of while")
      if try here.run(loop.condition, conditionConstants + carries)[0].integers[0] == 0 { return carries }
      carries = try here.run(loop.body, bodyConstants + carries)
      step += 1
    }
  }

  func runConditional(_ branches: [Graph], _ operands: [ReferenceArray], _ site: CallSite?) throws(ExecutionError) -> [ReferenceArray] {
    let index = Int(operands[0].integers[0])
    guard branches.indices.contains(index) else {
      throw .indexOutOfBounds(operation: "conditional", index: index, bound: branches.count, callSite: site)
    }
    return try run(branches[index], Array(operands.dropFirst()))
  }

  private func inside(_ step: String) -> ReferenceInterpreter {
    guard findsNaN else { return self }
    return ReferenceInterpreter(findsNaN: true, steps: steps + [step])
  }
}
