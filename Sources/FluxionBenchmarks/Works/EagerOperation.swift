import Fluxion

/// One operation outside any program, on a few numbers: what it costs to ask for one.
public struct EagerOperation: Workload {
  public var family: String { kind == .sin ? "dispatch" : "eager" }
  public enum Kind: String, Sendable, CaseIterable { case sin, add, sum, gradient }
  let kind: Kind, count: Int

  public init(_ kind: Kind, count: Int = 16) { (self.kind, self.count) = (kind, count) }

  public var name: String {
    kind == .gradient ? "eager-gradient-sin\(count)" : "eager-dispatch-\(kind.rawValue)\(count)"
  }
  public var unit: String { kind == .gradient ? "gradient" : "operation" }
  public var demand: Demand { Demand(functions: kind == .sin || kind == .gradient ? count : 0, bytes: 8 * count) }

  public func prepare() -> Session {
    let x = Tensor.ones([count])
    switch kind {
    case .sin: return Session { sin(x) }
    case .add: return Session { x + x }
    case .sum: return Session { x.sum() }
    case .gradient:
      let slope = gradient { sin($0).sum() }
      return Session { slope(x) }
    }
  }
}
