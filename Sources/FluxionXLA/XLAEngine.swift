public import FluxionCore

/// Runs programs on XLA's devices, GPUs and TPUs among them, through a PJRT plugin: a graph is written as StableHLO and compiled by XLA.
///
/// Calls return while the device works; results stay in its memory until the host asks for them, and state that is donated is updated
/// in place. Semantics are those of the other engines, with what XLA cannot do as the exception: an index outside its axis is no error
/// (reads take the nearest valid index, writes are dropped), and NaNs are not searched for.
public final class XLAEngine: Engine {
  public let name = "xla"
  package let client: PJRTClient
  package let device: PJRTDevice
  /// Programs of one operation, for what runs outside any compiled function.
  private let singles = Locked<[Graph: XLAExecutable]>([:])
  private let cache: CompileCache?

  /// - Parameters:
  ///   - client: whose device it is.
  ///   - index: its place among the client's devices.
  ///   - cache: where compiled programs are kept between processes; nil: nowhere.
  package init(client: PJRTClient, device index: Int = 0, cache: CompileCache? = .standard) throws(PJRTError) {
    self.client = client
    device = try client.device(index)
    self.cache = cache
  }

  /// The device's name as its maker gives it, `NVIDIA H100 80GB HBM3` for example.
  public var deviceKind: String { device.kind }
  /// `cpu`, `cuda`, `tpu` …
  public var platformName: String { client.platformName }

  /// What the device's allocator counts; nil where the plugin does not count.
  public func memoryStatistics() throws(PJRTError) -> DeviceMemoryStatistics? { try device.memoryStatistics() }

  // MARK: Engine

  public func compile(_ graph: Graph, options: CompilationOptions) throws(EngineError) -> any Executable {
    try executable(graph, options)
  }

  private func executable(_ graph: Graph, _ options: CompilationOptions) throws(EngineError) -> XLAExecutable {
    if options.findsNaN {
      throw EngineError("XLA: the search for NaNs needs an engine that looks at every operation. Use --device cpu for it.")
    }
    var form = StableHLOOptions()
    form.donatedInputs = options.donatedInputs
    form.hoistingThreshold = 1024
    let module: StableHLOModule
    do throws(StableHLOError) { module = try stableHLO(for: graph, options: form) } catch { throw EngineError(error.description) }
    do throws(PJRTError) {
      return try XLAExecutable(module, donatable: options.donatedInputs, engine: self)
    } catch {
      throw EngineError(error.description)
    }
  }

  /// Compiles a module for this device, or takes it from the cache.
  func compile(_ text: String) throws(PJRTError) -> PJRTExecutable {
    let options = CompileOptions(device: device, of: client)
    guard let cache else { return try PJRTExecutable(text, options: options, client: client) }
    return try cache.executable(text, options: options, client: client)
  }

  public func evaluate(_ operation: Operation, _ operands: [HostBuffer], _ operandTypes: [TensorType], _ resultTypes: [TensorType])
    throws(ExecutionError) -> [HostBuffer]
  {
    if case let .constant(constant) = operation { return [constant.buffer] }
    let graph = Graph(applying: operation, to: operandTypes, resultTypes)
    if let known = singles.withLock({ $0[graph] }) { return try known.run(operands, donated: []) }
    let made: XLAExecutable
    do throws(EngineError) { made = try executable(graph, CompilationOptions()) } catch { throw .engine(error.description) }
    singles.withLock { table in
      // As on the other engines: a loop that makes new shapes must not fill the memory.
      if table.count >= 1024 { table.removeAll() }
      table[graph] = made
    }
    return try made.run(operands, donated: [])
  }

  public func place(_ buffer: HostBuffer, _ type: TensorType) throws(ExecutionError) -> HostBuffer {
    if memory(of: buffer) != nil { return buffer }
    do throws(PJRTError) {
      let copy = try deviceBuffer(buffer, type)
      return HostBuffer(on: XLAMemory(copy, type, host: buffer.deviceMemory == nil ? buffer : nil), byteCount: type.byteCount)
    } catch {
      throw error.atExecution
    }
  }

  // MARK: Buffers

  /// The memory of a buffer that this device holds already.
  private func memory(of buffer: HostBuffer) -> XLAMemory? {
    guard let memory = buffer.deviceMemory as? XLAMemory, memory.buffer.device.handle == device.handle else { return nil }
    return memory
  }

  /// The elements on this device: where they are, or copied from another device of the client, or from the host.
  func deviceBuffer(_ buffer: HostBuffer, _ type: TensorType) throws(PJRTError) -> PJRTBuffer {
    if let memory = buffer.deviceMemory as? XLAMemory, memory.buffer.client === client {
      if memory.buffer.device.handle == device.handle { return memory.buffer }
      return try memory.buffer.copied(to: device)
    }
    return try PJRTBuffer(buffer, type, client: client, device: device)
  }
}

extension PJRTError {
  /// The same, for who runs a program.
  var atExecution: ExecutionError { .engine(description) }
}
