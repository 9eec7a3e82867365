public import FluxionCore

// Wasserstein-2 distances between sets of points, each point of a set with the same weight.

/// The distance between two samples on a line: (∫₀¹ |F⁻¹(u) - G⁻¹(u)|² du)^½, exactly, by sorting.
///
/// Differentiable; at distance 0 the derivative is taken as 0. O(n log n).
///
/// - Parameters:
///   - x: `[n]`.
///   - y: `[m]`; the numbers may differ.
public func lineWasserstein2(_ x: Tensor, _ y: Tensor) -> Tensor {
  requireOfCaller(
    x.rank == 1 && y.rank == 1 && x.count > 0 && y.count > 0, "lineWasserstein2",
    "two vectors of at least one number are needed, not shapes \(x.shape) and \(y.shape).")
  return sqrt(quantileCost(x.expanded(at: 1), y.expanded(at: 1)).sum())
}

/// The sliced distance: the root of the mean, over random directions θ, of the squared distance of the projections θ·x and θ·y.
///
/// Differentiable. O(directions · n log n).
///
/// - Parameters:
///   - x: `[n, dimension]`.
///   - y: `[m, dimension]`; the numbers may differ.
///   - directions: how many; 128 unless told.
///   - key: decides the directions, spread evenly over the sphere.
/// - Note: Source: N. Bonneel, J. Rabin, G. Peyré, H. Pfister. "Sliced and Radon Wasserstein barycenters of measures." *J. Math. Imaging
///   Vis.* 51, 2015.
public func slicedWasserstein2(_ x: Tensor, _ y: Tensor, directions: Int = 128, key: Key) -> Tensor {
  requireOfCaller(
    x.rank == 2 && y.rank == 2 && x.shape[1] == y.shape[1] && x.count > 0 && y.count > 0, "slicedWasserstein2",
    "points of shapes \(x.shape) and \(y.shape) are not two sets [n, dimension].")
  requireOfCaller(directions > 0, "slicedWasserstein2", "at least one direction is needed.")
  let type = ElementType.promoted(x.elementType, y.elementType)
  let θ = key.sphere([directions, x.shape[1]], as: type == .float64 ? .float64 : .float32).T
  return sqrt(quantileCost(x.matmul(θ), y.matmul(θ)).mean())
}

/// The distance between two sets of equally many points by the exact assignment: (minimum over pairings of the mean squared
/// distance)^½. O(n³) at worst; known numbers only.
///
/// - Parameters:
///   - x: `[n, dimension]`.
///   - y: `[n, dimension]`.
public func wasserstein2(_ x: Tensor, _ y: Tensor) -> Double {
  requireOfCaller(
    x.rank == 2 && x.shape == y.shape && x.count > 0, "wasserstein2",
    "points of shapes \(x.shape) and \(y.shape) are not two sets [n, dimension] of one size.")
  let n = x.count
  let cost = hostSquaredDistances(x, y)
  let columns = assignment(cost: cost, rows: n, columns: n)
  let total = columns.enumerated().reduce(0) { $0 + cost[$1.offset * n + $1.element] }
  return (total / Double(n)).squareRoot()
}

/// ‖xᵢ - yⱼ‖², `[n, m]`, for points `[n, dimension]` and `[m, dimension]`: differentiable, by products; never negative.
public func squaredDistances(_ x: Tensor, _ y: Tensor) -> Tensor {
  let products = x.matmul(y.T)
  let (a, b) = (x.squared().sum(alongAxis: 1), y.squared().sum(alongAxis: 1))
  return maximum(a.expanded(at: 1) + b.expanded(at: 0) - 2 * products, 0)
}

/// ∫₀¹ |F⁻¹ - G⁻¹|² for every column of x `[n, L]` and y `[m, L]`.
private func quantileCost(_ x: Tensor, _ y: Tensor) -> Tensor {
  let (a, b) = (x.sorted(alongAxis: 0), y.sorted(alongAxis: 0))
  let (n, m) = (x.count, y.count)
  if n == m { return (a - b).squared().mean(alongAxis: 0) }
  // Both quantile functions are constant between neighbours of the merged grid {i/n} ∪ {j/m}; in units of 1/(n m) all is integer.
  var (left, right, widths) = ([Int32](), [Int32](), [Double]())
  var (i, j, at) = (0, 0, 0)
  while i < n && j < m {
    let next = min((i + 1) * m, (j + 1) * n)
    left.append(Int32(i))
    right.append(Int32(j))
    widths.append(Double(next - at) / Double(n * m))
    at = next
    if next == (i + 1) * m { i += 1 }
    if next == (j + 1) * n { j += 1 }
  }
  let difference = a.gathered(Tensor(left)) - b.gathered(Tensor(right))
  let weights = Tensor(widths).converted(to: difference.elementType).expanded(at: 1)
  return (difference.squared() * weights).sum(alongAxis: 0)
}
