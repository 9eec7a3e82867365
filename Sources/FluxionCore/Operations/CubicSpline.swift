/// A function made of cubic pieces that meet with one slope, given by places, values and slopes. The ways to choose the slopes make the
/// kinds of spline.
///
/// On [xᵢ, xᵢ₊₁] with h = xᵢ₊₁ - xᵢ and s = (t - xᵢ) / h the value is
/// (1 + 2s)(1 - s)² yᵢ + s (1 - s)² h mᵢ + s² (3 - 2s) yᵢ₊₁ + s² (s - 1) h mᵢ₊₁.
///
/// It is a structure of tensors: transforms differentiate with respect to it, and what it was made of. Values, its derivatives and its
/// integrals are differentiable in everything, to every order that the pieces have.
public struct CubicSpline: Codable, Sendable {
  /// `[n]`, increasing.
  public var places: Tensor
  /// `[n, …]`.
  public var values: Tensor
  /// The derivatives at the places, shaped as the values.
  public var slopes: Tensor

  /// What is asked of a spline with continuous second derivative at its ends.
  public enum Boundary: Hashable, Sendable, Codable {
    /// Second derivative 0.
    case natural
    /// Slope 0.
    case flat
    /// The two pieces at an end are one cubic. With three samples both are one parabola, with two a line.
    case notAKnot
  }

  /// Cubic pieces with given slopes (Hermite's interpolation).
  public init(_ x: Tensor, _ y: Tensor, slopes: Tensor) {
    let knots = CubicSpline.checked(x, y)
    (places, values) = knots
    self.slopes = slopes.resolved(meeting: values.elementType).converted(to: values.elementType).broadcast(to: values.shape)
  }

  /// The spline with continuous second derivative through samples.
  ///
  /// > C. de Boor. *A Practical Guide to Splines.* Springer, 1978: chapter IV.
  public init(_ x: Tensor, _ y: Tensor, boundary: Boundary = .notAKnot) {
    let (x, y) = CubicSpline.checked(x, y)
    self.init(x, y, slopes: smoothSlopes(x, y, boundary))
  }

  /// The spline with continuous second derivative and given slopes at the ends, each shaped as one value.
  public init(_ x: Tensor, _ y: Tensor, firstSlope: Tensor, lastSlope: Tensor) {
    let (x, y) = CubicSpline.checked(x, y)
    self.init(x, y, slopes: clampedSlopes(x, y, firstSlope, lastSlope))
  }

  private static func checked(_ x: Tensor, _ y: Tensor) -> (Tensor, Tensor) {
    guard x.rank == 1, x.count >= 2, y.shape.first == x.count else {
      trapAtCaller(
        ProgramError("CubicSpline", "a spline needs places [n] and values [n, …] with n ≥ 2, but \(x.shape) and \(y.shape) are given."))
    }
    let common = ElementType.promoted(x.asReal.elementType, y.asReal.elementType)
    return (x.converted(to: common.realPart), y.converted(to: common))
  }

  /// The value at `t` (any shape): `[t…, …]`.
  public func callAsFunction(_ t: Tensor, extrapolation: Extrapolation = .continued) -> Tensor {
    let piece = Piece(self, t)
    return piece.knots.extrapolated(piece.power(0), extrapolation)
  }

  /// The `order`-th derivative at `t`; outside the samples that of the pieces at the ends.
  public func derivative(order: Int = 1, at t: Tensor) -> Tensor {
    guard order >= 0 else { return reject1("derivative", "an order of \(order) has no meaning.", like: values.type) }
    return Piece(self, t).power(order)
  }

  /// ∫ from `a` to `b` (scalars, or of one shape), in either direction; outside the samples the pieces at the ends go on.
  public func integral(from a: Tensor, to b: Tensor) -> Tensor { primitive(b) - primitive(a) }

  /// ∫ from the first place to t.
  private func primitive(_ t: Tensor) -> Tensor {
    let piece = Piece(self, t)
    let n = places.count
    let h = places.differences().reshaped(to: [n - 1] + Shape([Int](repeating: 1, count: values.rank - 1)))
    let (y0, y1) = (values.sliced(0..<n - 1, alongAxis: 0), values.sliced(1..<n, alongAxis: 0))
    let (m0, m1) = (slopes.sliced(0..<n - 1, alongAxis: 0), slopes.sliced(1..<n, alongAxis: 0))
    let whole = h * (y0 + y1) / 2 + h * h * (m0 - m1) / 12
    var low = [Int](repeating: 0, count: values.rank)
    low[0] = 1
    let before = whole.padded(low: low, high: low.map { _ in 0 }).cumulativeSum()
    return before.gathered(piece.knots.piece!) + piece.power(-1)
  }
}

/// The cubic in force at each place asked for, as c₀ + c₁ u + c₂ u² + c₃ u³ with u the distance from the piece's left end.
private struct Piece {
  let knots: Knots
  let u: Tensor
  let c: [Tensor]

  init(_ spline: CubicSpline, _ t: Tensor) {
    knots = Knots(t, spline.places, spline.values, "CubicSpline")
    let i = knots.piece!
    let x0 = knots.x.gathered(i)
    let h = knots.spread(knots.x.gathered(i + 1) - x0)
    u = knots.spread(knots.t - x0)
    let (y0, y1) = (knots.y.gathered(i), knots.y.gathered(i + 1))
    let m = spline.slopes.converted(to: knots.y.elementType)
    let (m0, m1) = (m.gathered(i), m.gathered(i + 1))
    let δ = (y1 - y0) / h
    let bend = (m0 + m1 - δ * 2) / h
    c = [y0, m0, (δ - m0) / h - bend, bend / h]
  }

  /// The derivative of an order, or for -1 the integral from the left end. Each power has its factor from differentiating uᵏ.
  func power(_ order: Int) -> Tensor {
    let terms = (Swift.max(order, 0)..<4).map { k -> Tensor in
      if order < 0 { return c[k] / Double(k + 1) }
      return c[k] * (0..<order).reduce(1.0) { $0 * Double(k - $1) }
    }
    guard let last = terms.last else { return c[0] * 0 + u * 0 }
    let sum = terms.dropLast().reversed().reduce(last + u * 0) { $0 * u + $1 }
    return order < 0 ? sum * u : sum
  }
}
