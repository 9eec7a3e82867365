import FluxionCore

/// A program compiled by XLA for one device.
final class XLAExecutable: Executable {
  private let program: PJRTExecutable
  private let engine: XLAEngine
  private let argumentTypes: [TensorType]
  private let resultTypes: [TensorType]
  private let inputCount: Int
  /// Constants that are arguments to XLA: on the device already.
  private let constants: [PJRTBuffer]
  /// The inputs whose memory the compiled program takes over unless told otherwise.
  private let donatable: [Int]
  let cost: CostReport

  init(_ module: StableHLOModule, donatable: Set<Int>, engine: XLAEngine) throws(PJRTError) {
    self.engine = engine
    program = try engine.compile(module.text)
    (argumentTypes, resultTypes) = (module.argumentTypes, module.resultTypes)
    inputCount = module.argumentTypes.count - module.hoistedConstants.count
    self.donatable = donatable.sorted()
    var constants: [PJRTBuffer] = []
    for constant in module.hoistedConstants { constants.append(try engine.deviceBuffer(constant.buffer, constant.type)) }
    self.constants = constants
    cost = try Self.cost(of: program)
  }

  func run(_ arguments: consuming [HostBuffer], donated: [Bool]) throws(ExecutionError) -> [HostBuffer] {
    precondition(arguments.count == inputCount, "a program of \(inputCount) inputs was given \(arguments.count)")
    do throws(PJRTError) {
      var buffers: [PJRTBuffer] = []
      buffers.reserveCapacity(argumentTypes.count)
      for i in 0..<inputCount { buffers.append(try engine.deviceBuffer(arguments[i], argumentTypes[i])) }
      buffers += constants
      var kept: [Int64] = []
      for i in donatable where !(i < donated.count && donated[i]) { kept.append(Int64(i)) }
      let results = try program.execute(buffers, keeping: kept)
      return zip(results, resultTypes).map { HostBuffer(on: XLAMemory($0, $1), byteCount: $1.byteCount) }
    } catch {
      throw error.atExecution
    }
  }

  static func cost(of program: PJRTExecutable) throws(PJRTError) -> CostReport {
    var report = CostReport()
    let estimates = try program.costAnalysis()
    if case let .real(flops)? = estimates["flops"] { report.floatingPointOperations = Double(flops) }
    if case let .real(bytes)? = estimates["bytes accessed"] { report.bytesMoved = Double(bytes) }
    if let memory = try program.memoryUse() { report.peakMemory = memory.scratch }
    return report
  }
}

/// A program's result, or a copy of the host's elements, in a device's memory.
final class XLAMemory: DeviceMemory {
  let buffer: PJRTBuffer
  private let type: TensorType
  /// The elements in the host's memory, once they have been asked for.
  private let host: Locked<HostBuffer?>

  init(_ buffer: PJRTBuffer, _ type: TensorType, host: HostBuffer? = nil) {
    (self.buffer, self.type) = (buffer, type)
    self.host = Locked(host)
  }

  func hostCopy() throws(ExecutionError) -> HostBuffer {
    try host.withLock { (host) throws(ExecutionError) in
      if let host { return host }
      let made = try HostBuffer(allocating: type.byteCount)
      do throws(PJRTError) {
        try buffer.copy(to: made.pointer, byteCount: type.byteCount)
      } catch {
        throw error.atExecution
      }
      host = made
      return made
    }
  }

  func wait() throws(ExecutionError) {
    do throws(PJRTError) { try buffer.wait() } catch { throw error.atExecution }
  }
}
