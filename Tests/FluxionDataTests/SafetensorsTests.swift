import Foundation
import Testing

@testable import FluxionData

@Suite("safetensors") struct SafetensorsTests {
  @Test("a file of the reference implementation, and the same bytes back") func reference() throws {
    let data = try Fixtures.data("safetensors")
    let file = try SafetensorsFile.decode(data, file: "f.safetensors")
    #expect(file.arrays["w"]?.floats() == [1.5, -2, 3, 4])
    #expect(file.arrays["h"]?.elementType == .f16 && file.arrays["h"]?.doubles() == [1, 0.5])
    #expect(file.arrays["b"]?.doubles() == [1, 0])
    #expect(file.arrays["label"]?.int64s() == [1, 0])
    #expect(file.metadata == ["made": "by \"hand\""])
    #expect(try file.encoded() == data)
  }

  @Test("round trip, bit for bit, of every type at once") func roundTrip() throws {
    var file = SafetensorsFile(arrays: [:], metadata: ["b": "\u{1}\n\t\\ü😀", "a": ""])
    for (index, type) in StoredElementType.allCases.enumerated() where type != .complex128 {
      for shape in shapes { file.arrays["\(type) \(shape) \"x\""] = randomArray(type, shape: shape, seed: UInt64(index)) }
    }
    let data = try file.encoded()
    let back = try SafetensorsFile.decode(data, file: "f")
    #expect(back == file)
    #expect(try back.encoded() == data)
    let headerLength = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(headerLength % 8 == 0)
  }

  @Test("no arrays at all") func none() throws {
    let empty = SafetensorsFile(arrays: [:])
    #expect(try SafetensorsFile.decode(try empty.encoded(), file: "f") == empty)
  }

  @Test("escapes in names") func escapes() throws {
    let header = #"{"__metadata__":{"\u00fc\ud83d\ude00\/\b":"\"\\\n"}}"#
    let file = try SafetensorsFile.decode(safetensors(header), file: "f")
    #expect(file.metadata == ["ü😀/\u{8}": "\"\\\n"])
  }
}

/// A file with this header and these bytes of data.
func safetensors(_ header: String, _ data: [UInt8] = []) -> Data {
  var file = Data()
  file.append(littleEndian: UInt64(header.utf8.count))
  return file + header.utf8 + data
}
