import CFluxionKernels
public import FluxionCore

// Operations run at once. Elementwise ones on whole arrays, and reductions of few numbers to one, go straight to their kernels; the others
// run as programs of one node, which are compiled once for each operation and types.

extension CPUEngine {
  public func evaluate(_ function: Unary, _ x: HostBuffer, _ type: TensorType) -> HostBuffer? {
    guard let op = function.kernel else { return nil }
    let result = HostBuffer(byteCount: x.byteCount)
    return fx_unary(op, type.elementType.kernelType, type.shape.elementCount, x.pointer, result.pointer) ? result : nil
  }

  public func evaluate(
    _ function: Binary, _ a: HostBuffer, _ b: HostBuffer, _ type: TensorType, aIsScalar: Bool, bIsScalar: Bool
  ) -> HostBuffer? {
    let result = HostBuffer(byteCount: type.byteCount)
    return fx_binary(
      function.kernel, type.elementType.kernelType, type.shape.elementCount, a.pointer, aIsScalar, b.pointer, bIsScalar,
      result.pointer) ? result : nil
  }

  public func evaluate(_ reduction: Reduction, _ x: HostBuffer, _ type: TensorType) -> HostBuffer? {
    let element = type.elementType
    guard element == .float32 || element == .float64 || element == .int32 || element == .int64 else { return nil }
    let result = HostBuffer(byteCount: element.byteCount)
    return fx_reduce_few(reduction.kernel, element.kernelType, type.shape.elementCount, x.pointer, result.pointer) ? result : nil
  }

  /// The result if a kernel can be called directly.
  func evaluateDirectly(
    _ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultType: TensorType
  ) -> HostBuffer? {
    switch operation {
    case let .unary(f):
      let type = operandTypes[0].elementType
      guard let op = f.kernel, fx_supports(op, type.kernelType, resultType.elementType.kernelType) else { return nil }
      let result = HostBuffer(byteCount: resultType.byteCount)
      let count = resultType.shape.elementCount
      return fx_unary(op, type.kernelType, count, operands[0].pointer, result.pointer) ? result : nil
    case let .binary(f):
      if f == .multiplyNoNaN { return nil }
      return pair(f.kernel, operands, operandTypes[0], resultType)
    case let .compare(c): return pair(c.kernel, operands, operandTypes[0], resultType)
    case let .convert(target):
      let result = HostBuffer(byteCount: resultType.byteCount)
      let count = resultType.shape.elementCount
      return fx_convert(operandTypes[0].elementType.kernelType, target.kernelType, count, operands[0].pointer, result.pointer)
        ? result : nil
    case let .reduce(reduction, axes) where axes.count == operandTypes[0].shape.rank:
      return evaluate(reduction, operands[0], operandTypes[0])
    case .reshape: return operands[0]
    case .broadcast:
      let count = operandTypes[0].shape.elementCount
      if count == resultType.shape.elementCount { return operands[0] }
      return count == 1 ? repeated(operands[0], resultType) : nil
    case let .constant(constant): return constant.buffer
    default: return nil
    }
  }

  private func pair(_ op: fx_op, _ operands: [HostBuffer], _ type: TensorType, _ resultType: TensorType) -> HostBuffer? {
    let result = HostBuffer(byteCount: resultType.byteCount)
    return fx_binary(
      op, type.elementType.kernelType, resultType.shape.elementCount, operands[0].pointer, false, operands[1].pointer, false,
      result.pointer) ? result : nil
  }

  private func repeated(_ source: HostBuffer, _ type: TensorType) -> HostBuffer {
    let result = HostBuffer(byteCount: type.byteCount)
    let count = type.shape.elementCount
    func fill<T>(_ value: T) {
      result.pointer.bindMemory(to: T.self, capacity: count).update(repeating: value, count: count)
    }
    switch type.elementType.byteCount {
    case 1: fill(source.pointer.load(as: UInt8.self))
    case 2: fill(source.pointer.load(as: UInt16.self))
    case 4: fill(source.pointer.load(as: UInt32.self))
    case 8: fill(source.pointer.load(as: UInt64.self))
    default: fill(source.pointer.load(as: SIMD2<UInt64>.self))
    }
    return result
  }
}

/// Programs of one node, by what they compute.
final class SingleNodePrograms: Sendable {
  private struct Key: Hashable {
    let operation: Operation
    let operandTypes: [TensorType]
  }
  private let known = Locked<[Key: CPUExecutable]>([:])

  func program(_ operation: Operation, _ operandTypes: [TensorType], _ resultTypes: [TensorType]) throws(EngineError) -> CPUExecutable {
    let key = Key(operation: operation, operandTypes: operandTypes)
    if let program = known.withLock({ $0[key] }) { return program }
    let count = operandTypes.count
    let node = Node(
      operation: operation, operands: operandTypes.indices.map { ValueID($0) }, firstResult: ValueID(count),
      resultCount: resultTypes.count)
    let graph = Graph(
      inputCount: count, nodes: [node], outputs: resultTypes.indices.map { ValueID(count + $0) },
      types: operandTypes + resultTypes)
    let made = try CPUExecutable(graph, options: CompilationOptions())
    known.withLock { table in
      if table.count >= 1024 { table.removeAll() }
      table[key] = made
    }
    return made
  }
}
