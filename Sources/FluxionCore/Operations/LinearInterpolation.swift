// Straight lines between samples. Every result is differentiable in the places asked for, in the samples' places and in their values.

/// What lies outside the samples.
public enum Extrapolation: Hashable, Sendable, Codable {
  /// The value at the nearer end.
  case clamped
  /// The first or last piece goes on.
  case continued
  case constant(Double)
}

/// The value at `t` of the straight lines through samples.
///
/// - Parameters:
///   - t: of any shape.
///   - x: the samples' places, `[n]`, increasing.
///   - y: their values, `[n, …]`.
///   - extrapolation: what lies outside `x`.
/// - Returns: `[t…, …]`.
public func interpolate(_ t: Tensor, _ x: Tensor, _ y: Tensor, extrapolation: Extrapolation = .clamped) -> Tensor {
  let knots = Knots(t, x, y, "interpolate")
  guard let piece = knots.piece else { return knots.constant(extrapolation) }
  let (y0, y1) = (knots.y.gathered(piece), knots.y.gathered(piece + 1))
  let (x0, x1) = (knots.x.gathered(piece), knots.x.gathered(piece + 1))
  let s = knots.spread((knots.t - x0) / (x1 - x0))
  return knots.extrapolated(y0 + s * (y1 - y0), extrapolation)
}

/// Samples and the places at which a function through them is asked for, brought to one element type and checked.
struct Knots {
  let t: Tensor, x: Tensor, y: Tensor
  /// The number of the sample at or before each place, the last but one at most; nil if there is but one sample.
  let piece: Tensor?

  init(_ t: Tensor, _ x: Tensor, _ y: Tensor, _ operation: String) {
    let common = [x.asReal, y.asReal].reduce(t.resolved(meeting: x.asReal.elementType).asReal.elementType) {
      ElementType.promoted($0, $1.elementType)
    }
    if x.rank != 1 || x.count == 0 || y.shape.first != x.count {
      trapAtCaller(
        ProgramError(operation, "samples need places [n] and values [n, …] with n ≥ 1, but \(x.shape) and \(y.shape) are given."))
    }
    self.t = t.resolved(meeting: common).converted(to: common.realPart)
    self.x = x.converted(to: common.realPart)
    self.y = y.converted(to: common)
    let n = x.count
    piece = n < 2 ? nil : clamp(searchSorted(self.x, stopGradient(self.t), side: .right) - 1, 0, Tensor(integerLiteral: n - 2))
  }

  /// One number per place, made to stand beside the values' further axes.
  func spread(_ perPlace: Tensor) -> Tensor {
    perPlace.reshaped(to: t.shape + Shape([Int](repeating: 1, count: y.rank - 1)))
  }

  func extrapolated(_ value: Tensor, _ extrapolation: Extrapolation) -> Tensor {
    let last = x.count - 1
    let (before, after) = (spread(t) .< x[0], spread(t) .> x[last])
    switch extrapolation {
    case .continued: return value
    case .clamped: return select(before, y[0], select(after, y[last], value))
    case let .constant(c): return select(before .| after, Tensor(c, as: value.elementType), value)
    }
  }

  /// The one sample's value everywhere.
  func constant(_ extrapolation: Extrapolation) -> Tensor {
    extrapolated(y[0].broadcast(to: t.shape + Shape(Array(y.shape.dropFirst()))), extrapolation)
  }
}
