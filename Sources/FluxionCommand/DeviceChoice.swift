import FluxionCore
import FluxionExperiment
import FluxionText

/// The devices that can be named after `--device`.
enum DeviceChoice {
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
      throw InputError("--device \(name): this build has no XLA engine. Use --device cpu.")
    case let name?:
      throw InputError(
        "--device \(name): there is no such device. "
          + Suggestion.sentence(for: name, among: ["cpu", "reference", "xla"], otherwise: "Use cpu or reference."))
    }
  }
}
