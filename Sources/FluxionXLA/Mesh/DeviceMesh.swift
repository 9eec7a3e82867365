public import FluxionCore

/// Devices of one plugin in a grid whose axes have names, and programs that run on all of them.
///
/// Programs that run on ``device`` are divided by XLA's partitioner, by where their arguments lie: a batch that is split over `data`
/// and a state that is replicated make a data-parallel step, with the same source as on one device; a state that is spread makes one
/// whose parameters are sharded. The results equal those of one device to rounding.
///
/// ```swift
/// let mesh = try DeviceMesh(["data": 8])
/// let parallel = step.sharded(on: mesh, arguments: .replicated, .split("data"))     // or .spread("data") for the state
/// for batch in batches { let loss = parallel(&state, batch) }
/// ```
///
/// The same with where things lie said of the values: `state = try mesh.placed(state, .replicated)`, then
/// `mesh.device.active { step(&state, try mesh.placed(batch, .split("data"))) }`.
///
/// In a job of several processes all make the same calls in the same order; each gives the whole of a value that it places, of which its
/// devices take their parts, and each can read what lies wholly on its own devices: replicated results among others.
///
/// State that a step changes in place keeps its sharding from call to call; other results are replicated.
public final class DeviceMesh: Sendable {
  let shape: MeshShape
  let client: PJRTClient
  /// In row-major order over the axes.
  let devices: [PJRTDevice]
  let cache: CompileCache?
  /// Where divided programs run: `mesh.device.active { … }`.
  public let device: Device
  let engine: MeshEngine

  /// A mesh of a plugin's first devices, by process where there are several.
  ///
  /// - Parameters:
  ///   - axes: names and lengths, the slowest first: `["data": 4, "model": 2]`.
  ///   - path: the plugin's library; nil: as `Device.xla(plugin:index:)` finds it.
  ///   - processes: the processes whose devices the mesh is made of, each of which makes the same one; nil: this process alone. Waits for
  ///     all of them. `try .current()` takes what the launcher says.
  /// - Throws: `PJRTError` where there is no plugin, or it has fewer devices, or processes do not find each other.
  public convenience init(_ axes: KeyValuePairs<String, Int>, plugin path: String? = nil, processes: ProcessGroup? = nil)
    throws(PJRTError)
  {
    let client = try XLADevices.shared.client(Device.file(path), processes: processes)
    // Where processes compile together, none may find the program done already.
    try self.init(axes, client: client, cache: client.processes == nil ? .standard : nil)
  }

  /// The mesh of all devices of a plugin along one axis, `data`, over which the batches are divided that programs mark
  /// (`acrossDevices(_:axis:)`).
  ///
  /// - Parameters:
  ///   - path: the plugin's library; nil: as `Device.xla(plugin:index:)` finds it.
  ///   - processes: the processes whose devices the mesh is made of; nil: this process alone. Waits for all of them.
  /// - Throws: `PJRTError` where there is no plugin, or processes do not find each other.
  public convenience init(ofAllDevicesOf path: String? = nil, processes: ProcessGroup? = nil) throws(PJRTError) {
    let client = try XLADevices.shared.client(Device.file(path), processes: processes)
    try self.init(
      [MeshShape.batchAxis: client.allDevices.count], client: client, cache: client.processes == nil ? .standard : nil)
  }

  package init(_ axes: KeyValuePairs<String, Int>, client: PJRTClient, cache: CompileCache?) throws(PJRTError) {
    let shape = MeshShape(names: axes.map(\.key), sizes: axes.map(\.value))
    requireOfCaller(
      !axes.isEmpty && shape.sizes.allSatisfy { $0 > 0 }, "DeviceMesh",
      "a mesh has at least one axis, and no axis is empty.")
    requireOfCaller(Set(shape.names).count == axes.count, "DeviceMesh", "two axes have one name.")
    guard shape.count <= client.allDevices.count else {
      throw .noSuchDevice(index: shape.count - 1, count: client.allDevices.count, platform: client.platformName)
    }
    devices = Array(client.allDevices.prefix(shape.count))
    guard devices.contains(where: { $0.index != nil }) else {
      throw .processes(
        message: "a mesh of \(shape.count) of \(client.allDevices.count) devices leaves process \(client.processes?.rank ?? 0) without "
          + "any. Make one of all devices.")
    }
    (self.shape, self.client, self.cache) = (shape, client, cache)
    engine = MeshEngine(shape, client, devices, cache)
    device = Device(engine: engine)
  }

  /// The names of the axes, the slowest first.
  public var axisNames: [String] { shape.names }
  /// The number of devices.
  public var count: Int { shape.count }
  /// The number of devices along an axis.
  public func size(of axis: String) -> Int { shape.sizes[shape.axis(axis, "DeviceMesh.size")] }

  /// The value with its tensors on the mesh, all by one sharding. What is there already stays where it is.
  ///
  /// - Throws: `ExecutionError` when a device has no memory for its part.
  public func placed<Value: Structured>(_ value: Value, _ sharding: Sharding) throws(ExecutionError) -> Value {
    try placed(value) { _, _ in sharding }
  }

  /// The value with its tensors on the mesh, each by the sharding that `rule` gives for its name (its path, such as
  /// `net.layers.0.weight`) and type.
  public func placed<Value: Structured>(_ value: Value, by rule: (_ name: String, _ type: TensorType) -> Sharding)
    throws(ExecutionError)
    -> Value
  {
    let (leaves, structure) = flatten(value)
    var placed: [Tensor] = []
    for (name, leaf) in zip(structure.leafNames, leaves) {
      let buffer = try self.placed(leaf.hostBuffer("placed"), leaf.type, rule(name, leaf.type))
      placed.append(Tensor(leaf.type, buffer: buffer))
    }
    return unflatten(Value.self, structure, placed)
  }

  /// Bytes of each device's memory that a value on the mesh takes; nil if it is not all there.
  public func bytesPerDevice<Value: Structured>(of value: Value) -> Int? {
    var total = 0
    for leaf in flatten(value).leaves {
      guard let memory = leaf.hostBuffer("bytesPerDevice").deviceMemory as? MeshMemory, memory.layout.mesh == shape
      else { return nil }
      total += memory.layout.shard(of: leaf.type).byteCount
    }
    return total
  }

  /// What devices tell each other in one run of a divided program, as XLA compiled it for the arguments it was last compiled for.
  ///
  /// - Parameter program: of a compiled function on ``device``, after its first run: `step.program(for: state, batch)`.
  /// - Returns: nil where the plugin does not show compiled programs.
  public func communication(of program: any Executable) throws(PJRTError) -> Communication? {
    guard let program = (program as? MeshExecutable)?.lastCompiled else { return nil }
    return try Communication(of: program, devices: count)
  }
}

extension DeviceMesh: DeviceGroup {
  public func placed(_ buffer: HostBuffer, _ type: TensorType, _ sharding: Sharding) throws(ExecutionError) -> HostBuffer {
    let layout = shape.layout(sharding, of: type, "placed")
    do throws(PJRTError) {
      let memory = try engine.memory(buffer, type, layout)
      // The same buffer, so that whoever holds it too is known.
      return memory === buffer.deviceMemory ? buffer : HostBuffer(on: memory, byteCount: type.byteCount)
    } catch {
      throw error.atExecution
    }
  }
}
