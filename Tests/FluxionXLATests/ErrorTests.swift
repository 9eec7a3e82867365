import CPJRT
@testable import FluxionXLA
import Foundation
import Testing

/// What happens before a plugin is of any use. None is needed here.
@Suite("PJRT: finding and loading")
struct ErrorTests {
  private func error(_ body: () throws -> Void) -> PJRTError? {
    do { try body() } catch { return error as? PJRTError }
    return nil
  }

  @Test("a wrong path") func wrongPath() throws {
    let found = error { _ = try PJRTPlugin.load("/nowhere/plugin.so") }
    guard case .cannotLoad(path: "/nowhere/plugin.so", let reason)? = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(reason.contains("No such file") || reason.contains("no such file"))
    #expect(found!.description.contains("--device xla:PATH"))
  }

  #if os(Linux)
    @Test("a library that is no plugin") func notAPlugin() {
      #expect(error { _ = try PJRTPlugin.load("libm.so.6") } == .notAPlugin(path: "libm.so.6"))
    }
  #endif

  /// A table whose functions are all there and never called.
  private func table(_ change: (inout PJRT_Api) -> Void) -> PJRT_Api {
    var api = PJRT_Api()
    withUnsafeMutableBytes(of: &api) { bytes in
      let words = bytes.bindMemory(to: UInt.self)
      for i in words.indices { words[i] = 1 }
    }
    api.struct_size = MemoryLayout<PJRT_Api>.size
    api.extension_start = nil
    api.pjrt_api_version = PJRT_Api_Version(
      struct_size: MemoryLayout<PJRT_Api_Version>.size, extension_start: nil, major_version: 0, minor_version: 90)
    change(&api)
    return api
  }

  @Test("another major version is refused, older or newer") func major() {
    for (major, advice) in [(Int32(1), "too new"), (-1, "too old")] {
      let api = table { $0.pjrt_api_version.major_version = major }
      let found = error { _ = try withUnsafePointer(to: api) { try PJRTPlugin(path: "p", api: $0) } }
      #expect(found == .versionMismatch(path: "p", found: PJRTVersion(Int(major), 90), expected: .supported))
      #expect(found?.description.contains(advice) == true)
    }
  }

  @Test("another minor version is taken, as long as the functions are there") func minor() throws {
    for minor in [Int32(40), 90, 200] {
      let api = table { $0.pjrt_api_version.minor_version = minor }
      let plugin = try withUnsafePointer(to: api) { try PJRTPlugin(path: "p", api: $0) }
      #expect(plugin.version == PJRTVersion(0, Int(minor)))
    }
  }

  @Test("a shorter table is read no further than it goes") func short() throws {
    // As an old plugin's would end: all that is needed, and none of what came later.
    let end = MemoryLayout<PJRT_Api>.offset(of: \.PJRT_Compile)!
    let api = table { $0.struct_size = end }
    let plugin = try withUnsafePointer(to: api) { try PJRTPlugin(path: "p", api: $0) }
    #expect(plugin.table.pointee.PJRT_Executable_GetCompiledMemoryStats == nil)
    #expect(plugin.table.pointee.PJRT_Buffer_ToHostBuffer != nil)

    let tooShort = table { $0.struct_size = MemoryLayout<PJRT_Api>.offset(of: \.PJRT_Buffer_ReadyEvent)! }
    let found = error { _ = try withUnsafePointer(to: tooShort) { try PJRTPlugin(path: "p", api: $0) } }
    #expect(found == .missingFunction(path: "p", function: "PJRT_Buffer_ReadyEvent", found: PJRTVersion(0, 90)))
  }

  @Test("codes are told apart") func codes() {
    func meaning(_ function: String, _ code: PJRT_Error_Code, _ message: String = "m", minor: Int = 90) -> PJRTError {
      PJRTError(function: function, code: code.rawValue, message: message, path: "p", version: PJRTVersion(0, minor))
    }
    #expect(meaning("f", PJRT_Error_Code_RESOURCE_EXHAUSTED) == .outOfDeviceMemory(function: "f", message: "m"))
    #expect(meaning("f", PJRT_Error_Code_UNAVAILABLE) == .deviceLost(function: "f", message: "m"))
    #expect(
      meaning("f", PJRT_Error_Code_INTERNAL, "CUDA_ERROR_ILLEGAL_ADDRESS") == .deviceLost(function: "f", message: "CUDA_ERROR_ILLEGAL_ADDRESS"))
    #expect(meaning("PJRT_Client_Compile", PJRT_Error_Code_INVALID_ARGUMENT) == .invalidProgram(message: "m"))
    #expect(meaning("f", PJRT_Error_Code_INTERNAL) == .failed(function: "f", code: 13, message: "m"))
    let size = "Unexpected PJRT_Client_Create_Args size: expected 100, got 88."
    #expect(
      meaning("f", PJRT_Error_Code_INVALID_ARGUMENT, size, minor: 120)
        == .pluginTooNew(path: "p", found: PJRTVersion(0, 120), expected: .supported, message: size))
    #expect(meaning("f", PJRT_Error_Code_INTERNAL).description.contains("f failed with INTERNAL: m"))
    // What does not start has lost nothing, and plugins add where in their sources that was.
    for (function, code) in [
      ("PJRT_Plugin_Initialize", PJRT_Error_Code_ABORTED), ("PJRT_Client_Create", PJRT_Error_Code_FAILED_PRECONDITION),
    ] {
      #expect(meaning(function, code, "No visible GPU devices\n=== Source Location Trace: ===\na.cc:50\n")
        == .cannotStart(path: "p", message: "No visible GPU devices."))
    }
  }

  // MARK: Finding

  private func withFolder(_ files: [String], _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "plugins-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in files {
      let url = folder.appending(path: file)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: url)
      if file.hasSuffix("python3") { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path) }
    }
    try body(folder.path)
  }

  @Test("the variable comes first, then the virtual environment, then the path's Python") func order() throws {
    let cuda12 = "lib/python3.12/site-packages/jax_plugins/xla_cuda12/xla_cuda_plugin.so"
    let cuda13 = "lib/python3.12/site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so"
    let tpu = "lib/python3.9/site-packages/libtpu/libtpu.so"
    try withFolder(["venv/" + cuda12, "venv/" + cuda13, "prefix/bin/python3", "prefix/" + tpu]) { folder in
      func found(_ environment: [String: String]) throws -> String {
        try PluginSearch(environment: environment, systemLibraries: []).find()
      }
      let path = "/nowhere/bin:\(folder)/prefix/bin"
      let named = try found(["FLUXION_PJRT_PLUGIN": "/my.so", "VIRTUAL_ENV": folder + "/venv"])
      #expect(named == "/my.so")
      let active = try found(["VIRTUAL_ENV": folder + "/venv", "PATH": path])
      #expect(active == "\(folder)/venv/\(cuda13)")
      let first = try found(["PATH": path])
      #expect(first == "\(folder)/prefix/\(tpu)")
      #expect(throws: PJRTError.noPlugin(searched: ["\(folder)/prefix/lib/python3.9/site-packages"])) {
        try FileManager.default.removeItem(atPath: "\(folder)/prefix/\(tpu)")
        _ = try found(["PATH": path])
      }
    }
  }

  // MARK: Hardware

  private func machine(_ nvidia: PluginHardware.NVIDIADriver, hasTPU: Bool = false) -> PluginHardware {
    PluginHardware(nvidia: { nvidia }, hasTPU: { hasTPU })
  }

  @Test("what a plugin needs of the machine") func hardware() throws {
    let cuda12 = "/p/jax_plugins/xla_cuda12/xla_cuda_plugin.so", cuda13 = "/p/jax_plugins/xla_cuda13/xla_cuda_plugin.so"
    let none = machine(.absent)
    #expect(none.absence(for: cuda12)?.contains("no driver for NVIDIA's GPUs") == true)
    #expect(none.absence(for: "/p/libtpu/libtpu.so")?.contains("no TPU") == true)
    // Of others nothing is known.
    #expect(none.absence(for: "/p/plugin.so") == nil)
    #expect(machine(.refusing("no device")).absence(for: cuda12)?.contains("gives none (no device)") == true)
    let old = machine(.working(version: 12040), hasTPU: true)
    #expect(old.absence(for: cuda12) == nil && old.absence(for: "/p/libtpu/libtpu.so") == nil)
    #expect(old.absence(for: cuda13)?.contains("knows CUDA 12.4 at most, and the plugin is made for 13") == true)
    #expect(machine(.working(version: 13000)).absence(for: cuda12) == nil)
    #expect(machine(.working(version: 12000)).absence(for: "/my/xla_cuda_plugin.so") == nil)
    #expect(
      PJRTError.noHardware(path: "p", reason: "no TPU").description
        == "XLA: the plugin p has no device here: no TPU. --device cpu computes without.")
  }

  @Test("of several plugins the first with a device is found, and without any the first") func choice() throws {
    let packages = "venv/lib/python3.12/site-packages/"
    let files = ["jax_plugins/xla_cuda13/xla_cuda_plugin.so", "jax_plugins/xla_cuda12/xla_cuda_plugin.so", "libtpu/libtpu.so"]
    try withFolder(files.map { packages + $0 }) { folder in
      for (machine, expected) in [
        (machine(.working(version: 13020)), 0), (machine(.working(version: 12080)), 1), (machine(.absent, hasTPU: true), 2),
        (machine(.absent), 0),
      ] {
        let search = PluginSearch(environment: ["VIRTUAL_ENV": folder + "/venv"], systemLibraries: [], hardware: machine)
        let found = try search.find()
        #expect(found == "\(folder)/\(packages)\(files[expected])")
      }
    }
  }

  @Test("libraries that CUDA's plugin does not look for beside itself") func libraries() throws {
    let packages = "lib/python3.12/site-packages/", solver = packages + "nvidia/cusolver/lib/libcusolver.so.11"
    try withFolder([solver, packages + "nvidia/cusolver/lib/libother.so", packages + "nvidia/cublas/lib/libcublas.so.12"]) { folder in
      let plugin = "\(folder)/\(packages)jax_plugins/xla_cuda12/xla_cuda_plugin.so"
      #expect(PluginHardware.libraries(besides: plugin) == ["\(folder)/\(solver)"])
      #expect(PluginHardware.libraries(besides: "\(folder)/\(packages)jax_plugins/xla_cuda12/other.so").isEmpty)
    }
  }

  @Test("options for the plugin's client") func clientOptions() throws {
    let options = try ClientOptions.from(" memory_fraction = 0.5; preallocate=false;visible_devices=[0,2];node_id=1; allocator=bfc;")
    #expect(options == [
      "memory_fraction": .real(0.5), "preallocate": .bool(false), "visible_devices": .integers([0, 2]), "node_id": .integer(1),
      "allocator": .string("bfc"),
    ])
    #expect(try ClientOptions.from("").isEmpty)
    for (text, reason) in [
      ("a", "\"a\" is no option"), ("=1", "is no option"), ("a=", "is no option"), ("a=1;a=2", "a is there twice"), ("a=[1,x]", "no list"),
    ] {
      let found = error { _ = try ClientOptions.from(text) }
      #expect(found?.description.contains("FLUXION_PJRT_OPTIONS: ") == true && found?.description.contains(reason) == true, "\(text)")
    }
  }

  // MARK: Compile options

  @Test("compile options, byte for byte") func options() {
    #expect(CompileOptions().bytes == [0x1a, 4, 0x20, 1, 0x28, 1])
    var options = CompileOptions()
    (options.replicaCount, options.partitionCount) = (2, 2)
    options.deviceAssignment = [[0, 1], [2, 300]]
    options.debugOptions = ["x": .bool(true)]
    // Counts and partitioning, then the assignment with its list of devices for each partition, then the one debug option.
    let assignment: [UInt8] = [0x08, 2, 0x10, 2, 0x1a, 4, 0x0a, 2, 0, 2, 0x1a, 5, 0x0a, 3, 1, 0xac, 2]
    let build: [UInt8] = [0x20, 2, 0x28, 2, 0x30, 1, 0x4a, UInt8(assignment.count)] + assignment
    #expect(options.bytes == [0x1a, UInt8(build.count)] + build + [0x3a, 7, 0x0a, 1, 0x78, 0x12, 2, 0x10, 1])
  }
}
