import FluxionCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds a plugin: the one the environment names, else one that a Python package has installed.
package struct PluginSearch: Sendable {
  private let environment: [String: String]
  /// Where the system's own Python keeps packages.
  private let systemLibraries: [String]
  private let hardware: PluginHardware

  /// The variable that names a plugin.
  package static let variable = "FLUXION_PJRT_PLUGIN"

  package static let advice =
    "Install one with `pip install \"jax[cuda12]\"` (or `cuda13`, or `tpu`), or name its file: --device xla:PATH or the variable "
    + "\(variable)."

  /// Where packages put their plugin; the first is taken for which there is a device, or the first if there is none.
  package static let packageFiles = [
    "jax_plugins/xla_cuda13/xla_cuda_plugin.so", "jax_plugins/xla_cuda12/xla_cuda_plugin.so", "libtpu/libtpu.so",
  ]

  package init(
    environment: [String: String] = PluginSearch.processEnvironment,
    systemLibraries: [String] = ["/usr/local/lib", "/usr/lib"], hardware: PluginHardware = .present
  ) {
    self.environment = environment
    self.systemLibraries = systemLibraries
    self.hardware = hardware
  }

  /// Whether the environment names a plugin.
  package var isNamed: Bool { environment[Self.variable]?.isEmpty == false }

  /// The plugin's file.
  package func find() throws(PJRTError) -> String {
    if let named = environment[Self.variable], !named.isEmpty { return named }
    let folders = packageFolders()
    let files = folders.flatMap { folder in Self.packageFiles.map { folder + "/" + $0 } }.filter { access($0, R_OK) == 0 }
    guard let found = files.first(where: { hardware.absence(for: $0) == nil }) ?? files.first else { throw .noPlugin(searched: folders) }
    return found
  }

  /// The package folders of the active virtual environment, of the Python found first on the path, of the user, and of the system.
  package func packageFolders() -> [String] {
    var libraries: [String] = []
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
      if let prefix = environment[variable], !prefix.isEmpty { libraries.append(prefix + "/lib") }
    }
    if let python = pythonOnPath() { libraries.append(python + "/lib") }
    if let home = environment["HOME"] { libraries.append(home + "/.local/lib") }
    libraries += systemLibraries
    var folders: [String] = []
    for library in libraries {
      for version in Self.contents(of: library) where version.hasPrefix("python3") {
        for packages in ["site-packages", "dist-packages"] {
          let folder = "\(library)/\(version)/\(packages)"
          if access(folder, R_OK) == 0, !folders.contains(folder) { folders.append(folder) }
        }
      }
    }
    return folders
  }

  /// The prefix under which the first `python3` of the path is installed: a virtual environment's, if it is one's.
  private func pythonOnPath() -> String? {
    for folder in (environment["PATH"] ?? "").split(separator: ":") where access("\(folder)/python3", X_OK) == 0 {
      guard folder.hasSuffix("/bin") else { return nil }
      return String(folder.dropLast(4))
    }
    return nil
  }

  /// The names in a folder, newest version first.
  static func contents(of folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    func minor(_ name: String) -> Int { Int(name.dropFirst("python3.".count)) ?? 0 }
    return names.sorted { (minor($0), $0) > (minor($1), $1) }
  }

  package static var processEnvironment: [String: String] {
    var result: [String: String] = [:]
    for name in [variable, "VIRTUAL_ENV", "CONDA_PREFIX", "PATH", "HOME"] {
      if let value = getenv(name) { result[name] = String(cString: value) }
    }
    return result
  }
}
