public import FluxionExperiment
import FluxionFlows
import FluxionText

/// The learning systems that are known by name.
public struct Catalogue: Sendable {
  /// In the order in which they are listed: by family, then by name.
  public let systems: [any LearningSystem]

  public init(_ systems: [any LearningSystem]) {
    self.systems = systems.sorted { ($0.card.family, $0.card.name) < ($1.card.family, $1.card.name) }
  }

  /// All systems of Fluxion.
  public static let all = Catalogue([
    RectifiedFlowExperiment()
  ])

  public var names: [String] { systems.map(\.card.name) }

  /// The system called `name`.
  ///
  /// - Throws: ``InputError`` with similar names when there is none.
  public func system(_ name: String) throws(InputError) -> any LearningSystem {
    if let found = systems.first(where: { $0.card.name == name }) { return found }
    throw InputError(
      "there is no system \"\(name)\". " + Suggestion.sentence(for: name, among: names, otherwise: "See fluxion list."))
  }
}
