package import Fluxion

/// Paths of an Ornstein–Uhlenbeck process dX = -X dt + dW by the Euler–Maruyama method, with fresh normal numbers in every step of one
/// program.
public struct EulerMaruyama: Workload {
  public var family: String { "euler_maruyama" }
  let paths: Int, steps: Int

  public init(paths: Int, steps: Int) { (self.paths, self.steps) = (paths, steps) }

  public var name: String { "euler-maruyama-N\(paths)-S\(steps)" }
  public var unit: String { "\(steps) steps" }
  /// A normal number takes a logarithm and a root.
  public var demand: Demand { Demand(functions: 2 * paths * steps, bytes: 8 * paths) }

  package static let stepSize = 1e-3
  package var start: Tensor { Tensor.ones([paths]) }

  public func prepare() -> Session {
    let (h, steps) = (Self.stepSize, self.steps)
    let end = compiled { (x: Tensor, key: Key) -> Tensor in
      scan(over: key.splitWords(steps), from: x) { (x: Tensor, words: Tensor) in
        x - h * x + h.squareRoot() * Key(words: words).normal(x.shape)
      }
    }
    return Session(end, (start, Key(0))) { end($0.0, $0.1) }
  }
}
