import Foundation
import Testing

@testable import FluxionData

/// SplitMix64 (Steele, Lea, Flood, 2014): the seeded generator of all tests here.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A folder for one test, removed with everything in it at the end.
func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "fluxion-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

/// The description of the error that `body` throws, or a note that it threw none.
func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

/// An array of random bytes; bools are 0 or 1.
func randomArray(_ type: StoredElementType, shape: [Int], seed: UInt64) -> StoredArray {
  var generator = SeededGenerator(seed: seed)
  let count = shape.reduce(1, *) * type.byteCount
  let bytes = (0..<count).map { _ in UInt8.random(in: type == .bool ? 0...1 : 0...255, using: &generator) }
  return StoredArray(shape: shape, elementType: type, bytes: Data(bytes))
}

let shapes: [[Int]] = [[], [0], [5], [1, 1], [4, 3], [0, 3], [2, 3, 4], [1, 2, 1, 3, 2]]
