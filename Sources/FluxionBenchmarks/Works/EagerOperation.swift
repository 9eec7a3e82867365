import Fluxion

/// One operation outside any program: the sine of a few numbers.
public struct EagerOperation: Workload {
  public static let family = "dispatch"
  let count: Int

  public init(count: Int = 16) { self.count = count }

  public var name: String { "eager-dispatch-sin\(count)" }
  public var unit: String { "operation" }
  public var demand: Demand { Demand(functions: count, bytes: 8 * count) }

  public func prepare() -> Session {
    let x = Tensor.ones([count])
    var y = x
    return Session(program: nil, run: { y = sin(x) }, results: { [y] })
  }
}
