import CFluxionKernels
import FluxionCore

/// Words a run's failure: the status of the runtime with the operation and the line that its step stands for.
struct FailureReport: Sendable {
  let origins: [CompilationContext.Origin]
  let places: [CompilationContext.Place]

  /// - Parameter arena: the run's memory, still as the failing step left it.
  func error(_ status: fx_status, _ arena: UnsafeMutableRawPointer) -> ExecutionError {
    guard status.step_id >= 0, Int(status.step_id) < origins.count else {
      return .engine("cpu: the runtime refused a plan (code \(status.code)). This is a fault of the cpu engine.")
    }
    let origin = origins[Int(status.step_id)]
    switch status.code {
    case Int32(FX_INDEX_OUT_OF_BOUNDS.rawValue):
      let (index, bound) = place(status, origin)
      return .indexOutOfBounds(operation: origin.operation, index: index, bound: bound, callSite: origin.callSite)
    case Int32(FX_NAN_FOUND.rawValue):
      let table = self.table(of: origin.plan, arena)
      let operands = origin.operands.compactMap { extent($0, table) }.joined(separator: "; ")
      return .madeNaN(
        operation: origin.operation, count: Int(status.count), elements: origin.elements,
        detail: operands + loops(status, origin.plan), callSite: origin.callSite)
    case Int32(FX_ITERATION_LIMIT.rawValue): return .engine("\(origin.operation): the loop passed its limit of iterations.")
    default: return .engine("\(origin.operation): the runtime refused a step (code \(status.code)). This is a fault of the cpu engine.")
    }
  }

  /// The index that is outside, and the length of its axis. Of a window: the first element missed, the start itself or the last.
  private func place(_ status: fx_status, _ origin: CompilationContext.Origin) -> (Int, Int) {
    let index = Int(status.index)
    guard let window = origin.window else { return (index, Int(status.bound)) }
    let axis = Int(status.axis)
    return (index < 0 ? index : index &+ Swift.max(window.sizes[axis], 1) &- 1, window.array[axis])
  }

  /// The pointers that the runtime resolved a plan's slots to.
  private func table(of plan: Int, _ arena: UnsafeMutableRawPointer) -> UnsafePointer<UnsafeRawPointer?> {
    var offset = places[plan].tableOffset
    var at: Int? = plan
    while let p = at {
      offset += places[p].arenaOffset
      at = places[p].parent
    }
    return UnsafePointer((arena + offset).assumingMemoryBound(to: UnsafeRawPointer?.self))
  }

  /// The step of the innermost loop; the runtime does not count the others.
  private func loops(_ status: fx_status, _ plan: Int) -> String {
    var names: [String] = []
    var at: Int? = plan
    while let p = at {
      if let loop = places[p].loop {
        if names.isEmpty {
          let step = Int(status.iteration)
          names.append("step \(places[p].reversedLength.map { $0 - 1 - step } ?? step) of \(loop)")
        } else {
          names.append(loop)
        }
      }
      at = places[p].parent
    }
    return names.isEmpty ? "" : ", at " + names.joined(separator: " in ")
  }

  /// The least and greatest element of an operand of real numbers.
  private func extent(_ operand: CompilationContext.Operand, _ table: UnsafePointer<UnsafeRawPointer?>) -> String? {
    guard let base = table[Int(operand.slot)], operand.type.elementType.isFloatingPoint, operand.type.shape.elementCount > 0
    else { return nil }
    var (low, high) = (Double.infinity, -Double.infinity)
    func visit(_ axis: Int, _ at: Int) {
      guard axis < operand.type.shape.rank else {
        let type = operand.type.elementType
        let x = type.scalar.doubles(at: base + type.byteCount * at, count: 1)[0]
        (low, high) = (Swift.min(low, x), Swift.max(high, x))
        return
      }
      for i in 0..<operand.type.shape[axis] { visit(axis + 1, at + i * operand.form.strides[axis]) }
    }
    visit(0, operand.form.offset)
    return low == high
      ? "input \(shortestText(low, digits: 6))" : "input min \(shortestText(low, digits: 6)), max \(shortestText(high, digits: 6))"
  }
}
