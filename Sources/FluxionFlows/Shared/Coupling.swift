public import FluxionCore

/// Which source point goes with which data point in the first round.
public enum Coupling: Sendable {
  /// Each drawn on its own.
  case independent
  /// Row i of the source belongs to row i of the data.
  case pairs
  /// Optimal transport within batches: source and data are drawn on their own, then each batch is matched so that Σ‖x₁ - x₀‖² is
  /// least (assignment), or nearly so with some randomness (Sinkhorn).
  ///
  /// > A. Tong, K. Fatras, N. Malkin, G. Huguet, Y. Zhang, J. Rector-Brooks, G. Wolf, Y. Bengio. "Improving and generalizing flow-based
  /// > generative models with minibatch optimal transport." *TMLR* 2024.
  case transport(batch: Int, matching: Matching)

  public enum Matching: Sendable, Hashable {
    case assignment
    /// Pairs drawn from the entropic plan with regularisation ε times the mean cost of the batch.
    case sinkhorn(regularisation: Double)
  }

  /// The couplings that a configuration can name.
  public enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
    case independent
    /// Rows of the two files belong together.
    case pairs
    /// Optimal transport within batches by exact assignment.
    case transport
    /// Optimal transport within batches by Sinkhorn's iteration.
    case sinkhorn
  }

  public init(_ kind: Kind, batch: Int = 256) {
    switch kind {
    case .independent: self = .independent
    case .pairs: self = .pairs
    case .transport: self = .transport(batch: batch, matching: .assignment)
    case .sinkhorn: self = .transport(batch: batch, matching: .sinkhorn(regularisation: 0.05))
    }
  }
}

/// Where training pairs come from: points of the data, and of the source unless that is Gaussian.
public struct PairSource: Codable, Sendable {
  /// X₁ candidates, `[n, …]`.
  public var target: Tensor
  /// X₀ candidates, `[m, …]`; nil for N(0, σ²I).
  public var source: Tensor?
  /// One class per target point, `i32 [n]`.
  public var labels: Tensor?
  /// Whether row i of the source belongs to row i of the target.
  public var isPaired: Bool
  /// σ of a Gaussian source.
  public var sourceDeviation: Double
  /// Draws the target's classes equally often; nil: every point is equally likely.
  public var balance: ClassBalance?

  public init(
    target: Tensor, source: Tensor? = nil, labels: Tensor? = nil, isPaired: Bool = false, sourceDeviation: Double = 1,
    balance: ClassBalance? = nil
  ) {
    self.target = target
    self.source = source
    self.labels = labels
    self.isPaired = isPaired
    self.sourceDeviation = sourceDeviation
    self.balance = balance
  }

  /// A batch of pairs with their classes; can be traced.
  public func draw(_ count: Int, key: Key) -> (x0: Tensor, x1: Tensor, labels: Tensor?) {
    let (k1, k0) = key.split()
    let rows = drawRows(count, key: k1)
    let x1 = target.gathered(rows)
    let classes = labels.map { $0.gathered(rows) }
    if isPaired, let source { return (source.gathered(rows), x1, classes) }
    return (drawSource(count, key: k0), x1, classes)
  }

  /// Rows of the target, classes balanced if asked for: `i32 [count]`.
  public func drawRows(_ count: Int, key: Key) -> Tensor {
    balance?.draw(count, key: key) ?? key.integers([count], in: 0..<target.count)
  }

  /// Source points alone.
  public func drawSource(_ count: Int, key: Key) -> Tensor {
    if let source { return source.gathered(key.integers([count], in: 0..<source.count)) }
    return key.normal([count] + target.pointShape) * sourceDeviation
  }
}
