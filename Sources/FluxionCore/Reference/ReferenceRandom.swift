/// Threefry-2x32 with 20 rounds.
///
/// The 64-bit counter `first + place` is split into its high and low word, which are encrypted under the key; both words come out.
///
/// > J. Salmon, M. Moraes, R. Dror, D. Shaw. "Parallel random numbers: as easy as 1, 2, 3." *SC* 2011, section 3.
func referenceThreefry(key: ReferenceArray, first: ReferenceArray, _ types: [TensorType]) -> [ReferenceArray] {
  let batches = first.shape.elementCount
  let places = batches == 0 ? 0 : types[0].shape.elementCount / batches
  var (high, low): ([Int64], [Int64]) = ([], [])
  for b in 0..<batches {
    let words = (UInt32(key.integers[2 * b]), UInt32(key.integers[2 * b + 1]))
    for place in 0..<places {
      let counter = UInt64(first.integers[b]) + UInt64(place)
      let block = threefry2x32(words, (UInt32(counter >> 32), UInt32(truncatingIfNeeded: counter)))
      high.append(Int64(block.0))
      low.append(Int64(block.1))
    }
  }
  return [ReferenceArray(types[0], .integer(high)), ReferenceArray(types[1], .integer(low))]
}

private func threefry2x32(_ key: (UInt32, UInt32), _ counter: (UInt32, UInt32)) -> (UInt32, UInt32) {
  let rotations: [[UInt32]] = [[13, 15, 26, 6], [17, 29, 16, 24]]
  // The third key word makes sure that no key is all zeros.
  let schedule = [key.0, key.1, key.0 ^ key.1 ^ 0x1BD1_1BDA]
  var x = (counter.0 &+ schedule[0], counter.1 &+ schedule[1])
  for injection in 1...5 {
    for r in rotations[(injection - 1) % 2] {
      x.0 &+= x.1
      x.1 = (x.1 << r | x.1 >> (32 - r)) ^ x.0
    }
    x.0 &+= schedule[injection % 3]
    x.1 &+= schedule[(injection + 1) % 3] &+ UInt32(injection)
  }
  return x
}
