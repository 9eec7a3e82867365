public import Foundation

/// Several named arrays in NumPy's `.npz` format: a zip archive of `.npy` files, stored or deflated.
public struct NumPyArchive: Sendable {
  /// The names of the arrays, in the order of the archive, without `.npy`.
  public let names: [String]
  private let archive: ZipArchive

  /// Opens the file at `path`. The arrays are unpacked when asked for.
  public init(_ path: String, limits: ZipArchive.Limits = ZipArchive.Limits()) throws(DataError) {
    try self.init(data: try FileContent.read(path), file: path, limits: limits)
  }

  /// Opens the bytes of a file; `file` is the name used in errors.
  public init(data: Data, file: String, limits: ZipArchive.Limits = ZipArchive.Limits()) throws(DataError) {
    archive = try ZipArchive(data, file: file, limits: limits)
    names = archive.entries.filter { $0.name.hasSuffix(".npy") }.map { String($0.name.dropLast(4)) }
  }

  /// The array called `name`.
  public func array(_ name: String) throws(DataError) -> StoredArray {
    guard let entry = archive.entries.first(where: { $0.name == name + ".npy" }) else {
      throw DataError(
        .missing, file: archive.file, "there is no array called \(quoted(name))",
        remedy: names.isEmpty ? "The archive holds no npy file" : "Choose one of: \(listed(names))")
    }
    return try NumPyFile.decode(try archive.content(of: entry), file: "\(archive.file):\(name)")
  }

  /// All arrays by name.
  public func arrays() throws(DataError) -> [String: StoredArray] {
    var result: [String: StoredArray] = [:]
    for name in names { result[name] = try array(name) }
    return result
  }

  /// Writes `arrays` to the file at `path`, sorted by name, whole or not at all.
  public static func write(
    _ arrays: [String: StoredArray], to path: String, isDeflated: Bool = false
  ) throws(DataError) {
    try writeFile(try encode(arrays, isDeflated: isDeflated, file: path), to: path)
  }

  /// The bytes of a file that holds `arrays`, sorted by name; equal arrays give equal bytes.
  public static func encode(
    _ arrays: [String: StoredArray], isDeflated: Bool = false, file: String = "arrays.npz"
  ) throws(DataError) -> Data {
    var writer = ZipWriter()
    for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
      writer.add(try NumPyFile.encode(array, file: "\(file):\(name)"), named: name + ".npy", isDeflated: isDeflated)
    }
    return writer.finished()
  }
}
