/// The synthetic point sets by name, at their usual settings: what a command line or a configuration can ask for.
public enum SyntheticSets {
  /// One entry of the catalogue.
  public struct Entry: Sendable {
    public let name: String
    public let summary: String
    public let distribution: any PointDistribution
  }

  public static let all: [Entry] = [
    Entry(name: TwoMoons.name, summary: "two interleaved half circles", distribution: TwoMoons()),
    Entry(name: EightGaussians.name, summary: "eight Gaussians on a circle of radius 4, sd 0.3", distribution: EightGaussians.wide),
    Entry(name: "eight-gaussians-small", summary: "the same on radius 2, sd 0.2", distribution: EightGaussians.small),
    Entry(name: "eight-gaussians-large", summary: "the same on radius 4/√2, sd 0.5/√2", distribution: EightGaussians.large),
    Entry(name: Checkerboard.name, summary: "uniform on eight squares of a board", distribution: Checkerboard()),
    Entry(name: Pinwheel.name, summary: "five bent arms", distribution: Pinwheel()),
    Entry(name: SwissRoll.name, summary: "a rolled strip in the plane", distribution: SwissRoll()),
    Entry(name: "swiss-roll-3d", summary: "a rolled strip in space", distribution: SwissRoll(isSpatial: true)),
    Entry(name: Spirals.name, summary: "two spiral arms", distribution: Spirals()),
    Entry(name: Rings.name, summary: "four concentric rings", distribution: Rings()),
    Entry(name: "circles", summary: "two concentric circles", distribution: Rings.circles),
    Entry(name: "simplex-gaussians", summary: "three Gaussians on a triangle", distribution: GaussianMixture.simplex(dimension: 2)),
    Entry(name: Banana.name, summary: "a bent Gaussian", distribution: Banana()),
    Entry(name: Funnel.name, summary: "Neal's funnel", distribution: Funnel()),
  ]

  public static var names: [String] { all.map(\.name) }

  /// The set called `name`, or nil when there is none.
  public static func named(_ name: String) -> (any PointDistribution)? { all.first { $0.name == name }?.distribution }
}
