import Foundation

/// Why a file was not written. The target is unchanged and no temporary file is left.
///
/// One exception: when flushing the folder fails, the new content is in place but may not survive a loss of power.
public enum AtomicFileError: Error, Hashable, Sendable {
  /// The path is empty or names a folder.
  case isFolder(path: String)
  /// A call to the operating system failed; `code` is its `errno`.
  case failed(Step, path: String, code: Int32)

  /// The steps of a write, in order.
  public enum Step: String, Hashable, Sendable {
    case create, write, flush, rename
  }
}

extension AtomicFileError: CustomStringConvertible {
  /// One line: the path, what could not be done, why, and what to do.
  public var description: String { "\(printable(path)): \(problem). \(remedy)." }

  /// The path that was to be written.
  public var path: String {
    switch self {
    case .isFolder(let path), .failed(_, let path, _): path
    }
  }

  fileprivate var problem: String {
    switch self {
    case .isFolder: "the path names a folder, not a file"
    case .failed(let step, _, let code): "cannot \(step.phrase): \(String(cString: strerror(code)))"
    }
  }

  fileprivate var remedy: String {
    guard case .failed(_, _, let code) = self else { return "Add a file name" }
    switch code {
    case EACCES, EPERM, EROFS: return "Choose a folder you may write to"
    case ENOENT, ENOTDIR: return "Create the folder first, or correct the path"
    case ENOSPC, EDQUOT: return "Free some space, or choose another disk"
    case ENAMETOOLONG: return "Choose a shorter name"
    default: return "Try again, or choose another folder"
    }
  }
}

extension AtomicFileError.Step {
  fileprivate var phrase: String {
    switch self {
    case .create: "create a file there"
    case .write: "write the data"
    case .flush: "flush the data to the device"
    case .rename: "put the file in its place"
    }
  }
}

extension DataError {
  /// A failed write, as the writers of all formats report it.
  init(_ error: AtomicFileError) {
    self.init(.notWritten, file: error.path, error.problem, remedy: error.remedy)
  }
}

/// Writes the bytes of any format, reporting as `DataError`.
func writeFile(_ data: Data, to path: String) throws(DataError) {
  do throws(AtomicFileError) {
    try AtomicFile.write(data, to: path)
  } catch {
    throw DataError(error)
  }
}
