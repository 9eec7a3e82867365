import CPJRT

/// A connection to a plugin's devices.
///
/// Safety of `@unchecked Sendable`: the handles are set by the initialiser, and the API's calls may come from any thread.
package final class PJRTClient: @unchecked Sendable {
  package let plugin: PJRTPlugin
  let handle: OpaquePointer
  /// `cpu`, `cuda`, `tpu` …
  package let platformName: String
  /// Names all that decides whether a compiled program may be used again.
  package let platformVersion: String
  /// The devices of this process.
  package let devices: [PJRTDevice]
  /// The devices of all processes, by their numbers.
  package let allDevices: [PJRTDevice]
  /// The job that this process belongs to.
  let processes: ProcessGroup?
  private let store: KeyValueCallbacks?

  /// - Parameters:
  ///   - options: what the plugin offers; for example `cpu_device_count` of the test plugin, or `memory_fraction` of CUDA's.
  ///   - processes: whose devices are to be one client's. Waits for all of them.
  package init(_ plugin: PJRTPlugin, options: [String: PJRTValue] = [:], processes: ProcessGroup? = nil) throws(PJRTError) {
    self.plugin = plugin
    self.processes = processes
    var options = options
    var store: KeyValueCallbacks?
    if let processes {
      store = try KeyValueCallbacks(processes, plugin: plugin.path)
      options["node_id"] = .integer(Int64(processes.rank))
      options["num_nodes"] = .integer(Int64(processes.count))
    }
    self.store = store
    handle = try Self.create(plugin, options, store)
    var name = PJRT_Client_PlatformName_Args(), version = PJRT_Client_PlatformVersion_Args()
    var list = PJRT_Client_AddressableDevices_Args()
    name.client = handle
    version.client = handle
    list.client = handle
    do throws(PJRTError) {
      try plugin.call("PJRT_Client_PlatformName", &name) { $0.pointee.PJRT_Client_PlatformName($1) }
      try plugin.call("PJRT_Client_PlatformVersion", &version) { $0.pointee.PJRT_Client_PlatformVersion($1) }
      try plugin.call("PJRT_Client_AddressableDevices", &list) { $0.pointee.PJRT_Client_AddressableDevices($1) }
      platformName = String(bytes: name.platform_name, count: name.platform_name_size)
      platformVersion = String(bytes: version.platform_version, count: version.platform_version_size)
      var devices: [PJRTDevice] = []
      for i in 0..<list.num_addressable_devices {
        devices.append(try PJRTDevice(list.addressable_devices[i]!, index: i, plugin: plugin))
      }
      self.devices = devices
      allDevices = try processes == nil ? devices : Self.all(handle, plugin, devices)
    } catch {
      Self.destroy(handle, plugin)
      throw error
    }
  }

  deinit { Self.destroy(handle, plugin) }

  package func device(_ index: Int) throws(PJRTError) -> PJRTDevice {
    guard devices.indices.contains(index) else {
      throw .noSuchDevice(index: index, count: devices.count, platform: platformName)
    }
    return devices[index]
  }

  private static func all(_ handle: OpaquePointer, _ plugin: PJRTPlugin, _ own: [PJRTDevice]) throws(PJRTError) -> [PJRTDevice] {
    guard plugin.table.pointee.PJRT_Client_Devices != nil else {
      throw .missingFunction(path: plugin.path, function: "PJRT_Client_Devices", found: plugin.version)
    }
    var list = PJRT_Client_Devices_Args()
    list.client = handle
    try plugin.call("PJRT_Client_Devices", &list) { $0.pointee.PJRT_Client_Devices($1) }
    var all: [PJRTDevice] = []
    for i in 0..<list.num_devices {
      let device = list.devices[i]!
      if let known = own.first(where: { $0.handle == device }) {
        all.append(known)
      } else {
        all.append(try PJRTDevice(device, index: nil, plugin: plugin))
      }
    }
    return all.sorted { $0.id < $1.id }
  }

  private static func create(
    _ plugin: PJRTPlugin, _ options: [String: PJRTValue], _ store: KeyValueCallbacks?
  ) throws(PJRTError) -> OpaquePointer {
    let values = OptionList(options)
    var arguments = PJRT_Client_Create_Args()
    store?.install(in: &arguments)
    arguments.create_options = values.pointer
    arguments.num_options = options.count
    defer { withExtendedLifetime(values) {} }
    do throws(PJRTError) {
      try plugin.call("PJRT_Client_Create", &arguments) { $0.pointee.PJRT_Client_Create($1) }
    } catch {
      throw store?.failure ?? error
    }
    return arguments.client
  }

  private static func destroy(_ handle: OpaquePointer, _ plugin: PJRTPlugin) {
    var arguments = PJRT_Client_Destroy_Args()
    arguments.client = handle
    plugin.release("PJRT_Client_Destroy", arguments) { $0.pointee.PJRT_Client_Destroy($1) }
  }

  /// Named values as the API takes them, with the memory they point to.
  private final class OptionList {
    private let values: UnsafeMutableBufferPointer<PJRT_NamedValue>
    private var texts: [UnsafeMutableBufferPointer<CChar>] = []
    private var lists: [UnsafeMutableBufferPointer<Int64>] = []
    var pointer: UnsafePointer<PJRT_NamedValue>? { values.isEmpty ? nil : UnsafePointer(values.baseAddress!) }

    init(_ options: [String: PJRTValue]) {
      values = .allocate(capacity: options.count)
      for (i, option) in options.sorted(by: { $0.key < $1.key }).enumerated() {
        var value = PJRT_NamedValue()
        value.struct_size = MemoryLayout<PJRT_NamedValue>.size
        (value.name, value.name_size) = keep(option.key)
        value.value_size = 1
        switch option.value {
        case let .string(text):
          value.type = PJRT_NamedValue_kString
          (value.string_value, value.value_size) = keep(text)
        case let .integer(number):
          value.type = PJRT_NamedValue_kInt64
          value.int64_value = number
        case let .integers(numbers):
          value.type = PJRT_NamedValue_kInt64List
          let list = UnsafeMutableBufferPointer<Int64>.allocate(capacity: numbers.count)
          _ = list.initialize(from: numbers)
          lists.append(list)
          value.int64_array_value = UnsafePointer(list.baseAddress)
          value.value_size = numbers.count
        case let .real(number):
          value.type = PJRT_NamedValue_kFloat
          value.float_value = number
        case let .bool(flag):
          value.type = PJRT_NamedValue_kBool
          value.bool_value = flag
        }
        values.initializeElement(at: i, to: value)
      }
    }

    private func keep(_ text: String) -> (UnsafePointer<CChar>?, Int) {
      let bytes = text.utf8.map { CChar(bitPattern: $0) }
      let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
      _ = buffer.initialize(from: bytes + [0])
      texts.append(buffer)
      return (UnsafePointer(buffer.baseAddress), bytes.count)
    }

    deinit {
      values.deallocate()
      for text in texts { text.deallocate() }
      for list in lists { list.deallocate() }
    }
  }
}

/// A device of a client.
///
/// Safety of `@unchecked Sendable`: the handle is set by the initialiser; it lives as long as the client, which whoever uses a device
/// holds.
package struct PJRTDevice: @unchecked Sendable {
  let handle: OpaquePointer
  private let plugin: PJRTPlugin
  /// Its place among the devices of this process; nil: it is another's.
  package let index: Int?
  /// Its number among all processes' devices: what device assignments name.
  package let id: Int
  package let processIndex: Int
  /// `NVIDIA H100 80GB HBM3`, for example.
  package let kind: String

  init(_ handle: OpaquePointer, index: Int?, plugin: PJRTPlugin) throws(PJRTError) {
    (self.handle, self.index, self.plugin) = (handle, index, plugin)
    var description = PJRT_Device_GetDescription_Args()
    description.device = handle
    try plugin.call("PJRT_Device_GetDescription", &description) { $0.pointee.PJRT_Device_GetDescription($1) }
    var id = PJRT_DeviceDescription_Id_Args(), process = PJRT_DeviceDescription_ProcessIndex_Args()
    var kind = PJRT_DeviceDescription_Kind_Args()
    id.device_description = description.device_description
    process.device_description = description.device_description
    kind.device_description = description.device_description
    try plugin.call("PJRT_DeviceDescription_Id", &id) { $0.pointee.PJRT_DeviceDescription_Id($1) }
    try plugin.call("PJRT_DeviceDescription_ProcessIndex", &process) { $0.pointee.PJRT_DeviceDescription_ProcessIndex($1) }
    try plugin.call("PJRT_DeviceDescription_Kind", &kind) { $0.pointee.PJRT_DeviceDescription_Kind($1) }
    self.id = Int(id.id)
    processIndex = Int(process.process_index)
    self.kind = String(bytes: kind.device_kind, count: kind.device_kind_size)
  }

  /// What the device's allocator counts; nil where the plugin does not count.
  package func memoryStatistics() throws(PJRTError) -> DeviceMemoryStatistics? {
    guard plugin.table.pointee.PJRT_Device_MemoryStats != nil else { return nil }
    var stats = PJRT_Device_MemoryStats_Args()
    stats.device = handle
    do throws(PJRTError) {
      try plugin.call("PJRT_Device_MemoryStats", &stats) { $0.pointee.PJRT_Device_MemoryStats($1) }
    } catch .failed(_, PJRT_Error_Code_UNIMPLEMENTED.rawValue, _) {
      return nil
    }
    return DeviceMemoryStatistics(
      bytesInUse: Int(stats.bytes_in_use), peakBytesInUse: stats.peak_bytes_in_use_is_set ? Int(stats.peak_bytes_in_use) : nil,
      byteLimit: stats.bytes_limit_is_set ? Int(stats.bytes_limit) : nil,
      allocationCount: stats.num_allocs_is_set ? Int(stats.num_allocs) : nil)
  }
}

/// A device's memory, in bytes; nil is not counted.
public struct DeviceMemoryStatistics: Hashable, Sendable {
  public let bytesInUse: Int
  public let peakBytesInUse: Int?
  /// How many there are for programs and arrays.
  public let byteLimit: Int?
  public let allocationCount: Int?
}
