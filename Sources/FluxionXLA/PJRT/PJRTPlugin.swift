import CPJRT
import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A loaded plugin: the table of functions through which its devices are reached.
///
/// Plugins cannot be unloaded: each is loaded once and stays for the life of the process.
///
/// Safety of `@unchecked Sendable`: the table is written before the initialiser returns and only read afterwards; its functions may be
/// called from any thread.
package final class PJRTPlugin: @unchecked Sendable {
  package let path: String
  package let version: PJRTVersion
  /// The size of its file and when it was written, which tell builds of one version apart.
  let file: String
  /// A copy as large as this program knows the table to be. What an older plugin lacks is null in it.
  let table: UnsafePointer<PJRT_Api>

  private static let loaded = Locked<[String: PJRTPlugin]>([:])

  /// The plugin at `path`, loaded and initialised the first time.
  package static func load(_ path: String) throws(PJRTError) -> PJRTPlugin {
    if let known = loaded.withLock({ $0[path] }) { return known }
    // Held while loading: two tasks must not initialise one plugin.
    return try loaded.withLock { (plugins) throws(PJRTError) in
      if let known = plugins[path] { return known }
      // A name without a slash would be looked for among the system's libraries.
      let isHere = access(path, F_OK) == 0
      let file = isHere && !path.contains("/") ? "./" + path : path
      if isHere, let reason = PluginHardware.present.absence(for: file) { throw .noHardware(path: path, reason: reason) }
      PluginHardware.prepareEnvironment(for: file)
      for library in PluginHardware.libraries(besides: file) { dlopen(library, RTLD_LAZY | RTLD_LOCAL) }
      guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
        throw .cannotLoad(path: path, reason: dlerror().map { String(cString: $0) } ?? "unknown reason")
      }
      guard let symbol = dlsym(library, "GetPjrtApi") else {
        dlclose(library)
        throw .notAPlugin(path: path)
      }
      guard let api = unsafeBitCast(symbol, to: PJRT_GetApi.self)() else { throw .notAPlugin(path: path) }
      let plugin = try PJRTPlugin(path: path, api: api)
      try plugin.initialise()
      plugins[path] = plugin
      return plugin
    }
  }

  /// Checks that this program and the plugin understand each other. `api` may be of any size: it says which.
  init(path: String, api: UnsafePointer<PJRT_Api>) throws(PJRTError) {
    self.path = path
    var status = stat()
    let isThere = stat(path, &status) == 0
    #if canImport(Darwin)
      file = isThere ? "\(status.st_size) \(status.st_mtimespec.tv_sec)" : ""
    #else
      file = isThere ? "\(status.st_size) \(status.st_mtim.tv_sec)" : ""
    #endif
    version = PJRTVersion(Int(api.pointee.pjrt_api_version.major_version), Int(api.pointee.pjrt_api_version.minor_version))
    guard version.major == PJRTVersion.supported.major else {
      throw .versionMismatch(path: path, found: version, expected: .supported)
    }
    let size = MemoryLayout<PJRT_Api>.size
    let copy = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<PJRT_Api>.alignment)
    copy.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    copy.copyMemory(from: api, byteCount: min(size, api.pointee.struct_size))
    table = UnsafePointer(copy.bindMemory(to: PJRT_Api.self, capacity: 1))
    if let missing = Self.required(table.pointee).first(where: { !$0.isThere }) {
      copy.deallocate()
      throw .missingFunction(path: path, function: missing.name, found: version)
    }
  }

  private func initialise() throws(PJRTError) {
    var arguments = PJRT_Plugin_Initialize_Args()
    try call("PJRT_Plugin_Initialize", &arguments) { $0.pointee.PJRT_Plugin_Initialize($1) }
  }

  /// The functions nothing works without. The others are looked for where they are used.
  private static func required(_ api: PJRT_Api) -> [(name: String, isThere: Bool)] {
    [
      ("PJRT_Error_Destroy", api.PJRT_Error_Destroy != nil),
      ("PJRT_Error_Message", api.PJRT_Error_Message != nil),
      ("PJRT_Error_GetCode", api.PJRT_Error_GetCode != nil),
      ("PJRT_Plugin_Initialize", api.PJRT_Plugin_Initialize != nil),
      ("PJRT_Event_Destroy", api.PJRT_Event_Destroy != nil),
      ("PJRT_Event_IsReady", api.PJRT_Event_IsReady != nil),
      ("PJRT_Event_Await", api.PJRT_Event_Await != nil),
      ("PJRT_Event_OnReady", api.PJRT_Event_OnReady != nil),
      ("PJRT_Client_Create", api.PJRT_Client_Create != nil),
      ("PJRT_Client_Destroy", api.PJRT_Client_Destroy != nil),
      ("PJRT_Client_PlatformName", api.PJRT_Client_PlatformName != nil),
      ("PJRT_Client_PlatformVersion", api.PJRT_Client_PlatformVersion != nil),
      ("PJRT_Client_AddressableDevices", api.PJRT_Client_AddressableDevices != nil),
      ("PJRT_Client_Compile", api.PJRT_Client_Compile != nil),
      ("PJRT_Client_BufferFromHostBuffer", api.PJRT_Client_BufferFromHostBuffer != nil),
      ("PJRT_DeviceDescription_Id", api.PJRT_DeviceDescription_Id != nil),
      ("PJRT_DeviceDescription_ProcessIndex", api.PJRT_DeviceDescription_ProcessIndex != nil),
      ("PJRT_DeviceDescription_Kind", api.PJRT_DeviceDescription_Kind != nil),
      ("PJRT_Device_GetDescription", api.PJRT_Device_GetDescription != nil),
      ("PJRT_Buffer_Destroy", api.PJRT_Buffer_Destroy != nil),
      ("PJRT_Buffer_ElementType", api.PJRT_Buffer_ElementType != nil),
      ("PJRT_Buffer_Dimensions", api.PJRT_Buffer_Dimensions != nil),
      ("PJRT_Buffer_IsDeleted", api.PJRT_Buffer_IsDeleted != nil),
      ("PJRT_Buffer_CopyToDevice", api.PJRT_Buffer_CopyToDevice != nil),
      ("PJRT_Buffer_ToHostBuffer", api.PJRT_Buffer_ToHostBuffer != nil),
      ("PJRT_Buffer_ReadyEvent", api.PJRT_Buffer_ReadyEvent != nil),
      ("PJRT_Executable_Destroy", api.PJRT_Executable_Destroy != nil),
      ("PJRT_Executable_NumOutputs", api.PJRT_Executable_NumOutputs != nil),
      ("PJRT_LoadedExecutable_Destroy", api.PJRT_LoadedExecutable_Destroy != nil),
      ("PJRT_LoadedExecutable_GetExecutable", api.PJRT_LoadedExecutable_GetExecutable != nil),
      ("PJRT_LoadedExecutable_AddressableDevices", api.PJRT_LoadedExecutable_AddressableDevices != nil),
      ("PJRT_LoadedExecutable_Execute", api.PJRT_LoadedExecutable_Execute != nil),
    ]
  }

  // MARK: Calls

  /// Calls `function` of the table, telling it the size of its arguments, and throws what it returns.
  @inline(__always)
  func call<Arguments>(
    _ name: StaticString, _ arguments: inout Arguments,
    _ function: (UnsafePointer<PJRT_Api>, UnsafeMutablePointer<Arguments>) -> OpaquePointer?
  ) throws(PJRTError) {
    let error = withUnsafeMutablePointer(to: &arguments) { pointer in
      // Every struct of the API begins with its size.
      UnsafeMutableRawPointer(pointer).storeBytes(of: MemoryLayout<Arguments>.size, as: Int.self)
      return function(table, pointer)
    }
    if let error { throw failure("\(name)", error) }
  }

  /// The same for calls that give something back, whose failure would leave nothing to be done.
  func release<Arguments>(
    _ name: StaticString, _ arguments: Arguments, _ function: (UnsafePointer<PJRT_Api>, UnsafeMutablePointer<Arguments>) -> OpaquePointer?
  ) {
    var arguments = arguments
    try? call(name, &arguments, function)
  }

  /// Takes over `error` and says what it means.
  func failure(_ function: String, _ error: OpaquePointer) -> PJRTError {
    var message = PJRT_Error_Message_Args()
    message.struct_size = MemoryLayout<PJRT_Error_Message_Args>.size
    message.error = error
    table.pointee.PJRT_Error_Message(&message)
    let text = String(bytes: message.message, count: message.message_size)
    var code = PJRT_Error_GetCode_Args()
    code.struct_size = MemoryLayout<PJRT_Error_GetCode_Args>.size
    code.error = error
    // An error about an error: given back, and the code stays unknown.
    if let second = table.pointee.PJRT_Error_GetCode(&code) {
      destroy(error: second)
      code.code = PJRT_Error_Code_UNKNOWN
    }
    destroy(error: error)
    return PJRTError(function: function, code: code.code.rawValue, message: text, path: path, version: version)
  }

  func destroy(error: OpaquePointer) {
    var arguments = PJRT_Error_Destroy_Args()
    arguments.struct_size = MemoryLayout<PJRT_Error_Destroy_Args>.size
    arguments.error = error
    table.pointee.PJRT_Error_Destroy(&arguments)
  }

  // MARK: Events

  /// Waits for `event`, gives it back, and throws the error of its work.
  func await(_ event: OpaquePointer, _ function: StaticString) throws(PJRTError) {
    defer { destroy(event: event) }
    var arguments = PJRT_Event_Await_Args()
    arguments.event = event
    try call(function, &arguments) { $0.pointee.PJRT_Event_Await($1) }
  }

  func destroy(event: OpaquePointer) {
    var arguments = PJRT_Event_Destroy_Args()
    arguments.event = event
    release("PJRT_Event_Destroy", arguments) { $0.pointee.PJRT_Event_Destroy($1) }
  }

  /// Keeps `object` until `event`, which is then given back.
  func keep(_ object: AnyObject, until event: OpaquePointer) {
    let holder = Unmanaged.passRetained(Holder(object: object, event: event, plugin: self))
    var arguments = PJRT_Event_OnReady_Args()
    arguments.event = event
    arguments.user_arg = holder.toOpaque()
    arguments.callback = { error, holder in
      let holder = Unmanaged<Holder>.fromOpaque(holder!).takeRetainedValue()
      if let error { holder.plugin.destroy(error: error) }
      holder.plugin.destroy(event: holder.event)
    }
    do throws(PJRTError) {
      try call("PJRT_Event_OnReady", &arguments) { $0.pointee.PJRT_Event_OnReady($1) }
    } catch {
      // Nobody will call: wait here instead.
      try? self.await(event, "PJRT_Event_Await")
      holder.release()
    }
  }

  private final class Holder {
    let object: AnyObject
    let event: OpaquePointer
    let plugin: PJRTPlugin
    init(object: AnyObject, event: OpaquePointer, plugin: PJRTPlugin) { (self.object, self.event, self.plugin) = (object, event, plugin) }
  }

  // MARK: Attributes

  /// What the plugin says of itself; empty where it says nothing.
  package func attributes() throws(PJRTError) -> [String: PJRTValue] {
    guard table.pointee.PJRT_Plugin_Attributes != nil else { return [:] }
    var arguments = PJRT_Plugin_Attributes_Args()
    try call("PJRT_Plugin_Attributes", &arguments) { $0.pointee.PJRT_Plugin_Attributes($1) }
    return PJRTValue.dictionary(arguments.attributes, count: arguments.num_attributes)
  }
}

/// A named value of the API: an option, an attribute, or a property.
package enum PJRTValue: Hashable, Sendable {
  case string(String), integer(Int64), integers([Int64]), real(Float), bool(Bool)

  static func dictionary(_ values: UnsafePointer<PJRT_NamedValue>?, count: Int) -> [String: PJRTValue] {
    var result: [String: PJRTValue] = [:]
    guard var next = values.map(UnsafeRawPointer.init) else { return result }
    for _ in 0..<count {
      let v = next.assumingMemoryBound(to: PJRT_NamedValue.self).pointee
      let value: PJRTValue? =
        switch v.type {
        case PJRT_NamedValue_kString: .string(String(bytes: v.string_value, count: v.value_size))
        case PJRT_NamedValue_kInt64: .integer(v.int64_value)
        case PJRT_NamedValue_kInt64List: .integers(Array(UnsafeBufferPointer(start: v.int64_array_value, count: v.value_size)))
        case PJRT_NamedValue_kFloat: .real(v.float_value)
        case PJRT_NamedValue_kBool: .bool(v.bool_value)
        default: nil
        }
      if let value { result[String(bytes: v.name, count: v.name_size)] = value }
      next += MemoryLayout<PJRT_NamedValue>.stride
    }
    return result
  }
}

extension String {
  /// Text that a plugin lends: not terminated, and perhaps not there.
  init(bytes: UnsafePointer<CChar>?, count: Int) {
    guard let bytes else {
      self = ""
      return
    }
    self = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}
