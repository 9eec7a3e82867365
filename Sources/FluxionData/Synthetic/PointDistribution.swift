public import FluxionCore

/// A distribution of points that the program can draw from: a synthetic data set of any size.
///
/// Drawing is a function of the key alone: the same key gives the same points, on every engine up to its rounding, and it can be
/// traced into a compiled program.
public protocol PointDistribution: Sendable {
  /// The name used on the command line and in reports, such as `two-moons`.
  static var name: String { get }

  /// The number of coordinates of a point.
  var dimension: Int { get }

  /// Independent draws with the part of the set that each belongs to.
  func labelledSample(_ count: Int, key: Key) -> LabelledPoints
}

/// Points and the part of a synthetic set that each was drawn from.
public struct LabelledPoints: Codable, Sendable {
  /// `f32 [count, dimension]`.
  public var points: Tensor
  /// `i32 [count]`: the arm, square, ring or mixture component, counted from 0.
  public var labels: Tensor

  public init(points: Tensor, labels: Tensor) {
    self.points = points
    self.labels = labels
  }
}

extension PointDistribution {
  /// Independent draws, `f32 [count, dimension]`.
  public func sample(_ count: Int, key: Key) -> Tensor { labelledSample(count, key: key).points }

  public var name: String { Self.name }
}

/// A distribution whose density is known.
public protocol DensityDistribution: PointDistribution {
  /// log p(x) for points `[batch, dimension]`: `[batch]`, in the element type of `x`.
  func logDensity(_ x: Tensor) -> Tensor
}
