public import FluxionData
public import Foundation

/// A run's folder and the files it always holds.
public struct RunFolder: Hashable, Sendable {
  public let path: String

  public enum File: String, Sendable, CaseIterable {
    case configuration = "config.json"
    case metrics = "metrics.json"
    case history = "history.csv"
    case report = "report.html"
    case checkpoint = "checkpoint.safetensors"
    case timing = "timing.json"
    case claim = "claim.json"
    case baselines = "baselines.json"
  }

  /// The folder at `path`, which need not exist.
  public init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  public func path(_ file: File) -> String { path + "/" + file.rawValue }

  public func holds(_ file: File) -> Bool { FileManager.default.fileExists(atPath: path(file)) }

  /// Whether there is nothing at the path, or a folder without files.
  public var isFree: Bool {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return !FileManager.default.fileExists(atPath: path)
    }
    return names.allSatisfy { $0.hasPrefix(".") }
  }

  /// Makes the folder, and those above it.
  public func create() throws(InputError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw InputError("\(path): the folder cannot be made. Choose with --out a place where you may write.")
    }
  }

  /// Removes the temporary files that a killed process could not.
  func removeLeftovers() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(atPath: path + "/" + name)
    }
  }

  /// Makes `base/name-n` with the least n from 1 that is free. Two programs that do so at the same time get two folders.
  public static func next(in base: String, name: String) throws(InputError) -> RunFolder {
    try RunFolder(base).create()
    for n in 1...100_000 {
      let candidate = RunFolder("\(base)/\(name)-\(n)")
      if mkdir(candidate.path, 0o777) == 0 { return candidate }
      guard errno == EEXIST else {
        throw InputError("\(candidate.path): the folder cannot be made: \(String(cString: strerror(errno))). Choose another with --out.")
      }
    }
    throw InputError("\(base): there are 100000 runs of \(name). Remove some, or choose another folder with --out.")
  }

  /// The folders `base/name-n`, by n.
  public static func all(in base: String, name: String) -> [RunFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
    let numbered = names.compactMap { entry in
      entry.hasPrefix(name + "-") ? Int(entry.dropFirst(name.count + 1)).map { ($0, entry) } : nil
    }
    return numbered.sorted { $0.0 < $1.0 }.map { RunFolder("\(base)/\($0.1)") }
  }

  /// Writes a file, whole or not at all.
  public func write(_ data: Data, as file: File) throws(AtomicFileError) { try AtomicFile.write(data, to: path(file)) }
}
