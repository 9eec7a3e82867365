internal import FluxionCore

extension FunctionWriter {
  /// A loop that counts, reads its slices and writes what it stacks in place. What every step sees is carried along unchanged, because
  /// StableHLO's loops see nothing but what they carry.
  func scan(_ scan: Scan, _ x: [Value], _ types: [TensorType]) -> [Value] {
    let (k, c) = (scan.constantCount, scan.carryCount)
    let stackTypes = types.dropFirst(c)
    if scan.length == 0 { return x[k..<k + c] + stackTypes.map(zeros) }
    let counter = TensorType([], scan.length <= Int32.max ? .int32 : .int64)
    let constants = Array(x.prefix(k)) + x.dropFirst(k + c)
    let initial = [zeros(counter)] + x[k..<k + c] + stackTypes.map(zeros) + constants
    let carried = initial.map(\.type)
    let condition = Region(carried) { [self] a in [compare(.less, a[0], full(Double(scan.length), counter))] }
    let body = Region(carried) { [self] a in
      let place = scan.reverse ? emit("subtract", full(Double(scan.length - 1), counter), a[0], result: counter) : a[0]
      func at(_ type: TensorType) -> [Value] { [place] + type.shape.dropFirst().map { _ in zeros(counter) } }
      let held = a[(1 + types.count)...]
      let slices = held.dropFirst(k).map { array in
        let window = Shape([1] + array.shape.dropFirst())
        let slice = emit(
          "dynamic_slice", [array] + at(array.type), ["slice_sizes = \(integerArray(window.dimensions))"],
          results: [TensorType(window, array.elementType)])[0]
        return reshape(slice, Shape(Array(array.shape.dropFirst())))
      }
      let results = lower(scan.body, Array(held.prefix(k)) + a[1..<1 + c] + slices)
      let stacks = zip(a[(1 + c)..<(1 + types.count)], results.dropFirst(c)).map { stack, element in
        emit("dynamic_update_slice", [stack, reshape(element, Shape([1] + element.shape.dimensions))] + at(stack.type), results: [stack.type])[0]
      }
      return [emit("add", a[0], full(1, counter), result: counter)] + results.prefix(c) + stacks + held
    }
    return Array(emit("while", initial, regions: [condition, body], results: carried)[1..<1 + types.count])
  }

  func whileLoop(_ loop: WhileLoop, _ x: [Value]) -> [Value] {
    let (k, b) = (loop.conditionConstantCount, loop.bodyConstantCount)
    let carried = x.map(\.type)
    let condition = Region(carried) { [self] a in lower(loop.condition, Array(a.prefix(k)) + a.dropFirst(k + b)) }
    let body = Region(carried) { [self] a in Array(a.prefix(k + b)) + lower(loop.body, Array(a.dropFirst(k))) }
    return Array(emit("while", x, regions: [condition, body], results: carried).dropFirst(k + b))
  }

  func conditional(_ branches: [Graph], _ x: [Value], _ types: [TensorType]) -> [Value] {
    let operands = Array(x.dropFirst())
    let regions = branches.map { branch in Region([]) { [self] _ in lower(branch, operands) } }
    return emit("case", [x[0]], regions: regions, results: types)
  }
}
