import Foundation
import Testing

@testable import FluxionData

private let unknownToNumPy: [StoredElementType] = [.bf16, .f8e4m3, .f8e5m2]

@Suite("npy and npz") struct NumPyTests {
  @Test("files of NumPy: every type, byte order and axis order")
  func numpyFiles() throws {
    let real: [Double] = [0, 1, 2, 3, 100, 5]
    for name in Fixtures.table.keys.filter({ $0.hasPrefix("<") || $0.hasPrefix(">") }) {
      let array = try NumPyFile.decode(try Fixtures.data(name), file: name)
      let expected: [Double] =
        switch array.elementType {
        case .bool: [0, 1, 1, 1, 1, 1]
        case .complex64, .complex128: real.flatMap { [$0, 2 * $0] }
        default: real
        }
      #expect(array.shape == [2, 3] && array.doubles() == expected, "\(name)")
    }
  }

  @Test("files of NumPy: axes and versions") func axes() throws {
    let cube = try NumPyFile.decode(try Fixtures.data("rank 3 F"), file: "f")
    #expect(cube.shape == [2, 3, 4] && cube.int64s() == Array(0..<24))
    let number = try NumPyFile.decode(try Fixtures.data("rank 0"), file: "f")
    #expect(number.shape == [] && number.doubles() == [2.5])
    #expect(try NumPyFile.decode(try Fixtures.data("empty"), file: "f").shape == [0, 3])
    for name in ["version 2", "version 3"] {
      #expect(try NumPyFile.decode(try Fixtures.data(name), file: "f").floats() == [0, 1, 2])
    }
  }

  @Test("we write the bytes NumPy writes", arguments: ["<f4 C", "<f8 C", "<c16 C", "<b1 C", "<u1 C", "<i8 C", "rank 0", "rank 1", "empty"])
  func sameBytes(_ name: String) throws {
    let file = try Fixtures.data(name)
    #expect(try NumPyFile.encode(try NumPyFile.decode(file, file: "f")) == file)
  }

  @Test("round trip, bit for bit", arguments: StoredElementType.allCases.filter { !unknownToNumPy.contains($0) })
  func roundTrip(_ type: StoredElementType) throws {
    for (seed, shape) in shapes.enumerated() {
      let array = randomArray(type, shape: shape, seed: UInt64(seed))
      #expect(try NumPyFile.decode(try NumPyFile.encode(array), file: "f") == array)
    }
  }

  @Test("archives of NumPy", arguments: ["npz stored", "npz deflated"])
  func numpyArchives(_ name: String) throws {
    let archive = try NumPyArchive(data: try Fixtures.data(name), file: "a.npz")
    #expect(archive.names == ["x", "y"])
    #expect(try archive.array("x").floats() == [1.5, -2, 3, 4])
    #expect(try archive.array("y").int64s() == [1, 0])
  }

  @Test("archives round trip, and equal arrays give equal bytes", arguments: [true, false])
  func archiveRoundTrip(_ isDeflated: Bool) throws {
    var arrays: [String: StoredArray] = [:]
    for (index, type) in StoredElementType.allCases.enumerated() where !unknownToNumPy.contains(type) {
      arrays["\(type)"] = randomArray(type, shape: shapes[index % shapes.count], seed: UInt64(index))
    }
    let data = try NumPyArchive.encode(arrays, isDeflated: isDeflated)
    #expect(try NumPyArchive(data: data, file: "a.npz").arrays() == arrays)
    #expect(try NumPyArchive.encode(arrays, isDeflated: isDeflated) == data)
  }

  @Test("a column-major array of ones and zeros axes keeps its elements") func thinAxes() throws {
    var file = try NumPyFile.encode(StoredArray([1, 2, 3] as [Float], shape: [1, 3]))
    let text = String(decoding: file[10...], as: Unicode.ASCII.self)
    let place = try #require(text.range(of: "False, 's"))
    let offset = 10 + text.distance(from: text.startIndex, to: place.lowerBound)
    file.replaceSubrange(offset..<offset + 5, with: Data("True ".utf8))
    #expect(try NumPyFile.decode(file, file: "f").floats() == [1, 2, 3])
  }
}
