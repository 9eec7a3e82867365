import ArgumentParser
import FluxionExperiment
import FluxionSystems

/// `fluxion show <system>`
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a system: its papers, its settings, its claims.")

  @Argument(help: "The system's name.", completion: .systems)
  var system: String

  @Flag(help: "Print JSON.")
  var json = false

  private struct Page: Encodable {
    struct Statement: Encodable { var key: String, meaning: String, bound: String, published: String }
    var name: String, title: String, summary: String, family: String
    var papers: [String]
    var settings: [SettingDescription]
    var claims: [Statement]
  }

  func run() throws {
    try reportingFailures(of: "fluxion show") {
      let system = try CommandEnvironment.catalogue.system(system)
      guard json else { return print(SystemText.page(of: system), terminator: "") }
      let card = system.card
      JSONOutput.print(
        Page(
          name: card.name, title: card.title, summary: card.summary, family: card.family, papers: card.papers.map(\.reference),
          settings: SystemText.descriptions(of: system),
          claims: system.claims.map {
            Page.Statement(key: $0.key, meaning: $0.meaning, bound: "\($0.bound)", published: $0.published)
          }))
    }
  }
}

extension CompletionKind {
  /// The names of the systems.
  static var systems: CompletionKind { .list(CommandEnvironment.catalogue.names) }
}
