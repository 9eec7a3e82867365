import FluxionCore
@testable import FluxionXLA
import Foundation
import Testing

/// What needs a plugin: XLA's own CPU backend. One test at a time, because some count what the plugin has handed out.
@Suite(
  "XLA:CPU", .serialized,
  .enabled(if: TestPlugin.path != nil, "needs a plugin: make test-xla builds XLA's CPU backend and runs these"))
struct OnXLACPU {}

/// XLA's own CPU backend as a plugin, where it has been built: `make test-xla` does, and names it.
enum TestPlugin {
  static let path = ProcessInfo.processInfo.environment["FLUXION_PJRT_PLUGIN"]

  static func client(_ options: [String: PJRTValue] = [:]) throws -> PJRTClient {
    try PJRTClient(PJRTPlugin.load(try #require(path)), options: options)
  }

  /// One client for what does not count objects: making one takes longer than most tests.
  static let shared = Result { try client(["cpu_device_count": .integer(8)]) }

  /// What the plugin has handed out and not got back.
  static func liveObjects() throws -> Int64 {
    guard case let .integer(count)? = try PJRTPlugin.load(try #require(path)).attributes()["live_objects"] else {
      throw PJRTError.noPlugin(searched: [])
    }
    return count
  }
}

extension PJRTBuffer {
  /// The elements of a vector.
  func values<Element: TensorElement>(_ count: Int, as: Element.Type = Element.self) throws -> [Element] {
    let bytes = count * MemoryLayout<Element>.stride
    let host = HostBuffer(byteCount: bytes)
    try copy(to: host.pointer, byteCount: bytes)
    return Array(host.values(as: Element.self).prefix(count))
  }

  static func vector<Element: TensorElement>(_ values: [Element], on client: PJRTClient, _ index: Int = 0) throws -> PJRTBuffer {
    try PJRTBuffer(
      HostBuffer(copying: values), TensorType([values.count], Element.elementType), client: client, device: client.device(index))
  }
}

/// The process's memory that is in use, in bytes.
func residentBytes() -> Int {
  let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  return (Int(statm.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
}
