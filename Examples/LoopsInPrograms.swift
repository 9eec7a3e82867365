public import Fluxion

/// A thousand steps compile once and run without returning to Swift.
public let eulerPath = compiled { (v: Velocity, x: Tensor) -> Tensor in
  scan(over: arange(100, as: .float32) / 100, from: x) { x, t in
    x + v(x, at: t.broadcast(to: [x.count, 1])) / 100
  }
}
