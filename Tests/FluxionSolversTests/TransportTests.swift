import FluxionCore
import FluxionSolvers
import FluxionTransforms
import Foundation
import Testing

private func permutations(_ items: [Int]) -> [[Int]] {
  items.isEmpty ? [[]] : items.flatMap { first in permutations(items.filter { $0 != first }).map { [first] + $0 } }
}

@Suite("Assignment") struct AssignmentTests {
  private func total(_ cost: [Double], _ columns: Int, _ match: [Int]) -> Double {
    match.enumerated().reduce(0) { $0 + cost[$1.offset * columns + $1.element] }
  }

  @Test("as good as the best of all permutations", arguments: 0..<20) func exhaustive(_ seed: Int) {
    let n = 6
    // Few distinct values, so that there are ties.
    let cost = Key(seed).integers([n * n], in: seed % 2 == 0 ? -5..<5 : -1000..<1000).doubles()
    let match = assignment(cost: cost, rows: n, columns: n)
    #expect(Set(match) == Set(0..<n))
    let best = permutations(Array(0..<n)).map { total(cost, n, $0) }.min()!
    #expect(total(cost, n, match) == best)
  }

  @Test("more columns than rows") func rectangular() {
    let cost: [Double] = [4, 1, 3, 9, 2, 0, 5, 9]
    #expect(assignment(cost: cost, rows: 2, columns: 4) == [2, 1])
    #expect(assignment(cost: Tensor(cost, shape: [2, 4])).elements(as: Int32.self) == [2, 1])
    #expect(assignment(cost: [], rows: 0, columns: 3) == [])
  }

  @Test("points find their shuffled selves") func pairing() {
    let x = Key(1).normal([150, 3])
    let order = Key(2).permutation(150)
    let moved = x.gathered(order) + 1e-4
    let pairs = optimalPairing(moved, x)
    #expect(pairs.elements(as: Int32.self) == order.elements(as: Int32.self))
    #expect(abs(wasserstein2(moved, x) - 1e-4 * 3.0.squareRoot()) < 1e-6)
  }

  @Test("in one dimension the exact pairing is the sorted one") func line() {
    let x = Key(3).normal([60, 1], as: .float64), y = Key(4).uniform([60, 1], as: .float64)
    let sorted: Double = lineWasserstein2(x.flattened(), y.flattened()).item()
    #expect(abs(wasserstein2(x, y) - sorted) < 1e-12)
  }

  @Test("complementary slackness of a large problem") func large() {
    // For costs (xᵢ - yⱼ)² on a line the optimum is known: the sorted pairing.
    let n = 400
    let x = Key(5).normal([n], as: .float64).doubles(), y = Key(6).normal([n], as: .float64).doubles()
    let cost = x.flatMap { a in y.map { b in (a - b) * (a - b) } }
    let match = assignment(cost: cost, rows: n, columns: n)
    let best = zip(x.sorted(), y.sorted()).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    #expect(Set(match).count == n)
    #expect(abs(total(cost, n, match) - best) < 1e-9)
  }
}

@Suite("Wasserstein distances") struct WassersteinTests {
  @Test("on a line, by hand") func line() {
    #expect(abs(lineWasserstein2(Tensor([3.0, 1]), Tensor([2.0, 6])).item() - 5.0.squareRoot()) < 1e-15)
    // Quantiles of {0, 1} and {0, 3, 3}: differences 0 on [0, ⅓], 3 on [⅓, ½], 2 on [½, 1].
    let value: Double = lineWasserstein2(Tensor([0.0, 1]), Tensor([3.0, 0, 3])).item()
    #expect(abs(value - (9.0 / 6 + 4.0 / 2).squareRoot()) < 1e-15)
    // Unequal numbers: repeating all points changes nothing.
    let x = Key(1).normal([5], as: .float64), y = Key(2).normal([7], as: .float64)
    let once: Double = lineWasserstein2(x, y).item()
    let repeated: Double = lineWasserstein2(x.tiled([7]), y.tiled([5])).item()
    #expect(abs(once - repeated) < 1e-14)
  }

  @Test("sliced: a shift is its length over √d") func sliced() {
    let x = Key(3).normal([50, 4], as: .float64)
    let shift = Tensor([1.0, -2, 0.5, 3])
    let length = shift.norm().item()
    let distance: Double = slicedWasserstein2(x, x + shift, directions: 4000, key: Key(4)).item()
    // Mean of (θ·s)² over the sphere is |s|² / d.
    #expect(abs(distance - length / 2) < 0.03 * length)
    #expect(slicedWasserstein2(x, x, key: Key(5)).item() == 0)
    // Never above the exact distance.
    let y = Key(6).uniform([50, 4], in: -1..<2, as: .float64)
    #expect(slicedWasserstein2(x, y, key: Key(7)).item() <= wasserstein2(x, y))
    #expect(slicedWasserstein2(x, y[0..<30], key: Key(7)).shape == [])
  }

  @Test("the derivative of the sliced distance") func slicedGradient() {
    let x = Key(8).normal([6, 2], as: .float64), y = Key(9).normal([9, 2], as: .float64), d = Key(10).normal([6, 2], as: .float64)
    @Sendable func f(_ x: Tensor) -> Tensor { slicedWasserstein2(x, y, directions: 16, key: Key(11)) }
    let slope: Double = (gradient(of: f, at: x) * d).sum().item()
    let h = 1e-6
    let numeric: Double = (f(x + d * h).item() - f(x - d * h).item()) / (2 * h)
    #expect(abs(slope - numeric) < 1e-7)
  }

  @Test("squared distances") func distances() {
    let x = Key(1).normal([4, 3], as: .float64), y = Key(2).normal([5, 3], as: .float64)
    let direct = (x.expanded(at: 1) - y.expanded(at: 0)).squared().sum(alongAxis: 2)
    let gap: Double = abs(squaredDistances(x, y) - direct).max().item()
    #expect(gap < 1e-13)
    #expect(squaredDistances(x, x).min().item() >= 0)
  }
}

@Suite("Sinkhorn's iteration") struct SinkhornTests {
  private let x = Key(1).normal([8, 2], as: .float64)
  private let y = Key(2).normal([6, 2], as: .float64)

  @Test("the plan has the masses asked for", arguments: [1.0, 0.1, 0.02]) func marginals(_ ε: Double) {
    let a = Tensor([0.2, 0.1, 0.1, 0.05, 0.05, 0.2, 0.15, 0.15])
    let problem = OptimalTransport(cost: squaredDistances(x, y), source: a)
    let solution = solve(problem, using: Sinkhorn(regularisation: ε, tolerance: 1e-9, maximumIterations: 20_000))
    #expect(solution.status == .converged)
    let plan = solution.value.plan
    #expect(abs(plan.sum(alongAxis: 1) - a).max().item() < 1e-9)
    #expect(abs(plan.sum(alongAxis: 0) - 1.0 / 6).max().item() < 1e-12)
    // The dual value is the primal one at the optimum.
    let entropy: Double = (plan * log(plan / (a.expanded(at: 1) / 6.0))).sum().item()
    let primal = solution.value.transportCost.item() + ε * entropy
    #expect(abs(primal - solution.value.value.item()) < 1e-6)
  }

  @Test("little regularisation gives the exact assignment") func limit() {
    let z = Key(3).normal([8, 2], as: .float64)
    let solution = solve(
      OptimalTransport(cost: squaredDistances(x, z)), using: Sinkhorn(regularisation: 0.01, tolerance: 1e-6, maximumIterations: 20_000))
    let exact = wasserstein2(x, z)
    #expect(abs(solution.value.transportCost.item() - exact * exact) < 1e-2)
    #expect(solution.value.plan.argmax(alongAxis: 1).elements(as: Int32.self) == optimalPairing(x, z).elements(as: Int32.self))
  }

  @Test("the derivative of the value by the cost is the plan") func envelope() {
    let cost = squaredDistances(x, y)
    let method = Sinkhorn(regularisation: 0.3, tolerance: 1e-12, maximumIterations: 5000)
    @Sendable func value(_ c: Tensor) -> Tensor { solve(OptimalTransport(cost: c), using: method).value.value }
    let slope = gradient(of: value, at: cost)
    let d = Key(4).normal(cost.shape, as: .float64)
    let h = 1e-5
    let numeric: Double = (value(cost + d * h).item() - value(cost - d * h).item()) / (2 * h)
    #expect(abs((slope * d).sum().item() - numeric) < 1e-8)
  }

  @Test("too few iterations are told") func short() {
    let solution = solve(
      OptimalTransport(cost: squaredDistances(x, y)), using: Sinkhorn(regularisation: 0.01, tolerance: 1e-12, maximumIterations: 3))
    #expect(solution.status == .stepLimitReached)
    #expect(solution.statistics.accepted.item() == 3)
  }
}
