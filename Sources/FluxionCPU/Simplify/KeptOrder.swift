import FluxionCore

/// What an operation on floating-point numbers does to the order of one of its operands, the other, if it has one, being a number.
/// Rounding keeps order.
struct KeptOrder: Equatable {
  /// The operand whose order it is.
  let operand: Int
  let isReversed: Bool
  /// The other operand.
  let number: Double?

  /// The extreme of the operand that becomes the results' `extreme`, which is the minimum or the maximum.
  func source(of extreme: Reduction) -> Reduction {
    if !isReversed { return extreme }
    return extreme == .maximum ? .minimum : .maximum
  }
}

extension Operation {
  /// How the results are ordered; nil if that does not follow from one operand.
  ///
  /// - Parameter number: what all elements of an operand are, if that is known.
  func keptOrder(_ number: (Int) -> Double?) -> KeptOrder? {
    switch self {
    case .unary(.negate): return KeptOrder(operand: 0, isReversed: true, number: nil)
    case let .binary(f):
      for place in 0...1 {
        guard let c = number(place) else { continue }
        return f.reversesOrder(with: c, at: place).map { KeptOrder(operand: 1 - place, isReversed: $0, number: c) }
      }
      return nil
    default: return nil
    }
  }
}

extension Binary {
  /// Whether the operation with the number `c` for its operand `place` (0, 1) turns the order of the other operands round; nil if it
  /// does not keep order at all.
  fileprivate func reversesOrder(with c: Double, at place: Int) -> Bool? {
    guard c.isFinite else { return nil }
    return switch self {
    case .add: false
    case .subtract: place == 0
    case .multiply where c != 0: c < 0
    case .divide where c != 0 && place == 1: c < 0
    default: nil
    }
  }
}
