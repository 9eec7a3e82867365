#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How a resized array is made from the old one.
public enum ResizeMethod: Hashable, Sendable, Codable {
  case nearest, linear
  /// Keys's cubic convolution with a = -½.
  case cubic
  /// A windowed sinc over this many places on each side; 3 and 5 are usual.
  case lanczos(Int)
}

extension Tensor {
  /// The array as if sampled at another number of places per axis: pictures made larger and smaller.
  ///
  /// Elements are the middles of cells: element i of n has its centre at (i + ½) / n. Each axis is one product with a matrix of weights
  /// W[i, j] = k(|uᵢ - j| / w) / Σⱼ k, where uᵢ is output i's centre in units of the input's places. What lies outside has no weight.
  ///
  /// - Parameters:
  ///   - shape: lengths of all axes.
  ///   - method: the kernel k.
  ///   - antialias: where an axis becomes shorter, the kernel is as wide as the new cells, w = old / new.
  ///
  /// > R. G. Keys. "Cubic convolution interpolation for digital image processing." *IEEE Transactions on Acoustics, Speech, and Signal
  /// > Processing* 29(6), 1981.
  public func resized(to shape: Shape, method: ResizeMethod = .linear, antialias: Bool = true) -> Tensor {
    guard shape.rank == rank, zip(self.shape, shape).allSatisfy({ $1 == 0 || $0 > 0 }) else {
      return reject1(
        "resized", "shape \(self.shape) cannot be resized to \(shape): give a length for every axis, none from an empty one.", like: type)
    }
    var x = method == .nearest ? resolved(meeting: nil) : asReal
    for (at, length) in shape.dimensions.enumerated() where length != self.shape[at] {
      let old = self.shape[at]
      if method == .nearest {
        let places = (0..<length).map { Int32((Double($0) + 0.5) * Double(old) / Double(length)) }
        x = x.gathered(Tensor(places), alongAxis: at)
        continue
      }
      let weights = Tensor(resizingWeights(old, length, method, antialias), shape: [length, old]).converted(to: x.elementType)
      x = weights.dot(x, DotDimensions(lhsContracting: [1], rhsContracting: [at])).movingAxis(0, to: at)
    }
    return x
  }
}

private func resizingWeights(_ old: Int, _ new: Int, _ method: ResizeMethod, _ antialias: Bool) -> [Double] {
  let scale = Double(old) / Double(new)
  let width = antialias ? Swift.max(scale, 1) : 1
  return (0..<new).flatMap { i -> [Double] in
    let centre = (Double(i) + 0.5) * scale - 0.5
    let raw = (0..<old).map { kernel(Swift.abs(centre - Double($0)) / width, method) }
    let total = raw.reduce(0, +)
    return raw.map { $0 / total }
  }
}

private func kernel(_ x: Double, _ method: ResizeMethod) -> Double {
  switch method {
  case .nearest: return x <= 0.5 ? 1 : 0
  case .linear: return Swift.max(0, 1 - x)
  case .cubic:
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
  case let .lanczos(radius):
    if x == 0 { return 1 }
    let r = Double(radius)
    guard x <= r else { return 0 }
    return r * sin(.pi * x) * sin(.pi * x / r) / (.pi * .pi * x * x)
  }
}
