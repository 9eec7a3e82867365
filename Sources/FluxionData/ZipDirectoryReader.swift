import Foundation

/// The signatures of the records of a zip archive, and the values that send a reader to the zip64 fields.
enum ZipRecord {
  static let local: UInt32 = 0x0403_4B50
  static let central: UInt32 = 0x0201_4B50
  static let end: UInt32 = 0x0605_4B50
  static let end64: UInt32 = 0x0606_4B50
  static let locator64: UInt32 = 0x0706_4B50
  static let see64: UInt32 = .max
  static let see64Short: UInt16 = .max
}

/// Reads the directory at the end of a zip archive and finds where each entry's content lies.
struct ZipDirectoryReader {
  private var cursor: ByteCursor
  private let limits: ZipArchive.Limits

  init(_ data: Data, file: String, limits: ZipArchive.Limits) {
    cursor = ByteCursor(data, file: file)
    self.limits = limits
  }

  mutating func entries() throws(DataError) -> [ZipArchive.Entry] {
    let (count, offset) = try findDirectory()
    guard count <= limits.entries else {
      throw failure(.tooLarge, "the archive announces \(count) entries; the limit is \(limits.entries)")
    }
    try cursor.move(to: offset, expecting: "the directory of the archive")
    // A directory record has at least 46 bytes, so a false count cannot make this loop long.
    var records: [Record] = []
    for _ in 0..<count { records.append(try record()) }

    var entries: [ZipArchive.Entry] = []
    var names: Set<String> = []
    var total = 0
    for record in records where !record.name.hasSuffix("/") {
      let entry = try self.entry(for: record)
      guard names.insert(entry.name).inserted else {
        throw failure(.malformed, "the archive holds \(quoted(entry.name)) twice")
      }
      guard entry.size <= limits.bytes - total else {
        throw failure(.tooLarge, "the archive unpacks to more than the limit of \(limits.bytes) bytes")
      }
      total += entry.size
      entries.append(entry)
    }
    try checkOverlap(entries)
    return entries
  }

  /// A record of the directory, before its content has been found.
  private struct Record {
    var name: String
    var method: UInt16
    var isEncrypted: Bool
    var checksum: UInt32
    var packedSize: UInt64
    var size: UInt64
    var headerOffset: UInt64
  }

  // MARK: The end of the archive

  /// Looks backwards for the end record, which is followed only by a comment of at most 65,535 bytes.
  private mutating func findDirectory() throws(DataError) -> (count: Int, offset: Int) {
    let total = cursor.bytes.count
    let found = cursor.bytes.withUnsafeBytes { bytes -> Int? in
      var place = total - 22
      while place >= max(0, total - 22 - 0xFFFF) {
        let signature = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        let comment = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 20, as: UInt16.self))
        if signature == ZipRecord.end, place + 22 + Int(comment) == total { return place }
        place -= 1
      }
      return nil
    }
    guard let place = found else {
      throw DataError(
        .truncated, file: cursor.file, at: .byte(total), "the directory at the end of a zip archive is missing",
        remedy: copyAgain)
    }
    try cursor.move(to: place + 4, expecting: "the end record")
    let disk = try cursor.littleEndian(UInt32.self, "the number of parts")
    _ = try cursor.littleEndian(UInt16.self, "the number of entries")
    let count = try cursor.littleEndian(UInt16.self, "the number of entries")
    _ = try cursor.littleEndian(UInt32.self, "the size of the directory")
    let offset = try cursor.littleEndian(UInt32.self, "the place of the directory")
    if count == ZipRecord.see64Short || offset == ZipRecord.see64, let large = try findDirectory64(before: place) {
      return large
    }
    guard disk == 0 else { throw failure(.unsupported, "the archive is one part of several") }
    return (Int(count), Int(offset))
  }

  private mutating func findDirectory64(before end: Int) throws(DataError) -> (count: Int, offset: Int)? {
    guard end >= 20 else { return nil }
    try cursor.move(to: end - 20, expecting: "the zip64 locator")
    guard try cursor.littleEndian(UInt32.self, "the zip64 locator") == ZipRecord.locator64 else { return nil }
    _ = try cursor.littleEndian(UInt32.self, "the zip64 locator")
    let place = try cursor.littleEndian(UInt64.self, "the zip64 locator")
    try cursor.move(to: Int(clamping: place), expecting: "the zip64 end record")
    guard try cursor.littleEndian(UInt32.self, "the zip64 end record") == ZipRecord.end64 else {
      throw failure(.malformed, "the zip64 end record should begin here")
    }
    _ = try cursor.take(28, "the zip64 end record")
    let count = try cursor.littleEndian(UInt64.self, "the number of entries")
    _ = try cursor.littleEndian(UInt64.self, "the size of the directory")
    let offset = try cursor.littleEndian(UInt64.self, "the place of the directory")
    return (Int(clamping: count), Int(clamping: offset))
  }

  // MARK: One entry

  private mutating func record() throws(DataError) -> Record {
    guard try cursor.littleEndian(UInt32.self, "a record of the directory") == ZipRecord.central else {
      throw failure(.malformed, "a record of the directory should begin here")
    }
    _ = try cursor.take(4, "a record of the directory")
    let flags = try cursor.littleEndian(UInt16.self, "the flags of an entry")
    let method = try cursor.littleEndian(UInt16.self, "the method of an entry")
    _ = try cursor.take(4, "the time of an entry")
    let checksum = try cursor.littleEndian(UInt32.self, "the CRC-32 of an entry")
    let packedSize = try cursor.littleEndian(UInt32.self, "the size of an entry")
    let size = try cursor.littleEndian(UInt32.self, "the size of an entry")
    let nameLength = try cursor.littleEndian(UInt16.self, "the name of an entry")
    let extraLength = try cursor.littleEndian(UInt16.self, "the fields of an entry")
    let commentLength = try cursor.littleEndian(UInt16.self, "the comment of an entry")
    _ = try cursor.take(8, "the attributes of an entry")
    let offset = try cursor.littleEndian(UInt32.self, "the place of an entry")
    let name = String(decoding: try cursor.take(Int(nameLength), "the name of an entry"), as: UTF8.self)
    let extra = try cursor.take(Int(extraLength), "the fields of an entry")
    _ = try cursor.take(Int(commentLength), "the comment of an entry")

    var record = Record(
      name: name, method: method, isEncrypted: flags & 1 != 0, checksum: checksum,
      packedSize: UInt64(packedSize), size: UInt64(size), headerOffset: UInt64(offset))
    var large = try zip64Field(in: extra)
    if size == ZipRecord.see64 { record.size = try large.littleEndian(UInt64.self, "the zip64 size") }
    if packedSize == ZipRecord.see64 { record.packedSize = try large.littleEndian(UInt64.self, "the zip64 size") }
    if offset == ZipRecord.see64 { record.headerOffset = try large.littleEndian(UInt64.self, "the zip64 place") }
    return record
  }

  /// The field with number 1 among the extra fields; empty when there is none.
  private func zip64Field(in extra: Data) throws(DataError) -> ByteCursor {
    var fields = ByteCursor(extra, file: cursor.file)
    while fields.remaining >= 4 {
      let number = try fields.littleEndian(UInt16.self, "an extra field")
      let length = try fields.littleEndian(UInt16.self, "an extra field")
      guard Int(length) <= fields.remaining else { break }
      let content = try fields.take(Int(length), "an extra field")
      if number == 1 { return ByteCursor(content, file: cursor.file) }
    }
    return ByteCursor(Data(), file: cursor.file)
  }

  /// Finds the content behind the local header and checks what the directory says of it.
  private mutating func entry(for record: Record) throws(DataError) -> ZipArchive.Entry {
    let name = quoted(record.name)
    guard !record.isEncrypted else { throw failure(.unsupported, "the entry \(name) is encrypted") }
    guard record.method == 0 || record.method == 8 else {
      throw failure(
        .unsupported, "the entry \(name) is compressed with \(Self.methodName(record.method)), not stored or deflated")
    }
    try cursor.move(to: Int(clamping: record.headerOffset), expecting: "the entry \(name)")
    guard try cursor.littleEndian(UInt32.self, "the header of \(name)") == ZipRecord.local else {
      throw failure(.malformed, "the header of \(name) should begin here")
    }
    _ = try cursor.take(22, "the header of \(name)")
    let nameLength = try cursor.littleEndian(UInt16.self, "the header of \(name)")
    let extraLength = try cursor.littleEndian(UInt16.self, "the header of \(name)")
    _ = try cursor.take(Int(nameLength) + Int(extraLength), "the header of \(name)")
    let start = cursor.offset
    _ = try cursor.take(Int(clamping: record.packedSize), "the content of \(name)")

    let size = Int(clamping: record.size)
    let packedSize = Int(clamping: record.packedSize)
    guard size <= limits.bytesPerEntry else {
      throw failure(.tooLarge, "the entry \(name) unpacks to \(size) bytes; the limit is \(limits.bytesPerEntry)")
    }
    let isDeflated = record.method == 8
    guard isDeflated ? size / Deflate.greatestRatio <= packedSize : size == packedSize else {
      throw failure(
        .malformed, "the entry \(name) cannot hold \(counted(size, "byte")) in the \(packedSize) it takes up")
    }
    return ZipArchive.Entry(
      name: record.name, size: size, isDeflated: isDeflated, checksum: record.checksum, packedSize: packedSize,
      offset: start)
  }

  /// Overlapping entries are a way to make a small archive unpack to a very large one.
  private func checkOverlap(_ entries: [ZipArchive.Entry]) throws(DataError) {
    let sorted = entries.sorted { $0.offset < $1.offset }
    for (first, second) in zip(sorted, sorted.dropFirst()) where first.offset + first.packedSize > second.offset {
      throw DataError(
        .malformed, file: cursor.file, at: .byte(second.offset),
        "the entries \(quoted(first.name)) and \(quoted(second.name)) overlap", remedy: copyAgain)
    }
  }

  private func failure(_ kind: DataError.Kind, _ problem: String) -> DataError {
    let remedy =
      switch kind {
      case .unsupported: "Save it again without encryption or parts, stored or deflated"
      case .tooLarge: "Split the archive, or raise the limit if you trust its origin"
      default: copyAgain
      }
    return DataError(kind, file: cursor.file, at: .byte(cursor.offset), problem, remedy: remedy)
  }

  private static func methodName(_ method: UInt16) -> String {
    switch method {
    case 9: "Deflate64"
    case 12: "bzip2"
    case 14: "LZMA"
    case 93: "Zstandard"
    case 95: "XZ"
    default: "method \(method)"
    }
  }
}
