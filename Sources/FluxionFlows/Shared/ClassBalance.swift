public import FluxionCore

/// Draws rows of a set so that every class is equally likely, however many rows it has.
///
/// Rows are listed class by class; a draw takes a class, then one of its rows: p(row) = 1 / (K · rows of its class), with K the classes
/// that have rows. Two draws and two look-ups per row, whatever the size of the set.
public struct ClassBalance: Codable, Sendable {
  /// The rows in the order of their classes, `i32 [n]`.
  public let rows: Tensor
  /// Where each class that has rows begins among them, `i32 [K]`.
  public let starts: Tensor
  /// How many rows each of these classes has, `i32 [K]`.
  public let sizes: Tensor

  /// - Parameter classes: One class per row, whole numbers ≥ 0, `[n]`; known numbers.
  public init(_ classes: Tensor) {
    precondition(classes.rank == 1 && classes.count > 0, "ClassBalance: classes must be one number per row, not \(classes.shape).")
    var members: [Int: [Int32]] = [:]
    for (row, value) in classes.doubles().enumerated() { members[Int(value), default: []].append(Int32(row)) }
    var (order, starts, sizes) = ([Int32](), [Int32](), [Int32]())
    for (_, rows) in members.sorted(by: { $0.key < $1.key }) {
      starts.append(Int32(order.count))
      sizes.append(Int32(rows.count))
      order += rows
    }
    rows = Tensor(order)
    self.starts = Tensor(starts)
    self.sizes = Tensor(sizes)
  }

  /// `count` rows, `i32 [count]`; can be traced.
  public func draw(_ count: Int, key: Key) -> Tensor {
    let (chosen, place) = key.split()
    let classes = chosen.integers([count], in: 0..<starts.count)
    let size = sizes.gathered(classes)
    let offset = (place.uniform([count]) * size.converted(to: .float32)).converted(to: .int32)
    // In f32 a product just below the size may round up to it.
    return rows.gathered(starts.gathered(classes) + minimum(offset, size - 1))
  }
}
