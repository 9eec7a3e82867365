public import Foundation

/// A zip archive in memory, of stored and deflated entries, with or without zip64.
///
/// > PKWARE. ".ZIP File Format Specification", version 6.3.10, 2022 (APPNOTE.TXT).
///
/// The directory at the end is the only list of entries that is trusted, and only after each entry has been found to
/// lie inside the file and to overlap no other. Content is checked against its CRC-32. Encrypted archives, archives
/// in several parts and other methods of compression are refused by name. Nothing is ever unpacked to disk.
public struct ZipArchive: Sendable {
  /// One file inside the archive.
  public struct Entry: Hashable, Sendable {
    public var name: String
    /// The size of the content in bytes, once unpacked.
    public var size: Int
    /// Whether the content is deflated rather than stored.
    public var isDeflated: Bool
    var checksum: UInt32
    var packedSize: Int
    /// Where the packed content begins in the archive, in bytes.
    var offset: Int
  }

  /// How much an archive may hold.
  public struct Limits: Hashable, Sendable {
    /// The most entries.
    public var entries: Int
    /// The most bytes in one entry once unpacked.
    public var bytesPerEntry: Int
    /// The most bytes in all entries together once unpacked.
    public var bytes: Int

    /// 65,536 entries of at most 4 GiB, 16 GiB together.
    public init(entries: Int = 1 << 16, bytesPerEntry: Int = 1 << 32, bytes: Int = 1 << 34) {
      self.entries = entries
      self.bytesPerEntry = bytesPerEntry
      self.bytes = bytes
    }
  }

  /// The entries in the order of the directory; folders are left out.
  public let entries: [Entry]
  let data: Data
  let file: String
  let limits: Limits

  /// Reads the directory of the archive `data`; `file` is the name used in errors.
  public init(_ data: Data, file: String, limits: Limits = Limits()) throws(DataError) {
    self.data = data
    self.file = file
    self.limits = limits
    var reader = ZipDirectoryReader(data, file: file, limits: limits)
    entries = try reader.entries()
  }

  /// The content of `entry`, unpacked and checked.
  public func content(of entry: Entry) throws(DataError) -> Data {
    let start = data.startIndex + entry.offset
    let packed = data[start..<start + entry.packedSize]
    var content = packed
    if entry.isDeflated {
      do throws(Deflate.Failure) {
        content = try Deflate.inflate(packed, wrapping: .raw, limit: entry.size).result
      } catch .tooLarge {
        throw DataError(
          .malformed, file: "\(file):\(entry.name)", at: .byte(entry.offset),
          "the content unpacks to more than the \(counted(entry.size, "byte")) announced", remedy: copyAgain)
      } catch {
        throw DataError(error, file: "\(file):\(entry.name)", offset: entry.offset, limit: entry.size)
      }
    }
    guard content.count == entry.size else {
      throw DataError(
        .truncated, file: "\(file):\(entry.name)", at: .byte(entry.offset),
        "the content has \(counted(content.count, "byte")) instead of \(entry.size)", remedy: copyAgain)
    }
    let found = Deflate.checksum(content)
    guard found == entry.checksum else {
      throw DataError(
        .malformed, file: "\(file):\(entry.name)", at: .byte(entry.offset),
        "the content has CRC-32 \(hexadecimal(found)) instead of \(hexadecimal(entry.checksum))", remedy: copyAgain)
    }
    return content
  }
}

/// Eight hexadecimal digits.
func hexadecimal(_ word: UInt32) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
