import FluxionCore
import FluxionExperiment
import FluxionText
import FluxionXLA

/// The devices that can be named after `--device`.
enum DeviceChoice {
  static let help: String =
    "Where to compute: cpu, reference, xla, xla:N for device N, xla:all for all of them, or xla:PATH for a plugin; see fluxion devices."

  /// What stands after `xla`.
  struct Plugin: Equatable {
    enum Place: Equatable {
      case unspecified
      case index(Int)
      case all
    }
    /// Nil: the one found.
    var path: String?
    var place = Place.unspecified
  }

  /// The device called `name`; nil is the fastest of this build.
  static func device(_ name: String?) throws(InputError) -> Device { try chosen(name, job: nil).device }

  /// The device called `name`, and how many it consists of: those of all processes of `job`, if there is one.
  static func chosen(_ name: String?, job: ProcessGroup?) throws(InputError) -> (device: Device, count: Int) {
    switch name {
    case nil: return (.default, 1)
    case "reference": return (.reference, 1)
    case "cpu":
      guard Device.default.engine.name == "cpu" else {
        throw InputError("--device cpu: this build has no CPU engine. Build it with FluxionCPU, or use --device reference.")
      }
      return (.default, 1)
    case let name?:
      guard let plugin = try plugin(name) else {
        throw InputError(
          "--device \(name): there is no such device. "
            + Suggestion.sentence(for: name, among: ["cpu", "reference", "xla"], otherwise: "Use cpu, reference or xla."))
      }
      do throws(PJRTError) {
        switch plugin.place {
        case let .index(index): return (try .xla(plugin: plugin.path, index: index), 1)
        case .unspecified where job == nil: return (try .xla(plugin: plugin.path), 1)
        case .unspecified, .all:
          let mesh = try DeviceMesh(ofAllDevicesOf: plugin.path, processes: job)
          return (mesh.device, mesh.count)
        }
      } catch {
        throw InputError("--device \(name): \(error)")
      }
    }
  }

  /// The job whose processes compute together on the device called `name`; nil: this process computes alone. One device of XLA's that is
  /// named by its number, and the host's engines, are every process's own.
  static func job(_ name: String?) throws(InputError) -> ProcessGroup? {
    guard let name, let plugin = try plugin(name) else { return nil }
    if case .index = plugin.place { return nil }
    do throws(PJRTError) { return try .current() } catch { throw InputError("\(error)") }
  }

  /// What the records of a run call the device, for `--resume`; nil: its engine's name.
  static func recordedName(_ name: String?, job: ProcessGroup?) throws(InputError) -> String? {
    guard let name, let plugin = try plugin(name) else { return nil }
    return plugin.place == .all || (job != nil && plugin.place == .unspecified) ? "xla:all" : nil
  }

  /// What stands after `xla:`: a number, `all`, a path, or a path and one of these; nil: `name` is no device of XLA's.
  static func plugin(_ name: String) throws(InputError) -> Plugin? {
    guard name == "xla" || name.hasPrefix("xla:") else { return nil }
    guard let colon = name.firstIndex(of: ":") else { return Plugin() }
    let rest = name[name.index(after: colon)...]
    if let place = place(rest) { return Plugin(place: place) }
    if let last = rest.lastIndex(of: ":"), let place = place(rest[rest.index(after: last)...]) {
      return Plugin(path: String(rest[..<last]), place: place)
    }
    guard !rest.isEmpty else {
      throw InputError(
        "--device \(name): nothing stands after the colon. Write xla:N for device N, xla:all for all devices, or xla:PATH for the "
          + "plugin at PATH.")
    }
    return Plugin(path: String(rest))
  }

  private static func place(_ text: Substring) -> Plugin.Place? {
    if text == "all" { return .all }
    guard let index = Int(text), index >= 0 else { return nil }
    return .index(index)
  }
}
