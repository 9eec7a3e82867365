import Foundation
import Testing

@testable import FluxionData

@Suite("IDX and CIFAR") struct ImageSetTests {
  private static let idxTypes: [StoredElementType] = [.u8, .i8, .i16, .i32, .f32, .f64]

  @Test("a file made by hand, plain and compressed", arguments: ["idx", "idx gz"])
  func byHand(_ name: String) throws {
    let array = try IDXFile.decode(try Fixtures.data(name), file: "f.idx")
    #expect(array.elementType == .i32 && array.shape == [2, 3] && array.int64s() == [1, -2, 3, 4, 5, 6])
    #expect(try IDXFile.encode(array) == Fixtures.data("idx"))
  }

  @Test("IDX round trip, bit for bit", arguments: idxTypes)
  func idxRoundTrip(_ type: StoredElementType) throws {
    for (seed, shape) in shapes.enumerated() {
      let array = randomArray(type, shape: shape, seed: UInt64(seed))
      #expect(try IDXFile.decode(try IDXFile.encode(array), file: "f") == array)
    }
    try withFolder { folder in
      let array = randomArray(type, shape: [3, 2], seed: 1)
      try IDXFile.write(array, to: "\(folder)/a-idx2-ubyte.gz")
      #expect(try IDXFile.read("\(folder)/a-idx2-ubyte.gz") == array)
    }
  }

  @Test("CIFAR-10 and CIFAR-100 round trip and are told apart", arguments: CIFARFile.Variant.allCases)
  func cifar(_ variant: CIFARFile.Variant) throws {
    let images = randomArray(.u8, shape: [5, 3, 32, 32], seed: 3)
    let labels = StoredArray([1, 9, 0, 3, 4] as [UInt8])
    let coarse = variant == .cifar100 ? StoredArray([19, 0, 5, 5, 1] as [UInt8]) : nil
    let file = CIFARFile(images: images, labels: labels, coarseLabels: coarse)
    let data = file.encoded()
    #expect(data.count == 5 * (variant == .cifar10 ? 3073 : 3074))
    let back = try CIFARFile.decode(data, file: "f.bin")
    #expect(back == file && back.variant == variant)
  }

  @Test("images and labels in a pair") func pair() throws {
    try withFolder { folder in
      let images = randomArray(.u8, shape: [3, 4, 4], seed: 1)
      let labels = StoredArray([1, 2, 3] as [UInt8])
      try IDXFile.write(images, to: "\(folder)/i-idx3-ubyte")
      try IDXFile.write(labels, to: "\(folder)/l-idx1-ubyte")
      let pair = try IDXFile.readPair(images: "\(folder)/i-idx3-ubyte", labels: "\(folder)/l-idx1-ubyte")
      #expect(pair.images == images && pair.labels == labels)
    }
  }
}
