public import Foundation

/// Writes a file so that a reader sees the old content or the new, never a part of either.
///
/// The data goes to a temporary file in the same folder, is flushed to the device, and is renamed over the target;
/// then the folder is flushed, so that the new name survives a loss of power. Whatever fails, the temporary file is
/// removed and the target is as it was. The target keeps its permissions; a symbolic link stays a link and the file
/// it points to is replaced.
public enum AtomicFile {
  /// Replaces the content of the file at `path`, or creates it.
  public static func write(_ data: Data, to path: String) throws(AtomicFileError) {
    let target = try resolved(path)
    let slash = target.lastIndex(of: "/")
    let folder = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
    let name = slash.map { target[target.index(after: $0)...] } ?? target[...]

    let (descriptor, temporary) = try createTemporary(in: folder, named: name, for: path)
    do throws(AtomicFileError) {
      defer { _ = close(descriptor) }
      try keepPermissions(of: target, on: descriptor, for: path)
      try writeAll(data, to: descriptor, for: path)
      guard fsync(descriptor) == 0 else { throw .failed(.flush, path: path, code: errno) }
    } catch {
      _ = unlink(temporary)
      throw error
    }
    guard rename(temporary, target) == 0 else {
      let code = errno
      _ = unlink(temporary)
      throw .failed(.rename, path: path, code: code)
    }
    try flush(folder: folder, for: path)
  }

  /// Replaces the content of the file at `url`, which must be a file URL.
  public static func write(_ data: Data, to url: URL) throws(AtomicFileError) {
    precondition(url.isFileURL, "AtomicFile: \(url) is not a file URL.")
    try write(data, to: url.path)
  }

  /// The path with a symbolic link at its end followed; an error when it names a folder.
  private static func resolved(_ path: String) throws(AtomicFileError) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard !path.isEmpty, !path.hasSuffix("/") else { throw .isFolder(path: path) }
      return path
    }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw .isFolder(path: path) }
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, let real = realpath(path, nil) else {
      return path
    }
    defer { free(real) }
    return String(cString: real)
  }

  /// Creates a file nobody else has, hidden and named after the target.
  private static func createTemporary(
    in folder: String, named name: Substring, for path: String
  ) throws(AtomicFileError) -> (descriptor: Int32, path: String) {
    for _ in 0..<100 {
      let mark = String(UInt64.random(in: .min ... .max), radix: 36)
      let temporary = "\(folder)/.\(name.prefix(32)).\(mark).tmp"
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, temporary) }
      guard errno == EEXIST || errno == EINTR else { break }
    }
    throw .failed(.create, path: path, code: errno)
  }

  private static func keepPermissions(
    of target: String, on descriptor: Int32, for path: String
  ) throws(AtomicFileError) {
    var status = stat()
    guard stat(target, &status) == 0 else { return }
    guard fchmod(descriptor, status.st_mode & 0o7777) == 0 else {
      throw .failed(.create, path: path, code: errno)
    }
  }

  private static func writeAll(_ data: Data, to descriptor: Int32, for path: String) throws(AtomicFileError) {
    let code = data.withUnsafeBytes { source -> Int32 in
      var done = 0
      while done < source.count {
        let rest = UnsafeRawBufferPointer(rebasing: source[done...])
        let written = Foundation.write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return written < 0 ? errno : EIO }
        done += written
      }
      return 0
    }
    guard code == 0 else { throw .failed(.write, path: path, code: code) }
  }

  /// Some file systems cannot flush a folder and say so; that is no failure of the write.
  private static func flush(folder: String, for path: String) throws(AtomicFileError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw .failed(.flush, path: path, code: errno)
    }
  }
}
