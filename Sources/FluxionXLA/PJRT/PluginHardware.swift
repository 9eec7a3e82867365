#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the plugins of Python packages need of a machine, as far as it shows before one is loaded.
///
/// It is asked first because plugins themselves answer at length or late: CUDA's writes a page where there is no driver, and libtpu asks
/// the metadata service of Google's cloud for minutes where there is no TPU.
package struct PluginHardware: Sendable {
  /// The driver of NVIDIA's GPUs, once asked.
  package enum NVIDIADriver: Hashable, Sendable {
    case absent
    /// It is there, and says why it gives no GPU.
    case refusing(String)
    /// The newest version of CUDA that it knows: 12040 for 12.4.
    case working(version: Int)
  }

  var nvidia: @Sendable () -> NVIDIADriver
  var hasTPU: @Sendable () -> Bool

  /// This machine's.
  package static let present = PluginHardware(nvidia: { driver }, hasTPU: { tpu.isThere })

  /// Why the plugin at `path` has no device here; nil: it may have, or is none of those known.
  package func absence(for path: String) -> String? {
    let parts = path.split(separator: "/")
    switch parts.last {
    case "libtpu.so":
      return hasTPU() ? nil : "there is no TPU. A TPU's host shows it as /dev/accel0, /dev/vfio/0 or a device of Google's on the PCI bus"
    case "xla_cuda_plugin.so":
      switch nvidia() {
      case .absent:
        return "there is no driver for NVIDIA's GPUs (libcuda.so.1). Install it, or give the container access to the GPU; nvidia-smi tells "
          + "whether that has worked"
      case let .refusing(reason):
        return "the driver of NVIDIA's GPUs gives none (\(reason)). nvidia-smi may say more; CUDA_VISIBLE_DEVICES may hide them"
      case let .working(version):
        let needed = parts.dropLast().last.flatMap { Int($0.filter(\.isNumber)) } ?? 0
        if version / 1000 >= needed { return nil }
        return "the driver knows CUDA \(version / 1000).\(version % 1000 / 10) at most, and the plugin is made for \(needed). Update the "
          + "driver, or install the package for CUDA \(version / 1000)"
      }
    default: return nil
    }
  }

  // MARK: This machine

  private static let driver: NVIDIADriver = {
    guard let library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) else { return .absent }
    func function<Function>(_ name: String, _: Function.Type) -> Function? {
      dlsym(library, name).map { unsafeBitCast($0, to: Function.self) }
    }
    typealias Number = @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
    guard let start = function("cuInit", (@convention(c) (UInt32) -> Int32).self),
      let countOfDevices = function("cuDeviceGetCount", Number.self), let versionOfDriver = function("cuDriverGetVersion", Number.self)
    else { return .refusing("libcuda.so.1 lacks functions") }
    let code = start(0)
    guard code == 0 else {
      var text: UnsafePointer<CChar>?
      typealias Name = @convention(c) (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
      if let name = function("cuGetErrorString", Name.self), name(code, &text) == 0, let text { return .refusing(String(cString: text)) }
      return .refusing("error \(code)")
    }
    var (count, version) = (Int32(0), Int32(0))
    guard countOfDevices(&count) == 0, count > 0, versionOfDriver(&version) == 0 else { return .refusing("it knows of none") }
    return .working(version: Int(version))
  }()

  private static let tpu: (isThere: Bool, isOnBus: Bool) = {
    var isOnBus = false
    if let bus = opendir("/sys/bus/pci/devices") {
      defer { closedir(bus) }
      while let entry = readdir(bus) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard let file = fopen("/sys/bus/pci/devices/\(name)/vendor", "r") else { continue }
        defer { fclose(file) }
        var number: UInt32 = 0
        var text = [CChar](repeating: 0, count: 16)
        if fgets(&text, 16, file) != nil { number = UInt32(strtoul(text, nil, 16)) }
        // Google's number.
        if number == 0x1ae0 { isOnBus = true }
      }
    }
    return (isOnBus || (["/dev/accel0", "/dev/vfio/0"] as [String]).contains { access($0, F_OK) == 0 }, isOnBus)
  }()

  // MARK: Before loading

  /// Sets what plugins read from the environment, where it says nothing yet: of XLA's log the errors are enough, since what matters is
  /// thrown; and where the bus shows no TPU, libtpu is not to ask the cloud for one.
  static func prepareEnvironment(for path: String) {
    setenv("TF_CPP_MIN_LOG_LEVEL", "2", 0)
    if path.hasSuffix("/libtpu.so"), !tpu.isOnBus { setenv("TPU_SKIP_MDS_QUERY", "1", 0) }
  }

  /// The libraries of NVIDIA's packages that CUDA's plugin asks for by name and does not look for beside itself, as its Python package
  /// loads them: what is loaded is found.
  static func libraries(besides path: String) -> [String] {
    guard path.hasSuffix("/xla_cuda_plugin.so") else { return [] }
    let packages = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/") + "/nvidia"
    return [("cuda_nvrtc", "libnvrtc.so."), ("cusolver", "libcusolver.so."), ("nvshmem", "libnvshmem_host.so.")].flatMap { package, name in
      let folder = "\(packages)/\(package)/lib"
      return PluginSearch.contents(of: folder).filter { $0.hasPrefix(name) }.sorted().map { "\(folder)/\($0)" }
    }
  }
}
