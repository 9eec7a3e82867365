import Foundation

/// The formats of files of numbers.
public enum FileFormat: String, Hashable, Sendable, CaseIterable {
  case table, npy, npz, safetensors, idx, cifar

  /// The extensions that are known, as they are listed in errors.
  static let knownExtensions = "csv, tsv, txt, npy, npz, safetensors, idx, ubyte and bin (CIFAR), each also with .gz"

  /// The format told from the end of a file's name, with or without `.gz`; nil when it is unknown.
  public init?(path: String) {
    var name = (path.split(separator: "/").last ?? "").lowercased()
    if name.hasSuffix(".gz") { name.removeLast(3) }
    if name.hasSuffix("ubyte") {  // train-images-idx3-ubyte, train-images.idx3-ubyte
      self = .idx
      return
    }
    guard let dot = name.lastIndex(of: ".") else { return nil }
    switch name[name.index(after: dot)...] {
    case "csv", "tsv", "txt": self = .table
    case "npy": self = .npy
    case "npz": self = .npz
    case "safetensors": self = .safetensors
    case "idx": self = .idx
    case "bin": self = .cifar
    default: return nil
    }
  }

  /// The format told from the first bytes of a file; nil when they are no known mark.
  init?(content: Data) {
    if content.starts(with: NumPyHeader.magic) {
      self = .npy
    } else if content.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
      self = .npz
    } else if content.count > 8, content[content.startIndex + 8] == UInt8(ascii: "{") {
      self = .safetensors
    } else if content.starts(with: [0, 0]), content.count > 4, (8...14).contains(content[content.startIndex + 2]) {
      self = .idx
    } else {
      return nil
    }
  }

  /// The format of a file by its name, or else by its content.
  static func of(_ path: String, content: Data) throws(DataError) -> FileFormat {
    if let format = FileFormat(path: path) ?? FileFormat(content: content) { return format }
    let name = path.split(separator: "/").last ?? ""
    let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...] }
    throw DataError(
      .unknownFormat, file: path,
      ending.map { "the extension \(quoted(String($0))) is unknown" } ?? "the file name has no extension",
      remedy: "The known ones are \(knownExtensions)")
  }
}
