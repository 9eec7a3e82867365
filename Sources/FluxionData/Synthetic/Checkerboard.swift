public import FluxionCore

/// Uniform on every second unit square of a board, enlarged: x₁ = 4u₁ - 2, x₂ = u₂ - 2·Bernoulli(½) + (⌊x₁⌋ mod 2), result 2(x₁, x₂).
///
/// Eight squares of side 2 within [-4, 4]². Labels: the square, two per column from the left, lower one first.
public struct Checkerboard: DensityDistribution, Codable {
  public static let name = "checkerboard"

  public init() {}

  public var dimension: Int { 2 }

  public func labelledSample(_ count: Int, key: Key) -> LabelledPoints {
    let keys = key.split(3)
    let x1 = keys[0].uniform([count]) * 4 - 2
    let column = floor(x1)
    let upper = keys[1].integers([count], in: 0..<2)
    let isOdd = column - 2 * floor(column / 2)
    let x2 = keys[2].uniform([count]) + isOdd - 2 * (1 - upper).converted(to: .float32)
    let points = stacked([x1, x2], alongAxis: 1) * 2
    let labels = (column.converted(to: .int32) + 2) * 2 + upper
    return LabelledPoints(points: points, labels: labels)
  }

  /// -log 32 on the squares, -∞ elsewhere.
  public func logDensity(_ x: Tensor) -> Tensor {
    let half = floor(x / 2)
    let place = half[.all, 0] + half[.all, 1]
    let isEven = (place - 2 * floor(place / 2)) .== 0
    let isInside = (abs(x) .<= 4).all(alongAxes: [1])
    let inside = Tensor(-3.465735902799726, as: x.elementType)
    return select(isEven .& isInside, inside, Tensor(-Double.infinity, as: x.elementType))
  }
}
