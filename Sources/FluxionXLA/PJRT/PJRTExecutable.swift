import CPJRT

/// A program compiled for devices of a client.
///
/// Safety of `@unchecked Sendable`: the handles are set by the initialiser, and the API's calls may come from any thread.
package final class PJRTExecutable: @unchecked Sendable {
  private let handle: OpaquePointer
  /// What the compiler knows of the program.
  private let description: OpaquePointer
  package let client: PJRTClient
  /// Where it runs, in the order of argument lists.
  package let devices: [PJRTDevice]
  package let resultCount: Int

  /// Compiles StableHLO.
  package convenience init(_ text: String, options: CompileOptions, client: PJRTClient) throws(PJRTError) {
    var arguments = PJRT_Client_Compile_Args()
    arguments.client = client.handle
    let bytes = options.bytes
    try Array(text.utf8).withUnsafeBufferPointer { (code) throws(PJRTError) in
      try bytes.withUnsafeBufferPointer { (options) throws(PJRTError) in
        try Self.withChars("mlir") { (format, formatSize) throws(PJRTError) in
          var program = PJRT_Program()
          program.struct_size = MemoryLayout<PJRT_Program>.size
          program.code = code.baseAddress.map { UnsafeMutableRawPointer(mutating: $0).assumingMemoryBound(to: CChar.self) }
          program.code_size = code.count
          program.format = format
          program.format_size = formatSize
          arguments.compile_options = Self.chars(options)
          arguments.compile_options_size = options.count
          try withUnsafePointer(to: &program) { (program) throws(PJRTError) in
            arguments.program = program
            try client.plugin.call("PJRT_Client_Compile", &arguments) { $0.pointee.PJRT_Client_Compile($1) }
          }
        }
      }
    }
    try self.init(arguments.executable, client: client)
  }

  /// Loads what ``serialized()`` gave, on a client of the same platform version.
  package convenience init(serialized bytes: [UInt8], options: CompileOptions, client: PJRTClient) throws(PJRTError) {
    guard client.plugin.table.pointee.PJRT_Executable_DeserializeAndLoad != nil else {
      throw .missingFunction(path: client.plugin.path, function: "PJRT_Executable_DeserializeAndLoad", found: client.plugin.version)
    }
    var arguments = PJRT_Executable_DeserializeAndLoad_Args()
    arguments.client = client.handle
    let encoded = options.bytes
    try bytes.withUnsafeBufferPointer { (bytes) throws(PJRTError) in
      try encoded.withUnsafeBufferPointer { (options) throws(PJRTError) in
        arguments.serialized_executable = Self.chars(bytes)
        arguments.serialized_executable_size = bytes.count
        arguments.overridden_serialized_compile_options = Self.chars(options)
        arguments.overridden_serialized_compile_options_size = options.count
        try client.plugin.call("PJRT_Executable_DeserializeAndLoad", &arguments) {
          $0.pointee.PJRT_Executable_DeserializeAndLoad($1)
        }
      }
    }
    try self.init(arguments.loaded_executable, client: client)
  }

  /// Takes over `handle`.
  private init(_ handle: OpaquePointer, client: PJRTClient) throws(PJRTError) {
    let plugin = client.plugin
    var description: OpaquePointer?
    do throws(PJRTError) {
      var get = PJRT_LoadedExecutable_GetExecutable_Args()
      get.loaded_executable = handle
      try plugin.call("PJRT_LoadedExecutable_GetExecutable", &get) { $0.pointee.PJRT_LoadedExecutable_GetExecutable($1) }
      description = get.executable
      var outputs = PJRT_Executable_NumOutputs_Args()
      outputs.executable = get.executable
      try plugin.call("PJRT_Executable_NumOutputs", &outputs) { $0.pointee.PJRT_Executable_NumOutputs($1) }
      var list = PJRT_LoadedExecutable_AddressableDevices_Args()
      list.executable = handle
      try plugin.call("PJRT_LoadedExecutable_AddressableDevices", &list) { $0.pointee.PJRT_LoadedExecutable_AddressableDevices($1) }
      devices = (0..<list.num_addressable_devices).compactMap { i in
        client.devices.first { $0.handle == list.addressable_devices[i] }
      }
      resultCount = outputs.num_outputs
    } catch {
      Self.destroy(handle, description, plugin)
      throw error
    }
    (self.handle, self.description, self.client) = (handle, description!, client)
  }

  deinit { Self.destroy(handle, description, client.plugin) }

  private static func destroy(_ handle: OpaquePointer, _ description: OpaquePointer?, _ plugin: PJRTPlugin) {
    if let description {
      var arguments = PJRT_Executable_Destroy_Args()
      arguments.executable = description
      plugin.release("PJRT_Executable_Destroy", arguments) { $0.pointee.PJRT_Executable_Destroy($1) }
    }
    var arguments = PJRT_LoadedExecutable_Destroy_Args()
    arguments.executable = handle
    plugin.release("PJRT_LoadedExecutable_Destroy", arguments) { $0.pointee.PJRT_LoadedExecutable_Destroy($1) }
  }

  private static func chars(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar>? {
    bytes.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
  }

  private static func withChars(_ text: StaticString, _ body: (UnsafePointer<CChar>, Int) throws(PJRTError) -> Void) throws(PJRTError) {
    try body(UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), text.utf8CodeUnitCount)
  }

  // MARK: Running

  /// Starts the program on one device; its results are buffers that may not be ready yet.
  ///
  /// - Parameter kept: arguments that must not be taken over, though the program would.
  package func execute(_ arguments: [PJRTBuffer], keeping kept: [Int64] = []) throws(PJRTError) -> [PJRTBuffer] {
    try execute([arguments], keeping: kept)[0]
  }

  /// Starts the program on all its devices: a list of arguments, and one of results, for each.
  package func execute(_ arguments: [[PJRTBuffer]], keeping kept: [Int64] = []) throws(PJRTError) -> [[PJRTBuffer]] {
    precondition(
      arguments.count == devices.count, "a program for \(devices.count) devices was given \(arguments.count) lists of arguments")
    let argumentCount = arguments[0].count
    let lists = devices.count
    return try withUnsafeTemporaryAllocation(of: OpaquePointer?.self, capacity: lists * (argumentCount + resultCount) + 1) {
      (places) throws(PJRTError) in
      let base = places.baseAddress!
      let results = base + lists * argumentCount
      for (d, list) in arguments.enumerated() {
        for (i, buffer) in list.enumerated() { base[d * argumentCount + i] = buffer.handle }
      }
      for i in 0..<lists * resultCount { results[i] = nil }
      try start(base, argumentCount, results, kept)
      return (0..<lists).map { d in
        (0..<resultCount).map { i in PJRTBuffer(results[d * resultCount + i]!, client: client, device: devices[d]) }
      }
    }
  }

  /// Calls the plugin with lists that lie one after another.
  private func start(
    _ arguments: UnsafeMutablePointer<OpaquePointer?>, _ argumentCount: Int, _ results: UnsafeMutablePointer<OpaquePointer?>,
    _ kept: [Int64]
  ) throws(PJRTError) {
    let lists = devices.count
    try withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<OpaquePointer?>?.self, capacity: 2 * lists) {
      (rows) throws(PJRTError) in
      let base = rows.baseAddress!
      for d in 0..<lists {
        base[d] = arguments + d * argumentCount
        base[lists + d] = results + d * resultCount
      }
      try kept.withUnsafeBufferPointer { (kept) throws(PJRTError) in
        var options = PJRT_ExecuteOptions()
        options.struct_size = MemoryLayout<PJRT_ExecuteOptions>.size
        options.non_donatable_input_indices = kept.isEmpty ? nil : kept.baseAddress
        options.num_non_donatable_input_indices = kept.count
        try withUnsafeMutablePointer(to: &options) { (options) throws(PJRTError) in
          var call = PJRT_LoadedExecutable_Execute_Args()
          call.executable = handle
          call.options = options
          call.num_devices = lists
          call.num_args = argumentCount
          call.argument_lists = UnsafeRawPointer(base).assumingMemoryBound(to: UnsafePointer<OpaquePointer?>?.self)
          call.output_lists = UnsafePointer(base + lists)
          try client.plugin.call("PJRT_LoadedExecutable_Execute", &call) { $0.pointee.PJRT_LoadedExecutable_Execute($1) }
        }
      }
    }
  }

  // MARK: What is known of it

  /// The compiler's estimates, such as `flops` and `bytes accessed`; empty where the plugin makes none.
  package func costAnalysis() throws(PJRTError) -> [String: PJRTValue] {
    guard client.plugin.table.pointee.PJRT_Executable_GetCostAnalysis != nil else { return [:] }
    var arguments = PJRT_Executable_GetCostAnalysis_Args()
    arguments.executable = description
    do throws(PJRTError) {
      try client.plugin.call("PJRT_Executable_GetCostAnalysis", &arguments) { $0.pointee.PJRT_Executable_GetCostAnalysis($1) }
    } catch .failed(_, PJRT_Error_Code_UNIMPLEMENTED.rawValue, _) {
      return [:]
    }
    return PJRTValue.dictionary(arguments.properties, count: arguments.num_properties)
  }

  /// Bytes of arguments, results, what the two share, and scratch memory; nil where the plugin does not say.
  package func memoryUse() throws(PJRTError) -> (arguments: Int, results: Int, shared: Int, scratch: Int)? {
    guard client.plugin.table.pointee.PJRT_Executable_GetCompiledMemoryStats != nil else { return nil }
    var stats = PJRT_Executable_GetCompiledMemoryStats_Args()
    stats.executable = description
    do throws(PJRTError) {
      try client.plugin.call("PJRT_Executable_GetCompiledMemoryStats", &stats) { $0.pointee.PJRT_Executable_GetCompiledMemoryStats($1) }
    } catch .failed(_, PJRT_Error_Code_UNIMPLEMENTED.rawValue, _) {
      return nil
    }
    return (
      Int(stats.argument_size_in_bytes), Int(stats.output_size_in_bytes), Int(stats.alias_size_in_bytes), Int(stats.temp_size_in_bytes)
    )
  }

  /// The program after the compiler's passes, one device's part of it: an `HloModuleProto`. Nil where the plugin does not show it.
  package func optimisedProgram() throws(PJRTError) -> [UInt8]? {
    guard client.plugin.table.pointee.PJRT_Executable_OptimizedProgram != nil else { return nil }
    var bytes: [UInt8] = []
    var isWithConfiguration = false
    // Asked twice: for its size, and for itself.
    for isSecond in [false, true] {
      var program = PJRT_Program()
      program.struct_size = MemoryLayout<PJRT_Program>.size
      program.code_size = bytes.count
      do throws(PJRTError) {
        try bytes.withUnsafeMutableBufferPointer { (bytes) throws(PJRTError) in
          if isSecond { program.code = UnsafeMutableRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self) }
          try withUnsafeMutablePointer(to: &program) { (program) throws(PJRTError) in
            var arguments = PJRT_Executable_OptimizedProgram_Args()
            arguments.executable = description
            arguments.program = program
            try client.plugin.call("PJRT_Executable_OptimizedProgram", &arguments) { $0.pointee.PJRT_Executable_OptimizedProgram($1) }
          }
        }
      } catch .failed(_, PJRT_Error_Code_UNIMPLEMENTED.rawValue, _) {
        return nil
      }
      if !isSecond { bytes = [UInt8](repeating: 0, count: program.code_size) }
      isWithConfiguration = String(bytes: program.format, count: program.format_size) == "hlo_with_config"
    }
    guard isWithConfiguration else { return bytes }
    // HloModuleProtoWithConfig: the module is field 1.
    for case (1, let module) in ProtocolBufferReader(bytes[...]) { return Array(module.bytes) }
    return nil
  }

  /// The compiled program as bytes; nil where the plugin cannot.
  package func serialized() throws(PJRTError) -> [UInt8]? {
    guard client.plugin.table.pointee.PJRT_Executable_Serialize != nil else { return nil }
    var arguments = PJRT_Executable_Serialize_Args()
    arguments.executable = description
    do throws(PJRTError) {
      try client.plugin.call("PJRT_Executable_Serialize", &arguments) { $0.pointee.PJRT_Executable_Serialize($1) }
    } catch .failed(_, PJRT_Error_Code_UNIMPLEMENTED.rawValue, _) {
      return nil
    }
    defer { arguments.serialized_executable_deleter?(arguments.serialized_executable) }
    return [UInt8](UnsafeRawBufferPointer(start: arguments.serialized_bytes, count: arguments.serialized_bytes_size))
  }
}
