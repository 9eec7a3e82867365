import FluxionText

/// Points from a file, ready for use: finite, at least two rows, at least one column.
public struct PointCloud: Sendable {
  /// The points, `[n, d]`, or `[n, …]` for images and other arrays of more axes; the element type is the file's.
  public var points: StoredArray
  /// The names of the columns, for a table with a header.
  public var columnNames: [String]?
  /// One label per point: the label column of a table, or the classes of a CIFAR file.
  public var labels: [String]?
  /// How many rows were left out because a number was missing or not finite.
  public var droppedRows = 0

  /// The number of points.
  public var count: Int { points.rowCount }

  /// The number of numbers in one point.
  public var dimension: Int { points.rowLength }

  /// Loads the file at `path`, whose format is told by its extension or else by its first bytes.
  ///
  /// Read are tables (`.csv`, `.tsv`, `.txt`), `.npy`, `.npz`, `.safetensors`, IDX (`.idx`, `…ubyte`) and CIFAR
  /// (`.bin`), each also compressed as `.gz`. An array of one axis becomes one column.
  ///
  /// - Parameters:
  ///   - path: The file; `points.npz:x` chooses the array `x` of a file with several.
  ///   - missing: What to do with a row that holds a missing, infinite or undefined number.
  ///   - label: The column of a table that holds labels, which is then no part of the points.
  /// - Throws: `DataError` naming file, row and column, and what to do.
  public static func load(
    _ path: String, missing: MissingPolicy = .error, label: String? = nil
  ) throws(DataError) -> PointCloud {
    let (file, name) = selection(path)
    var content = try FileContent.read(file)
    if content.starts(with: Gzip.magic) {
      content = try Gzip.unpack(content, file: file)
      guard !content.isEmpty else {
        throw DataError(.empty, file: file, "the file unpacks to nothing", remedy: "Write or copy it again")
      }
    }
    let format = try FileFormat.of(file, content: content)
    if let name, format != .npz, format != .safetensors {
      throw DataError(
        .unsupported, file: path, "only npz and safetensors files hold several arrays",
        remedy: "Leave out \(quoted(":" + name))")
    }
    if let label, format != .table {
      throw DataError(
        .unsupported, file: path, "only tables have a label column; \(quoted(label)) was asked for",
        remedy: "Leave out the label column")
    }

    switch format {
    case .table: return try table(content, file: file, missing: missing, label: label)
    case .npy: return try cloud(try NumPyFile.decode(content, file: file), file: file, missing: missing)
    case .idx: return try cloud(try IDXFile.decode(content, file: file), file: file, missing: missing)
    case .npz:
      let archive = try NumPyArchive(data: content, file: file)
      let chosen = try choice(of: name, among: archive.names, file: file)
      return try cloud(try archive.array(chosen), file: name == nil ? file : path, missing: missing)
    case .safetensors:
      let arrays = try SafetensorsFile.decode(content, file: file).arrays
      let chosen = try choice(of: name, among: arrays.keys.sorted(), file: file)
      guard let array = arrays[chosen] else { preconditionFailure("PointCloud: \(chosen) was chosen among the keys.") }
      return try cloud(array, file: name == nil ? file : path, missing: missing)
    case .cifar:
      let set = try CIFARFile.decode(content, file: file)
      var result = try cloud(set.images, file: file, missing: missing)
      result.labels = set.labels.int64s()?.map(String.init)
      return result
    }
  }

  /// The file and the name of the array, if the path chooses one.
  private static func selection(_ path: String) -> (file: String, name: String?) {
    guard let colon = path.lastIndex(of: ":") else { return (path, nil) }
    let file = String(path[..<colon])
    guard FileFormat(path: file) != nil, !FileContent.exists(path) else { return (path, nil) }
    return (file, String(path[path.index(after: colon)...]))
  }

  private static func choice(of name: String?, among names: [String], file: String) throws(DataError) -> String {
    if let name {
      if names.contains(name) { return name }
      let close = Suggestion.names(near: name, among: names)
      throw DataError(
        .missing, file: file, "there is no array called \(quoted(name))",
        remedy: close.isEmpty
          ? "The arrays are \(listed(names))" : "Did you mean \(close.map(quoted).joined(separator: " or "))?")
    }
    guard let first = names.first else {
      throw DataError(.tooFew, file: file, "the file holds no array", remedy: "Save at least one array in it")
    }
    guard names.count == 1 else {
      throw DataError(
        .ambiguous, file: file, "the file holds \(names.count) arrays: \(listed(names))",
        remedy: "Choose one, for example \(file):\(first)")
    }
    return first
  }
}
