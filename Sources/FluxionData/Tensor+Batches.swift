public import FluxionCore

extension Tensor {
  /// Rows in random order, `size` at a time, epoch after epoch without end: take as many as are needed with `prefix`.
  ///
  /// Every epoch shuffles anew with a key folded from `key`, so the same key gives the same batches. Rows that do not fill a last
  /// batch are left for another epoch's order. With fewer rows than `size` a batch is all rows, shuffled.
  public func batches(of size: Int, key: Key) -> Batches {
    precondition(size > 0, "a batch needs at least one row")
    return Batches(rows: self, size: Swift.min(size, count), key: key)
  }
}

/// The endless sequence that `batches(of:key:)` of a tensor gives.
public struct Batches: Sequence, IteratorProtocol, Sendable {
  private let rows: Tensor
  private let size: Int
  private let key: Key
  private var epoch = 0
  private var place = 0
  private var order: Tensor

  init(rows: Tensor, size: Int, key: Key) {
    (self.rows, self.size, self.key) = (rows, size, key)
    order = key.fold(0).permutation(rows.count)
  }

  public mutating func next() -> Tensor? {
    guard size > 0 else { return nil }
    if place + size > rows.count {
      epoch += 1
      place = 0
      order = key.fold(epoch).permutation(rows.count)
    }
    defer { place += size }
    return rows.gathered(order[place..<place + size])
  }
}
