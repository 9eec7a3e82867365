import FluxionCore
import FluxionExperiment
import FluxionText
import FluxionXLA

/// The devices that can be named after `--device`.
enum DeviceChoice {
  static let help: String = "Where to compute: cpu, reference, xla, xla:N for device N, or xla:PATH for a plugin; see fluxion devices."

  /// The device called `name`; nil is the fastest of this build.
  static func device(_ name: String?) throws(InputError) -> Device {
    switch name {
    case nil: return .default
    case "reference": return .reference
    case "cpu":
      guard Device.default.engine.name == "cpu" else {
        throw InputError("--device cpu: this build has no CPU engine. Build it with FluxionCPU, or use --device reference.")
      }
      return .default
    case let name? where name == "xla" || name.hasPrefix("xla:"):
      let (path, index) = try plugin(name)
      do throws(PJRTError) { return try .xla(plugin: path, index: index) } catch { throw InputError("--device \(name): \(error)") }
    case let name?:
      throw InputError(
        "--device \(name): there is no such device. "
          + Suggestion.sentence(for: name, among: ["cpu", "reference", "xla"], otherwise: "Use cpu, reference or xla."))
    }
  }

  /// What stands after `xla:`: a number, a path, or a path and a number.
  static func plugin(_ name: String) throws(InputError) -> (path: String?, index: Int) {
    guard let colon = name.firstIndex(of: ":") else { return (nil, 0) }
    let rest = name[name.index(after: colon)...]
    if let index = Int(rest), index >= 0 { return (nil, index) }
    if let last = rest.lastIndex(of: ":"), let index = Int(rest[rest.index(after: last)...]), index >= 0 {
      return (String(rest[..<last]), index)
    }
    guard !rest.isEmpty else {
      throw InputError("--device \(name): nothing stands after the colon. Write xla:N for device N, or xla:PATH for the plugin at PATH.")
    }
    return (String(rest), 0)
  }
}
