public import Foundation

/// Builds a zip archive in memory.
///
/// Equal content gives equal bytes: entries keep their order and all carry the earliest date of the format,
/// 1 January 1980. Sizes and places beyond 32 bits use zip64.
public struct ZipWriter: Sendable {
  private var archive = Data()
  private var directory = Data()
  private var count = 0
  /// Writes the zip64 fields even where they are not needed, so that they can be tested with small archives.
  private let alwaysZip64: Bool

  public init() { self.init(alwaysZip64: false) }

  init(alwaysZip64: Bool) { self.alwaysZip64 = alwaysZip64 }

  /// Adds a file called `name`; deflated when `isDeflated`, otherwise stored.
  public mutating func add(_ content: Data, named name: String, isDeflated: Bool = false) {
    let packed = isDeflated ? Deflate.deflate(content, wrapping: .raw) : content
    let nameBytes = Data(name.utf8)
    precondition(nameBytes.count <= 0xFFFF, "ZipWriter: the name \(name.prefix(20))… is longer than 65,535 bytes.")
    let offset = archive.count
    let isLarge = alwaysZip64 || max(content.count, packed.count, offset) >= Int(ZipRecord.see64)

    var common = Data()  // the fields that local header and directory share
    common.append(littleEndian: UInt16(isLarge ? 45 : 20))  // version needed
    common.append(littleEndian: UInt16(0x0800))  // names are UTF-8
    common.append(littleEndian: UInt16(isDeflated ? 8 : 0))
    common.append(littleEndian: UInt16(0))  // midnight
    common.append(littleEndian: UInt16(0x21))  // 1980-01-01
    common.append(littleEndian: Deflate.checksum(content))
    common.append(littleEndian: isLarge ? ZipRecord.see64 : UInt32(packed.count))
    common.append(littleEndian: isLarge ? ZipRecord.see64 : UInt32(content.count))
    common.append(littleEndian: UInt16(nameBytes.count))

    archive.append(littleEndian: ZipRecord.local)
    archive.append(common)
    let sizes = [UInt64(content.count), UInt64(packed.count)]
    let localField = isLarge ? Self.zip64Field(sizes) : Data()
    archive.append(littleEndian: UInt16(localField.count))
    archive.append(nameBytes)
    archive.append(localField)
    archive.append(packed)

    directory.append(littleEndian: ZipRecord.central)
    directory.append(littleEndian: UInt16(isLarge ? 45 : 20))  // version made by
    directory.append(common)
    let field = isLarge ? Self.zip64Field(sizes + [UInt64(offset)]) : Data()
    directory.append(littleEndian: UInt16(field.count))
    directory.append(littleEndian: UInt16(0))  // comment
    directory.append(littleEndian: UInt16(0))  // part
    directory.append(littleEndian: UInt16(0))  // internal attributes
    directory.append(littleEndian: UInt32(0))  // external attributes
    directory.append(littleEndian: isLarge ? ZipRecord.see64 : UInt32(offset))
    directory.append(nameBytes)
    directory.append(field)
    count += 1
  }

  /// The archive with its directory.
  public func finished() -> Data {
    var result = archive
    let offset = result.count
    result.append(directory)
    let isLarge = alwaysZip64 || count >= 0xFFFF || max(offset, directory.count) >= Int(ZipRecord.see64)
    if isLarge {
      let place = result.count
      result.append(littleEndian: ZipRecord.end64)
      result.append(littleEndian: UInt64(44))  // the size of what follows
      result.append(littleEndian: UInt16(45))
      result.append(littleEndian: UInt16(45))
      result.append(littleEndian: UInt64(0))  // parts
      result.append(littleEndian: UInt64(count))
      result.append(littleEndian: UInt64(count))
      result.append(littleEndian: UInt64(directory.count))
      result.append(littleEndian: UInt64(offset))
      result.append(littleEndian: ZipRecord.locator64)
      result.append(littleEndian: UInt32(0))
      result.append(littleEndian: UInt64(place))
      result.append(littleEndian: UInt32(1))
    }
    result.append(littleEndian: ZipRecord.end)
    result.append(littleEndian: UInt32(0))  // parts
    result.append(littleEndian: isLarge ? ZipRecord.see64Short : UInt16(count))
    result.append(littleEndian: isLarge ? ZipRecord.see64Short : UInt16(count))
    result.append(littleEndian: isLarge ? ZipRecord.see64 : UInt32(directory.count))
    result.append(littleEndian: isLarge ? ZipRecord.see64 : UInt32(offset))
    result.append(littleEndian: UInt16(0))  // comment
    return result
  }

  private static func zip64Field(_ words: [UInt64]) -> Data {
    var field = Data()
    field.append(littleEndian: UInt16(1))
    field.append(littleEndian: UInt16(words.count * 8))
    for word in words { field.append(littleEndian: word) }
    return field
  }
}
