import CPJRT

/// What can go wrong between Fluxion and a plugin for XLA's devices.
public enum PJRTError: Error, Hashable, Sendable {
  /// No plugin was named, and none is installed where plugins are known to be.
  case noPlugin(searched: [String])
  /// There is no library at the path, or the system cannot load it.
  case cannotLoad(path: String, reason: String)
  /// A library without the entry point `GetPjrtApi`.
  case notAPlugin(path: String)
  /// The major version of the plugin's interface is another than this program's: they cannot understand each other.
  case versionMismatch(path: String, found: PJRTVersion, expected: PJRTVersion)
  /// The plugin's interface lacks a function, which came with a later version.
  case missingFunction(path: String, function: String, found: PJRTVersion)
  /// The plugin was made for a later version and asks for more than this program knows to give.
  case pluginTooNew(path: String, found: PJRTVersion, expected: PJRTVersion, message: String)
  /// There is no device here for the plugin, which has not been loaded.
  case noHardware(path: String, reason: String)
  /// The plugin, or its connection to the devices, cannot be started: it finds none, for example, or another process has them.
  case cannotStart(path: String, message: String)
  /// The variable that gives options to the plugin is not written as it should be.
  case invalidOptions(String)
  case noSuchDevice(index: Int, count: Int, platform: String)
  /// The device, or the connection to it, is gone. Nothing that it holds can be read any more.
  case deviceLost(function: String, message: String)
  case outOfDeviceMemory(function: String, message: String)
  /// The plugin's compiler refuses the program.
  case invalidProgram(message: String)
  /// The processes of a job are named wrongly, or do not find each other.
  case processes(message: String)
  /// Anything else the plugin reports.
  case failed(function: String, code: UInt32, message: String)
}

/// The version of a plugin's interface, `0.90` for example. Versions with one major number understand each other.
public struct PJRTVersion: Hashable, Sendable, CustomStringConvertible {
  public let major: Int
  public let minor: Int
  public init(_ major: Int, _ minor: Int) { (self.major, self.minor) = (major, minor) }
  public var description: String { "\(major).\(minor)" }

  /// The version this program was written for.
  static let supported = PJRTVersion(Int(FLUXION_PJRT_MAJOR), Int(FLUXION_PJRT_MINOR))
}

extension PJRTError: CustomStringConvertible {
  public var description: String {
    switch self {
    case let .noPlugin(searched):
      let places = searched.isEmpty ? "" : " Searched: \(searched.joined(separator: ", "))."
      return "XLA: no PJRT plugin was found.\(places) " + PluginSearch.advice
    case let .cannotLoad(path, reason):
      return "XLA: the plugin \(path) cannot be loaded: \(reason). " + PluginSearch.advice
    case let .notAPlugin(path):
      return "XLA: \(path) is a library, but not a PJRT plugin: it has no function GetPjrtApi. " + PluginSearch.advice
    case let .versionMismatch(path, found, expected):
      let remedy =
        found.major < expected.major
        ? "The plugin is too old: install a newer one." : "The plugin is too new: install an older one, or a newer Fluxion."
      return "XLA: the plugin \(path) speaks version \(found) of the PJRT interface; versions \(expected.major).x are expected. \(remedy)"
    case let .missingFunction(path, function, found):
      return "XLA: the plugin \(path) has no \(function): its version \(found) of the PJRT interface is too old. Install a newer plugin; "
        + "version \(PJRTVersion.supported) is known to work."
    case let .pluginTooNew(path, found, expected, message):
      return "XLA: the plugin \(path), of version \(found) of the PJRT interface, refuses a call in the form of version \(expected): "
        + "\(message) Install an older plugin, or a newer Fluxion."
    case let .noHardware(path, reason):
      return "XLA: the plugin \(path) has no device here: \(reason). --device cpu computes without."
    case let .cannotStart(path, message):
      return "XLA: the plugin \(path) cannot start: \(message) --device cpu computes without."
    case let .invalidOptions(reason):
      return "XLA: \(ClientOptions.variable): \(reason) Write NAME=VALUE;NAME=VALUE, such as memory_fraction=0.5;preallocate=false."
    case let .noSuchDevice(index, count, platform):
      return "XLA: there is no device \(index): the plugin has \(count) of kind \(platform), counted from 0."
    case let .deviceLost(function, message):
      return "XLA: the device is lost (\(function): \(message)). What it held is gone: start the program again from a checkpoint; if it "
        + "happens again, check the device and its driver."
    case let .outOfDeviceMemory(function, message):
      return "XLA: the device has no memory left (\(function): \(message)). Use smaller arrays, a smaller batch, or checkpointed(…)."
    case let .invalidProgram(message):
      return "XLA: the plugin's compiler refuses the program: \(message)"
    case let .processes(message):
      return "XLA: \(message)"
    case let .failed(function, code, message):
      return "XLA: \(function) failed with \(Self.name(ofCode: code)): \(message)"
    }
  }

  /// The name that the API gives to a code.
  private static func name(ofCode code: UInt32) -> String {
    let names = [
      "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
      "UNAUTHENTICATED",
    ]
    return Int(code) < names.count ? names[Int(code)] : "code \(code)"
  }

  /// What a code and message of a plugin mean.
  init(function: String, code: UInt32, message: String, path: String, version: PJRTVersion) {
    let isNewer = version.minor > PJRTVersion.supported.minor
    switch PJRT_Error_Code(rawValue: code) {
    // How plugins word a struct that is shorter than they know it.
    case PJRT_Error_Code_INVALID_ARGUMENT where isNewer && message.contains("size"):
      self = .pluginTooNew(path: path, found: version, expected: .supported, message: Self.sentence(message))
    case _ where ["PJRT_Plugin_Initialize", "PJRT_Client_Create"].contains(function):
      self = .cannotStart(path: path, message: Self.sentence(message))
    case PJRT_Error_Code_RESOURCE_EXHAUSTED:
      self = .outOfDeviceMemory(function: function, message: message)
    case PJRT_Error_Code_UNAVAILABLE, PJRT_Error_Code_DATA_LOSS, PJRT_Error_Code_ABORTED:
      self = .deviceLost(function: function, message: message)
    // A GPU that stopped is an internal error to the plugin.
    case PJRT_Error_Code_INTERNAL where message.contains("CUDA_ERROR_") && !message.contains("CUDA_ERROR_OUT_OF_MEMORY"):
      self = .deviceLost(function: function, message: message)
    // Text that does not parse is an error of unknown kind to XLA.
    case PJRT_Error_Code_INVALID_ARGUMENT where function == "PJRT_Client_Compile",
      PJRT_Error_Code_UNKNOWN where function == "PJRT_Client_Compile":
      self = .invalidProgram(message: message)
    default:
      self = .failed(function: function, code: code, message: message)
    }
  }

  /// A plugin's message without the places in its sources that follow it, and with the stop that it may lack.
  private static func sentence(_ message: String) -> String {
    let text = message.split(whereSeparator: \.isNewline).prefix { !$0.hasPrefix("===") }.joined(separator: " ")
    return text.last.map(".!?".contains) == true ? text : text + "."
  }
}
