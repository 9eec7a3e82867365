internal import FluxionCore

/// The shape classes every operation answers for: by a sample, or by a reason why it has none.
public enum ShapeQuestion: String, Sendable, CaseIterable {
  case scalar, empty, one = "one element", broadcast, nonSquare = "non-square", large

  /// Samples of at least so many elements are large: several tiles of every kernel.
  public static let largeCount = 1000

  /// One letter, for the table.
  public var letter: String {
    switch self {
    case .scalar: "s"
    case .empty: "e"
    case .one: "1"
    case .broadcast: "b"
    case .nonSquare: "n"
    case .large: "L"
    }
  }

  func isAnswered(by sample: OperationCase.Sample) -> Bool {
    let shapes = sample.shapes
    switch self {
    case .scalar: return sample.shapeClass == .scalar || shapes[0].rank == 0
    case .empty: return shapes.contains { $0.elementCount == 0 }
    case .one: return shapes[0].rank > 0 && shapes.allSatisfy { $0.elementCount == 1 }
    case .broadcast: return sample.shapeClass == .broadcast
    case .nonSquare:
      return sample.shapeClass == .nonSquare || shapes.contains { $0.rank > 1 && $0.elementCount > 0 && $0[$0.rank - 1] != $0[$0.rank - 2] }
    case .large: return sample.shapeClass == .large || shapes.contains { $0.elementCount >= ShapeQuestion.largeCount }
    }
  }

  /// The class that exceptions use for this question.
  private var shapeClass: OperationCase.ShapeClass {
    switch self {
    case .scalar: .scalar
    case .empty: .empty
    case .one: .one
    case .broadcast: .broadcast
    case .nonSquare: .nonSquare
    case .large: .large
    }
  }

  public enum Answer: Sendable, Hashable {
    case sampled
    case absent(reason: String)
    /// Neither a sample nor a reason.
    case open
  }

  public func answer(of operation: OperationCase) -> Answer {
    if operation.samples.contains(where: isAnswered) { return .sampled }
    if let e = operation.exceptions.first(where: { $0.shapeClasses?.contains(shapeClass) ?? false }) { return .absent(reason: e.reason) }
    let own = zip(operation.domains, operation.samples[0].shapes).filter { $0.0.elementType == nil }
    let ranks = operation.samples.map { $0.shapes[0].rank }
    switch self {
    case .scalar where ranks.allSatisfy { $0 > 0 }: return .absent(reason: "takes arrays of at least one axis")
    case .broadcast where own.count <= 1: return .absent(reason: "has one operand")
    case .broadcast: return .absent(reason: "its operands have roles of their own and are not broadcast")
    case .nonSquare where operation.samples.allSatisfy { $0.shapes.allSatisfy { $0.rank <= 1 } }: return .absent(reason: "takes no matrices")
    case .nonSquare: return .absent(reason: "takes square matrices")
    default: return .open
    }
  }
}
