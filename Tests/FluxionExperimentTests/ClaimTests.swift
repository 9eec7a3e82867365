import FluxionReport
import Testing

@testable import FluxionExperiment

@Suite("Claims")
struct ClaimTests {
  @Test(
    "bounds at and beside their edges",
    arguments: [
      (Claim.Bound.below(1), 0.999, 1.0), (.above(1), 1.001, 1.0), (.atMost(1), 1.0, 1.001), (.atLeast(1), 1.0, 0.999),
      (.between(2.2, 3.5), 3.5, 3.51), (.between(2.2, 3.5), 2.2, 2.19), (.within(fraction: 0.01, of: 0.429204), 0.4330, 0.4336),
      (.within(fraction: 0.5, of: -2), -3, -3.1), (.near(0, tolerance: 1e-6), -1e-6, 1.1e-6),
    ])
  func edges(bound: Claim.Bound, inside: Double, outside: Double) {
    #expect(bound.holds(for: inside), "\(bound) for \(inside)")
    #expect(!bound.holds(for: outside), "\(bound) for \(outside)")
    #expect(!bound.holds(for: .nan))
  }

  @Test("what was not measured does not hold") func missing() {
    let claim = Claim("gain", "a ratio", .above(5), published: "31")
    #expect(!claim.record(Measurements()).holds)
    var measured = Measurements()
    measured.record("gain", 4)
    measured.record("gain", 8)
    let record = claim.record(measured)
    #expect(record.measured == 6 && record.holds && record.bound == "> 5" && record.published == "31")
    #expect(measured.spread("gain") == 4...8)
    measured.record("gain", .nan)
    #expect(!claim.record(measured).holds)
    #expect(measured.spread("other") == nil)
  }

  @Test("bounds in words") func words() {
    #expect("\(Claim.Bound.within(fraction: 0.01, of: 0.429204))" == "within 1 % of 0.429204")
    #expect("\(Claim.Bound.between(2.2, 3.5))" == "in [2.2, 3.5]")
    #expect("\(Claim.Bound.below(1e-6))" == "< 1e-6")
  }

  @Test("BibTeX") func bibTeX() {
    let paper = Paper(
      key: "k2023", authors: ["Xingchao Liu", "Laurens van der Maaten", "Plato"], title: "A T", venue: .conference("ICLR"), year: 2023,
      arXiv: "2209.03003")
    #expect(
      paper.bibTeX == """
        @inproceedings{k2023,
          title = {{A T}},
          author = {Liu, Xingchao and van der Maaten, Laurens and Plato},
          booktitle = {ICLR},
          year = {2023},
          eprint = {2209.03003},
          archivePrefix = {arXiv}
        }
        """)
    #expect(paper.reference == "Xingchao Liu, Laurens van der Maaten, Plato. A T. ICLR 2023, arXiv 2209.03003.")
  }
}
