#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Orders and selections.

extension Key {
  /// The numbers 0..<`count` in random order, as `i32`; every order is equally likely. Equal to JAX's `jax.random.permutation`.
  ///
  /// They are sorted by random 32-bit words; since words may coincide, the sort is repeated with new ones often enough that some
  /// round tells any two places apart: ⌈3 log(count) / log(2³²)⌉ rounds. O(count log count).
  public func permutation(_ count: Int) -> Tensor {
    guard count >= 0 else { return reject1("permutation", "\(count) numbers cannot be ordered.") }
    var order = arange(count)
    let rounds = Int((3 * log(Double(max(1, count))) / log(Double(UInt32.max))).rounded(.up))
    var key = self
    for _ in 0..<rounds {
      let (next, own) = key.split()
      key = next
      order = apply(.sort(axis: 0, descending: false), [own.bits([count]), order])[1]
    }
    return order
  }

  /// The rows (slices along the first axis) of `x` in random order.
  public func shuffled(_ x: Tensor) -> Tensor { x.gathered(permutation(x.count)) }

  /// `count` places of 0..<`n`, as `i32`.
  ///
  /// - Parameters:
  ///   - count: of the places drawn.
  ///   - n: of the places to draw from.
  ///   - replacing: whether a place may be drawn more than once. Without replacement `count` is at most `n`.
  ///   - weights: `[n]`, not negative, in proportion to the probability of each place; equal unless told. Without replacement they are
  ///     those of drawing one after another among the places left (Gumbel top-k); no more places can be drawn than have a weight.
  /// - Note: Source of the weighted draw without replacement: W. Kool, H. van Hoof, M. Welling. "Stochastic beams and where to find
  ///   them." *ICML* 2019.
  public func choice(_ count: Int, of n: Int, replacing: Bool = true, weights: Tensor? = nil) -> Tensor {
    let type = TensorType([max(count, 0)], .int32)
    guard count >= 0, n > 0 || count == 0 else { return reject1("choice", "\(count) of \(n) places cannot be drawn.", like: type) }
    guard replacing || count <= n else {
      return reject1("choice", "\(count) places cannot be drawn of \(n) without replacement.", like: type)
    }
    if let weights, weights.shape != [n] {
      return reject1("choice", "weights must have shape [\(n)], not \(weights.shape).", like: type)
    }
    switch (weights?.asReal, replacing) {
    case (nil, true): return integers([count], in: 0..<max(n, 1))
    case (nil, false): return permutation(n).sliced(0..<count, alongAxis: 0)
    case let (weights?, true): return inverted(weights, count)
    case let (weights?, false): return (log(weights) + gumbel([n], as: weights.elementType)).topK(count).places
    }
  }

  /// Draws by inverting the distribution function: for each u the first place whose cumulative weight exceeds u, found by bisection
  /// for all draws at once.
  private func inverted(_ weights: Tensor, _ count: Int) -> Tensor {
    let n = weights.count
    let cumulative = runningSum(weights)
    let total = cumulative.sliced(n - 1..<n, alongAxis: 0)
    let u = unitInterval([count], weights.elementType, "choice") * total
    var low = Tensor.zeros([count], as: .int32)
    var high = Tensor.full(Double(n - 1), [count], as: .int32)
    var span = n
    while span > 1 {
      let middle = (low + high) / 2
      let found = cumulative.gathered(middle) .> u
      high = select(found, middle, high)
      low = select(found, low, minimum(middle + 1, high))
      span = (span + 1) / 2
    }
    // The last place may have weight 0; rounding of u must not reach it.
    return low
  }

  /// Sums from the first element on, in blocks of about √n, so that the work is O(n^1.5) and the memory O(n).
  private func runningSum(_ x: Tensor) -> Tensor {
    let n = x.count
    let width = max(1, Int(Double(n).squareRoot().rounded(.up)))
    let rows = (n + width - 1) / width
    let blocks = x.padded(low: [0], high: [rows * width - n]).reshaped(to: [rows, width])
    let within = blocks.cumulativeSum(alongAxis: 1)
    let totals = within.sliced(width - 1..<width, alongAxis: 1).reshaped(to: [rows])
    let before = totals.cumulativeSum(alongAxis: 0) - totals
    return (within + before.expanded(at: 1)).flattened().sliced(0..<n, alongAxis: 0)
  }
}
