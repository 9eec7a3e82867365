import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// Tracing belongs to a task: many at once do not see each other.
@Suite struct ConcurrencyTests {
  @Test func tracingInManyTasks() async {
    let results = await withTaskGroup(of: (Int, Double).self) { group in
      for k in 1...64 {
        group.addTask {
          let x = Tensor(Double(k))
          let slope = gradient(
            of: { v in
              let inner = gradient(of: { w in w * w * v }, at: v)  // 2v²
              return scan(count: 3, from: inner) { c, _ in c + v }  // 2v² + 3v
            }, at: x)
          await Task.yield()
          return (k, slope.item())
        }
      }
      var all: [Int: Double] = [:]
      for await (k, value) in group { all[k] = value }
      return all
    }
    #expect(results.count == 64)
    for (k, value) in results { #expect(value == 4 * Double(k) + 3, "task \(k)") }
  }

  @Test func oneProgramFromManyTasks() async {
    let step = compiled { (x: Tensor, y: Tensor) in (x * y).sum() + 1 }
    await withTaskGroup(of: Void.self) { group in
      for k in 0..<64 {
        group.addTask {
          let n = 1 + k % 3
          let value = step(Tensor.full(Double(k), [n], as: .float64), Tensor.ones([n], as: .float64))
          #expect(value.item() == Double(n * k) + 1)
        }
      }
    }
  }

  @Test func outsideATraceNothingIsTraced() async {
    let isTraced = await withTaskGroup(of: Bool.self) { group in
      for k in 0..<32 {
        group.addTask {
          if k % 2 == 0 { return gradient(of: { $0 * 2 }, at: Tensor(1.0)).isTraced }
          return (Tensor(1.0) + 1).isTraced
        }
      }
      return await group.contains(true)
    }
    #expect(!isTraced)
  }
}
