import Foundation
import Testing

@testable import FluxionData

@Suite("zip, gzip and deflate") struct ZipTests {
  private let text = Data(repeating: 0x41, count: 100_000)

  @Test("stored and deflated, with and without zip64", arguments: [true, false], [true, false])
  func roundTrip(_ isDeflated: Bool, _ alwaysZip64: Bool) throws {
    var writer = ZipWriter(alwaysZip64: alwaysZip64)
    let contents = ["a": text, "folder/ü": Data(), "c": Data([1, 2, 3])]
    for (name, content) in contents.sorted(by: { $0.key < $1.key }) {
      writer.add(content, named: name, isDeflated: isDeflated)
    }
    let archive = try ZipArchive(writer.finished(), file: "z.zip")
    #expect(archive.entries.map(\.name) == ["a", "c", "folder/ü"])
    for entry in archive.entries { #expect(try archive.content(of: entry) == contents[entry.name]) }
  }

  @Test("an archive without entries") func none() throws {
    #expect(try ZipArchive(ZipWriter().finished(), file: "z.zip").entries.isEmpty)
  }

  @Test("CRC-32 of the check value of the standard") func checksum() {
    #expect(Deflate.checksum(Data("123456789".utf8)) == 0xCBF4_3926)
  }

  @Test("limits hold before anything is unpacked") func limits() throws {
    var writer = ZipWriter()
    writer.add(text, named: "a", isDeflated: true)
    writer.add(text, named: "b", isDeflated: true)
    let data = writer.finished()
    for limits in [
      ZipArchive.Limits(entries: 1), ZipArchive.Limits(bytesPerEntry: 99_999), ZipArchive.Limits(bytes: 199_999),
    ] {
      #expect(throws: DataError.self) { try ZipArchive(data, file: "z.zip", limits: limits) }
    }
    #expect(try ZipArchive(data, file: "z.zip", limits: .init(entries: 2, bytesPerEntry: 100_000, bytes: 200_000)).entries.count == 2)
  }

  @Test("gzip: one member, several, too much, too little") func gzip() throws {
    let packed = Gzip.pack(text)
    #expect(try Gzip.unpack(packed, file: "g.gz") == text)
    #expect(try Gzip.unpack(packed + Gzip.pack(Data([7])), file: "g.gz") == text + [7])
    #expect(throws: DataError.self) { try Gzip.unpack(packed, file: "g.gz", limit: text.count - 1) }
    #expect(throws: DataError.self) { try Gzip.unpack(packed.dropLast(), file: "g.gz") }
    #expect(throws: DataError.self) { try Gzip.unpack(packed + [0], file: "g.gz") }
  }
}
