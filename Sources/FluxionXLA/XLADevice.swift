public import FluxionCore

extension Device {
  /// A device of XLA's: of the plugin at `path`, or of the one that the environment names or a Python package has installed.
  ///
  /// All devices of a plugin share one client, and a device asked for twice is the same one, with the programs compiled for it.
  ///
  /// - Parameters:
  ///   - path: the plugin's library; nil: the one that the variable `FLUXION_PJRT_PLUGIN` names, else the first of
  ///     `jax_plugins/xla_cuda13`, `jax_plugins/xla_cuda12` and `libtpu`, among the packages of the Python that is active, for which there
  ///     is a device.
  ///   - index: its place among the plugin's devices.
  public static func xla(plugin path: String? = nil, index: Int = 0) throws(PJRTError) -> Device {
    try XLADevices.shared.device(file(path), index)
  }

  /// What the devices of a plugin are, without making any of them the current one.
  public static func xlaDevices(plugin path: String? = nil) throws(PJRTError) -> (path: String, platform: String, kinds: [String]) {
    let path = try file(path)
    let client = try XLADevices.shared.client(path)
    return (path, client.platformName, client.devices.map(\.kind))
  }

  static func file(_ path: String?) throws(PJRTError) -> String {
    if let path { return path }
    return try PluginSearch().find()
  }
}

/// The clients and devices made so far. A GPU's client takes most of its memory: there must not be two.
final class XLADevices: Sendable {
  static let shared = XLADevices()

  private struct State {
    var clients: [String: PJRTClient] = [:]
    var devices: [String: [Int: Device]] = [:]
  }
  private let state = Locked(State())

  /// The plugin's client, of a job's processes if they are named.
  func client(_ path: String, processes: ProcessGroup? = nil) throws(PJRTError) -> PJRTClient {
    try state.withLock { (state) throws(PJRTError) in try Self.client(path, processes, &state) }
  }

  private static func client(_ path: String, _ processes: ProcessGroup?, _ state: inout State) throws(PJRTError) -> PJRTClient {
    if let known = state.clients[path] {
      guard processes == nil || known.processes == processes else {
        throw .processes(
          message: "the plugin \(path) has been started for this process alone, or for another job. Make the mesh of all processes before "
            + "anything else runs on its devices.")
      }
      return known
    }
    let made = try PJRTClient(PJRTPlugin.load(path), options: ClientOptions.current(), processes: processes)
    state.clients[path] = made
    return made
  }

  func device(_ path: String, _ index: Int) throws(PJRTError) -> Device {
    try state.withLock { (state) throws(PJRTError) in
      if let known = state.devices[path]?[index] { return known }
      let made = Device(engine: try XLAEngine(client: try Self.client(path, nil, &state), device: index))
      state.devices[path, default: [:]][index] = made
      return made
    }
  }
}
