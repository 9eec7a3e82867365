import FluxionText
import Foundation

/// Reads whole files; every reader of this module gets its bytes here.
enum FileContent {
  /// Files at least this large are mapped into memory instead of copied, in bytes. As with every mapping, another
  /// program must not cut the file short meanwhile; replacing it, as `AtomicFile` does, is safe.
  private static let mappingThreshold = 16 << 20

  /// The content of the file at `path`, never empty.
  ///
  /// - Throws: `DataError` when the file is missing (with similar names from its folder), is a folder (with some of
  ///   the files in it), is not a regular file, is empty or cannot be read.
  static func read(_ path: String) throws(DataError) -> Data {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else { throw unreadable(path, errno) }
      throw DataError(.missing, file: path, "there is no such file", remedy: remedyForMissing(path))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw DataError(.folder, file: path, "this is a folder, not a file", remedy: remedyForFolder(path))
    default:
      throw DataError(
        .unreadable, file: path, "this is a device or a pipe, not a file", remedy: "Save the data to a file first")
    }
    guard status.st_size > 0 else {
      throw DataError(.empty, file: path, "the file is empty", remedy: "Write or copy it again")
    }
    do {
      let options: Data.ReadingOptions = Int(status.st_size) >= mappingThreshold ? .mappedIfSafe : []
      return try Data(contentsOf: URL(fileURLWithPath: path), options: options)
    } catch {
      let isRefused = access(path, R_OK) != 0
      throw unreadable(path, isRefused ? errno : EIO)
    }
  }

  /// Whether anything is found at `path`.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func unreadable(_ path: String, _ code: Int32) -> DataError {
    DataError(
      .unreadable, file: path, "the file cannot be read: \(String(cString: strerror(code)))",
      remedy: code == EACCES
        ? "Change its permissions, or copy it to a folder of yours" : "Check the disk and try again")
  }

  private static func remedyForMissing(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent()
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      return "The folder does not exist either; correct the path"
    }
    let close = Suggestion.names(near: url.lastPathComponent, among: names.filter { !$0.hasPrefix(".") })
    return close.isEmpty ? "Correct the path" : "Did you mean \(close.map(quoted).joined(separator: " or "))?"
  }

  private static func remedyForFolder(_ path: String) -> String {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    let known = names.filter { FileFormat(path: $0) != nil }
    return known.isEmpty
      ? "Name a file; this folder holds none of a known format" : "Name one file in it: \(listed(known, limit: 6))"
  }
}
