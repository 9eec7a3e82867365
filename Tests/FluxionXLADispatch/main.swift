import FluxionCPU
import FluxionCore
import FluxionTransforms
import FluxionXLA
import Foundation

// Times calls of small compiled programs on XLA's device: what a call costs beside the work. Prints JSON, microseconds a call, for
// `scripts/xla/dispatch.py`, which times JAX on the same programs.

/// The least mean of several runs: what disturbs only adds.
func microseconds(_ calls: Int, _ body: () -> Void) -> Double {
  var best = Double.infinity
  for _ in 0..<7 {
    let start = ContinuousClock.now
    for _ in 0..<calls { body() }
    let time = ContinuousClock.now - start
    best = min(best, (Double(time.components.seconds) * 1e6 + Double(time.components.attoseconds) * 1e-12) / Double(calls))
  }
  return best
}

let device = try Device.xla()
var results: [String: Double] = [:]
try device.active {
  let add = compiled { (x: Tensor) in x + 1 }
  let x = try device.placed(Tensor([Float](repeating: 1, count: 8)))
  // Each call waits for its result, as one that reads it does.
  results["add one, waiting"] = microseconds(2000) { _ = try! add.attempt(x) }
  var chained = x
  results["add one, chained"] = microseconds(2000) { chained = add(chained) }
  _ = chained.doubles()

  let many = compiled { (x: [Tensor]) in x.map { $0 + 1 } }
  var list = try (0..<20).map { try device.placed(Tensor([Float](repeating: Float($0), count: 8))) }
  results["twenty arrays, chained"] = microseconds(500) { list = many(list) }
  _ = list[0].doubles()

  let update = compiled { (state: inout Tensor) in state += 1 }
  var state = Tensor.zeros([4096])
  results["4096 numbers updated in place"] = microseconds(2000) { update(&state) }
  _ = state.doubles()
}
let data = try JSONSerialization.data(withJSONObject: results, options: [.sortedKeys])
print(String(decoding: data, as: UTF8.self))
