public import FluxionCore

/// How the weights of a layer begin.
///
/// With n inputs and m outputs a weight:
public enum Initialisation: String, Codable, Sendable, CaseIterable {
  /// is uniform within ±1/√n, and so is the bias: the default of PyTorch and Equinox, with which most published networks began.
  case fanIn
  /// is a truncated normal of variance 1/n. The bias is 0, here and below. (Y. LeCun et al. "Efficient BackProp." 1998.)
  case lecun
  /// is a truncated normal of variance 2/(n + m). (X. Glorot, Y. Bengio. *AISTATS* 2010.)
  case glorot
  /// is a truncated normal of variance 2/n, for relu. (K. He et al. *ICCV* 2015.)
  case he
  /// belongs to a matrix with orthonormal rows or columns. (A. Saxe, J. McClelland, S. Ganguli. *ICLR* 2014.)
  case orthogonal
  /// is 0, for a last layer that is to begin with no effect.
  case zeros

  /// Weights of `shape`, whose last axis counts the outputs.
  public func weights(_ shape: Shape, fanIn n: Int, fanOut m: Int, as elementType: ElementType = .float32, key: Key) -> Tensor {
    switch self {
    case .fanIn:
      let bound = 1 / Double(max(1, n)).squareRoot()
      return key.uniform(shape, in: -bound..<bound, as: elementType)
    case .lecun: return scaled(shape, variance: 1 / Double(max(1, n)), elementType, key)
    case .glorot: return scaled(shape, variance: 2 / Double(max(1, n + m)), elementType, key)
    case .he: return scaled(shape, variance: 2 / Double(max(1, n)), elementType, key)
    case .orthogonal:
      let columns = shape.last ?? 1
      let rows = shape.elementCount / max(1, columns)
      let tall = key.orthogonal(max(rows, columns), columns: min(rows, columns), as: elementType)
      return (rows >= columns ? tall : tall.T).reshaped(to: shape)
    case .zeros: return .zeros(shape, as: elementType)
    }
  }

  /// A bias for `count` outputs of a layer with n inputs.
  public func bias(_ count: Int, fanIn n: Int, as elementType: ElementType = .float32, key: Key) -> Tensor {
    guard self == .fanIn else { return .zeros([count], as: elementType) }
    let bound = 1 / Double(max(1, n)).squareRoot()
    return key.uniform([count], in: -bound..<bound, as: elementType)
  }

  private func scaled(_ shape: Shape, variance: Double, _ elementType: ElementType, _ key: Key) -> Tensor {
    // The standard deviation of a normal number cut at ±2.
    let spread = 0.87962566103423978
    return key.truncatedNormal(shape, in: -2...2, as: elementType) * (variance.squareRoot() / spread)
  }
}
