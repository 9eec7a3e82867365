import Foundation
import Testing

@testable import FluxionData

/// Damaged files: an error or valid data, and neither a crash nor a hang nor memory on the word of a header.
@Suite("Damaged files") struct FuzzTests {
  struct Reader: Sendable, CustomTestStringConvertible {
    var name: String
    var files: [Data]
    var read: @Sendable (Data) throws -> Void
    var testDescription: String { name }
  }

  static let readers: [Reader] = {
    let small = StoredArray([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let big = StoredArray([1, 2, 3] as [Int64])
    let npy = ["<f4 C", ">f8 F", "<c16 C", "rank 3 F", "version 2", "structured", "pickled"].compactMap { try? Fixtures.data($0) }
    var zip64 = ZipWriter(alwaysZip64: true)
    zip64.add((try? NumPyFile.encode(small)) ?? Data(), named: "x.npy", isDeflated: true)
    let npz = ["npz stored", "npz deflated"].compactMap { try? Fixtures.data($0) } + [zip64.finished()]
    let tensors = SafetensorsFile(arrays: ["a": small, "b": big], metadata: ["note": "text"])
    let safetensors = ["safetensors"].compactMap { try? Fixtures.data($0) } + [(try? tensors.encoded()) ?? Data()]
    let idx = ["idx", "idx gz"].compactMap { try? Fixtures.data($0) }
    let csv = [
      "x,y,label\n1.5,-2e-3,a\n3,NA,\"b \"\"c\"\"\"\n4,5,\"two\nlines\"\n", "1;2\r\n3;4\r\n", "# c\n1 2\n3 4\n", "a\tb\n1\t2\n",
    ].map { Data($0.utf8) }
    let image = [UInt8](repeating: 200, count: 3072)
    let cifar = [Data([3] + image + [9] + image), Data([3, 50] + image)]
    return [
      Reader(name: "npy", files: npy) { _ = try NumPyFile.decode($0, file: "f").doubles() },
      Reader(name: "npz", files: npz) { _ = try NumPyArchive(data: $0, file: "f").arrays() },
      Reader(name: "safetensors", files: safetensors) {
        for array in try SafetensorsFile.decode($0, file: "f").arrays.values { _ = array.doubles() }
      },
      Reader(name: "IDX", files: idx) { _ = try IDXFile.decode($0, file: "f").doubles() },
      Reader(name: "CIFAR", files: cifar) { _ = try CIFARFile.decode($0, file: "f").labels.doubles() },
      Reader(name: "gzip", files: [Gzip.pack(Data(repeating: 65, count: 5000))]) { _ = try Gzip.unpack($0, file: "f") },
      Reader(name: "table", files: csv) {
        let table = try Table.decode($0, file: "f")
        _ = try table.complete().table.matrix()
      },
    ]
  }()

  @Test("10⁴ flips, cuts and insertions", arguments: readers)
  func damage(_ reader: Reader) throws {
    let before = peakMemory()
    for file in reader.files { #expect(!file.isEmpty) }
    var errors = 0
    for seed in 0..<10_000 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let file = damaged(reader.files[seed % reader.files.count], &generator)
      do {
        try reader.read(file)
      } catch let error as DataError {
        errors += 1
        let isOneLine = error.description.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        #expect(isOneLine && error.description.utf8.count < 1000, "\(reader.name), seed \(seed): \(error)")
      } catch {
        Issue.record("\(reader.name), seed \(seed): \(error) is no DataError")
      }
    }
    #expect(errors > 100, "the damage was hardly ever noticed")
    #expect(peakMemory() - before < 256 << 20, "\(reader.name) took \((peakMemory() - before) >> 20) MiB")
  }

  /// One to four bytes changed, or the end cut off, or bytes put in or taken out.
  private func damaged(_ file: Data, _ generator: inout SeededGenerator) -> Data {
    var bytes = Array(file)
    switch generator.next() % 4 {
    case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
    case 1:
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      bytes.insert(contentsOf: (0..<generator.next() % 9).map { _ in UInt8.random(in: 0...255, using: &generator) }, at: place)
    default:
      for _ in 0...generator.next() % 4 {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[place] = generator.next() % 2 == 0 ? bytes[place] ^ 1 << UInt8.random(in: 0...7, using: &generator) : 0xFF
      }
    }
    return Data(bytes)
  }

  /// The greatest memory this process has had, in bytes.
  private func peakMemory() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
