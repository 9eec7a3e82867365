import Testing

@testable import FluxionReport

@Suite("Ticks and domains")
struct TickTests {
  private func linear(_ lower: Double, _ upper: Double, _ target: Int) -> TickSet {
    TickSet(for: Domain(lower: lower, upper: upper, scale: .linear), target: target)
  }

  private func labels(_ set: TickSet) -> [String] {
    set.major.map { $0.label?.html ?? "" }
  }

  @Test("steps are 1, 2 or 5 times a power of ten")
  func steps() {
    #expect(linear(0, 10, 5).ticks.map(\.value) == [0, 2, 4, 6, 8, 10])
    #expect(linear(-0.4, 1.04, 3).ticks.map(\.value) == [0, 0.5, 1])
    #expect(labels(linear(-0.6, 1.04, 4)) == ["\u{2212}0.5", "0", "0.5", "1.0"])
    #expect(linear(0.1, 0.7, 6).ticks.map(\.value) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
  }

  @Test("long labels lose a common power of ten")
  func exponent() {
    let large = linear(0, 3e9, 3)
    #expect(large.exponent == 9)
    #expect(labels(large) == ["0", "1", "2", "3"])
    let small = linear(0, 0.0004, 4)
    #expect(small.exponent == -4)
    #expect(labels(small) == ["0", "1", "2", "3", "4"])
    #expect(linear(0, 3000, 3).exponent == 0)
  }

  @Test("decades with minor ticks and raised exponents")
  func decades() {
    let set = TickSet(for: Domain(lower: 1e-4, upper: 1, scale: .logarithmic), target: 6)
    #expect(set.major.map(\.value) == [1e-4, 1e-3, 1e-2, 1e-1, 1])
    #expect(labels(set).first == "10<sup>\u{2212}4</sup>")
    #expect(set.ticks.count == 5 + 4 * 8)
    #expect(set.ticks.contains { $0.value == 0.003 && $0.label == nil })
  }

  @Test("few decades get plain labels at 1, 2 and 5; many are thinned")
  func range() {
    let few = TickSet(for: Domain(lower: 0.15, upper: 3, scale: .logarithmic), target: 6)
    #expect(labels(few) == ["0.2", "0.5", "1", "2"])
    let many = TickSet(for: Domain(lower: 1e-12, upper: 1e12, scale: .logarithmic), target: 5)
    #expect(many.major.map(\.value) == [1e-10, 1e-5, 1, 1e5, 1e10])
  }

  @Test("data decide the range with a margin of 4 %, or the caller without one")
  func domains() {
    let free = Domain.fitting(.linear(), data: 0...100)
    #expect(free.lower == -4 && free.upper == 104)
    let fixed = Domain.fitting(.linear(range: -5...5), data: 0...100)
    #expect(fixed.lower == -5 && fixed.upper == 5)
    let half = Domain.fitting(.linear(from: 0), data: 10...100)
    #expect(half.lower == 0 && abs(half.upper - 104) < 1e-9)
    let foot = Domain.fitting(.linear(), data: 0...100, baseline: 0)
    #expect(foot.lower == 0)
    let wrong = Domain.fitting(.logarithmic(range: -5...5), data: 1...100)
    #expect(wrong.lower > 0 && wrong.lower < 1)
  }

  @Test(
    "any range gives ticks inside it, and finite positions",
    arguments: [
      (0.0, 0.0), (1.0, 1.0), (-1e308, 1e308), (1e308, 1e308), (0, .leastNonzeroMagnitude), (1, 1 + 1e-15),
      (-1e-300, 1e-300), (1e15, 1e15 + 1),
    ])
  func extremes(lower: Double, upper: Double) {
    for axis in [
      Figure.Axis.linear(), .logarithmic(), .linear(range: lower...upper), .logarithmic(range: lower...upper),
    ] {
      let domain = Domain.fitting(axis, data: lower...upper)
      #expect(domain.lower < domain.upper)
      for tick in TickSet(for: domain, target: 6).ticks {
        let position = domain.position(of: tick.value)
        #expect(position != nil && position! >= -1e-6 && position! <= 1 + 1e-6, "\(tick.value) in \(domain)")
      }
      #expect(domain.position(of: .nan) == nil)
    }
  }
}
