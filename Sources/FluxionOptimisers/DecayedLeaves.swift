import FluxionCore

/// Which tensors weight decay acts on.
public enum DecayedLeaves: String, Codable, Sendable {
  case all
  /// Those of at least two axes: weights, but neither biases nor the scales of normalisations.
  case matrices

  func includes(_ x: Tensor) -> Bool { self == .all || x.rank >= 2 }
}
