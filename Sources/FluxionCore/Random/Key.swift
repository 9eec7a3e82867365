/// The seed of random numbers: a splittable, counter-based generator (Threefry-2x32), an ordinary value.
///
/// The same key always gives the same numbers; independent numbers need different keys, made by ``split()`` or by folding in a number.
/// Bits, uniform and normal numbers equal JAX's for `jax.random.key(seed)` with `threefry2x32` in its partitionable mode (the default since
/// JAX 0.5).
///
/// > J. Salmon, M. Moraes, R. Dror, D. Shaw. "Parallel random numbers: as easy as 1, 2, 3." *SC* 2011.
public struct Key: Sendable, Codable {
  /// The two words, `u32[2]`; `u32[B…, 2]` for a batch of keys inside `vmap`.
  public let words: Tensor

  public init(words: Tensor) {
    guard words.elementType == .uint32, words.shape.last == 2 else {
      trapAtCaller(ProgramError("Key", "a key is u32[2], but \(words.type) was given."))
    }
    self.words = words
  }

  /// The key of a seed; JAX's `jax.random.key(seed)` for seeds that fit in 32 bits.
  public init(_ seed: Int) {
    let bits = UInt64(bitPattern: Int64(seed))
    self.init(words: Tensor([UInt32(truncatingIfNeeded: bits >> 32), UInt32(truncatingIfNeeded: bits)]))
  }

  /// Two words for each place of `shape`.
  package func threefry(_ shape: Shape, from first: Tensor = Tensor(UInt32(0))) -> (high: Tensor, low: Tensor) {
    let both = apply(.threefry(shape), [words, first])
    return (both[0], both[1])
  }

  /// Two independent keys.
  public func split() -> (Key, Key) {
    let keys = split(2)
    return (keys[0], keys[1])
  }

  /// `count` independent keys.
  public func split(_ count: Int) -> [Key] {
    let all = splitWords(count)
    return (0..<count).map { Key(words: all.sliced($0..<$0 + 1, alongAxis: 0).reshaped(to: [2])) }
  }

  /// `count` independent keys as one tensor `u32[count, 2]`: to be mapped or scanned over.
  public func splitWords(_ count: Int) -> Tensor {
    let (high, low) = threefry([count])
    return stacked([high, low], alongAxis: -1)
  }

  /// The key for number `data` among those folded from this one: a step's, an epoch's, a row's.
  ///
  /// As in JAX's partitionable mode, number i of those folded is number i of those split off: derive keys from one key either by
  /// splitting or by folding, not by both.
  public func fold(_ data: Int) -> Key { fold(Tensor(UInt32(truncatingIfNeeded: data))) }

  /// The key for a traced number.
  public func fold(_ data: Tensor) -> Key {
    let (high, low) = threefry([], from: data.converted(to: .uint32))
    return Key(words: stacked([high, low]))
  }

  /// Random words: unsigned integers of 32 bits unless another width is asked for.
  ///
  /// - Parameters:
  ///   - shape: of the result.
  ///   - elementType: `u32` (the default), `u8`, `u16` or `u64`.
  public func bits(_ shape: Shape, as elementType: ElementType = .uint32) -> Tensor {
    let (high, low) = threefry(shape)
    switch elementType {
    case .uint32: return high .^ low
    case .uint8, .uint16: return (high .^ low).converted(to: elementType)
    case .uint64: return (high.converted(to: .uint64) &<< 32) .| low.converted(to: .uint64)
    default:
      return reject1("bits", "random words are u8, u16, u32 or u64, not \(elementType).", like: TensorType(shape, .uint32))
    }
  }
}
