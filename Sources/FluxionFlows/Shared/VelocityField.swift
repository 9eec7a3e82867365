public import FluxionCore

/// A velocity v(x, t) that moves points: dZₜ = v(Zₜ, t) dt, from the source at t = 0 to the data at t = 1.
///
/// Trained networks and closed forms are the same to every solver and every measure.
public protocol VelocityField: Sendable {
  /// The velocity at points `x` `[batch, …]` and times `t`: a scalar, or one time per point with as many axes as `x`
  /// (`[batch, 1]` for points, `[batch, 1, 1, 1]` for images). Shape and element type of the result are those of `x`.
  func velocity(at x: Tensor, time t: Tensor) -> Tensor
}

/// A velocity that can depend on a class.
public protocol ConditionalVelocityField: VelocityField {
  /// The number of classes; 0 for a field without.
  var classCount: Int { get }

  /// - Parameters:
  ///   - x: Points `[batch, …]`.
  ///   - t: A scalar, or one time per point with as many axes as `x`.
  ///   - label: One class per point, `i32 [batch]`; `classCount` itself stands for "no class". Nil: no class for all.
  func velocity(at x: Tensor, time t: Tensor, label: Tensor?) -> Tensor
}

extension ConditionalVelocityField {
  public func velocity(at x: Tensor, time t: Tensor) -> Tensor { velocity(at: x, time: t, label: nil) }
}

/// A field written as a closure.
public struct ClosureField: VelocityField {
  private let body: @Sendable (Tensor, Tensor) -> Tensor

  public init(_ body: @escaping @Sendable (_ x: Tensor, _ t: Tensor) -> Tensor) { self.body = body }

  public func velocity(at x: Tensor, time t: Tensor) -> Tensor { body(x, t) }
}

/// Classifier-free guidance: v = v(x, t, no class) + w (v(x, t, class) - v(x, t, no class)).
///
/// w = 1 is the conditional field, w = 0 the unconditional one, w > 1 strengthens the class.
///
/// > J. Ho, T. Salimans. "Classifier-free diffusion guidance." 2022, equation 6 with w = 1 + their w.
public struct GuidedField<Field: ConditionalVelocityField>: VelocityField {
  public let field: Field
  /// `i32 [batch]`, or one class for all, `i32 [1]`.
  public let label: Tensor
  public let scale: Double

  public init(_ field: Field, label: Tensor, scale: Double = 1) {
    self.field = field
    self.label = label
    self.scale = scale
  }

  public func velocity(at x: Tensor, time t: Tensor) -> Tensor {
    let labels = label.broadcast(to: [x.count])
    let conditional = field.velocity(at: x, time: t, label: labels)
    if scale == 1 { return conditional }
    let free = field.velocity(at: x, time: t, label: nil)
    return free + (conditional - free) * scale
  }
}

extension Tensor {
  /// The shape of one point: all axes but the first.
  package var pointShape: Shape { Shape(Array(shape.dropFirst())) }

  /// The axes of a point, all but the first.
  package var pointAxes: [Int] { Array(1..<rank) }

  /// Σ over the axes of each point: `[batch]`.
  package func sumOverPoint() -> Tensor { rank > 1 ? sum(alongAxes: pointAxes) : self }

  /// A `[batch]` vector given axes of length 1 so that it broadcasts against points of `rank` axes.
  package func asColumn(rank: Int) -> Tensor { reshaped(to: Shape([count] + [Int](repeating: 1, count: rank - 1))) }
}
